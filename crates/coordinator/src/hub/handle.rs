//! What can be asked of the hub, and the way to it.

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{mpsc, oneshot};
use wire::{
    Call, CallId, CallState, Code, DeviceId, ErrorBody, Event, Person, RingId, Snapshot, Standing, UnixMillis, UserId,
};

use crate::{
    authority::{Authority, CallType, CallTypes, Caller},
    store::StoredPerson,
};

/// Requests wait here; when full, their senders wait, which slows the callers down and nothing else.
const REQUESTS: usize = 1024;

/// The way out to one connected device: text messages, bounded. A reader too slow to keep it from filling is cut off.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// Tells this connection from an older one of the same device.
    pub(crate) epoch: u64,
    pub(crate) sender: mpsc::Sender<Utf8Bytes>,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, ErrorBody>>;

/// What the store's outcome makes of an answer; once stored, it is newer than everything announced up to this revision.
pub(super) type Answer = Box<dyn FnOnce(Result<u64, ErrorBody>) + Send>;
/// Decides, and answers once that is stored; an error instead of the authority means that the call could not be loaded.
pub(super) type Decide = Box<dyn FnOnce(Result<(&mut Authority, UnixMillis), ErrorBody>) -> Answer + Send>;

/// What a person changes about himself, or why he may not.
pub(super) type Choice = Box<dyn FnOnce(&mut StoredPerson) -> Result<(), ErrorBody> + Send>;

/// Everything that can be asked of the hub.
pub(crate) enum Request {
    PersonCame {
        person: StoredPerson,
    },
    Connect {
        who: Caller,
        outlet: Outlet,
    },
    Disconnect {
        device: DeviceId,
        epoch: u64,
    },
    /// A decision about one call, which is loaded first.
    Decide {
        cid: CallId,
        decide: Decide,
    },
    /// Calls from the store as the asker sees them.
    Views {
        who: Caller,
        calls: Vec<Call>,
        reply: Reply<Vec<Option<CallState>>>,
    },
    CallTypes {
        reply: Reply<CallTypes>,
    },
    SetCallType {
        name: String,
        call_type: CallType,
    },
    Alerted {
        who: Caller,
        cid: CallId,
        ring: RingId,
    },
    Snapshot {
        who: Caller,
        reply: Reply<Snapshot>,
    },
    Stands {
        who: Caller,
        standing: Standing,
    },
    /// People as they are now.
    People {
        users: Vec<UserId>,
        reply: Reply<Vec<Person>>,
    },
    /// Something a person changes about himself.
    ChangePerson {
        who: Caller,
        change: Choice,
        reply: Reply<()>,
    },
    /// Missed calls were looked at: up to a line of the history, or all that the person was told of.
    MissedSeen {
        who: Caller,
        up_to: Option<i64>,
        reply: Reply<()>,
    },
    SignOut {
        who: Caller,
        reply: Reply<()>,
    },
    /// Told to every admin who is connected, and not kept.
    TellAdmins {
        event: Event,
    },
}

/// The way to the hub.
#[derive(Debug, Clone)]
pub(crate) struct HubHandle {
    requests: mpsc::Sender<Request>,
}

impl HubHandle {
    pub(super) fn new() -> (Self, mpsc::Receiver<Request>) {
        let (requests, queue) = mpsc::channel(REQUESTS);
        (Self { requests }, queue)
    }

    pub(crate) async fn send(&self, request: Request) -> Result<(), ErrorBody> {
        self.requests.send(request).await.map_err(|_| decides_nothing())
    }

    pub(crate) async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, ErrorBody> {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply)).await?;
        answer.await.map_err(|_| decides_nothing())?
    }

    /// Has something decided about a call; answers when it is stored.
    pub(crate) async fn decide<T: Send + 'static>(
        &self,
        cid: CallId,
        decide: impl FnOnce(&mut Authority, UnixMillis) -> Result<T, ErrorBody> + Send + 'static,
    ) -> Result<T, ErrorBody> {
        self.decide_at(cid, decide).await.map(|(decided, _)| decided)
    }

    /// The same, for an answer that says which news it is newer than: all up to this revision. That is known when it is
    /// stored, not when it is decided: news of earlier decisions may come between.
    pub(crate) async fn decide_at<T: Send + 'static>(
        &self,
        cid: CallId,
        decide: impl FnOnce(&mut Authority, UnixMillis) -> Result<T, ErrorBody> + Send + 'static,
    ) -> Result<(T, u64), ErrorBody> {
        let (reply, answer) = oneshot::channel();
        let decide: Decide = Box::new(move |loaded| {
            let decided = loaded.and_then(|(authority, now)| decide(authority, now));
            Box::new(move |stored| {
                let dated = stored.and_then(|revision| decided.map(|decided| (decided, revision)));
                _ = reply.send(dated);
            })
        });
        self.send(Request::Decide { cid, decide }).await?;
        answer.await.map_err(|_| decides_nothing())?
    }
}

fn decides_nothing() -> ErrorBody {
    ErrorBody::new(
        Code::Unavailable,
        "the server can decide nothing now, because it ends or has come upon a fault of its own: try again in a moment",
    )
}
