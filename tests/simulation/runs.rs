//! Many worlds at once, and one again.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Instant,
};

use super::world::{Bug, Violation, World};

/// The first seed of a bounded number that breaks a rule.
pub(super) fn first_broken(first: u64, count: u64, bug: Bug) -> Option<(u64, Violation)> {
    let next = AtomicU64::new(first);
    let is_found = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let found = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let base = now();
                    while !is_found.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + count {
                            return None;
                        }
                        if World::new(seed, base, bug, false).run().is_err() {
                            is_found.store(true, Ordering::Relaxed);
                            return Some(seed);
                        }
                    }
                    None
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().expect("no scenario panics")).min()
    });
    found.map(|seed| (seed, replayed(seed, bug)))
}

fn replayed(seed: u64, bug: Bug) -> Violation {
    match World::new(seed, now(), bug, true).run() {
        Err(violation) => violation,
        Ok(()) => {
            Violation { what: "it did not break again: the world is not deterministic".to_owned(), trace: Vec::new() }
        }
    }
}

fn hold(count: u64) {
    let (first, begun) = (variable("FIRST").unwrap_or(0), now());
    if let Some((seed, violation)) = first_broken(first, count, Bug::None) {
        panic!(
            "scenario {seed} breaks a rule: {}\n{}\n\nagain: SEED={seed} cargo test -p bellbird-tests --test simulation replay -- --nocapture",
            violation.what,
            violation.trace.join("\n"),
        );
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = count as f64 / seconds * 60.0;
    eprintln!("{count} scenarios in {seconds:.1} s: {rate:.0} a minute");
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn ringing_holds_under_every_order_of_events() {
    hold(variable("SCENARIOS").unwrap_or(100_000));
}

#[test]
#[ignore = "for the bench: a million scenarios"]
fn a_million_scenarios() {
    hold(variable("SCENARIOS").unwrap_or(1_000_000));
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

/// `SEED=… cargo test -p bellbird-tests --test simulation replay -- --nocapture`
#[test]
fn replay() {
    let Some(seed) = variable("SEED") else { return };
    match World::new(seed, now(), Bug::None, true).run() {
        Ok(()) => println!("scenario {seed} breaks no rule"),
        Err(violation) => panic!("scenario {seed} breaks a rule: {}\n{}", violation.what, violation.trace.join("\n")),
    }
}

#[expect(clippy::disallowed_methods, reason = "the virtual clock has to begin somewhere; and the run is timed")]
pub(super) fn now() -> Instant {
    Instant::now()
}
