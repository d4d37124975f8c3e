//! The page that says what came of it: one row a figure, the peer's and the target beside it, and how it is measured.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::{
    clock::Times,
    plan::{DEVICES_EACH, LOAD_PAIRS, Measured, Plan},
};

const ABSENT: &str = "not measured";

/// One figure.
struct Row {
    what: String,
    ours: String,
    peer: String,
    target: String,
    /// What would be better still.
    stretch: &'static str,
    /// Whether ours keeps the target, if it has one and was measured.
    is_kept: Option<bool>,
    how: String,
}

/// The page, in Markdown.
pub(crate) fn page(plan: &Plan, facts: &[String], took: Duration, ours: &Measured, peer: &Measured) -> String {
    let mut page = String::from(
        "# Ringing, measured\n\n\
         Made by `cargo xtask bench ring`; not edited by hand. Bellbird stores every ring, answer and end before it announces it, in \
         SQLite's log (which outlives a `kill -9`; a power cut may take the last moment with it); Prosody stores nothing here and does not know what a ring is: it passes on the messages of one (XEP-0353). \
         Both on loopback without TLS (unless said), in the same run, with the load made by one more process on the \
         same machine.\n\n",
    );
    for fact in facts {
        _ = writeln!(page, "- {fact}");
    }
    _ = writeln!(page, "- the whole run took {:.0} s\n", took.as_secs_f64());
    page.push_str(
        "| what | Bellbird | Prosody | target | kept | stretch | how it is measured |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows(plan, ours, peer) {
        let is_kept = row.is_kept.map_or("", |is_kept| if is_kept { "yes" } else { "**no**" });
        let Row { what, ours, peer, target, stretch, how, .. } = row;
        _ = writeln!(page, "| {what} | {ours} | {peer} | {target} | {is_kept} | {stretch} | {how} |");
    }
    let problems: Vec<&String> = ours.problems.iter().chain(&peer.problems).collect();
    if !problems.is_empty() {
        page.push_str("\nWhat could not be measured, and why:\n\n");
        for problem in problems {
            _ = writeln!(page, "- {problem}");
        }
    }
    page
}

fn rows(plan: &Plan, ours: &Measured, peer: &Measured) -> Vec<Row> {
    let mut rows = latencies(plan, ours, peer);
    rows.extend(loads(ours, peer));
    rows.extend(memories(plan, ours, peer));
    rows.extend(starts(ours, peer));
    rows.push(storm(plan, ours));
    rows
}

fn latencies(plan: &Plan, ours: &Measured, peer: &Measured) -> Vec<Row> {
    let mut rows = Vec::new();
    for crowd in &plan.crowds {
        let (mine, theirs) = (ours.latency.get(&crowd.devices), peer.latency.get(&crowd.devices));
        let limit = match crowd.devices {
            100 => Some(5),
            10_000 => Some(20),
            _ => None,
        };
        let p95 = mine.map(|mine| mine.ring.percentile(0.95));
        rows.push(Row {
            what: format!("ring → event, {} devices, p50 / p95 / p99", crowd.devices),
            ours: times(mine.map(|mine| &mine.ring)),
            peer: times(theirs.map(|theirs| &theirs.ring)),
            target: limit.map_or_else(String::new, |limit| format!("p95 ≤ {limit} ms")),
            is_kept: limit.zip(p95).map(|(limit, p95)| p95 <= Duration::from_millis(limit)),
            stretch: match crowd.devices {
                100 => "p95 below Prosody's",
                10_000 => "p95 ≤ 5 ms",
                _ => "",
            },
            how: format!(
                "{} rings one after the other, by {} pairs in turn: the caller's request leaves → the event is at the \
                 last device of the callee ({} each), stored in between; Prosody: propose leaves → it is at the callee \
                 (one client each)",
                mine.map_or(plan.rings, |mine| mine.ring.count()),
                crowd.pairs(crowd.devices_each()),
                crowd.devices_each(),
            ),
        });
        rows.push(Row {
            what: format!("accept → all surfaces, {} devices", crowd.devices),
            ours: times(mine.map(|mine| &mine.accept)),
            peer: times(theirs.map(|theirs| &theirs.accept)),
            target: String::new(),
            is_kept: None,
            stretch: "",
            how: "the same rings: the accept's request leaves → the event is at every other device of callee and \
                  caller; Prosody: proceed leaves → it is at the caller"
                .to_owned(),
        });
        rows.push(Row {
            what: format!("end → all surfaces, {} devices", crowd.devices),
            ours: times(mine.map(|mine| &mine.end)),
            peer: times(theirs.map(|theirs| &theirs.end)),
            target: "p95 ≤ 100 ms".to_owned(),
            is_kept: mine.map(|mine| mine.end.percentile(0.95) <= Duration::from_millis(100)),
            stretch: "p95 ≤ 50 ms",
            how: "the same rings: the hang-up's request leaves → the event is at every device of both; Prosody: \
                  finish → caller"
                .to_owned(),
        });
    }
    rows
}

