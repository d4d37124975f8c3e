//! Webhooks: what the server tells other programs of its own accord.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{CallId, Custom, EventId, Reason, RingId, SessionId, Target, UnixMillis, UserId, WebhookId};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// What a webhook may be told of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum WebhookKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl WebhookKind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name as it travels.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

// The derive does not read names that a macro gives.
#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for WebhookKind {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let names = Self::ALL.iter().map(|kind| kind.as_str());
        let schema = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
        schema.description(Some("What a webhook may be told of.")).enum_values(Some(names)).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for WebhookKind {}

kinds! {
    /// People are being rung.
    RingStarted => "ring.started",
    /// One of them accepted.
    RingAnswered => "ring.answered",
    /// One of them said no, or is in another call.
    RingDeclined => "ring.declined",
    /// One of them did not answer in time, or the caller gave up before.
    RingMissed => "ring.missed",
    /// Nobody is being rung any more.
    RingEnded => "ring.ended",
    /// A call was made.
    CallCreated => "call.created",
    /// A session of a call began.
    CallStarted => "call.started",
    /// A session is over, or the call was ended for everyone.
    CallEnded => "call.ended",
    /// A device came into a call.
    ParticipantJoined => "participant.joined",
    /// A device went out of a call.
    ParticipantLeft => "participant.left",
}

/// The body of a delivery. `webhook-id` is its id, the same in every attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookEvent {
    /// Tells a delivery that came twice.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: WebhookKind,
    /// When, by the server's clock.
    pub at: UnixMillis,
    /// In which call.
    pub cid: CallId,
    /// The application's data of the call.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub custom: Custom,
    /// Which ring it is about, as it stands after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<WebhookRing>,
    /// Which session it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The person who answered, declined, missed, joined or left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Why somebody was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The person's words with a decline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long a session lasted, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// A ring as webhooks tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookRing {
    /// Which.
    pub id: RingId,
    /// Who rings.
    pub caller: UserId,
    /// Whether the caller wants video.
    pub video: bool,
    /// The people it tries to reach, and where each stands.
    pub targets: Vec<Target>,
}

/// `POST /v1/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateWebhook {
    /// Where events go, by POST.
    pub url: String,
    /// Which; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<BTreeSet<WebhookKind>>,
    /// What signs them: `whsec_` and 24 to 64 bytes in base64; made by the server if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Answer to [`CreateWebhook`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedWebhook {
    /// The hook in the list of hooks.
    #[serde(flatten)]
    pub entry: WebhookEntry,
    /// What signs its deliveries, shown this once.
    pub secret: String,
}

/// A hook in the list of hooks: `GET /v1/webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookEntry {
    /// Which.
    pub id: WebhookId,
    /// Where events go.
    pub url: String,
    /// Which.
    pub events: BTreeSet<WebhookKind>,
    /// Who registered it.
    pub user: UserId,
    /// When.
    pub created_at: UnixMillis,
    /// Since when no delivery has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<UnixMillis>,
    /// Why nothing is delivered to it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<WebhookDisabled>,
}

/// Why nothing is delivered to a hook any more, until it is enabled again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDisabled {
    /// Since when.
    pub at: UnixMillis,
    /// Why, for people.
    pub reason: String,
}

/// A page of `GET /v1/webhooks/{hook}/deliveries`, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDeliveryPage {
    /// Newest first.
    pub deliveries: Vec<WebhookDelivery>,
    /// Ask with `before` this number for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// One event on its way to one hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDelivery {
    /// The event.
    pub event: WebhookEvent,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried (again).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<UnixMillis>,
    /// What the last attempt came to, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_result: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be tried (again).
    Pending,
    /// The receiver has it.
    Delivered,
    /// Given up after a day.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_travels_by_its_name() {
        for kind in WebhookKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{}\"", kind.as_str()));
        }
    }
}
