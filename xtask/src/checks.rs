//! Every check, in the order in which a mistake is cheapest to find.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::{
    house,
    setup::{self, Scope},
    step::{self, command, root, say},
};

/// One check: its name and what it does.
type Check = (&'static str, fn() -> Result<()>);

const CHECKS: &[Check] = &[
    ("format", format),
    ("tree", house::tree),
    ("machines", house::machines),
    ("complaints", house::complaints),
    ("page", page),
    ("lints", lints),
    ("docs", docs),
    ("arrows", arrows),
    ("tests", tests),
    ("proof", proof),
    ("service", service),
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

fn lints() -> Result<()> {
    run_line("cargo clippy --quiet --workspace --all-targets -- -D warnings")
}

/// Links in docs lead somewhere.
fn docs() -> Result<()> {
    let mut doc = command("cargo doc --quiet --workspace --no-deps --document-private-items");
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

/// Unit and integration tests of every crate.
fn tests() -> Result<()> {
    run_line("cargo test --quiet --workspace --exclude bellbird-tests")
}

/// Ringing under every order of events, the server killed while people ring, and what reads bytes from outside.
fn proof() -> Result<()> {
    run_line("cargo build --quiet -p bellbird-desktop -p bellbird --bins")?;
    run_line("cargo test --quiet -p bellbird-tests --test simulation --test crash --test parsers -- --test-threads=1")
}

/// Every row and rule through the real server and the real client.
fn service() -> Result<()> {
    run_line("cargo test --quiet -p bellbird-tests --test service")
}

/// Two real app windows, and a browser. One at a time: each test has two apps, two encoders and two cameras for two cores.
fn desktop() -> Result<()> {
    setup::npm_packages("tests/browser")?;
    run_line("cargo build --quiet -p bellbird-desktop -p bellbird --bins")?;
    run_line("cargo test --quiet -p bellbird-tests --lib --test desktop --test livekit -- --test-threads=1")
}

fn run_line(line: &str) -> Result<()> {
    step::run(line, command(line))
}
