//! Joining, staying for long, and being lost.

use livekit_protocol::{leave_request::Action, signal_request, signal_response};

use super::*;
use crate::token;

#[test]
fn a_token_that_lets_in_again_comes_every_five_minutes() {
    let mut world = World::new();
    let ann = world.join("ann");
    let tokens = |world: &World| {
        let heard = world.clients[ann].heard.iter().filter_map(|message| match message {
            signal_response::Message::RefreshToken(token) => Some(token.clone()),
            _ => None,
        });
        heard.collect::<Vec<_>>()
    };
    assert_eq!(tokens(&world).len(), 1, "with the greeting");
    for minute in 1..=16 {
        for _ in 0..6 {
            world.after(ms(10_000));
            // Clients ping all the time; the connections go on by themselves.
            world.say(ann, signal_request::Message::Ping(1));
        }
        assert_eq!(tokens(&world).len(), 1 + (minute / 5), "minute {minute}");
    }
    let last = tokens(&world).pop().unwrap();
    assert_eq!(token::check(&key(), &last, None).unwrap().identity, "ann");
}

#[test]
fn who_is_lost_by_silence_is_asked_to_come_again_and_who_is_removed_is_not() {
    let mut world = World::new();
    let (ann, ben) = (world.join("ann"), world.join("ben"));
    let left = |world: &World, client: usize| {
        world.clients[client].heard.iter().rev().find_map(|message| match message {
            signal_response::Message::Leave(leave) => Some(leave.action()),
            _ => None,
        })
    };
    world.clients[ann].is_connected = false;
    world.after(ms(5_000));
    assert_eq!(left(&world, ann), None, "a hiccup ends nothing");
    world.after(ms(8_000));
    assert_eq!(left(&world, ann), Some(Action::Reconnect));
    world.rooms.remove("room", "ben", proto::DisconnectReason::ParticipantRemoved);
    world.settle();
    assert_eq!(left(&world, ben), Some(Action::Disconnect));
    let cem = world.join("cem");
    world.rooms.remove("room", "cem", proto::DisconnectReason::ConnectionTimeout);
    world.settle();
    assert_eq!(left(&world, cem), Some(Action::Reconnect), "who is not in the call yet");
    assert_eq!(world.told.len(), 6, "both came and both left: {:?}", world.told);
}

#[test]
fn a_new_address_of_the_server_is_told_to_who_is_there_and_offered_to_who_comes() {
    let mut world = World::new();
    let ann = world.join("ann");
    let new = SocketAddr::from(([10, 0, 9, 9], 7882));
    world.rooms.follow_addresses(vec![new], &[new]);
    world.settle();
    let told = world.clients[ann].heard.iter().filter_map(|message| match message {
        signal_response::Message::Trickle(trickle) => Some(trickle.candidate_init.clone()),
        _ => None,
    });
    let told: Vec<String> = told.collect();
    assert_eq!(told.len(), 2, "for both connections");
    let init: serde_json::Value = serde_json::from_str(&told[0]).unwrap();
    let line = init["candidate"].as_str().unwrap();
    assert_eq!(Candidate::from_sdp_string(line).unwrap().addr(), new);

    let ben = world.join("ben");
    let offer = world.clients[ben].heard.iter().find_map(|message| match message {
        signal_response::Message::Offer(offer) => Some(offer.sdp.clone()),
        _ => None,
    });
    let offer = offer.unwrap();
    assert!(offer.contains("10.0.9.9") && !offer.contains("10.0.0.1 "), "{offer}");
}
