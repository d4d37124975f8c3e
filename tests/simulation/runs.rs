//! Many worlds at once, and one again.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Instant,
};

use super::{
    page,
    variety::Faults,
    world::{Bug, Violation, World},
};

/// What came of many worlds.
pub(super) struct Run {
    /// The first seed that breaks a rule.
    pub(super) broken: Option<(u64, Violation)>,
    pub(super) faults: Faults,
    pub(super) seconds: f64,
}

/// The first seed of a bounded number that breaks a rule.
pub(super) fn first_broken(first: u64, count: u64, bug: Bug) -> Option<(u64, Violation)> {
    run(first, count, bug).broken
}

/// Every seed below one that breaks a rule is run, so the answer does not depend on the threads.
pub(super) fn run(first: u64, count: u64, bug: Bug) -> Run {
    let begun = now();
    let next = AtomicU64::new(first);
    let is_found = AtomicBool::new(false);
    let worker = || {
        let mut faults = Faults::default();
        while !is_found.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                break;
            }
            let mut world = World::new(seed, begun, bug, false);
            let is_broken = world.run().is_err();
            faults += world.faults;
            if is_broken {
                is_found.store(true, Ordering::Relaxed);
                return (Some(seed), faults);
            }
        }
        (None, faults)
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let done: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no scenario panics")).collect()
    });
    let broken = done.iter().filter_map(|(seed, _)| *seed).min().map(|seed| (seed, replayed(seed, bug)));
    let mut faults = Faults::default();
    done.into_iter().for_each(|(_, more)| faults += more);
    Run { broken, faults, seconds: begun.elapsed().as_secs_f64() }
}

fn replayed(seed: u64, bug: Bug) -> Violation {
    match World::new(seed, now(), bug, true).run() {
        Err(violation) => violation,
        Ok(()) => {
            Violation { what: "it did not break again: the world is not deterministic".to_owned(), trace: Vec::new() }
        }
    }
}

fn hold(first: u64, count: u64) -> Run {
    let run = run(first, count, Bug::None);
    if let Some((seed, violation)) = &run.broken {
        panic!(
            "scenario {seed} breaks a rule: {}\n{}\n\nagain: SEED={seed} cargo test -p bellbird-tests --test simulation replay -- --ignored --nocapture",
            violation.what,
            violation.trace.join("\n"),
        );
    }
    run
}

impl Run {
    fn pace(&self, first: u64, count: u64) -> String {
        format!("{count} scenarios from {first} in {:.1} s: {:.0} a minute", self.seconds, self.a_minute(count))
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(super) fn a_minute(&self, count: u64) -> f64 {
        count as f64 / self.seconds * 60.0
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn ringing_holds_under_every_order_of_events() {
    let (first, count) = (variable("FIRST").unwrap_or(0), variable("SCENARIOS").unwrap_or(100_000));
    println!("{}", hold(first, count).pace(first, count));
}

#[test]
#[ignore = "for the bench: a million scenarios, others each time"]
fn a_million_scenarios() {
    let first = variable("FIRST").unwrap_or_else(|| rand::random_range(0..1 << 40));
    println!("from {first} on; again: FIRST={first}");
    let count = variable("SCENARIOS").unwrap_or(1_000_000);
    let run = hold(first, count);
    println!("{}", run.pace(first, count));
    if let Ok(page) = std::env::var("KEEP") {
        std::fs::write(page, page::page(first, count, &run)).expect("the page is kept");
    }
}

/// Every way a number of scenarios breaks, and how often.
#[test]
#[ignore = "for whoever changes the rules"]
fn survey() {
    let mut ways = std::collections::BTreeMap::<String, (u64, u64)>::new();
    let first = variable("FIRST").unwrap_or(0);
    for seed in first..first + variable("SCENARIOS").unwrap_or(10_000) {
        if let Err(violation) = World::new(seed, now(), Bug::None, false).run() {
            let words = violation.what.split(' ').filter(|word| !word.chars().any(|char| char.is_ascii_digit()));
            ways.entry(words.collect::<Vec<_>>().join(" ")).or_insert((0, seed)).0 += 1;
        }
    }
    for (way, (count, seed)) in ways {
        println!("{count:>6} {way} (SEED={seed})");
    }
}

/// `SEED=… cargo test -p bellbird-tests --test simulation replay -- --ignored --nocapture`
#[test]
#[ignore = "tells one story again"]
fn replay() {
    let seed = variable("SEED").expect("SEED says which");
    match World::new(seed, now(), Bug::None, true).run() {
        Ok(()) => println!("scenario {seed} breaks no rule"),
        Err(violation) => panic!("scenario {seed} breaks a rule: {}\n{}", violation.what, violation.trace.join("\n")),
    }
}

#[expect(clippy::disallowed_methods, reason = "the virtual clock has to begin somewhere; and the run is timed")]
pub(super) fn now() -> Instant {
    Instant::now()
}
