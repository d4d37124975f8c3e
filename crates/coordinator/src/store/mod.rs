//! Where everything is kept that must survive a restart. Written before it is announced.

mod cursor;
mod found;
mod listed;
mod personal;
mod sqlite;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use wire::{
    ApiKeyId, Call, CallFilter, CallId, CallTypeData, Code, DeviceId, DoNotDisturb, ErrorBody, HistoryEntry,
    HistoryPage, InviteEntry, InviteId, Renewal, RingId, Role, UnixMillis, UserId, WebhookDelivery, WebhookEvent,
    WebhookId,
};

use crate::{
    hub::Caller,
    kept::Kept,
    own_backend::User,
    programs::{KeptAnswer, RepeatId, StoredKey},
    ring::Ring,
    webhooks::{Added, Health, Outcome, Places, Round, StoredHook},
};
pub(crate) use found::{FoundPerson, PersonPlace, folded};
pub(crate) use listed::{Lines, Listed, Place, fits};
pub(crate) use personal::{PersonChange, Personal};
pub(crate) use sqlite::Sqlite;

/// Most teams of a person.
pub(crate) const MOST_TEAMS: usize = 100;

/// The store: one file beside the server, or (later) a database that many servers share.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Sqlite(Sqlite),
}

/// The store could not do it; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("a stored document cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    #[error("a stored id cannot be read: {0}")]
    Id(#[from] wire::IdError),
}

impl From<StoreError> for ErrorBody {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::new(
            Code::Unavailable,
            "the server cannot write to its disk or database now; nothing was changed, try again",
        )
    }
}

/// A person as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredPerson {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) teams: BTreeSet<String>,
    pub(crate) kind: PersonKind,
    /// Changes with the picture; absent without one.
    pub(crate) avatar: Option<String>,
    pub(crate) favourites: BTreeSet<UserId>,
    pub(crate) do_not_disturb: DoNotDisturb,
}

/// Who is behind a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonKind {
    Human,
    /// Another program, with an API key: it has no devices, rings others and is never rung.
    Program,
}

impl StoredPerson {
    /// Somebody who was never here.
    pub(crate) fn new(id: UserId, name: String, role: Role, teams: BTreeSet<String>) -> Self {
        let (favourites, do_not_disturb) = (BTreeSet::new(), DoNotDisturb::default());
        Self { id, name, role, teams, kind: PersonKind::Human, avatar: None, favourites, do_not_disturb }
    }

    /// What changes with a picture.
    pub(crate) fn avatar_tag(image: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(image)[..9])
    }
}

impl From<User> for StoredPerson {
    fn from(user: User) -> Self {
        Self::new(user.id, user.name, user.role, user.teams)
    }
}

/// A device as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredDevice {
    pub(crate) person: UserId,
    pub(crate) secret_hash: Vec<u8>,
    pub(crate) is_signed_out: bool,
    /// What it shows for access tokens beside its secret, if it came by a token of the operator's own.
    pub(crate) renewal: Option<Renewal>,
}

/// A device in its person's list.
#[derive(Debug, Clone)]
pub(crate) struct KnownDevice {
    pub(crate) id: DeviceId,
    pub(crate) name: String,
    pub(crate) created_at: UnixMillis,
}

/// What an invite gives, when it is good.
#[derive(Debug, Clone)]
pub(crate) struct InviteGrant {
    pub(crate) role: Role,
    pub(crate) team: Option<String>,
    /// Signs in one more device of this person.
    pub(crate) person: Option<UserId>,
}

/// An invite to store.
#[derive(Debug, Clone)]
pub(crate) struct NewInvite {
    pub(crate) id: InviteId,
    pub(crate) code_hash: Vec<u8>,
    pub(crate) uses: u32,
    pub(crate) expires_at: UnixMillis,
    pub(crate) role: Role,
    pub(crate) team: Option<String>,
    pub(crate) person: Option<UserId>,
    pub(crate) made_by: MadeBy,
    pub(crate) created_at: UnixMillis,
}

/// Who made an invite.
#[derive(Debug, Clone)]
pub(crate) enum MadeBy {
    /// The server, for whoever runs it.
    Server,
    /// The server, for the first admin: good while nobody is there.
    ServerForTheFirst,
    /// Somebody, with this device or key.
    Somebody(Caller),
}

/// Who signs in.
#[derive(Debug, Clone)]
pub(crate) struct NewDevice {
    pub(crate) id: DeviceId,
    pub(crate) person: StoredPerson,
    pub(crate) is_new_person: bool,
    pub(crate) name: String,
    pub(crate) secret_hash: Vec<u8>,
    /// Of a device that comes by a token of the operator's own.
    pub(crate) renewal: Option<Renewal>,
    pub(crate) created_at: UnixMillis,
}

/// One change of calls, rings, history and people, of many decisions perhaps: stored whole or not at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) calls: BTreeMap<CallId, StoredCall>,
    /// Those that began or changed, as they are now; what is kept of them is kept with their calls.
    pub(crate) rings: BTreeMap<RingId, Ring>,
    /// By person and occasion.
    pub(crate) history: BTreeMap<(UserId, String), HistoryEntry>,
    /// What people changed about themselves.
    pub(crate) personal: Personal,
    /// What requests that may come again were answered.
    pub(crate) answers: Vec<KeptAnswer>,
    /// What webhooks are told of it.
    pub(crate) events: Vec<WebhookEvent>,
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.rings.is_empty()
            && self.history.is_empty()
            && self.personal.is_empty()
            && self.answers.is_empty()
    }

    /// Adds a line to somebody's history, in place of an older one about the same occasion.
    pub(crate) fn remember(&mut self, line: Remembered) {
        self.history.insert((line.person, line.occasion), line.entry);
    }
}