fn loads(ours: &Measured, peer: &Measured) -> [Row; 2] {
    let rate = |of: &Measured| {
        of.load().map_or(ABSENT.to_owned(), |load| {
            let [server, own] = [load.busy, load.own_busy].map(|busy| busy * 100.0);
            let all: Vec<String> = of.loads.iter().map(|load| format!("{:.0}", load.per_second)).collect();
            let (rate, all) = (load.per_second, all.join(", "));
            format!("{rate:.0} of {all} (server {server:.0} % of its core, load {own:.0} %)")
        })
    };
    let cpu = |of: &Measured| of.load().map_or(ABSENT.to_owned(), |load| format!("{} µs", load.cpu.as_micros()));
    [
        Row {
            what: "whole rings a second, server on one core".to_owned(),
            ours: rate(ours),
            peer: rate(peer),
            target: "≥ 2,000".to_owned(),
            is_kept: ours.load().map(|load| load.per_second >= 2_000.0),
            stretch: "5,000",
            how: format!(
                "the middle one of {} loads: {LOAD_PAIRS} pairs ring at once, each again as soon as its ring is over; the server on the first \
                 core, the load on the others. A whole ring is ring, alerted, accept, hang-up (ours: three requests, \
                 each stored, and a message, seen by all {} devices of the pair before the next; Prosody: propose, \
                 ringing, proceed, finish)",
                ours.loads.len(),
                2 * DEVICES_EACH
            ),
        },
        Row {
            what: "CPU of a whole ring in the server".to_owned(),
            ours: cpu(ours),
            peer: cpu(peer),
            target: "≤ 500 µs".to_owned(),
            is_kept: ours.load().map(|load| load.cpu <= Duration::from_micros(500)),
            stretch: "Kamailio's 250 µs",
            how: "the same load: user and system time of the server's process (/proc/PID/stat) over rings".to_owned(),
        },
    ]
}

fn memories(plan: &Plan, ours: &Measured, peer: &Measured) -> Vec<Row> {
    let each = |all: &BTreeMap<usize, u64>, devices: usize| {
        let all = all.get(&devices)?;
        Some(kilobytes(*all) / devices as f64)
    };
    let size = |each: Option<f64>| each.map_or(ABSENT.to_owned(), |each| format!("{each:.1} KB"));
    let mut rows = Vec::new();
    for (name, limit, stretch, mine, theirs) in [
        ("without", 20.0, "10 KB", &ours.memory_plain, Some(&peer.memory_plain)),
        ("with", 40.0, "25 KB", &ours.memory_tls, None),
    ] {
        let crowds: Vec<usize> =
            plan.crowds.iter().filter(|crowd| crowd.has_memory).map(|crowd| crowd.devices).collect();
        for devices in &crowds {
            let measured = each(mine, *devices);
            rows.push(Row {
                what: format!("memory of an idle connection {name} TLS, {devices} connected"),
                ours: size(measured),
                peer: theirs.map_or("without only".to_owned(), |theirs| size(each(theirs, *devices))),
                target: format!("≤ {limit:.0} KB"),
                is_kept: measured.map(|each| each <= limit),
                stretch,
                how: format!(
                    "PSS of the server's process, less what it was before the first connection, over connections; \
                     {:.0} s after the last had its snapshot; ours is a server that has done nothing else",
                    plan.settle.as_secs_f32()
                ),
            });
        }
        if let [fewer, .., more] = crowds.as_slice() {
            let further = |all: &BTreeMap<usize, u64>| {
                let (few, many) = (kilobytes(*all.get(fewer)?), kilobytes(*all.get(more)?));
                Some((many - few) / (more - fewer) as f64)
            };
            rows.push(Row {
                what: format!("memory of each further connection {name} TLS, from {fewer} to {more}"),
                ours: size(further(mine)),
                peer: theirs.map_or("without only".to_owned(), |theirs| size(further(theirs))),
                target: String::new(),
                is_kept: None,
                stretch: "",
                how: "the same two figures: without what a server takes once, for however many".to_owned(),
            });
        }
    }
    rows
}

fn starts(ours: &Measured, peer: &Measured) -> [Row; 2] {
    let median = |times: &Times| match times.count() {
        0 => ABSENT.to_owned(),
        _ => format!("{:.0} ms", times.percentile(0.5).as_secs_f64() * 1000.0),
    };
    [
        Row {
            what: "cold start, empty database".to_owned(),
            ours: median(&ours.start_empty),
            peer: median(&peer.start_empty),
            target: String::new(),
            is_kept: None,
            stretch: "",
            how: format!(
                "median of {}: the process is started → it says that it takes connections (ours makes keys, \
                 certificate and database first); Prosody: → it takes one",
                ours.start_empty.count()
            ),
        },
        Row {
            what: "cold start, used database".to_owned(),
            ours: median(&ours.start_used),
            peer: "stores nothing".to_owned(),
            target: String::new(),
            is_kept: None,
            stretch: "",
            how: "the same with the people, calls and history of this whole run".to_owned(),
        },
    ]
}

fn storm(plan: &Plan, ours: &Measured) -> Row {
    let storm = ours.storm.as_ref();
    Row {
        what: format!("{} devices back after a crash", plan.most()),
        ours: storm.map_or(ABSENT.to_owned(), |storm| {
            let kept = format!("{} of {} rings live", storm.kept, storm.live);
            let [back, ready] = [storm.back_after, storm.ready_after].map(|time| time.as_secs_f64());
            format!("{back:.1} s (server ready after {ready:.2} s); {kept}")
        }),
        peer: "stores nothing".to_owned(),
        target: "≤ 15 s, no ring lost".to_owned(),
        is_kept: storm.map(|storm| storm.kept == storm.live && storm.back_after <= Duration::from_secs(15)),
        stretch: "",
        how: "killed (-9) with everybody connected and a ring of each of 25 pairs live, started again at once; devices come back with full \
              jitter, 0.25-15 s, as the app's do: the kill → the last has its snapshot. A ring lives if all devices \
              of both people have it in their snapshot and the callee's accept reaches them"
            .to_owned(),
    }
}

fn times(times: Option<&Times>) -> String {
    times.map_or(ABSENT.to_owned(), ToString::to_string)
}

fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}
