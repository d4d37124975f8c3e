//! Fuzzing: every target of fuzz/ built with a nightly compiler and run for long; the table is kept in docs/performance/.

use std::{
    fs,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::step::{command, output, root, run, say, target_dir};

/// Executions of each target…
const RUNS: u64 = 1_000_000;
/// …unless they take longer than this, in seconds: six hours.
const LONGEST: u64 = 21_600;
const QUICK_RUNS: u64 = 20_000;
/// Longest input: no reader's paths need more.
const MAX_LENGTH: u64 = 4_096;
/// A small picture is one with every kind of block; a long one only takes longer.
const MAX_PICTURE: u64 = 1_024;
/// So many run at the same time.
const AT_ONCE: usize = 2;
/// One input may take so long, in seconds, and so much memory, in MB.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=2048", "-detect_leaks=1"];
/// To weigh inputs by how rare what they reach is takes longer than most readers take to read them.
const WAY: &str = "-entropic=0";
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What came of one target.
struct Row {
    name: String,
    runs: u64,
    seconds: f64,
    edges: u64,
}

/// Builds and runs them all; ends at the first finding, with the input that makes it again.
pub(crate) fn fuzz(quick: bool) -> Result<()> {
    ensure!(output("rustup run nightly rustc --version").is_some(), "fuzzing needs `rustup toolchain install nightly`");
    if output("rustup run nightly cargo fuzz --version").is_none() {
        run("install cargo-fuzz (a minute, once)", command("cargo install cargo-fuzz --locked"))?;
    }
    let built = target_dir().join("fuzz");
    let mut build = command("rustup run nightly cargo fuzz build --target-dir");
    // The cargo that runs this task must not choose the compiler.
    build.arg(&built).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    run("build", build)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/seeds"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let asked_for = if quick { QUICK_RUNS } else { RUNS };
    let longest = variable("FUZZ_SECONDS");
    let mut targets = Vec::new();
    for name in names {
        let mut target = Command::new(built.join(TRIPLE).join("release").join(&name));
        // What is found stays, so that the next run begins where this one ended; the seeds stay as they are.
        let corpus = built.join("corpus").join(&name);
        fs::create_dir_all(&corpus)?;
        target.arg(&corpus).arg(root().join("fuzz/seeds").join(&name)).args(LIMITS).arg(WAY);
        target.arg(format!("-runs={asked_for}"));
        target.arg(format!("-max_total_time={}", longest.unwrap_or(LONGEST)));
        let length = if name == "avatar" { MAX_PICTURE } else { MAX_LENGTH };
        target.arg(format!("-max_len={length}")).arg(format!("-artifact_prefix={}/finding-", corpus.display()));
        targets.push((name, target));
    }
    let rows = rows(targets)?;
    let page = page(&rows, asked_for);
    say(&page);
    if !quick {
        fs::write(root().join("docs/performance/fuzz.md"), page)?;
    }
    let slow: Vec<_> = rows.iter().filter(|row| row.runs < asked_for).map(|row| row.name.as_str()).collect();
    ensure!(longest.is_some() || slow.is_empty(), "fewer than {asked_for} executions: {}", slow.join(", "));
    Ok(())
}

/// A few at a time, in the order of their names.
fn rows(targets: Vec<(String, Command)>) -> Result<Vec<Row>> {
    let queue = Mutex::new(targets.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        while let Some((name, target)) = next() {
            rows.push(row(&name, target)?);
        }
        Ok(rows)
    };
    let mut rows = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            rows.extend(worker.join().map_err(|_| anyhow!("a thread of the task fell over"))??);
        }
        Ok(())
    })?;
    rows.sort_by(|one: &Row, other| one.name.cmp(&other.name));
    Ok(rows)
}

fn row(name: &str, mut target: Command) -> Result<Row> {
    let begun = Instant::now();
    let done = target.stdin(Stdio::null()).output().with_context(|| format!("{name} cannot be started"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{name}: a finding.\n{said}");
    let number =
        |line: &str, after: &str| -> Option<u64> { line.split_once(after)?.1.split_whitespace().next()?.parse().ok() };
    let last = |after: &str| said.lines().rev().find_map(|line| number(line, after));
    let runs = last("Done ").with_context(|| format!("{name} does not say how often it ran:\n{said}"))?;
    let row =
        Row { name: name.to_owned(), runs, seconds: begun.elapsed().as_secs_f64(), edges: last("cov: ").unwrap_or(0) };
    say(&format!("   {name}: {runs} executions in {:.0} s", row.seconds));
    Ok(row)
}

fn page(rows: &[Row], asked_for: u64) -> String {
    let mut page = format!(
        "# Fuzzing, measured\n\n\
         Made by `cargo xtask bench fuzz`; not edited by hand. Every reader of bytes from outside, under libFuzzer with \
         AddressSanitizer, overflow checks and leak detection, from the seeds in fuzz/seeds: {asked_for} executions each, or \
         as many as fit the time it was given. A panic, a leak, {LIMITS:?} or worse ends the run; there was none.\n\n\
         | target | executions | seconds | a second | code reached, in edges |\n|---|---|---|---|---|\n",
    );
    for Row { name, runs, seconds, edges } in rows {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = *runs as f64 / seconds.max(0.001);
        page += &format!("| {name} | {runs} | {seconds:.0} | {rate:.0} | {edges} |\n");
    }
    page
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
