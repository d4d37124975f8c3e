//! Calls as lines: one for every change, for programs (JSON) or for people.

use std::{collections::BTreeMap, fmt::Write as _, io, time::SystemTime};

use call_client::{CallView, CallingState, ClientState, EndReason, TargetView};
use serde::Serialize;
use wire::{CallId, Direction, Outcome, Reason, UnixMillis, UserId};

use crate::try_say;

/// What is printed for a change of a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    event: &'static str,
    at: UnixMillis,
    cid: CallId,
    calling_state: CallingState,
    direction: Direction,
    is_created_by_me: bool,
    caller: Option<UserId>,
    targets: BTreeMap<UserId, TargetLine>,
    reason: Option<EndReason>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct TargetLine {
    outcome: Outcome,
    alerted: bool,
    reason: Option<Reason>,
    message: Option<String>,
}

/// Prints the changes of all calls, each once.
#[derive(Debug)]
pub(crate) struct Lines {
    json: bool,
    printed: BTreeMap<CallId, Line>,
}

impl Lines {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, printed: BTreeMap::new() }
    }

    /// Prints what has changed; fails when nobody reads it any more.
    pub(crate) fn tell(&mut self, state: &ClientState) -> io::Result<()> {
        for line in self.changes(state, unix_now()) {
            let text =
                if self.json { serde_json::to_string(&line).expect("a line is plain data") } else { line.for_people() };
            try_say(&text)?;
        }
        Ok(())
    }

    fn changes(&mut self, state: &ClientState, now: UnixMillis) -> Vec<Line> {
        self.printed.retain(|cid, _| state.calls.iter().any(|call| call.cid == *cid));
        let mut changed = Vec::new();
        for call in &state.calls {
            let line = line(call, &state.me.id, now);
            let is_news = self.printed.get(&call.cid).is_none_or(|known| !known.says_the_same(&line));
            if is_news {
                self.printed.insert(call.cid.clone(), line.clone());
                changed.push(line);
            }
        }
        changed
    }
}

impl Line {
    fn says_the_same(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }

    fn for_people(&self) -> String {
        let mut text = format!("{} {} {}", self.cid, word(&self.calling_state), word(&self.direction));
        if let Some(caller) = &self.caller {
            _ = write!(text, " from {caller}");
        }
        for (user, target) in &self.targets {
            let alerted = if target.outcome == Outcome::Ringing && target.alerted { " (alerted)" } else { "" };
            _ = write!(text, " · {user} {}{alerted}", word(&target.outcome));
            if let Some(message) = &target.message {
                _ = write!(text, " “{message}”");
            }
        }
        if let Some(reason) = &self.reason {
            _ = write!(text, " · {}", word(reason));
        }
        text
    }
}

fn line(call: &CallView, me: &UserId, at: UnixMillis) -> Line {
    let targets = call.ring.iter().flat_map(|ring| &ring.targets);
    Line {
        event: "call",
        at,
        cid: call.cid.clone(),
        calling_state: call.state.calling_state,
        direction: call.direction,
        is_created_by_me: call.is_created_by_me,
        caller: call.caller.clone(),
        targets: targets.map(|target| (target.user.clone(), target_line(target))).collect(),
        reason: why_ringing_ended(call, me),
    }
}

fn target_line(target: &TargetView) -> TargetLine {
    TargetLine {
        outcome: target.outcome,
        alerted: target.alerted,
        reason: target.reason,
        message: target.message.clone(),
    }
}

