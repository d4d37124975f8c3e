//! The real server process, killed at random moments while people ring each other, and started again on the same data.
//!
//! No outcome that anybody was told is lost, nothing rings twice or beyond its deadline, and every device comes back by
//! itself. Beside the devices some only ask, as fast as the server answers: what it promised them is there after the kill.
//! `SEED` and `KILLS` choose what people do and how often the server dies; `a_hundred_kills` is for
//! `cargo xtask bench crash`.

#![expect(clippy::disallowed_methods, reason = "the test measures when things ring, by the machine's clock")]

mod crash {
    mod full_disk;
    mod lanes;
    mod people;
    mod run;
    mod witness;
}
