//! The driver of the authority: takes requests, loads what they are about, stores what was decided, many decisions at a
//! time, and lets everybody hear of it then.

mod arrivals;
mod handle;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::extract::ws::Utf8Bytes;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use sfu::SfuEvent;
use tokio::sync::mpsc::{self, error::TrySendError};
use wire::{Call, CallId, DeviceId, ErrorBody, HistoryEntry, ServerMessage, UnixMillis, UserId};

pub(crate) use crate::{
    authority::{Authority, Caller},
    clock::unix_now,
};
use crate::{
    authority::{Batch, CallTypes, Effect, Out},
    clock::steady_now,
    desk::Desk,
    kept::Kept,
    media_plane::MediaPlane,
    metrics::Metrics,
    store::{Live, Store, StoreError},
    webhooks::Outbox,
};
use arrivals::{Arrival, Arrivals};
use handle::{Answer, Decide};
pub(crate) use handle::{HubHandle, Outlet, Reply, Request};

/// Requests decided between two looks at the clock and the store.
const AT_ONCE: usize = 256;

/// What was read from the store while everything went on.
enum Read {
    Call { cid: CallId, found: Result<Option<(Call, Kept)>, StoreError> },
    History { user: UserId, epoch: u64, lines: Result<Vec<HistoryEntry>, StoreError> },
}

type Written = (Batch, Result<Vec<HistoryEntry>, StoreError>);

/// A batch on its way into the store.
struct Writing {
    done: Pin<Box<dyn Future<Output = Written> + Send>>,
    waiting: Vec<Answer>,
}

pub(crate) struct Hub {
    desk: Desk<Answer>,
    store: Store,
    media: MediaPlane,
    outbox: Arc<Outbox>,
    metrics: Arc<Metrics>,
    requests: mpsc::Receiver<Request>,
    media_events: mpsc::Receiver<SfuEvent>,
    outlets: HashMap<DeviceId, Outlet>,
    writing: Option<Writing>,
    reads: FuturesUnordered<Pin<Box<dyn Future<Output = Read> + Send>>>,
    /// Decisions about calls that are being read, in their order.
    parked: HashMap<CallId, Vec<Decide>>,
    /// Those of whom everything is read are greeted before anything else is stored and announced.
    arrivals: Arrivals,
    /// Where messages are written before they are sent: it grows once.
    text: Vec<u8>,
}

impl Hub {
    #[expect(clippy::too_many_arguments, reason = "built in one place, from the parts the server started")]
    pub(crate) fn new(
        store: Store,
        media: MediaPlane,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
        media_events: mpsc::Receiver<SfuEvent>,
        server_name: String,
        types: CallTypes,
        live: Live,
    ) -> (Self, HubHandle) {
        let (handle, requests) = HubHandle::new();
        let hub = Self {
            desk: Desk::new(Authority::new(steady_now(), rand::random(), server_name, types, live)),
            store,
            media,
            outbox,
            metrics,
            requests,
            media_events,
            outlets: HashMap::new(),
            writing: None,
            reads: FuturesUnordered::new(),
            parked: HashMap::new(),
            arrivals: Arrivals::default(),
            text: Vec::new(),
        };
        (hub, handle)
    }

