//! Requests and answers of the HTTP interface. Paths are in the server's `http` folder and the client's `rest.rs`.

/// `Debug` of what holds a secret, which is left out: what is printed for developers ends in logs.
macro_rules! debug_without_secrets {
    ($name:ident: $($shown:ident),*) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut shown = formatter.debug_struct(stringify!($name));
                $(shown.field(stringify!($shown), &self.$shown);)*
                shown.finish_non_exhaustive()
            }
        }
    };
}

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
    AccessToken, CreateInvite, CreatedInvite, DeviceEntry, InviteEntry, PeoplePage, PeopleQuery, Rename, Renewal,
    SignIn, SignInByToken, SignedIn, TokenRequest,
};
pub use programs::{ApiKeyEntry, CreateApiKey, CreatedApiKey, ON_BEHALF_OF, PutPerson, Scope};
pub use webhooks::{
    CreateWebhook, CreatedWebhook, DeliveryState, WebhookDelivery, WebhookDeliveryPage, WebhookDisabled, WebhookEntry,
    WebhookEvent, WebhookKind, WebhookRing,
};
