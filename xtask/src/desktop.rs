//! Opening the app, and the demo that plays a first call.

use anyhow::Result;

use crate::{
    setup::{self, Scope},
    step::{command, root, run as step, say},
};

/// Opens the app; without a display, plays the demo on a virtual one.
pub(crate) fn run(app: &[String]) -> Result<()> {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !has_display {
        say("There is no display here: starting a virtual one with a sound server, and playing the demo on it.");
        return demo();
    }
    setup::prepare(Scope::App)?;
    step("build the app", command("cargo build --quiet -p bellbird-desktop"))?;
    let mut open = command("cargo run --quiet -p bellbird-desktop --");
    open.args(app);
    step("Bellbird", open)
}

/// Two people, two windows, one real call.
pub(crate) fn demo() -> Result<()> {
    setup::prepare(Scope::StandIns)?;
    step("build the app and the demo", command("cargo build --quiet -p bellbird-desktop -p bellbird-tests --bins"))?;
    let pictures = root().join("target/demo");
    std::fs::create_dir_all(&pictures)?;
    let mut play = command("cargo run --quiet -p bellbird-tests --bin demo --");
    play.arg(&pictures);
    step("demo", play)?;
    say(&format!("The pictures are in {}.", pictures.display()));
    Ok(())
}

/// Writes ui/src/bindings.ts anew.
pub(crate) fn bindings() -> Result<()> {
    let mut write = command("cargo run --quiet -p bellbird-desktop -- --write-bindings");
    write.arg(root().join("ui/src/bindings.ts"));
    step("write the page's bindings", write)
}
