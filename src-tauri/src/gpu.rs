//! Without a GPU, WebKit's compositing by a software GL costs a whole core for one picture: it is switched off.

use std::{fs, os::unix::process::CommandExt as _, process::Command};

const SWITCH: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// Must run at the very start, before GTK and any thread: the switch is an environment variable, and the process begins
/// anew with it set.
pub(crate) fn spare_compositing() {
    if std::env::var_os(SWITCH).is_some() || has_gpu() {
        return;
    }
    let Ok(this) = std::env::current_exe() else { return };
    let error = Command::new(this).args(std::env::args_os().skip(1)).env(SWITCH, "1").exec();
    tracing::warn!(%error, "compositing cannot be switched off; pictures will cost more");
}

fn has_gpu() -> bool {
    let nodes = fs::read_dir("/dev/dri").into_iter().flatten().filter_map(Result::ok);
    nodes.into_iter().any(|node| node.file_name().to_string_lossy().starts_with("renderD"))
}
