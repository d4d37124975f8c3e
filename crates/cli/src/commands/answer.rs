//! `bellbird answer`: wait for a ring (or take the one that rings), accept, leave.

use std::{
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use call_client::{CallView, CallingState, EndReason, Leave, Toggle};
use clap::Args;
use rustix::termios::{QueueSelector, tcflush};
use tokio::sync::oneshot;
use wire::{CallId, Direction};

use super::call::no_media;
use crate::{
    Context,
    exit::{Exit, Failure},
    files::Files,
    note,
    phone::{Over, Patience, Phone, Waited, ringing},
};

/// Wait for a ring, and answer it.
#[derive(Args)]
pub(crate) struct Answer {
    /// The call to answer; any if absent.
    #[arg(value_name = "TYPE:ID")]
    call: Option<CallId>,
    /// Without asking. Only a person at a terminal is ever asked.
    #[arg(long)]
    auto: bool,
    /// How long to stay in the call; until it ends or this is interrupted if absent.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    stay: Option<Duration>,
    #[command(flatten)]
    files: Files,
}

impl Answer {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let asks = !self.auto && !context.json && io::stdin().is_terminal() && io::stderr().is_terminal();
        // A picture is sent only where one is given: nobody wants a camera to open by itself.
        let video = self.files.has_picture().into();
        let given = self.files.given();
        let engine = self.files.engine()?;
        let mut phone = Phone::connect(context, Some((engine, given))).await?;
        let over = answer(&mut phone, self.call.as_ref(), video, asks, self.stay).await;
        let is_offline = phone.is_offline();
        phone.hang_up().await;
        match over? {
            Some(over) => exit(&over, is_offline),
            None => Ok(Exit::Cancelled),
        }
    }
}

/// `None` when interrupted before anything rang.
async fn answer(
    phone: &mut Phone,
    wanted: Option<&CallId>,
    video: Toggle,
    asks: bool,
    stay: Option<Duration>,
) -> Result<Option<Over>, Failure> {
    let Some(cid) = ring(phone, wanted).await? else { return Ok(None) };
    let patience = Patience { ring: None, stay };
    if asks && !person_accepts(phone, &cid).await? {
        phone.client.leave(cid.clone(), Leave::Plain).await?;
        return phone.follow(&cid, patience).await.map(Some);
    }
    let client = phone.client.clone();
    let mut joining = pin!(client.accept(cid.clone(), video));
    loop {
        match phone.wait_for(joining.as_mut()).await? {
            Waited::Done(joined) => {
                joined?;
                break;
            }
            Waited::Changed(_) => {}
            Waited::Interrupted => {
                client.leave(cid.clone(), Leave::Plain).await?;
                let over = phone.follow(&cid, patience).await?;
                return Ok(Some(Over { was_interrupted: true, ..over }));
            }
        }
    }
    phone.follow(&cid, patience).await.map(Some)
}

/// Waits until something rings that is wanted; one that came and went before this could look counts as well.
async fn ring(phone: &mut Phone, wanted: Option<&CallId>) -> Result<Option<CallId>, Failure> {
    let mut waited = phone.look().await?;
    let mut to_be_looked_up = wanted;
    loop {
        let Waited::Changed(state) = waited else { return Ok(None) };
        let rung = state.calls.iter().find(|call| has_rung(call) && wanted.is_none_or(|wanted| call.cid == *wanted));
        if let Some(call) = rung {
            return Ok(Some(call.cid.clone()));
        }
        // One that the server does not know, or not yet, may ring later; one that was ended never will.
        if let Some(cid) = to_be_looked_up.take()
            && phone.client.server().read(cid).await.is_ok_and(|state| state.call.ended_at.is_some())
        {
            return Err(Failure::ended_before(cid));
        }
        waited = phone.next().await?;
    }
}

/// It rings, or did a moment ago: what is over is shown for some seconds, and not to who connects later.
fn has_rung(call: &CallView) -> bool {
    let rings_or_is_over = match call.state.calling_state {
        CallingState::Ringing | CallingState::Left | CallingState::Ended => true,
        CallingState::Idle | CallingState::Joining | CallingState::Joined | CallingState::Reconnecting => false,
    };
    call.direction == Direction::Incoming && rings_or_is_over
}

/// Waits for Enter; the ring may be over before.
async fn person_accepts(phone: &mut Phone, cid: &CallId) -> Result<bool, Failure> {
    // What was typed before the question is no answer to it.
    if let Err(error) = tcflush(io::stdin(), QueueSelector::IFlush) {
        tracing::debug!(%error, "what was typed before stays");
    }
    note("Enter answers, Ctrl-C lets it ring elsewhere.");
    let (pressed, mut press) = oneshot::channel();
    let reader = std::thread::Builder::new().name("enter".to_owned());
    let spawned = reader.spawn(move || {
        if io::stdin().read_line(&mut String::new()).is_ok_and(|read| read > 0) {
            _ = pressed.send(());
        }
    });
    spawned.map_err(|error| Failure::from(anyhow::Error::from(error)))?;
    loop {
        match phone.wait_for(&mut press).await? {
            Waited::Done(pressed) => return Ok(pressed.is_ok()),
            Waited::Changed(state) if ringing(&state).any(|call| call.cid == *cid) => {}
            Waited::Changed(_) | Waited::Interrupted => return Ok(false),
        }
    }
}

fn exit(over: &Over, is_offline: bool) -> Result<Exit, Failure> {
    if over.was_in {
        return Ok(Exit::Done);
    }
    match (over.ringing, over.call) {
        (_, Some(EndReason::MediaFailed)) => Err(no_media(is_offline)),
        // Let in, and one of both hung up before anything flowed.
        (Some(EndReason::Answered), _) => Ok(Exit::Done),
        (Some(EndReason::AnsweredElsewhere), _) => {
            note("another device has answered");
            Ok(Exit::AnsweredElsewhere)
        }
        _ if over.was_interrupted => Ok(Exit::Cancelled),
        _ => {
            note("the ring was over before it was answered here");
            Ok(Exit::NoAnswer)
        }
    }
}
