//! The page that keeps what a long run came to.

use super::{
    planted::{Found, found},
    runs::Run,
};

/// So many scenarios are to be told in a minute.
const WANTED_A_MINUTE: f64 = 100_000.0;

pub(super) fn page(first: u64, count: u64, run: &Run) -> String {
    let rate = run.a_minute(count);
    let is_quick = if rate >= WANTED_A_MINUTE { "yes" } else { "**no**" };
    let mut page = format!(
        "# The simulator, measured\n\n\
         Made by `cargo xtask bench simulation`; not edited by hand. The machines of the server and of the devices, in a \
         virtual world in which everything breaks; after every step the invariants of ringing are looked at. No scenario \
         broke one. Each run begins at another seed; `FIRST={first}` tells this one again.\n\n\
         | scenarios | from seed | seconds | a minute | 100,000 inside a minute |\n|---|---|---|---|---|\n\
         | {count} | {first} | {:.0} | {rate:.0} | {is_quick} |\n\n\
         ## What broke on the way\n\n| what | how often |\n|---|---|\n",
        run.seconds,
    );
    for (name, times) in run.faults.named() {
        page += &format!("| {name} | {times} |\n");
    }
    page += "\n## Bugs that were planted, and what found them\n\n\
             | bug | found by scenario | in the words of the rule |\n|---|---|---|\n";
    for Found { bug, seed, what } in found() {
        page += &format!("| `{bug:?}` | {seed} | {what} |\n");
    }
    page
}
