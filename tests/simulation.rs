//! Ringing under every order of events: the server's and the devices' machines in a virtual world whose network delays
//! and cuts, whose clocks disagree, and where everything crashes and comes back.

mod simulation {
    mod check;
    mod device;
    mod media;
    mod network;
    mod people;
    mod planted;
    mod runs;
    mod world;
}
