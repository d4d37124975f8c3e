//! Requests and answers of the HTTP interface. Paths are in the server's `http` folder and the client's `rest.rs`.

mod calls;
mod lists;
mod moderation;
mod people;
mod programs;
mod webhooks;

pub use calls::{
    CallData, GetOrCreate, GetOrCreated, Join, Joined, Leave, MediaCredentials, MediaServer, MemberData, Reject,
    RingMembers, UpdateCall,
};
pub use lists::{CallFilter, CallOrder, CallPage, CallTypeData, HistoryPage, MissedSeen};
pub use moderation::{
    AskPermission, BlockUser, MuteUsers, SendEvent, SendReaction, TrackSource, UpdateMembers, UpdatePermissions,
};
pub use people::{
    AccessToken, CreateInvite, CreatedInvite, DeviceEntry, PeoplePage, PeopleQuery, Rename, Renewal, SignIn,
    SignInByToken, SignedIn, TokenRequest,
};
pub use programs::{ApiKeyEntry, CreateApiKey, CreatedApiKey, ON_BEHALF_OF, PutPerson, Scope};
pub use webhooks::{
    CreateWebhook, CreatedWebhook, DeliveryState, WebhookDelivery, WebhookDeliveryPage, WebhookDisabled, WebhookEntry,
    WebhookEvent, WebhookKind, WebhookRing,
};
