//! Another vendor's client in the same call as our app: both see and hear each other.

#[path = "desktop/people.rs"]
#[expect(dead_code, reason = "shared with the desktop tests, which use the rest")]
mod people;

mod livekit {
    mod browser;
}
