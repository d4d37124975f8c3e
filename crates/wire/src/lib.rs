//! What travels between devices and server: messages, ids, errors, token claims. No IO.
//!
//! JSON in `snake_case`. Times are UNIX milliseconds of the server's clock ([`UnixMillis`]); what must survive a wrong
//! clock travels as remaining milliseconds beside it (rule R19 of the calling model).

mod call;
mod capability;
mod error;
mod event;
mod ids;
mod invite;
mod quiet;
mod rest;
mod ring;
mod settings;
mod text;
mod time;
mod token;

pub use call::{
    Call, CallState, Custom, HistoryEntry, HistoryOutcome, Member, Participant, Person, PersonalGrants, Presence, Role,
    Session,
};
pub use capability::Capability;
pub use error::{Code, ErrorBody};
pub use event::{ClientMessage, Event, ServerMessage, Snapshot};
pub use ids::{CallId, DeviceId, IdError, InviteCode, RingId, SessionId, UserId};
pub use invite::{Invite, InviteError, Pin, ServerAddress};
pub use quiet::{DoNotDisturb, QuietHours, Standing, Weekday};
pub use rest::{
    AccessToken, AskPermission, BlockUser, CallData, CallFilter, CallOrder, CallPage, CallTypeData, CreateInvite,
    CreatedInvite, DeviceEntry, GetOrCreate, GetOrCreated, HistoryPage, Join, Joined, Leave, MediaCredentials,
    MediaServer, MemberData, MuteUsers, PeoplePage, PeopleQuery, Reject, Rename, RingMembers, SendEvent, SendReaction,
    SignIn, SignedIn, TokenRequest, TrackSource, UpdateCall, UpdateMembers, UpdatePermissions,
};
pub use ring::{Direction, Outcome, Reason, Ring, Target};
pub use settings::{
    AudioSettings, BackstageSettings, LimitSettings, RingSettings, ScreenShareSettings, SessionSettings, Settings,
    Switch, VideoSettings,
};
pub use text::{MAX_BODY_BYTES, MAX_CUSTOM_BYTES, MAX_FRAME_BYTES, MAX_MEMBERS, MESSAGE, NAME, TextRule};
pub use time::UnixMillis;
pub use token::AccessClaims;
