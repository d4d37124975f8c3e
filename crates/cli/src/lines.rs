//! Calls as lines: one for every change, for programs (JSON) or for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io,
    time::SystemTime,
};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
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

/// Prints the changes of calls, each once.
#[derive(Debug)]
pub(crate) struct Lines {
    json: bool,
    scope: Scope,
    printed: BTreeMap<CallId, Line>,
}

/// Which calls are told of.
#[derive(Debug)]
enum Scope {
    All,
    /// Those of a command that does not know its call yet: kept until it does.
    Unknown(Vec<Line>),
    Only(BTreeSet<CallId>),
}

impl Lines {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, scope: Scope::All, printed: BTreeMap::new() }
    }

    /// From now on nothing is printed but what [`include`](Self::include) names.
    pub(crate) fn wait_for_a_call(&mut self) {
        self.scope = Scope::Unknown(Vec::new());
    }

    /// Tells of this call, with what was kept of it; of others only if they were named as well.
    pub(crate) fn include(&mut self, cid: &CallId) -> io::Result<()> {
        match &mut self.scope {
            Scope::All => Ok(()),
            Scope::Only(calls) => {
                calls.insert(cid.clone());
                Ok(())
            }
            Scope::Unknown(kept) => {
                let kept = std::mem::take(kept);
                self.scope = Scope::Only(BTreeSet::from([cid.clone()]));
                self.printed.retain(|known, _| known == cid);
                kept.iter().filter(|line| line.cid == *cid).try_for_each(|line| self.print(line))
            }
        }
    }

    /// Who reads the lines is told of this call.
    pub(crate) fn tells_of(&self, cid: &CallId) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Unknown(_) => false,
            Scope::Only(calls) => calls.contains(cid),
        }
    }

    /// Prints the changes; fails when nobody reads them any more.
    pub(crate) fn tell(&mut self, state: &ClientState) -> io::Result<()> {
        let changes = self.changes(state, unix_now());
        if let Scope::Unknown(kept) = &mut self.scope {
            kept.extend(changes);
            return Ok(());
        }
        changes.iter().try_for_each(|line| self.print(line))
    }

    fn print(&self, line: &Line) -> io::Result<()> {
        try_say(&if self.json { serde_json::to_string(line).expect("a line is plain data") } else { line.for_people() })
    }

    fn changes(&mut self, state: &ClientState, now: UnixMillis) -> Vec<Line> {
        self.printed.retain(|cid, _| state.calls.iter().any(|call| call.cid == *cid));
        let mut changed = Vec::new();
        for call in &state.calls {
            if matches!(&self.scope, Scope::Only(calls) if !calls.contains(&call.cid)) {
                continue;
            }
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
    /// Nothing new, or only that a call that was over here goes on without this device.
    fn says_the_same(&self, other: &Self) -> bool {
        let is_over = matches!(self.calling_state, CallingState::Left | CallingState::Ended);
        let known = Self { at: other.at, ..self.clone() };
        if is_over && other.calling_state == CallingState::Idle {
            return Self { calling_state: CallingState::Idle, reason: None, ..known } == *other;
        }
        known == *other
    }

    fn for_people(&self) -> String {
        let mut text = format!("{} {} {}", self.cid, word(&self.calling_state), word(&self.direction));
        if let Some(caller) = &self.caller {
            _ = write!(text, " from {caller}");
        }
        if let Some(message) = &self.message {
            _ = write!(text, ": “{message}”");
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
        message: call.about.clone(),
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
            about: None,
            own_capabilities: Vec::new(),
            people: vec!["ann".parse().unwrap()],
            ring: Some(RingView { id: "r1".parse().unwrap(), ends_at: NOW, targets: vec![target] }),
            goes_on: true,
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
    fn what_a_call_is_about_is_in_its_line_where_its_caller_has_said_it() {
        let call = ringing(Outcome::Ringing, CallingState::Ringing, None);
        let state = state(vec![CallView { about: Some("lunch?".to_owned()), ..call }]);
        let changes = Lines::new(false).changes(&state, NOW);
        assert_eq!(changes[0].for_people(), "default:x ringing incoming from ann: “lunch?” · ben ringing (alerted)");
        assert_eq!(serde_json::to_value(&changes[0]).unwrap()["message"], "lunch?");
    }

    #[test]
    fn a_call_that_goes_on_without_this_device_is_no_news_until_something_changes() {
        let mut lines = Lines::new(true);
        let mut states = |outcome, calling_state, reason| {
            let state = state(vec![ringing(outcome, calling_state, reason)]);
            lines.changes(&state, NOW).len()
        };
        let (accepted, missed) = (Outcome::Accepted, Outcome::Missed);
        assert_eq!(states(accepted, CallingState::Left, Some(EndReason::Left)), 1);
        assert_eq!(states(accepted, CallingState::Idle, None), 0);
        assert_eq!(states(accepted, CallingState::Joining, None), 1);
        assert_eq!(states(accepted, CallingState::Left, Some(EndReason::Left)), 1);
        assert_eq!(states(missed, CallingState::Idle, None), 1);
    }

    #[test]
    fn who_waits_for_one_call_is_told_of_it_alone_and_of_all_of_it() {
        let mut lines = Lines::new(true);
        lines.wait_for_a_call();
        let (mine, other): (CallId, CallId) = ("default:x".parse().unwrap(), "default:y".parse().unwrap());
        let both = |calling_state| {
            let call = |cid: &CallId| CallView { cid: cid.clone(), ..ringing(Outcome::Ringing, calling_state, None) };
            state(vec![call(&mine), call(&other)])
        };
        lines.tell(&both(CallingState::Ringing)).unwrap();
        lines.tell(&both(CallingState::Joining)).unwrap();
        assert!(matches!(&lines.scope, Scope::Unknown(kept) if kept.len() == 4), "{lines:?}");
        assert!(!lines.tells_of(&mine));
        lines.include(&mine).unwrap();
        assert!(lines.changes(&both(CallingState::Joining), NOW).is_empty(), "it was told");
        assert_eq!(lines.changes(&both(CallingState::Joined), NOW).len(), 1);
        lines.include(&other).unwrap();
        assert_eq!(lines.changes(&both(CallingState::Joined), NOW).len(), 1, "where the other stands now");
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
