//! Announced tracks and the m-lines that carry them.

use super::*;
use crate::{MaySend, Source};

#[test]
fn an_inactive_m_line_is_nobodys_and_the_same_track_can_come_again() {
    let mut world = World::new();
    let ann = world.join("ann");
    world.announce(ann, "cam", proto::TrackType::Video);
    let first = world.offer(ann, "cam", MediaKind::Video, &[]);
    assert_eq!(world.tracks(ann), [("cam".to_owned(), first.to_string())]);
    world.turn(ann, first, Direction::Inactive);
    assert_eq!(world.tracks(ann), []);
    // A browser publishes the same device again: its id is the same, the m-line is another one.
    world.announce(ann, "cam", proto::TrackType::Video);
    assert_eq!(world.tracks(ann), [], "the dead m-line is not taken");
    let second = world.offer(ann, "cam", MediaKind::Video, &[]);
    assert_eq!(world.tracks(ann), [("cam".to_owned(), second.to_string())]);
    // And an m-line that sends again is somebody's.
    world.turn(ann, second, Direction::Inactive);
    world.announce(ann, "cam", proto::TrackType::Video);
    world.turn(ann, second, Direction::SendOnly);
    assert_eq!(world.tracks(ann), [("cam".to_owned(), second.to_string())]);
}

#[test]
fn announced_tracks_that_never_come_are_given_up_and_block_nothing() {
    let mut world = World::new();
    let ann = world.join("ann");
    for number in 0..25 {
        world.announce(ann, &format!("never-{number}"), proto::TrackType::Audio);
    }
    assert_eq!(world.published(ann).len(), 20, "no more than twenty wait");
    world.after(ms(17_000));
    let gone = |message: &&signal_response::Message| matches!(message, signal_response::Message::TrackUnpublished(_));
    assert_eq!(world.clients[ann].heard.iter().filter(gone).count(), 20, "the client is told");
    world.announce(ann, "mic", proto::TrackType::Audio);
    let mid = world.offer(ann, "mic", MediaKind::Audio, &[]);
    assert_eq!(world.tracks(ann), [("mic".to_owned(), mid.to_string())]);
}

#[test]
fn a_track_announced_twice_is_one_track() {
    let mut world = World::new();
    let ann = world.join("ann");
    world.announce(ann, "mic", proto::TrackType::Audio);
    world.announce(ann, "mic", proto::TrackType::Audio);
    let published = world.published(ann);
    assert_eq!(published.len(), 2);
    assert_eq!(published[0].sid, published[1].sid);
}

#[test]
fn what_is_sent_decides_and_not_what_its_sender_calls_it() {
    use proto::{TrackSource, TrackType};
    let mut world = World::new();
    let ann = world.join("ann");
    let may = |world: &mut World, source| {
        let may_send = MaySend { sources: vec![source], data: true };
        world.rooms.permit(world.now, "room", "ann", may_send);
    };
    let calls = |world: &mut World, cid: &str, source: TrackSource, kind: TrackType| {
        let before = world.published(ann).len();
        let (source, kind) = (source as i32, kind as i32);
        let add = proto::AddTrackRequest { cid: cid.to_owned(), r#type: kind, source, ..Default::default() };
        world.say(ann, signal_request::Message::AddTrack(add));
        world.published(ann).len() > before
    };
    may(&mut world, Source::Microphone);
    assert!(!calls(&mut world, "1", TrackSource::Microphone, TrackType::Video), "a picture is no voice");
    assert!(!calls(&mut world, "2", TrackSource::ScreenShareAudio, TrackType::Video));
    assert!(calls(&mut world, "3", TrackSource::Camera, TrackType::Audio), "but sound is one, whatever it is called");
    may(&mut world, Source::Camera);
    assert!(!calls(&mut world, "4", TrackSource::Camera, TrackType::Audio), "nor is sound a picture");
    assert!(calls(&mut world, "5", TrackSource::Microphone, TrackType::Video));
}

#[test]
fn a_track_that_was_announced_as_sound_is_no_picture() {
    let mut world = World::new();
    let ann = world.join("ann");
    world.announce(ann, "voice", proto::TrackType::Audio);
    world.offer(ann, "voice", MediaKind::Video, &[]);
    assert_eq!(world.tracks(ann), [], "of that name, and of another kind");
    let mid = world.offer(ann, "voice", MediaKind::Audio, &[]);
    assert_eq!(world.tracks(ann), [("voice".to_owned(), mid.to_string())]);
}
