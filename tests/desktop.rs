//! Two people, two desktops, two real app windows: every way a call can go, seen and heard from outside.

mod desktop {
    mod bare;
    mod call;
    mod crash;
    mod devices;
    mod door;
    mod keyring;
    mod leaving;
    mod news;
    mod outside;
    mod people;
    mod ring_ends;
    mod several;
}