    pub(crate) async fn run(mut self) {
        loop {
            let now = steady_now();
            let wait = self.turn(now);
            if self.arrivals.has_ready() && self.desk.may_greet() {
                self.greet_arrivals();
                continue;
            }
            tokio::select! {
                biased;
                written = written(&mut self.writing) => self.on_written(steady_now(), written),
                Some(read) = self.reads.next() => self.on_read(steady_now(), read),
                request = self.requests.recv() => match request {
                    Some(request) => self.on_requests(request),
                    None => return,
                },
                Some(event) = self.media_events.recv() => self.desk.authority.on_media(steady_now(), event),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Does what is due and sends what was decided on its way; answers how long nothing is due.
    fn turn(&mut self, now: UnixMillis) -> Duration {
        self.desk.on_time(now);
        while !self.arrivals.has_ready()
            && let Some((mut batch, waiting)) = self.desk.next_batch()
        {
            batch.change.events = self.outbox.events(now, &batch);
            if batch.change.is_empty() {
                self.on_stored(now, batch, Vec::new(), waiting);
            } else {
                let (store, metrics) = (self.store.clone(), Arc::clone(&self.metrics));
                let done = Box::pin(async move {
                    let outcome = metrics.storing(batch.change.size(), store.write(&batch.change)).await;
                    (batch, outcome)
                });
                self.writing = Some(Writing { done, waiting });
            }
        }
        self.desk.next_deadline().map_or(Duration::from_secs(3600), |at| at.since(now))
    }

    fn on_written(&mut self, now: UnixMillis, (batch, outcome): Written) {
        let waiting = self.writing.take().map(|writing| writing.waiting).unwrap_or_default();
        match outcome {
            Ok(entries) => self.on_stored(now, batch, entries, waiting),
            Err(error) => {
                let refusal = ErrorBody::from(error);
                let newer = self.desk.failed(now, batch);
                for answer in waiting.into_iter().chain(newer) {
                    answer(Err(refusal.clone()));
                }
            }
        }
    }

    fn on_stored(&mut self, now: UnixMillis, batch: Batch, entries: Vec<HistoryEntry>, waiting: Vec<Answer>) {
        let revision = self.desk.authority.revision();
        for answer in waiting {
            answer(Ok(revision));
        }
        if !batch.change.events.is_empty() {
            self.outbox.ring();
        }
        self.arrivals.stored(&batch.change.personal);
        for ((person, _), entry) in batch.change.history.keys().zip(&entries) {
            self.arrivals.add_line(person, entry);
        }
        let news = batch.ring_news();
        let outs = self.desk.stored(now, batch, entries);
        self.send(now, outs);
        if !news.is_empty() {
            self.metrics.rings(&news, steady_now());
        }
    }

    fn on_read(&mut self, now: UnixMillis, read: Read) {
        match read {
            Read::History { user, epoch, lines: Ok(lines) } => self.arrivals.read(&user, epoch, lines),
            Read::History { user, epoch, lines: Err(error) } => {
                // The device is cut off and will try again.
                tracing::error!(%error, %user, "a history cannot be read");
                self.arrivals.remove(&user, epoch);
            }
            Read::Call { cid, found } => {
                let parked = self.parked.remove(&cid).unwrap_or_default();
                let failure = match found {
                    Ok(Some((call, kept))) => {
                        self.desk.authority.load(call, kept);
                        None
                    }
                    Ok(None) => None,
                    Err(error) => Some(ErrorBody::from(error)),
                };
                for decide in parked {
                    let answer = match &failure {
                        None => decide(Ok((&mut self.desk.authority, now))),
                        Some(refusal) => decide(Err(refusal.clone())),
                    };
                    self.desk.answer(answer);
                }
                self.desk.authority.forget_idle(&cid);
            }
        }
    }

    fn greet_arrivals(&mut self) {
        let now = steady_now();
        for Arrival { who, outlet, history } in self.arrivals.take_ready() {
            if self.outlets.get(&who.device).is_some_and(|newer| newer.epoch > outlet.epoch) {
                continue;
            }
            let snapshot = self.desk.authority.greeting(now, &who, history);
            let message = ServerMessage::Snapshot(snapshot);
            let text = serde_json::to_string(&message).expect("a snapshot is plain data");
            if let ServerMessage::Snapshot(snapshot) = message
                && outlet.sender.try_send(text.into()).is_ok()
            {
                self.desk.authority.connected(&who, outlet.epoch, &snapshot.people);
                self.outlets.insert(who.device, outlet);
            }
        }
    }

    fn tell(&mut self, now: UnixMillis, device: DeviceId, text: Utf8Bytes) {
        let sent = self.outlets.get(&device).map(|outlet| outlet.sender.try_send(text));
        if let Some(Err(failure)) = sent
            && let Some(outlet) = self.outlets.remove(&device)
        {
            if matches!(failure, TrySendError::Full(_)) {
                tracing::warn!(%device, "a device reads too slowly and is cut off; it comes back with a snapshot");
            }
            self.desk.authority.disconnected(now, &device, outlet.epoch);
        }
    }

    fn send(&mut self, now: UnixMillis, outs: Vec<Out>) {
        for out in outs {
            match out {
                Out::Message { to, message } => {
                    self.text.clear();
                    serde_json::to_writer(&mut self.text, &message).expect("events are plain data");
                    let text = Utf8Bytes::from(str::from_utf8(&self.text).expect("JSON is text"));
                    for device in to {
                        self.tell(now, device, text.clone());
                    }
                }
                Out::Close { device } => _ = self.outlets.remove(&device),
                Out::Effect(Effect::RemoveParticipant { cid, user, device }) => self.media.remove(&cid, &user, &device),
                Out::Effect(Effect::TellOver { cid, user, device }) => self.media.tell_over(&cid, &user, &device),
                Out::Effect(Effect::AskAgain { cid, user, device }) => self.media.ask_again(&cid, &user, &device),
                Out::Effect(Effect::CloseRoom { cid }) => self.media.close_room(&cid),
                Out::Effect(Effect::PermitMedia { cid, user, device, sending }) => {
                    self.media.permit(&cid, &user, &device, &sending);
                }
                Out::Effect(Effect::Mute { cid, user, device, sources }) => {
                    self.media.mute(&cid, &user, &device, &sources);
                }
            }
        }
    }

    fn on_requests(&mut self, first: Request) {
        self.on_request(steady_now(), first);
        for _ in 1..AT_ONCE {
            let Ok(request) = self.requests.try_recv() else { return };
            self.on_request(steady_now(), request);
        }
    }

    /// Waits for nothing: while one waited here, nothing would be read, written and announced.
    fn on_request(&mut self, now: UnixMillis, request: Request) {
        match request {
            Request::PersonCame { person } => self.desk.authority.person_came(now, person),
            Request::Connect { who, outlet } => {
                let (store, user, epoch) = (self.store.clone(), who.user.clone(), outlet.epoch);
                self.arrivals.add(who, outlet);
                self.reads.push(Box::pin(async move {
                    let lines = store.shown_history(&user).await;
                    Read::History { user, epoch, lines }
                }));
            }
            Request::Disconnect { device, epoch } => {
                if self.outlets.get(&device).is_some_and(|outlet| outlet.epoch == epoch) {
                    self.outlets.remove(&device);
                }
                self.desk.authority.disconnected(now, &device, epoch);
            }
            Request::Decide { cid, decide } => self.decide(now, cid, decide),
            Request::Views { who, calls, reply } => {
                let views = self.desk.authority.views(now, &who, calls);
                self.answer(reply, Ok(views));
            }
            Request::CallTypes { reply } => {
                let types = self.desk.authority.call_types().clone();
                self.answer(reply, Ok(types));
            }
            Request::SetCallType { name, call_type } => self.desk.authority.set_call_type(now, &name, call_type),
            Request::Alerted { who, cid, ring } => self.desk.authority.alerted(&who, &cid, &ring),
            Request::Snapshot { who, reply } => {
                let snapshot = self.desk.authority.snapshot(now, &who, Vec::new());
                self.answer(reply, Ok(snapshot));
            }
            Request::Stands { who, standing } => self.desk.authority.stands(&who, standing),
            Request::People { users, reply } => {
                let people = self.desk.authority.people_now(&users);
                self.answer(reply, Ok(people));
            }
            Request::ChangePerson { who, change, reply } => {
                let changed = self.desk.authority.change_person(&who, change);
                self.answer(reply, changed);
            }
            Request::MissedSeen { who, up_to, reply } => {
                self.desk.authority.see_missed(&who, up_to);
                self.answer(reply, Ok(()));
            }
            Request::TellAdmins { event } => {
                let outs = self.desk.authority.tell_admins(now, &event);
                self.send(now, outs);
            }
            Request::SignOut { who, reply } => {
                self.desk.authority.sign_out(now, &who.device);
                self.answer(reply, Ok(()));
            }
        }
    }

    /// Decides at once about a call that is held; reads it first when it is not, while others go on.
    fn decide(&mut self, now: UnixMillis, cid: CallId, decide: Decide) {
        if let Some(parked) = self.parked.get_mut(&cid) {
            parked.push(decide);
        } else if self.desk.authority.knows(&cid) {
            let answer = decide(Ok((&mut self.desk.authority, now)));
            self.desk.authority.forget_idle(&cid);
            self.desk.answer(answer);
        } else {
            self.parked.insert(cid.clone(), vec![decide]);
            let store = self.store.clone();
            self.reads.push(Box::pin(async move {
                let found = store.call(&cid).await;
                Read::Call { cid, found }
            }));
        }
    }

    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, answer: Result<T, ErrorBody>) {
        let send = move |stored: Result<u64, ErrorBody>| _ = reply.send(stored.and(answer));
        self.desk.answer(Box::new(send));
    }
}

/// The batch that is being written, when it is; never, while none is.
async fn written(writing: &mut Option<Writing>) -> Written {
    match writing {
        Some(writing) => writing.done.as_mut().await,
        None => std::future::pending().await,
    }
}
