//! Every check, in the order in which a mistake is cheapest to find.

use std::{fs, time::Instant};

use anyhow::{Result, bail, ensure};

use crate::{
    setup::{self, Scope},
    step::{self, command, root, say},
};

/// One check: its name and what it does.
type Check = (&'static str, fn() -> Result<()>);

const CHECKS: &[Check] = &[
    ("format", format),
    ("tree", tree),
    ("page", page),
    ("lints", lints),
    ("docs", docs),
    ("arrows", arrows),
    ("tests", tests),
    ("desktop", desktop),
];

/// Sets the machine up and runs the checks whose name contains `only`.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    setup::prepare(Scope::StandIns)?;
    let begun = Instant::now();
    let chosen: Vec<_> = CHECKS.iter().filter(|(name, _)| only.is_none_or(|only| name.contains(only))).collect();
    if chosen.is_empty() {
        let names: Vec<_> = CHECKS.iter().map(|(name, _)| *name).collect();
        bail!("no check has that name; there are: {}", names.join(", "));
    }
    for (name, check) in &chosen {
        say(&format!("══ {name}"));
        check()?;
    }
    say(&format!("All checks passed in {:.0} s.", begun.elapsed().as_secs_f32()));
    say(&format!("{} passed, 0 failed", chosen.len()));
    Ok(())
}

fn format() -> Result<()> {
    run_line("cargo fmt --all -- --check")
}

/// The tree in the README names every member, in the words of its own first line.
fn tree() -> Result<()> {
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

fn lints() -> Result<()> {
    run_line("cargo clippy --quiet --workspace --all-targets -- -D warnings")
}

/// What the documentation of our crates links to is there.
fn docs() -> Result<()> {
    let mut doc = command("cargo doc --quiet --workspace --no-deps");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    step::run("cargo doc", doc)
}

/// Who may know whom, licences and sources.
fn arrows() -> Result<()> {
    setup::cargo_deny()?;
    run_line("cargo deny --log-level error check bans licenses sources")
}

fn page() -> Result<()> {
    for script in ["check", "test"] {
        let mut npm = command(&format!("npm run --silent {script}"));
        npm.current_dir(root().join("ui"));
        step::run(&format!("npm run {script}"), npm)?;
    }
    Ok(())
}

/// Unit and integration tests of every crate but the desktop ones, which need their machine to themselves.
fn tests() -> Result<()> {
    run_line("cargo test --quiet --workspace --exclude bellbird-tests")
}

/// Two real app windows. One at a time: each test has two apps, two encoders and two cameras for two cores.
fn desktop() -> Result<()> {
    setup::npm_packages("tests/browser")?;
    run_line("cargo build --quiet -p bellbird-desktop -p bellbird --bins")?;
    run_line("cargo test --quiet -p bellbird-tests -- --test-threads=1")
}

fn run_line(line: &str) -> Result<()> {
    step::run(line, command(line))
}
