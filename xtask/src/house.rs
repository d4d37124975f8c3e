//! What the house says of itself: the tree in the README, the machines that do no IO, the complaints and their tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::step::root;

/// Machines: time and randomness are arguments, nothing is awaited, nothing is opened.
const MACHINES: &[&str] = &[
    "crates/coordinator/src/authority",
    "crates/coordinator/src/desk.rs",
    "crates/coordinator/src/ring.rs",
    "crates/call-client/src/asks.rs",
    "crates/call-client/src/backoff.rs",
    "crates/call-client/src/call",
    "crates/call-client/src/calls",
    "crates/call-client/src/clock.rs",
    "crates/call-client/src/errands.rs",
    "crates/call-client/src/roster.rs",
    "crates/sfu/src/demux.rs",
    "crates/sfu/src/forward.rs",
    "crates/sfu/src/query.rs",
    "crates/sfu/src/sdp.rs",
];
/// What none of them names.
const IO: &[&str] =
    &["tokio::", "std::net::{", "std::net::Tcp", "std::net::Udp", "std::fs", "rand::rng()", "SystemTime::now"];

/// The tree in the README names every member, in the words of its own first line.
pub(crate) fn tree() -> Result<()> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    for (folder, file) in [
        ("crates/wire", "src/lib.rs"),
        ("crates/call-client", "src/lib.rs"),
        ("crates/media", "src/lib.rs"),
        ("crates/coordinator", "src/lib.rs"),
        ("crates/sfu", "src/lib.rs"),
        ("crates/cli", "src/main.rs"),
        ("src-tauri", "src/main.rs"),
        ("tests", "harness/lib.rs"),
        ("benches", "ring/main.rs"),
        ("xtask", "src/main.rs"),
    ] {
        let text = fs::read_to_string(root().join(folder).join(file))?;
        let sentence = text.lines().next().unwrap_or_default().trim_start_matches("//! ");
        let is_there = readme.lines().any(|line| line.starts_with(&format!("{folder}/")) && line.ends_with(sentence));
        ensure!(is_there, "the README's tree has no line for {folder}/ that says: {sentence}");
    }
    Ok(())
}

/// What is called a machine is one.
pub(crate) fn machines() -> Result<()> {
    for machine in MACHINES {
        let path = root().join(machine);
        ensure!(path.exists(), "{machine} is not there any more: name what it has become in xtask/src/house.rs");
        for file in sources(&path)? {
            let text = fs::read_to_string(&file)?;
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in IO {
                ensure!(!text.contains(word), "{} names {word}: a machine does no IO", file.display());
            }
        }
    }
    Ok(())
}

/// Every test that docs/complaints.md names is there.
pub(crate) fn complaints() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/complaints.md"))?;
    let mut tests = String::new();
    for folder in ["crates", "src-tauri", "tests"] {
        for file in sources(&root().join(folder))? {
            tests += &fs::read_to_string(&file)?;
        }
    }
    let is_test = |word: &&str| word.contains('_') && !word.contains('/');
    for name in page.split('`').skip(1).step_by(2).filter(is_test) {
        // A name that is cut off stands for all that begin so.
        let wanted = match name.strip_suffix('…') {
            Some(begin) => format!("fn {begin}"),
            None => format!("fn {name}("),
        };
        ensure!(tests.contains(&wanted), "docs/complaints.md names {name}, and there is no such test");
    }
    Ok(())
}

fn sources(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| path.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}
