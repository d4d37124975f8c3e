//! `bellbird call`: ring people, be in the call from the first accept on, leave.

use std::{ops::RangeInclusive, pin::pin, time::Duration};

use call_client::{ClientState, EndReason, Leave, RingWish};
use clap::Args;
use wire::{CallId, Code, PeopleQuery, Person, UserId};

use super::history::PAGE;
use crate::{
    Context,
    exit::{Exit, Failure},
    files::Files,
    note,
    phone::{GRACE, Over, Patience, Phone, Waited},
};

/// How long the answer to a ring is waited for that is not wanted any more.
const TAKE_BACK: Duration = Duration::from_secs(2);

/// How long a ring may be.
const RING_LENGTHS: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(180);

/// Ring people, and talk when the first of them answers.
#[derive(Args)]
pub(crate) struct Call {
    /// Whom to ring, by id or name.
    #[arg(required = true, value_name = "PERSON")]
    people: Vec<String>,
    /// The call to ring for; a new one if absent.
    #[arg(long, value_name = "TYPE:ID")]
    cid: Option<CallId>,
    /// With pictures.
    #[arg(long)]
    video: bool,
    /// What it is about.
    #[arg(long, value_parser = message)]
    message: Option<String>,
    /// How long it rings, 5s to 3m; the server's 45s if absent.
    #[arg(long, value_name = "TIME", value_parser = ring_length)]
    timeout: Option<Duration>,
    /// How long to stay in the call; until it ends or this is interrupted if absent.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    stay: Option<Duration>,
    #[command(flatten)]
    files: Files,
}

/// A short message, as the server takes it from who rings and from who declines.
pub(crate) fn message(text: &str) -> Result<String, String> {
    let words = wire::MESSAGE.check(text).map(str::to_owned);
    words.ok_or_else(|| format!("a message has {}", wire::MESSAGE))
}

fn ring_length(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    Some(time).filter(|time| RING_LENGTHS.contains(time)).ok_or_else(|| "a ring lasts 5s to 3m".to_owned())
}

impl Call {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let video = self.video || self.files.has_picture();
        let given = self.files.given();
        let engine = self.files.engine()?;
        let mut phone = Phone::connect(context, Some((engine, given))).await?;
        phone.wait_for_own_call();
        let people = match phone.look().await? {
            Waited::Changed(state) => {
                let strangers = strangers(&phone, &state, &self.people).await?;
                find_people(state.people.iter().chain(&strangers), &self.people)?
            }
            Waited::Interrupted | Waited::Done(()) => return Ok(Exit::Cancelled),
        };
        let wish =
            RingWish { people, cid: self.cid, video: video.into(), message: self.message, timeout: self.timeout };
        let over = ring(&mut phone, wish, self.stay).await;
        let is_offline = phone.is_offline();
        phone.hang_up().await;
        exit(&over?, is_offline)
    }
}

/// Rings, and follows the call to its end.
async fn ring(phone: &mut Phone, wish: RingWish, stay: Option<Duration>) -> Result<Over, Failure> {
    let client = phone.client.clone();
    let (timeout, message) = (wish.timeout, wish.message.clone());
    let mut ringing = pin!(client.ring_as(wish));
    let state = loop {
        match phone.wait_for(ringing.as_mut()).await? {
            Waited::Done(rung) => break rung?,
            Waited::Changed(_) => {}
            Waited::Interrupted => {
                // The server may have taken it all the same; then it is taken back, and what comes of that is printed.
                let Ok(rung) = tokio::time::timeout(TAKE_BACK, ringing.as_mut()).await else {
                    return Ok(Over { was_interrupted: true, ..Over::default() });
                };
                let state = rung?;
                client.leave(state.call.cid.clone(), Leave::Plain).await?;
                break state;
            }
        }
    };
    let cid = &state.call.cid;
    if message.is_some_and(|message| state.call.custom.get("message").is_none_or(|known| *known != message)) {
        note(&format!("{cid} was there before and keeps what it is about: --message is not told"));
    }
    let remaining = state.ring.as_ref().map(|ring| Duration::from_millis(u64::from(ring.remaining_ms)));
    // A call that was there before keeps its own ring length: then this one is kept here.
    let shorter = timeout.filter(|timeout| remaining.is_some_and(|remaining| *timeout < remaining));
    let ring = shorter.or(remaining.map(|remaining| remaining + GRACE));
    if shorter.is_some() {
        note(&format!("{cid} was there before and rings as long as it says; --timeout cancels it"));
    }
    phone.follow(cid, Patience { ring, stay }).await
}

fn exit(over: &Over, is_offline: bool) -> Result<Exit, Failure> {
    if over.was_in {
        return Ok(Exit::Done);
    }
    if let Some(refusal) = over.refusal.clone() {
        return Err(call_client::ClientError::Refused(refusal).into());
    }
    let is_unheard = over.was_too_long || (over.ringing == Some(EndReason::Timeout) && over.is_guessed);
    if is_unheard && is_offline {
        return Err(Failure::unreachable(
            "the server went away while it rang: check the network and whether the server runs, then try again",
        ));
    }
    if over.was_too_long {
        note("nobody answered");
        return Ok(Exit::NoAnswer);
    }
    let (exit, words) = match (over.ringing, over.call) {
        (_, Some(EndReason::MediaFailed)) => return Err(no_media(is_offline)),
        // Hung up before anything flowed: it took place all the same, on both sides.
        (Some(EndReason::Answered), _) => return Ok(Exit::Done),
        (Some(EndReason::Declined | EndReason::DeclinedElsewhere), _) => (Exit::Declined, "everybody declined"),
        (Some(EndReason::Timeout), _) => (Exit::NoAnswer, "nobody answered"),
        (Some(EndReason::Busy), _) => (Exit::Busy, "everybody is in another call"),
        (
            Some(
                EndReason::Cancelled
                | EndReason::Ended
                | EndReason::AnsweredElsewhere
                | EndReason::Left
                | EndReason::MediaFailed
                | EndReason::Refused
                | EndReason::PutOut,
            )
            | None,
            _,
        ) => (Exit::Cancelled, "the call was cancelled"),
    };
    note(words);
    Ok(exit)
}

