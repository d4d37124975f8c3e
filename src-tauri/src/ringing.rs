//! What should sound and show for the calls there are: a function of the client's state, and of nothing else.

use call_client::{CallView, CallingState, ClientState, EndReason};
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

/// What sounds once, when a call is over that this person did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parting {
    /// Nobody wanted to come, or could.
    Refused,
    /// The other side went, or was lost.
    Ended,
}

/// A call that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct On {
    pub(crate) cid: CallId,
    pub(crate) with: String,
}

/// Everything that should sound and show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The calls that ring here, oldest first.
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) sound: Sound,
    pub(crate) mood: Mood,
    /// The calls that tray entries act on.
    pub(crate) on: Vec<On>,
    /// Missed calls nobody has looked at, newest first: id and caller.
    pub(crate) missed: Vec<(i64, String)>,
}

/// What happens to the call that is on when another is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepting {
    /// Nothing, or there is none.
    Adds,
    /// It is left: one call at a time.
    LeavesOther,
}

impl Wanted {
    /// Nobody is signed in.
    pub(crate) fn nothing() -> Self {
        Self { incoming: Vec::new(), sound: Sound::Silence, mood: Mood::Idle, on: Vec::new(), missed: Vec::new() }
    }
}

/// The one place where calls become surfaces.
pub(crate) fn wanted(state: &ClientState) -> Wanted {
    let is = |call: &CallView, calling_state, direction| {
        call.state.calling_state == calling_state && call.direction == direction
    };
    let incoming = state.calls.iter().filter(|call| is(call, CallingState::Ringing, Direction::Incoming));
    let incoming: Vec<_> = incoming.filter_map(|call| ringing_here(state, call)).collect();
    let on = state.calls.iter().filter(|call| is_on(call));
    let on: Vec<_> = on.map(|call| On { cid: call.cid.clone(), with: others(state, call) }).collect();
    let outgoing = state.calls.iter().find(|call| is(call, CallingState::Ringing, Direction::Outgoing));
    let is_alerted = outgoing.and_then(|call| call.ring.as_ref()).is_some_and(|ring| {
        ring.targets.iter().any(|target| target.alerted && target.outcome == wire::Outcome::Ringing)
    });
    let missed = state.history.iter().filter(|entry| entry.unseen && entry.outcome == HistoryOutcome::Missed);
    let missed: Vec<_> = missed.map(|entry| (entry.id, name_of(state, entry.caller.as_str()))).collect();
    let sound = if !incoming.is_empty() && on.is_empty() {
        Sound::Ring
    } else if is_alerted {
        Sound::RingBack
    } else {
        Sound::Silence
    };
    let mood = if !incoming.is_empty() || outgoing.is_some() {
        Mood::Ringing
    } else if !on.is_empty() {
        Mood::InCall
    } else if missed.is_empty() {
        Mood::Idle
    } else {
        Mood::Missed
    };
    Wanted { incoming, sound, mood, on, missed }
}

/// The call that has just ended without this person's doing, and how that sounds.
pub(crate) fn parting(before: &ClientState, after: &ClientState) -> Option<(CallId, Parting)> {
    after.calls.iter().find_map(|call| {
        let was = before.calls.iter().find(|known| known.cid == call.cid)?;
        let rang = was.direction == Direction::Outgoing && was.state.calling_state == CallingState::Ringing;
        let is_over = matches!(call.state.calling_state, CallingState::Left | CallingState::Ended);
        let parting = match call.state.reason? {
            EndReason::Declined | EndReason::Busy | EndReason::Timeout if rang => Parting::Refused,
            EndReason::Ended | EndReason::PutOut | EndReason::Refused | EndReason::MediaFailed if is_on(was) => {
                Parting::Ended
            }
            EndReason::Answered
            | EndReason::AnsweredElsewhere
            | EndReason::Declined
            | EndReason::DeclinedElsewhere
            | EndReason::Cancelled
            | EndReason::Timeout
            | EndReason::Busy
            | EndReason::Ended
            | EndReason::Left
            | EndReason::MediaFailed
            | EndReason::Refused
            | EndReason::PutOut => return None,
        };
        is_over.then(|| (call.cid.clone(), parting))
    })
}

