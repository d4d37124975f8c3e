//! Simulcast: who gets which layer, and when.

use super::*;

const RIDS: [&str; 3] = ["q", "h", "f"];

fn letters(seen: &[Seen]) -> String {
    let mut letters: Vec<char> = seen.iter().map(|seen| seen.layer).collect();
    letters.dedup();
    letters.into_iter().collect()
}

fn setting(world: &World, publisher: usize) -> proto::UpdateTrackSettings {
    let track_sids = world.published(publisher).into_iter().map(|info| info.sid).collect();
    let quality = proto::VideoQuality::High as i32;
    proto::UpdateTrackSettings { track_sids, quality, ..proto::UpdateTrackSettings::default() }
}

#[test]
fn when_the_best_layer_pauses_a_lower_one_takes_over_within_400_ms() {
    let mut world = World::new();
    let (ann, ben) = (world.join("ann"), world.join("ben"));
    world.films(ann, "cam", &RIDS);
    world.after(ms(2_000));
    let before = world.since_start();
    world.after(ms(500));
    assert_eq!(letters(&world.seen_since(ben, before)), "f");

    let paused = world.since_start();
    world.layer(ann, "f", false);
    world.after(ms(1_000));
    let seen = world.seen_since(ben, paused);
    let first = seen.iter().find(|seen| seen.layer == 'h').expect("h takes over");
    assert!(first.is_key, "with a key frame");
    assert!(first.at - paused <= ms(400), "{:?}", first.at - paused);
    assert!(!seen.iter().any(|seen| seen.layer == 'q'), "not lower than needed");

    let resumed = world.since_start();
    world.layer(ann, "f", true);
    world.after(ms(1_000));
    assert_eq!(letters(&world.seen_since(ben, resumed)), "hf", "and the best comes back");
}

#[test]
fn a_new_subscriber_begins_at_once_with_the_best_living_layer() {
    let mut world = World::new();
    let ann = world.join("ann");
    world.films(ann, "cam", &RIDS);
    world.after(ms(3_000));
    let before = world.since_start();
    let asked = world.clients[ann].asked.len();
    let ben = world.join("ben");
    let seen = world.seen_since(ben, before);
    assert_eq!(letters(&seen), "f");
    assert!(seen[0].is_key && seen[0].at - before <= ms(300), "{:?}", seen[0].at - before);
    let asked = &world.clients[ann].asked[asked..];
    assert!(asked.iter().all(|(_, rid)| *rid == Some("f".into())), "only the layer that is sent: {asked:?}");
}

#[test]
fn a_subscriber_gets_no_more_than_it_asks_for_and_the_others_what_they_ask_for() {
    let mut world = World::new();
    let (ann, ben, eva) = (world.join("ann"), world.join("ben"), world.join("eva"));
    world.films(ann, "cam", &RIDS);
    world.after(ms(2_000));
    let low = proto::UpdateTrackSettings { quality: proto::VideoQuality::Low as i32, ..setting(&world, ann) };
    world.say(ben, signal_request::Message::TrackSetting(low));
    world.after(ms(500));
    let before = world.since_start();
    world.after(ms(500));
    assert_eq!(letters(&world.seen_since(ben, before)), "q");
    assert_eq!(letters(&world.seen_since(eva, before)), "f");
}

#[test]
fn a_disabled_track_sends_nothing_and_begins_again_with_a_key_frame() {
    let mut world = World::new();
    let (ann, ben) = (world.join("ann"), world.join("ben"));
    world.films(ann, "cam", &[]);
    world.after(ms(1_000));
    let off = proto::UpdateTrackSettings { disabled: true, ..setting(&world, ann) };
    world.say(ben, signal_request::Message::TrackSetting(off));
    let before = world.since_start();
    world.after(ms(1_000));
    assert_eq!(world.seen_since(ben, before), []);
    let on = setting(&world, ann);
    world.say(ben, signal_request::Message::TrackSetting(on));
    let before = world.since_start();
    world.after(ms(300));
    let seen = world.seen_since(ben, before);
    assert!(seen.first().is_some_and(|seen| seen.is_key), "{seen:?}");
}

#[test]
fn key_frames_are_asked_for_as_long_as_somebody_waits_but_never_in_a_hurry() {
    let mut world = World::new();
    let ann = world.join("ann");
    world.films(ann, "cam", &RIDS);
    world.after(ms(2_000));
    for name in ["ben", "eva", "kim", "leo"] {
        world.join(name);
    }
    world.after(ms(1_000));
    for rid in RIDS {
        let asked = world.clients[ann].asked.iter().filter(|(_, asked)| *asked == Some(rid.into()));
        let times: Vec<Duration> = asked.map(|(at, _)| *at).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= ms(300)), "{rid}: {times:?}");
    }
    let asked = world.clients[ann].asked.len();
    world.after(ms(2_000));
    assert_eq!(world.clients[ann].asked.len(), asked, "nobody waits any more");
}