/// The answer came, and sound and picture found no way; without the server there is none.
pub(crate) fn no_media(is_offline: bool) -> Failure {
    if is_offline {
        return Failure::unreachable(
            "the call was answered, and the server went away: check the network and whether the server runs, then try again",
        );
    }
    Failure::refused(
        Code::Unavailable,
        "the call was answered, but sound and picture found no way to the server: its UDP port must be reachable",
    )
}

/// People of these names on a server too large for a device to know everybody.
async fn strangers(phone: &Phone, state: &ClientState, wanted: &[String]) -> Result<Vec<Person>, Failure> {
    let mut found: Vec<Person> = Vec::new();
    if state.people.len() >= state.people_total as usize {
        return Ok(found);
    }
    for wanted in wanted.iter().filter(|wanted| state.people.iter().all(|person| person.id.as_str() != *wanted)) {
        let query = PeopleQuery { search: Some(wanted.clone()), limit: Some(PAGE), ..PeopleQuery::default() };
        for other in phone.client.server().people(&query).await?.people {
            let is_known = state.people.iter().chain(&found).any(|known| known.id == other.id);
            if !is_known && other.id != state.me.id {
                found.push(other);
            }
        }
    }
    Ok(found)
}

fn find_people<'a>(known: impl Iterator<Item = &'a Person> + Clone, wanted: &[String]) -> Result<Vec<UserId>, Failure> {
    let mut found = Vec::new();
    for wanted in wanted {
        if wanted.trim().is_empty() {
            return Err(Failure::usage("PERSON is empty: `bellbird people` lists whom you can ring"));
        }
        let by_id = known.clone().find(|person| person.id.as_str() == wanted);
        let by_name: Vec<&Person> =
            known.clone().filter(|person| person.name.to_lowercase() == wanted.to_lowercase()).collect();
        let id = match (by_id, by_name.as_slice(), wanted.parse::<UserId>()) {
            (Some(person), _, _) => person.id.clone(),
            (None, [person], _) => person.id.clone(),
            (None, [], Ok(id)) => id,
            (None, [], Err(_)) => {
                let message = format!("nobody here is called {wanted}: `bellbird people` lists whom you can ring");
                return Err(Failure::refused(Code::InvalidRequest, message));
            }
            (None, [_, _, ..], _) => {
                return Err(Failure::usage(format!("several people are called {wanted}: give the id")));
            }
        };
        found.push(id);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_exit() {
        let over = |ringing| Over { ringing, call: ringing, ..Over::default() };
        let ends = |over: Over| exit(&over, false).map_err(|failure| failure.exit);
        assert_eq!(ends(over(Some(EndReason::Declined))), Ok(Exit::Declined));
        assert_eq!(ends(over(Some(EndReason::Timeout))), Ok(Exit::NoAnswer));
        assert_eq!(ends(over(Some(EndReason::Busy))), Ok(Exit::Busy));
        assert_eq!(ends(over(Some(EndReason::Cancelled))), Ok(Exit::Cancelled));
        assert_eq!(ends(over(Some(EndReason::Ended))), Ok(Exit::Cancelled));
        assert_eq!(ends(over(None)), Ok(Exit::Cancelled));
        assert_eq!(ends(Over { was_in: true, ..over(Some(EndReason::Answered)) }), Ok(Exit::Done));
        let failed = Over { call: Some(EndReason::MediaFailed), ..over(Some(EndReason::Answered)) };
        assert_eq!(ends(failed.clone()), Err(Exit::Refused));
        assert_eq!(ends(Over { was_too_long: true, ..over(None) }), Ok(Exit::NoAnswer));
        let hung_up = Over { was_interrupted: true, ..over(Some(EndReason::Answered)) };
        assert_eq!(ends(hung_up), Ok(Exit::Done), "before anything flowed");
        let refusal = Some(wire::ErrorBody::new(Code::Blocked, "no"));
        assert_eq!(ends(Over { refusal, ..over(Some(EndReason::Answered)) }), Err(Exit::Refused));
        // The server is away: what it would have said is not known, unless it has said so before.
        let unheard = |over: Over| exit(&over, true).map_err(|failure| failure.exit);
        assert_eq!(unheard(Over { was_too_long: true, ..over(None) }), Err(Exit::Unreachable));
        let guessed = Over { is_guessed: true, ..over(Some(EndReason::Timeout)) };
        assert_eq!((unheard(guessed.clone()), ends(guessed)), (Err(Exit::Unreachable), Ok(Exit::NoAnswer)));
        assert_eq!(unheard(over(Some(EndReason::Timeout))), Ok(Exit::NoAnswer));
        assert_eq!(unheard(failed), Err(Exit::Unreachable));
    }
}
