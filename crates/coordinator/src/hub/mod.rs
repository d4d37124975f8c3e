//! The one owner of everything live: connections, calls, rings, sessions, presence. Each request is decided here, one
//! after the other; what it changes is stored first and announced then.

mod connections;
mod rings;
mod sessions;

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sfu::SfuEvent;
use tokio::sync::{mpsc, oneshot};
use wire::{
    Call, CallId, CallState, Code, Custom, DeviceId, ErrorBody, Event, GetOrCreate, GetOrCreated, HistoryEntry, Join,
    Joined, MAX_CUSTOM_BYTES, MAX_MEMBERS, Member, MemberData, Reject, RingId, Settings, Snapshot, UnixMillis, UserId,
};

use crate::{
    media_plane::MediaPlane,
    ring::Ring,
    store::{Change, Live, Remembered, Store, StoredPerson},
};
use connections::Connections;
pub(crate) use connections::Outlet;
use sessions::MediaPresence;

/// Requests wait here; when full, their senders wait, which slows the callers down and nothing else.
const REQUESTS: usize = 1024;
/// Ring lengths an operator or a call may choose.
const RING_TIMEOUT: std::ops::RangeInclusive<u32> = 5_000..=180_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, ErrorBody>>;

/// Everything that can be asked of the hub.
pub(crate) enum Request {
    PersonCame { person: StoredPerson },
    Connect { who: Caller, outlet: Outlet },
    Disconnect { device: DeviceId, epoch: u64 },
    GetOrCreate { who: Caller, cid: CallId, request: Box<GetOrCreate>, reply: Reply<GetOrCreated> },
    Join { who: Caller, cid: CallId, join: Join, reply: Reply<Joined> },
    Reject { who: Caller, cid: CallId, reject: Reject, reply: Reply<CallState> },
    Leave { who: Caller, cid: CallId, reply: Reply<()> },
    End { who: Caller, cid: CallId, reply: Reply<()> },
    Alerted { who: Caller, cid: CallId, ring: RingId },
    Snapshot { who: Caller, reply: Reply<Snapshot> },
    MissedSeen { who: Caller, reply: Reply<()> },
    SignOut { who: Caller, reply: Reply<()> },
}

/// The way to the hub.
#[derive(Debug, Clone)]
pub(crate) struct HubHandle {
    requests: mpsc::Sender<Request>,
}

impl HubHandle {
    pub(crate) async fn send(&self, request: Request) -> Result<(), ErrorBody> {
        self.requests.send(request).await.map_err(|_| shutting_down())
    }

    pub(crate) async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, ErrorBody> {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply)).await?;
        answer.await.map_err(|_| shutting_down())?
    }
}

fn shutting_down() -> ErrorBody {
    ErrorBody::new(Code::Unavailable, "the server is shutting down: try again in a moment")
}

/// A call that is held in memory because something goes on in it.
#[derive(Debug, Clone)]
struct LiveCall {
    call: Call,
    /// The newest ring.
    ring: Option<Ring>,
    media: BTreeMap<DeviceId, MediaPresence>,
    /// Since when the session has been empty, or one has been alone in a call for two.
    lonely_since: Option<UnixMillis>,
}

impl LiveCall {
    fn is_live(&self) -> bool {
        self.call.session.is_some() || self.ring.as_ref().is_some_and(Ring::is_live)
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.call.created_by == *user || self.call.members.iter().any(|member| member.user == *user)
    }

    /// Everybody a change of this call concerns.
    fn audience(&self) -> Vec<UserId> {
        let members = self.call.members.iter().map(|member| &member.user);
        let ring = self
            .ring
            .iter()
            .flat_map(|ring| ring.targets.iter().map(|target| &target.user).chain(std::iter::once(&ring.caller)));
        let participants = self.call.session.iter().flat_map(|session| &session.participants).map(|there| &there.user);
        let mut audience: Vec<UserId> = members.chain(ring).chain(participants).cloned().collect();
        audience.sort();
        audience.dedup();
        audience
    }

