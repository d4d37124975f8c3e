//! What this machine has and lacks for a call.

use std::path::Path;

use crate::{
    setup::{Scope, missing_packages},
    step::{has_program, output, say},
};

/// Prints a line for each thing a call needs.
pub(crate) fn run() {
    line("cargo", output("cargo --version"), "install rustup from rustup.rs");
    line("node", output("node --version"), "install Node.js 20 or newer");
    for (what, scope) in [("packages to build and run", Scope::App), ("packages for tests and demo", Scope::StandIns)] {
        let missing = missing_packages(scope);
        let there = missing.is_empty().then(|| "all installed".to_owned());
        line(what, there, &format!("missing: {} (cargo xtask run installs them)", missing.join(" ")));
    }
    let display = ["WAYLAND_DISPLAY", "DISPLAY"].iter().find_map(|name| std::env::var(name).ok());
    line("display", display, "none: cargo xtask run plays the demo on a virtual one");
    line("graphics", gpu(), "no GPU: the page is drawn without compositing, which costs less on such a machine");
    line("sound server", sound(), "none: start PipeWire or PulseAudio, or the call is silent");
    line("camera", cameras(), "none: calls work, without your picture");
    line(
        "notifications",
        bus_owner("org.freedesktop.Notifications"),
        "no notification host on the session bus: an incoming call shows its popup only",
    );
    line(
        "tray",
        bus_owner("org.kde.StatusNotifierWatcher"),
        "no tray host (GNOME needs the AppIndicator extension): closing the window ends the app instead of hiding it",
    );
}

fn line(what: &str, found: Option<String>, otherwise: &str) {
    match found {
        Some(found) => say(&format!("✔ {what}: {found}")),
        None => say(&format!("✘ {what}: {otherwise}")),
    }
}

fn gpu() -> Option<String> {
    let nodes = std::fs::read_dir("/dev/dri").ok()?;
    let render = nodes.filter_map(Result::ok).find(|node| node.file_name().to_string_lossy().starts_with("renderD"))?;
    Some(render.path().display().to_string())
}

fn sound() -> Option<String> {
    if has_program("pactl")
        && let Some(info) = output("pactl info")
    {
        let name = info.lines().find_map(|line| line.strip_prefix("Server Name: "));
        return Some(name.unwrap_or("PulseAudio").to_owned());
    }
    Path::new("/dev/snd").is_dir().then(|| "ALSA".to_owned())
}

fn cameras() -> Option<String> {
    let nodes = std::fs::read_dir("/sys/class/video4linux").ok()?;
    let names = nodes.filter_map(Result::ok).filter_map(|node| std::fs::read_to_string(node.path().join("name")).ok());
    let names: Vec<_> = names.map(|name| name.trim().to_owned()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn bus_owner(name: &str) -> Option<String> {
    let call = format!(
        "dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:{name}"
    );
    output(&call).filter(|answer| answer.contains("true")).map(|_| format!("{name} answers"))
}
