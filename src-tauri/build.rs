//! Lets Tauri embed its configuration and icons.

fn main() {
    tauri_build::build();
}
