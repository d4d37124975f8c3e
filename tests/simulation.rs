//! Ringing under every order of events: the server's and the devices' machines in a virtual world whose network delays,
//! loses, doubles and cuts, whose clocks disagree, whose disk fails, and where everything crashes and comes back.
//!
//! A scenario that breaks a rule prints its story and its seed: `SEED=… cargo test -p bellbird-tests --test simulation
//! replay -- --ignored --nocapture` tells it again. `SCENARIOS` and `FIRST` choose how many and from where; `a_million_scenarios` and
//! `survey` (every way the rules break, with a seed of each) are ignored unless asked for.

mod simulation {
    mod check;
    mod clocks;
    mod device;
    mod media;
    mod network;
    mod page;
    mod patience;
    mod people;
    mod planted;
    mod runs;
    mod server;
    mod settled;
    mod variety;
    mod wishes;
    mod world;
}
