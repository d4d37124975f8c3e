//! The messages of LiveKit's signalling, as this server writes them.

use bytes::Bytes;
use livekit_protocol::{self as proto, signal_response};
use prost::Message as _;
use tokio::sync::mpsc;

use crate::participant::Side;

/// The protocol version this server names (LiveKit 1.13.5).
const PROTOCOL: i32 = 17;
/// Below it some SDKs refuse to talk at all.
const SERVER_VERSION: &str = "1.13.5";
/// Seconds between a client's pings, and until it takes the server for gone.
const PING: (i32, i32) = (5, 15);

/// The way to one client.
#[derive(Debug)]
pub(crate) struct SignalOut {
    responses: Option<mpsc::Sender<Bytes>>,
}

impl SignalOut {
    pub(crate) fn new(responses: mpsc::Sender<Bytes>) -> Self {
        Self { responses: Some(responses) }
    }

    /// Sends, or closes the connection of a client that does not read.
    pub(crate) fn send(&mut self, message: signal_response::Message) {
        let Some(responses) = &self.responses else { return };
        let response = proto::SignalResponse { message: Some(message) };
        if responses.try_send(Bytes::from(response.encode_to_vec())).is_err() {
            tracing::debug!("a client does not read its signals; its connection is closed");
            self.responses = None;
        }
    }

    pub(crate) fn close(&mut self) {
        self.responses = None;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.responses.is_some()
    }
}

/// What a room looks like to who comes in.
pub(crate) struct Greeting {
    pub(crate) room: proto::Room,
    pub(crate) participant: proto::ParticipantInfo,
    pub(crate) others: Vec<proto::ParticipantInfo>,
    pub(crate) can_publish: bool,
}

pub(crate) fn join(greeting: Greeting) -> signal_response::Message {
    let codec = |mime: &str| proto::Codec { mime: mime.to_owned(), fmtp_line: String::new() };
    signal_response::Message::Join(proto::JoinResponse {
        room: Some(greeting.room),
        participant: Some(greeting.participant),
        other_participants: greeting.others,
        server_version: SERVER_VERSION.to_owned(),
        subscriber_primary: true,
        ping_interval: PING.0,
        ping_timeout: PING.1,
        server_info: Some(proto::ServerInfo {
            version: SERVER_VERSION.to_owned(),
            protocol: PROTOCOL,
            ..proto::ServerInfo::default()
        }),
        enabled_publish_codecs: vec![codec("audio/opus"), codec("video/VP8")],
        fast_publish: greeting.can_publish,
        ..proto::JoinResponse::default()
    })
}

pub(crate) fn leave(reason: proto::DisconnectReason, action: proto::leave_request::Action) -> signal_response::Message {
    signal_response::Message::Leave(proto::LeaveRequest {
        can_reconnect: action != proto::leave_request::Action::Disconnect,
        reason: reason as i32,
        action: action as i32,
        ..proto::LeaveRequest::default()
    })
}

pub(crate) fn update(participants: Vec<proto::ParticipantInfo>) -> signal_response::Message {
    signal_response::Message::Update(proto::ParticipantUpdate { participants })
}

/// A candidate of ours for one of a client's connections, all of which are one bundle.
pub(crate) fn trickle(side: Side, candidate: &str) -> signal_response::Message {
    let target = match side {
        Side::Publisher => proto::SignalTarget::Publisher,
        Side::Subscriber => proto::SignalTarget::Subscriber,
    };
    let candidate = candidate.strip_prefix("a=").unwrap_or(candidate);
    let init = serde_json::json!({ "candidate": candidate, "sdpMid": null, "sdpMLineIndex": 0 });
    signal_response::Message::Trickle(proto::TrickleRequest {
        candidate_init: init.to_string(),
        target: target as i32,
        ..proto::TrickleRequest::default()
    })
}

pub(crate) fn description(kind: &str, sdp: String, id: u32) -> proto::SessionDescription {
    proto::SessionDescription { r#type: kind.to_owned(), sdp, id, ..proto::SessionDescription::default() }
}