/// Why ringing ended on this device; `None` while it rings, without a ring, and where the person dismissed it here.
pub(crate) fn why_ringing_ended(call: &CallView, me: &UserId) -> Option<EndReason> {
    let ring = call.ring.as_ref()?;
    let was_answered = match call.direction {
        Direction::Outgoing => ring.targets.iter().any(|target| target.outcome == Outcome::Accepted),
        Direction::Incoming => {
            ring.targets.iter().any(|target| target.user == *me && target.outcome == Outcome::Accepted)
        }
        Direction::None => false,
    };
    match call.state.calling_state {
        CallingState::Idle | CallingState::Ringing => None,
        // While an accept is on its way, the server has not taken it yet.
        CallingState::Joining | CallingState::Joined | CallingState::Reconnecting => {
            was_answered.then_some(EndReason::Answered)
        }
        CallingState::Left | CallingState::Ended => match call.state.reason? {
            // How the call ended after the answer; the ringing ended by the answer.
            EndReason::Left | EndReason::MediaFailed | EndReason::Refused | EndReason::PutOut | EndReason::Ended
                if was_answered =>
            {
                Some(EndReason::Answered)
            }
            EndReason::Left | EndReason::MediaFailed | EndReason::Refused | EndReason::PutOut => None,
            reason @ (EndReason::Answered
            | EndReason::AnsweredElsewhere
            | EndReason::Declined
            | EndReason::DeclinedElsewhere
            | EndReason::Cancelled
            | EndReason::Timeout
            | EndReason::Busy
            | EndReason::Ended) => Some(reason),
        },
    }
}

/// The word a value travels as.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a line says when it was printed")]
pub(crate) fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use call_client::{CallStateView, Connection, OpeningView, RingView};
    use wire::{Person, Presence, Role};

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn ringing(outcome: Outcome, calling_state: CallingState, reason: Option<EndReason>) -> CallView {
        let target = TargetView { user: "ben".parse().unwrap(), outcome, alerted: true, reason: None, message: None };
        CallView {
            cid: "default:x".parse().unwrap(),
            is_created_by_me: false,
            direction: Direction::Incoming,
            state: CallStateView { calling_state, reason, refusal: None },
            video: false,
            caller: Some("ann".parse().unwrap()),
            own_capabilities: Vec::new(),
            people: vec!["ann".parse().unwrap()],
            ring: Some(RingView { id: "r1".parse().unwrap(), ends_at: NOW, targets: vec![target] }),
            opening: OpeningView::Open,
            joined: None,
        }
    }

    fn state(calls: Vec<CallView>) -> ClientState {
        ClientState {
            connection: Connection::Online,
            server_name: String::new(),
            me: Person {
                id: "ben".parse().unwrap(),
                name: "Ben".to_owned(),
                role: Role::User,
                presence: Presence::Online,
                avatar: None,
                is_program: false,
            },
            people: Vec::new(),
            people_total: 0,
            favourites: Vec::new(),
            do_not_disturb: wire::DoNotDisturb::default(),
            is_quiet: false,
            calls,
            history: Vec::new(),
            asks: Vec::new(),
        }
    }

    #[test]
    fn a_line_is_what_scripts_rely_on() {
        let mut lines = Lines::new(true);
        let state = state(vec![ringing(Outcome::Ringing, CallingState::Ringing, None)]);
        let changes = lines.changes(&state, NOW);
        assert_eq!(
            serde_json::to_string(&changes[0]).unwrap(),
            r#"{"event":"call","at":1000,"cid":"default:x","calling_state":"ringing","direction":"incoming","is_created_by_me":false,"caller":"ann","targets":{"ben":{"outcome":"ringing","alerted":true,"reason":null,"message":null}},"reason":null}"#
        );
        assert!(lines.changes(&state, UnixMillis(2_000)).is_empty(), "only changes are told");
    }

    #[test]
    fn the_reason_is_why_ringing_ended_not_how_the_call_did() {
        use CallingState::{Ended, Joined, Left};
        let me = "ben".parse().unwrap();
        let why = |outcome, state, reason| why_ringing_ended(&ringing(outcome, state, reason), &me);
        assert_eq!(why(Outcome::Accepted, Joined, None), Some(EndReason::Answered));
        assert_eq!(why(Outcome::Accepted, Left, Some(EndReason::Left)), Some(EndReason::Answered));
        assert_eq!(why(Outcome::Accepted, Ended, Some(EndReason::Ended)), Some(EndReason::Answered));
        let elsewhere = Some(EndReason::AnsweredElsewhere);
        assert_eq!(why(Outcome::Accepted, Left, elsewhere), elsewhere);
        assert_eq!(why(Outcome::Ringing, Left, Some(EndReason::Left)), None, "dismissed here: it rings elsewhere");
        assert_eq!(why(Outcome::Cancelled, Ended, Some(EndReason::Ended)), Some(EndReason::Ended));
    }
}