    /// What one reader sees of it.
    fn state_for(&self, user: &UserId, now: UnixMillis) -> CallState {
        let ring = self.ring.as_ref().filter(|ring| ring.concerns(user));
        CallState { call: self.call.clone(), ring: ring.map(|ring| ring.view(now)) }
    }
}

/// Changes on their way to the store; announced only after it has them.
#[derive(Debug, Default)]
struct Draft {
    calls: Vec<LiveCall>,
    history: Vec<Remembered>,
}

pub(crate) struct Hub {
    store: Store,
    media: MediaPlane,
    server_name: String,
    requests: mpsc::Receiver<Request>,
    media_events: mpsc::Receiver<SfuEvent>,
    connections: Connections,
    people: BTreeMap<UserId, StoredPerson>,
    calls: BTreeMap<CallId, LiveCall>,
    ulids: ulid::Generator,
}

impl Hub {
    pub(crate) fn new(
        store: Store,
        media: MediaPlane,
        media_events: mpsc::Receiver<SfuEvent>,
        server_name: String,
        live: Live,
    ) -> (Self, HubHandle) {
        let (sender, requests) = mpsc::channel(REQUESTS);
        let now = unix_now();
        let mut rings: BTreeMap<CallId, Ring> = live.rings.into_iter().map(|ring| (ring.cid.clone(), ring)).collect();
        let restore = |call: Call| {
            let ring = rings.remove(&call.cid);
            // After a restart everybody has to find the way back to the media.
            let participants = call.session.iter().flat_map(|session| &session.participants);
            let media =
                participants.map(|there| (there.device.clone(), MediaPresence::Awaited { since: now })).collect();
            (call.cid.clone(), LiveCall { call, ring, media, lonely_since: None })
        };
        let calls = live.calls.into_iter().map(restore).collect();
        let people = live.people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let connections = Connections::new(now);
        let hub = Self {
            store,
            media,
            server_name,
            requests,
            media_events,
            connections,
            people,
            calls,
            ulids: ulid::Generator::new(),
        };
        (hub, HubHandle { requests: sender })
    }