/// A call as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredCall {
    pub(crate) call: Arc<Call>,
    /// Absent when it is as it was.
    pub(crate) kept: Option<Arc<Kept>>,
    /// Something goes on in it: it is loaded at the start.
    pub(crate) is_live: bool,
}

/// A line of a person's history: new, or the new state of the one with the same occasion.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub(crate) person: UserId,
    /// What it is about: the ring (or the session, for a call without one).
    pub(crate) occasion: String,
    /// `id` is given by the store.
    pub(crate) entry: HistoryEntry,
}

/// Everything that is live, after a start.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) people: Vec<StoredPerson>,
    pub(crate) calls: Vec<(Arc<Call>, Arc<Kept>)>,
    /// The newest line of all histories.
    pub(crate) newest_line: i64,
    /// The operator's own call types, as they were written.
    pub(crate) call_types: BTreeMap<String, CallTypeData>,
}

/// Passes a call on to the form of store in use.
macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Store {
            $(pub(crate) async fn $name(&self $(, $argument: $type)*) -> Result<$result, StoreError> {
                match self {
                    Self::Sqlite(sqlite) => sqlite.$name($($argument),*).await,
                }
            })*
        }
    };
}

forward! {
    fn live() -> Live;
    fn device(id: &DeviceId) -> Option<StoredDevice>;
    fn person_exists(id: &UserId) -> bool;
    fn role(id: &UserId) -> Option<Role>;
    fn first_admin() -> Option<UserId>;
    fn admins() -> i64;
    fn sign_out_person(person: &UserId, now: UnixMillis) -> Vec<DeviceId>;
    fn add_invite(invite: &NewInvite) -> bool;
    fn invites(made_by: Option<&UserId>, now: UnixMillis) -> Vec<InviteEntry>;
    fn remove_invite(id: &InviteId, made_by: Option<&UserId>) -> bool;
    fn tidy_invites(now: UnixMillis) -> ();
    fn peek_invite(code_hash: &[u8], now: UnixMillis) -> Option<InviteGrant>;
    fn invite_hash(begins: &[u8], now: UnixMillis) -> Option<Vec<u8>>;
    fn redeem(code_hash: &[u8], device: &NewDevice) -> bool;
    fn enrol(device: &NewDevice) -> bool;
    fn put_person(person: &StoredPerson, now: UnixMillis) -> bool;
    fn person(id: &UserId) -> Option<StoredPerson>;
    fn find_people(search: Option<&str>, behind: Option<&PersonPlace>, most: i64) -> Vec<FoundPerson>;
    fn set_avatar(person: &UserId, image: Option<&[u8]>) -> ();
    fn avatar(person: &UserId) -> Option<Vec<u8>>;
    fn keys() -> Vec<StoredKey>;
    fn program_named(name: &str) -> Option<UserId>;
    fn add_key(key: &StoredKey, person: &StoredPerson) -> bool;
    fn remove_key(id: &ApiKeyId, now: UnixMillis) -> ();
    fn key_was_used(id: &ApiKeyId, now: UnixMillis) -> ();
    fn kept_answer(of: &RepeatId, since: UnixMillis) -> Option<KeptAnswer>;
    fn forget_answers(before: UnixMillis) -> ();
    fn hooks() -> Vec<StoredHook>;
    fn has_hooks() -> bool;
    fn add_hook(hook: &StoredHook) -> Added;
    fn remove_hook(id: &WebhookId) -> ();
    fn enable_hook(id: &WebhookId) -> ();
    fn disable_hooks_of_old_keys(now: UnixMillis) -> ();
    fn due_deliveries(now: UnixMillis, busy: &BTreeMap<WebhookId, Health>, last: Option<&WebhookId>, places: Places) -> Round;
    fn finish_delivery(hook: &WebhookId, seq: i64, outcome: &Outcome, now: UnixMillis) -> ();
    fn deliveries(hook: &WebhookId, before: Option<i64>, most: u32) -> Vec<(i64, WebhookDelivery)>;
    fn tidy_webhooks(before: UnixMillis, now: UnixMillis) -> ();
    fn pending_deliveries() -> i64;
    fn beat(now: UnixMillis) -> ();
    fn call(cid: &CallId) -> Option<(Call, Kept)>;
    fn write(change: &Change) -> Vec<HistoryEntry>;
    fn shown_history(person: &UserId) -> Vec<HistoryEntry>;
    fn history_before(person: &UserId, which: Lines, before: Option<i64>, most: u32) -> HistoryPage;
    fn devices(person: &UserId) -> Vec<KnownDevice>;
    fn signed_out_since(since: UnixMillis) -> Vec<(DeviceId, UnixMillis)>;
    fn set_call_type(name: &str, data: &CallTypeData) -> ();
    fn forget_call_type(name: &str) -> ();
    fn list(filter: &CallFilter, behind: Option<&Place>, most: i64) -> Vec<Listed>;
}