/// The call that has just ended as nobody wanted, or with words to read: it is told until somebody has read it.
pub(crate) fn worth_reading(before: &ClientState, after: &ClientState) -> Option<CallView> {
    let is_worth = |call: &&CallView| {
        let Some(was) = before.call(&call.cid).filter(|was| !was.is_over()) else { return false };
        let was_lost = call.state.reason == Some(EndReason::MediaFailed) && is_on(was);
        let was_declined = call.state.reason == Some(EndReason::Declined) && was.direction == Direction::Outgoing;
        let mut targets = call.ring.iter().flat_map(|ring| &ring.targets);
        call.is_over() && (was_lost || was_declined && targets.any(|target| target.message.is_some()))
    };
    after.calls.iter().find(is_worth).cloned()
}

/// Whether this device is in a call, or on the way in.
pub(crate) fn is_on(call: &CallView) -> bool {
    match call.state.calling_state {
        CallingState::Joining | CallingState::Joined | CallingState::Reconnecting => true,
        CallingState::Idle | CallingState::Ringing | CallingState::Left | CallingState::Ended => false,
    }
}

fn ringing_here(state: &ClientState, call: &CallView) -> Option<Incoming> {
    let caller = name_of(state, call.caller.as_ref()?.as_str());
    Some(Incoming { cid: call.cid.clone(), ring: call.ring.as_ref()?.id.clone(), caller, video: call.video })
}

pub(crate) fn others(state: &ClientState, call: &CallView) -> String {
    let names: Vec<_> = call.people.iter().map(|person| name_of(state, person.as_str())).collect();
    names.join(", ")
}

pub(crate) fn name_of(state: &ClientState, id: &str) -> String {
    let person = state.people.iter().find(|person| person.id.as_str() == id);
    person.map_or_else(|| id.to_owned(), |person| person.name.clone())
}

/// Calls and states for tests.
#[cfg(test)]
pub(crate) mod examples {
    use call_client::{CallStateView, Connection, DeviceView, JoinedView, OpeningView, RingView, TargetView};
    use wire::{Outcome, Person, Presence, Role, UnixMillis};

    use super::*;

    fn person(id: &str, name: &str) -> Person {
        Person {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            role: Role::User,
            presence: Presence::Online,
            avatar: None,
            is_program: false,
        }
    }

    /// A call of Ann (me) and Ben.
    pub(crate) fn call(direction: Direction, calling_state: CallingState) -> CallView {
        let joined = JoinedView {
            since: None,
            longest_ms: None,
            microphone: DeviceView::On,
            camera: DeviceView::Off,
            speaker_on: true,
            speaker_trouble: None,
            participants: Vec::new(),
        };
        let target = TargetView {
            user: "ben".parse().unwrap(),
            outcome: Outcome::Ringing,
            alerted: false,
            reason: None,
            message: None,
        };
        CallView {
            cid: "default:1".parse().unwrap(),
            is_created_by_me: direction == Direction::Outgoing,
            direction,
            state: CallStateView { calling_state, reason: None, refusal: None },
            video: true,
            caller: Some(if direction == Direction::Outgoing { "ann" } else { "ben" }.parse().unwrap()),
            about: None,
            people: vec!["ben".parse().unwrap()],
            own_capabilities: Vec::new(),
            ring: Some(RingView { id: "r1".parse().unwrap(), ends_at: UnixMillis(0), targets: vec![target] }),
            goes_on: true,
            opening: OpeningView::Open,
            joined: (calling_state == CallingState::Joined).then_some(joined),
        }
    }

