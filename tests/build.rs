//! Compiles the stand-in camera, a library that is preloaded into the app.

use std::{env, path::PathBuf, process::Command};

fn main() {
    const SOURCE: &str = "harness/camera/camera.c";
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let library = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("libcamera-stand-in.so");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let status = Command::new(&compiler)
        .args(["-Wall", "-Wextra", "-O2", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .args([SOURCE, "-ldl", "-pthread"])
        .status();
    let is_made = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    assert!(is_made, "{compiler} did not compile {SOURCE}: {status:?}");
    println!("cargo::rustc-env=BELLBIRD_CAMERA_LIBRARY={}", library.display());
}
