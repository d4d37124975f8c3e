//! The machine: what it is, what a process has used of it, and who runs on which core.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files this program and what it starts may open: 10,000 connections and room.
const FILES: u64 = 32_768;

/// Raises the limit of open files as far as needed; children inherit it. Answers how many connections fit.
pub(crate) fn raise_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let known = limit.maximum.unwrap_or(u64::MAX);
    let wanted = Rlimit { current: Some(FILES), maximum: Some(known.max(FILES)) };
    if setrlimit(Resource::Nofile, wanted).is_err() {
        // Only root may raise the hard limit.
        let reachable = known.min(FILES);
        _ = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum: limit.maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(FILES)
}

/// CPU time a process has used so far, in the kernel and outside.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; fields 14 and 15 are counted from behind it (man proc_pid_stat).
    let after_name = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| -> Result<u64> { Ok(fields.get(field - 3).context("short /proc/PID/stat")?.parse()?) };
    let total = ticks(14)? + ticks(15)?;
    Ok(Duration::from_secs(total) / u32::try_from(rustix::param::clock_ticks_per_second())?)
}

/// Memory of a process that is its own share (PSS), in bytes.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

/// Keeps every thread of a process on these cores (`0`, `0-1`).
pub(crate) fn pin(pid: u32, cores: &str) -> Result<()> {
    let pid = pid.to_string();
    let output = Command::new("taskset").args(["-a", "-c", "-p", cores, &pid]).output().context("taskset")?;
    anyhow::ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Leaves the first core to the server, until dropped.
pub(crate) struct Aside;

impl Aside {
    pub(crate) fn go() -> Result<Self> {
        let last = cores() - 1;
        if last > 0 {
            pin(std::process::id(), &format!("1-{last}"))?;
        }
        Ok(Self)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        _ = pin(std::process::id(), &format!("0-{}", cores() - 1));
    }
}

/// Below this load a machine counts as doing nothing else.
const QUIET: f64 = 0.5;

/// How many cores there are.
fn cores() -> usize {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines().filter(|line| line.starts_with("processor")).count().max(1)
}

/// What was measured where, one fact a line.
pub(crate) fn facts(folder: &Path) -> Vec<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown CPU", |(_, model)| model.trim());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    let is_alone = load.parse::<f64>().is_ok_and(|load| load < QUIET);
    let warning =
        if is_alone { "" } else { ": **something else ran, so every figure here is worse than it would be alone**" };
    let prosody = said("dpkg-query", &["-W", "-f=${Version}", "prosody"]);
    vec![
        format!("{} cores of {model}; load before the run {load}{warning}", cores()),
        format!("Linux {}", said("uname", &["-r"])),
        format!(
            "Bellbird {} at commit {}",
            env!("CARGO_PKG_VERSION"),
            said("git", &["describe", "--always", "--dirty"])
        ),
        format!("Prosody {prosody} (Debian's package)"),
        format!(
            "the server's data on {}, its log on `RUST_LOG=warn`, and so many times the usual limits that none is met",
            said("stat", &["-f", "-c", "%T", &folder.display().to_string()])
        ),
        format!("{}", said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
    ]
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "unknown".to_owned() } else { text }
}