    /// What Ann's device knows.
    pub(crate) fn state(calls: Vec<CallView>) -> ClientState {
        ClientState {
            connection: Connection::Online,
            server_name: String::new(),
            me: person("ann", "Ann"),
            people: vec![person("ben", "Ben B.")],
            people_total: 1,
            favourites: Vec::new(),
            do_not_disturb: wire::DoNotDisturb::default(),
            is_quiet: false,
            calls,
            history: Vec::new(),
            asks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        examples::{call, state},
        *,
    };

    fn numbered(number: u8, mut call: CallView) -> CallView {
        call.cid = format!("default:{number}").parse().unwrap();
        if let Some(ring) = &mut call.ring {
            ring.id = format!("r{number}").parse().unwrap();
        }
        call
    }

    #[test]
    fn an_incoming_ring_sounds_and_shows_with_the_callers_name() {
        let wanted = wanted(&state(vec![call(Direction::Incoming, CallingState::Ringing)]));
        assert_eq!((wanted.sound, wanted.mood), (Sound::Ring, Mood::Ringing));
        assert_eq!(wanted.incoming[0].caller, "Ben B.");
    }

    #[test]
    fn every_ring_is_shown_and_one_tone_is_for_all() {
        let ringing = |number| numbered(number, call(Direction::Incoming, CallingState::Ringing));
        let wanted = wanted(&state(vec![ringing(1), ringing(2)]));
        let rings: Vec<_> = wanted.incoming.iter().map(|incoming| incoming.ring.to_string()).collect();
        assert_eq!((rings, wanted.sound), (vec!["r1".to_owned(), "r2".to_owned()], Sound::Ring));
    }

    #[test]
    fn ringing_back_is_heard_only_when_somebody_is_really_alerted() {
        let calling = |alerted| {
            let mut call = call(Direction::Outgoing, CallingState::Ringing);
            call.ring.iter_mut().flat_map(|ring| &mut ring.targets).for_each(|target| target.alerted = alerted);
            wanted(&state(vec![call])).sound
        };
        assert_eq!((calling(false), calling(true)), (Sound::Silence, Sound::RingBack));
    }

    #[test]
    fn a_second_call_shows_but_does_not_ring_into_the_first() {
        let both = vec![
            numbered(1, call(Direction::Outgoing, CallingState::Joined)),
            numbered(2, call(Direction::Incoming, CallingState::Ringing)),
        ];
        let wanted = wanted(&state(both));
        assert_eq!(wanted.sound, Sound::Silence);
        assert_eq!((wanted.incoming.len(), wanted.on.len()), (1, 1));
    }

    #[test]
    fn what_is_over_is_silent() {
        for over in [CallingState::Idle, CallingState::Left, CallingState::Ended] {
            assert_eq!(wanted(&state(vec![call(Direction::Incoming, over)])), Wanted::nothing());
        }
    }

    #[test]
    fn a_refusal_and_the_others_hanging_up_are_heard_but_not_my_own() {
        use CallingState::{Ended, Joined, Left, Ringing};
        use Direction::{Incoming, Outgoing};
        let heard = |direction, before, after, reason| {
            let mut over = call(direction, after);
            over.state.reason = Some(reason);
            parting(&state(vec![call(direction, before)]), &state(vec![over])).map(|(_, parting)| parting)
        };
        assert_eq!(heard(Outgoing, Ringing, Left, EndReason::Declined), Some(Parting::Refused));
        assert_eq!(heard(Outgoing, Ringing, Left, EndReason::Busy), Some(Parting::Refused));
        assert_eq!(heard(Outgoing, Joined, Ended, EndReason::Ended), Some(Parting::Ended));
        assert_eq!(heard(Incoming, Joined, Ended, EndReason::Ended), Some(Parting::Ended));
        assert_eq!(heard(Outgoing, Ringing, Left, EndReason::Timeout), Some(Parting::Refused), "nobody came");
        assert_eq!(heard(Incoming, Joined, Left, EndReason::MediaFailed), Some(Parting::Ended), "it was lost");
        assert_eq!(heard(Incoming, Ringing, Left, EndReason::Timeout), None, "I did not come");
        assert_eq!(heard(Outgoing, Joined, Left, EndReason::Left), None, "I hung up");
        assert_eq!(heard(Outgoing, Ringing, Left, EndReason::Left), None, "I gave up");
        assert_eq!(heard(Incoming, Ringing, Left, EndReason::Declined), None, "I declined");
        assert_eq!(heard(Outgoing, Left, Left, EndReason::Declined), None, "once");
    }

    #[test]
    fn a_lost_call_and_the_words_of_who_declined_are_kept_to_be_read() {
        use CallingState::{Joined, Left, Ringing};
        use Direction::{Incoming, Outgoing};
        let kept = |direction, before, reason, message: Option<&str>| {
            let mut over = call(direction, Left);
            over.state.reason = Some(reason);
            let targets = over.ring.iter_mut().flat_map(|ring| &mut ring.targets);
            targets.for_each(|target| target.message = message.map(str::to_owned));
            worth_reading(&state(vec![call(direction, before)]), &state(vec![over])).is_some()
        };
        assert!(kept(Incoming, Joined, EndReason::MediaFailed, None));
        assert!(kept(Outgoing, Ringing, EndReason::Declined, Some("in a meeting")));
        assert!(!kept(Outgoing, Ringing, EndReason::Declined, None), "the history has that");
        assert!(!kept(Incoming, Ringing, EndReason::Declined, Some("in a meeting")), "my own words");
        assert!(!kept(Incoming, Joined, EndReason::Left, None));
        assert!(!kept(Incoming, Left, EndReason::MediaFailed, None), "once");
    }
}