    pub(crate) async fn run(mut self) {
        loop {
            let now = unix_now();
            self.on_time(now).await;
            let wait = self.next_deadline().map_or(Duration::from_secs(3600), |at| at.since(now));
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.on_request(unix_now(), request).await,
                    None => return,
                },
                Some(event) = self.media_events.recv() => self.on_media(unix_now(), event),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn on_request(&mut self, now: UnixMillis, request: Request) {
        match request {
            Request::PersonCame { person } => {
                let id = person.id.clone();
                self.people.insert(id.clone(), person);
                self.announce_person(now, &id);
            }
            Request::Connect { who, outlet } => self.on_connect(now, who, outlet).await,
            Request::Disconnect { device, epoch } => {
                if let Some(user) = self.connections.remove(now, &device, epoch) {
                    self.announce_person(now, &user);
                }
            }
            Request::GetOrCreate { who, cid, request, reply } => {
                _ = reply.send(self.get_or_create(now, &who, &cid, *request).await);
            }
            Request::Join { who, cid, join, reply } => _ = reply.send(self.join(now, &who, &cid, join).await),
            Request::Reject { who, cid, reject, reply } => {
                _ = reply.send(self.reject(now, &who, &cid, reject).await);
            }
            Request::Leave { who, cid, reply } => _ = reply.send(self.leave(now, &who, &cid).await),
            Request::End { who, cid, reply } => _ = reply.send(self.end(now, &who, &cid).await),
            Request::Alerted { who, cid, ring } => {
                if let Err(error) = self.alerted(now, &who, &cid, &ring).await {
                    tracing::warn!(%error, "an alert was not noted");
                }
            }
            Request::Snapshot { who, reply } => _ = reply.send(self.snapshot(now, &who).await),
            Request::MissedSeen { who, reply } => _ = reply.send(self.missed_seen(now, &who).await),
            Request::SignOut { who, reply } => _ = reply.send(self.sign_out(now, &who).await),
        }
    }

    /// The call, from memory or from the store.
    async fn find(&self, cid: &CallId) -> Result<Option<LiveCall>, ErrorBody> {
        if let Some(live) = self.calls.get(cid) {
            return Ok(Some(live.clone()));
        }
        let Some(call) = self.store.call(cid).await? else { return Ok(None) };
        let ring = self.store.newest_ring(cid).await?;
        Ok(Some(LiveCall { call, ring, media: BTreeMap::new(), lonely_since: None }))
    }

    async fn get_or_create(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: GetOrCreate,
    ) -> Result<GetOrCreated, ErrorBody> {
        let found = self.find(cid).await?;
        let created = found.is_none();
        let mut live = match found {
            Some(live) if !live.is_member(&who.user) => return Err(no_such_call()),
            Some(live) => live,
            None => self.new_call(now, who, cid, &request)?,
        };
        if request.ring {
            self.add_members(&mut live, &request.data.members)?;
            return self.ring(now, who, live, request.video, created).await;
        }
        if created {
            self.commit(now, Draft { calls: vec![live.clone()], history: Vec::new() }).await?;
        }
        Ok(GetOrCreated { created, state: live.state_for(&who.user, now) })
    }

    fn new_call(
        &self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: &GetOrCreate,
    ) -> Result<LiveCall, ErrorBody> {
        let settings = request.data.settings.clone().unwrap_or_default();
        check_settings(&settings)?;
        check_custom("data.custom", &request.data.custom)?;
        let call = Call {
            cid: cid.clone(),
            created_by: who.user.clone(),
            created_at: now,
            members: vec![Member { user: who.user.clone(), role: "host".to_owned(), custom: Custom::new() }],
            settings,
            custom: request.data.custom.clone(),
            starts_at: None,
            team: None,
            ended_at: None,
            session: None,
        };
        let mut live = LiveCall { call, ring: None, media: BTreeMap::new(), lonely_since: None };
        self.add_members(&mut live, &request.data.members)?;
        Ok(live)
    }

    fn add_members(&self, live: &mut LiveCall, members: &[MemberData]) -> Result<(), ErrorBody> {
        for member in members {
            if !self.people.contains_key(&member.user) {
                return Err(ErrorBody::invalid(
                    "data.members",
                    format!("there is nobody called {} on this server: check the name or send an invite", member.user),
                ));
            }
            check_custom("data.members.custom", &member.custom)?;
            if live.call.members.iter().any(|known| known.user == member.user) {
                continue;
            }
            let role = member.role.clone().unwrap_or_else(|| "member".to_owned());
            live.call.members.push(Member { user: member.user.clone(), role, custom: member.custom.clone() });
        }
        if live.call.members.len() > MAX_MEMBERS {
            let message = format!("a call has at most {MAX_MEMBERS} members");
            return Err(ErrorBody::invalid("data.members", message));
        }
        Ok(())
    }

    /// Stores a draft, takes it over and tells everybody it concerns.
    async fn commit(&mut self, now: UnixMillis, draft: Draft) -> Result<(), ErrorBody> {
        let change = Change {
            calls: draft.calls.iter().map(|live| live.call.clone()).collect(),
            rings: draft.calls.iter().filter_map(|live| live.ring.clone()).collect(),
            history: draft.history,
        };
        let entries = self.store.write(&change).await?;
        let mut changed_people: Vec<UserId> = Vec::new();
        for live in draft.calls {
            let before = self.calls.remove(&live.call.cid);
            changed_people.extend(sessions::presence_changes(before.as_ref(), &live));
            for user in live.audience() {
                let state = live.state_for(&user, now);
                self.connections.tell(now, &user, &Event::Call { state });
            }
            if live.is_live() {
                self.calls.insert(live.call.cid.clone(), live);
            }
        }
        for (remembered, entry) in change.history.iter().zip(entries) {
            self.connections.tell(now, &remembered.person, &Event::History { entry });
        }
        for user in changed_people {
            self.announce_person(now, &user);
        }
        Ok(())
    }

    async fn missed_seen(&mut self, now: UnixMillis, who: &Caller) -> Result<(), ErrorBody> {
        self.store.mark_seen(&who.user).await?;
        self.connections.tell(now, &who.user, &Event::MissedSeen);
        Ok(())
    }

    async fn sign_out(&mut self, now: UnixMillis, who: &Caller) -> Result<(), ErrorBody> {
        self.store.sign_out(&who.device, now).await?;
        self.connections.sign_out(now, &who.device);
        self.announce_person(now, &who.user);
        Ok(())
    }

    /// What time alone brings: deadlines, vanished callers, sessions that stay empty.
    async fn on_time(&mut self, now: UnixMillis) {
        let due: Vec<CallId> = self
            .calls
            .values()
            .filter(|live| self.deadline_of(live).is_some_and(|at| at <= now))
            .map(|live| live.call.cid.clone())
            .collect();
        for cid in due {
            if let Err(error) = self.expire(now, &cid).await {
                // Tried again with the next turn; the store has said what is wrong.
                tracing::error!(%error, %cid, "what is due in a call could not be done");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    fn next_deadline(&self) -> Option<UnixMillis> {
        self.calls.values().filter_map(|live| self.deadline_of(live)).min()
    }

    fn deadline_of(&self, live: &LiveCall) -> Option<UnixMillis> {
        self.ring_deadline(live).into_iter().chain(sessions::deadline(live, &self.connections)).min()
    }

    async fn expire(&mut self, now: UnixMillis, cid: &CallId) -> Result<(), ErrorBody> {
        let Some(live) = self.calls.get(cid).cloned() else { return Ok(()) };
        let mut draft = Draft::default();
        let live = self.expire_ring(now, live, &mut draft);
        let live = self.expire_session(now, live, &mut draft);
        draft.calls.push(live);
        self.commit(now, draft).await
    }
}

fn check_settings(settings: &Settings) -> Result<(), ErrorBody> {
    if RING_TIMEOUT.contains(&settings.ring.timeout_ms) {
        return Ok(());
    }
    Err(ErrorBody::invalid("data.settings.ring.timeout_ms", "a ring lasts 5,000 to 180,000 milliseconds"))
}

fn check_custom(field: &str, custom: &Custom) -> Result<(), ErrorBody> {
    let size = serde_json::to_string(custom).map_or(usize::MAX, |text| text.len());
    if size <= MAX_CUSTOM_BYTES {
        return Ok(());
    }
    Err(ErrorBody::invalid(field, "custom data may be 5 KB of JSON at most"))
}

/// No difference between "not there" and "not yours".
fn no_such_call() -> ErrorBody {
    ErrorBody::new(
        Code::CallNotFound,
        "there is no such call, or you are not on its list: ask somebody in it to add you",
    )
}

fn history_line(live: &LiveCall, ring: &Ring, person: &UserId) -> HistoryEntry {
    let direction = if ring.caller == *person { wire::Direction::Outgoing } else { wire::Direction::Incoming };
    let mut people: Vec<UserId> = live.call.members.iter().map(|member| member.user.clone()).collect();
    people.retain(|user| user != person);
    HistoryEntry {
        id: 0,
        cid: live.call.cid.clone(),
        at: ring.started_at,
        direction,
        outcome: wire::HistoryOutcome::Ongoing,
        duration_ms: 0,
        caller: ring.caller.clone(),
        people,
        video: ring.video,
        message: None,
        reason: None,
        unseen: false,
    }
}

#[expect(clippy::disallowed_methods, reason = "the hub is the driver: it reads the clock for the rules")]
pub(crate) fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
