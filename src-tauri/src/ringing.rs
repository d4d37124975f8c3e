//! What should sound and show for the calls there are: a function of the client's state, and of nothing else.

use call_client::{CallView, CallingState, ClientState};
use wire::{CallId, Direction, HistoryOutcome, RingId};

/// Somebody rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) cid: CallId,
    pub(crate) ring: RingId,
    pub(crate) caller: String,
    pub(crate) video: bool,
}

/// What the tray shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Idle,
    Ringing,
    InCall,
    Missed,
}

/// What sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sound {
    Silence,
    Ring,
    RingBack,
}

/// Everything that should sound and show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The oldest call that rings here.
    pub(crate) incoming: Option<Incoming>,
    pub(crate) sound: Sound,
    pub(crate) mood: Mood,
    /// The call that tray entries act on.
    pub(crate) joined: Option<CallId>,
    /// Missed calls nobody has looked at, newest first: id and caller.
    pub(crate) missed: Vec<(i64, String)>,
}

/// The one place where calls become surfaces.
pub(crate) fn wanted(state: &ClientState) -> Wanted {
    let is = |call: &CallView, calling_state, direction| {
        call.state.calling_state == calling_state && call.direction == direction
    };
    let incoming = state.calls.iter().find(|call| is(call, CallingState::Ringing, Direction::Incoming));
    let incoming = incoming.and_then(|call| {
        let caller = call.caller.as_ref()?;
        Some(Incoming {
            cid: call.cid.clone(),
            ring: call.ring.as_ref()?.id.clone(),
            caller: name_of(state, caller.as_str()),
            video: call.video,
        })
    });
    let joined = state.calls.iter().find(|call| match call.state.calling_state {
        CallingState::Joining | CallingState::Joined | CallingState::Reconnecting => true,
        CallingState::Idle | CallingState::Ringing | CallingState::Left | CallingState::Ended => false,
    });
    let outgoing = state.calls.iter().find(|call| is(call, CallingState::Ringing, Direction::Outgoing));
    let is_alerted = outgoing.and_then(|call| call.ring.as_ref()).is_some_and(|ring| {
        ring.targets.iter().any(|target| target.alerted && target.outcome == wire::Outcome::Ringing)
    });
    let missed = state.history.iter().filter(|entry| entry.unseen && entry.outcome == HistoryOutcome::Missed);
    let missed: Vec<_> = missed.map(|entry| (entry.id, name_of(state, entry.caller.as_str()))).collect();
    let sound = if incoming.is_some() && joined.is_none() {
        Sound::Ring
    } else if is_alerted {
        Sound::RingBack
    } else {
        Sound::Silence
    };
    let mood = if incoming.is_some() || outgoing.is_some() {
        Mood::Ringing
    } else if joined.is_some() {
        Mood::InCall
    } else if missed.is_empty() {
        Mood::Idle
    } else {
        Mood::Missed
    };
    Wanted { incoming, sound, mood, joined: joined.map(|call| call.cid.clone()), missed }
}

fn name_of(state: &ClientState, id: &str) -> String {
    let person = state.people.iter().find(|person| person.id.as_str() == id);
    person.map_or_else(|| id.to_owned(), |person| person.name.clone())
}

#[cfg(test)]
mod tests {
    use call_client::{CallStateView, Connection, DeviceView, JoinedView, RingView, TargetView};
    use wire::{Outcome, Person, Presence, Role, UnixMillis};

    use super::*;

    fn person(id: &str, name: &str) -> Person {
        Person { id: id.parse().unwrap(), name: name.to_owned(), role: Role::User, presence: Presence::Online }
    }

    fn call(direction: Direction, calling_state: CallingState, alerted: bool) -> CallView {
        let joined =
            JoinedView { since: None, microphone: DeviceView::On, camera: DeviceView::Off, participants: Vec::new() };
        let target = TargetView {
            user: "ben".parse().unwrap(),
            outcome: Outcome::Ringing,
            alerted,
            reason: None,
            message: None,
        };
        CallView {
            cid: format!("default:{calling_state:?}").parse().unwrap(),
            is_created_by_me: direction == Direction::Outgoing,
            direction,
            state: CallStateView { calling_state, reason: None },
            video: true,
            caller: Some(if direction == Direction::Outgoing { "ann" } else { "ben" }.parse().unwrap()),
            people: vec!["ben".parse().unwrap()],
            own_capabilities: Vec::new(),
            ring: Some(RingView { id: "r1".parse().unwrap(), ends_at: UnixMillis(0), targets: vec![target] }),
            joined: (calling_state == CallingState::Joined).then_some(joined),
        }
    }

    fn state(calls: Vec<CallView>) -> ClientState {
        ClientState {
            connection: Connection::Online,
            server_name: String::new(),
            me: person("ann", "Ann"),
            people: vec![person("ben", "Ben B.")],
            calls,
            history: Vec::new(),
        }
    }

    #[test]
    fn an_incoming_ring_sounds_and_shows_with_the_callers_name() {
        let wanted = wanted(&state(vec![call(Direction::Incoming, CallingState::Ringing, false)]));
        assert_eq!((wanted.sound, wanted.mood), (Sound::Ring, Mood::Ringing));
        assert_eq!(wanted.incoming.unwrap().caller, "Ben B.");
    }

    #[test]
    fn ringing_back_is_heard_only_when_somebody_is_really_alerted() {
        let calling = |alerted| wanted(&state(vec![call(Direction::Outgoing, CallingState::Ringing, alerted)])).sound;
        assert_eq!((calling(false), calling(true)), (Sound::Silence, Sound::RingBack));
    }

    #[test]
    fn a_second_call_shows_but_does_not_ring_into_the_first() {
        let both = vec![
            call(Direction::Outgoing, CallingState::Joined, true),
            call(Direction::Incoming, CallingState::Ringing, false),
        ];
        let wanted = wanted(&state(both));
        assert_eq!(wanted.sound, Sound::Silence);
        assert!(wanted.incoming.is_some() && wanted.joined.is_some());
    }

    #[test]
    fn what_is_over_is_silent() {
        for over in [CallingState::Idle, CallingState::Left, CallingState::Ended] {
            let wanted = wanted(&state(vec![call(Direction::Incoming, over, false)]));
            assert_eq!((wanted.incoming, wanted.sound, wanted.mood), (None, Sound::Silence, Mood::Idle));
        }
    }
}
