//! What travels between devices and server: messages, ids, errors, token claims. No IO.
//!
//! JSON in `snake_case`. Times are UNIX milliseconds of the server's clock ([`UnixMillis`]); what must survive a wrong
//! clock travels as remaining milliseconds beside it (rule R19 of the calling model).

mod asking;
mod call;
mod capability;
mod error;
mod event;
mod ids;
mod invite;
mod proof;
mod quiet;
mod rest;
mod ring;
mod settings;
mod spoken;
mod text;
mod time;
mod token;

pub use asking::{
    AnswerAsk, Ask, AskId, AskOutcome, Asked, ShowNumber, Shown, WaitingAsk, commitment, comparison_code,
};
pub use call::{
    Call, CallState, Custom, HistoryEntry, HistoryOutcome, Member, Participant, Person, PersonalGrants, Presence, Role,
    Session,
};
pub use capability::Capability;
pub use error::{Code, ErrorBody};
pub use event::{ClientMessage, Event, ServerMessage, Snapshot};
pub use ids::{
    ApiKeyId, CallId, DeviceId, EventId, IdError, InviteCode, InviteId, RingId, SessionId, UserId, WebhookId,
};
pub use invite::{Invite, InviteError, MDNS_SERVICE, Pin, ServerAddress};
pub use proof::{InviteProof, ProveInvite, code_hash};
pub use quiet::{DoNotDisturb, QuietHours, Standing, Weekday};
pub use rest::{
    AccessToken, ApiKeyEntry, AskPermission, BlockUser, CallData, CallFilter, CallOrder, CallPage, CallTypeData,
    CreateApiKey, CreateInvite, CreateWebhook, CreatedApiKey, CreatedInvite, CreatedWebhook, DeliveryState,
    DeviceEntry, GetOrCreate, GetOrCreated, HistoryPage, InviteEntry, Join, Joined, Leave, MediaCredentials,
    MediaServer, MemberData, MissedSeen, MuteUsers, ON_BEHALF_OF, PeoplePage, PeopleQuery, PutPerson, Reject, Rename,
    Renewal, RingMembers, Scope, SendEvent, SendReaction, SignIn, SignInByToken, SignedIn, TokenRequest, TrackSource,
    UpdateCall, UpdateMembers, UpdatePermissions, WebhookDelivery, WebhookDeliveryPage, WebhookDisabled, WebhookEntry,
    WebhookEvent, WebhookKind, WebhookRing,
};
pub use ring::{Direction, Outcome, Reason, Ring, Target};
pub use settings::{
    AudioSettings, BackstageSettings, LimitSettings, RingSettings, ScreenShareSettings, SessionSettings, Settings,
    Switch, VideoSettings,
};
pub use spoken::{CODE_LENGTH, CODE_LETTERS, SpokenCodeError};
pub use text::{MAX_BODY_BYTES, MAX_CUSTOM_BYTES, MAX_FRAME_BYTES, MAX_MEMBERS, MESSAGE, NAME, TextRule};
pub use time::UnixMillis;
pub use token::AccessClaims;
