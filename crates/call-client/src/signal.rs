//! The LiveKit signalling connection (v0, `/rtc`): protobuf messages over a WebSocket of their own.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use livekit_protocol::{self as proto, signal_request, signal_response};
use prost::Message as _;
use tokio_tungstenite::tungstenite::{self, Message};
use wire::Pin;

use crate::{
    error::ClientError,
    session::within,
    socket::{self, Stream},
};

/// The server must greet within this time (the LiveKit SDKs wait as long).
const GREETING: Duration = Duration::from_secs(5);
/// The protocol version this client speaks: everything up to 15, and no packet trailers (17).
const PROTOCOL: u32 = 15;

/// Why a signalling connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignalError {
    #[error("the media server refuses: {0}")]
    Refused(String),
    #[error("the media server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the media server is silent")]
    Silent,
    #[error("the media server closed the connection")]
    Closed,
    #[error("the media found no way to the media server within 20 s")]
    NoMedia,
}

impl From<tungstenite::Error> for SignalError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

pub(crate) struct Signal {
    stream: Stream,
    last_rtt: i64,
}

impl Signal {
    /// Connects and waits for the server's greeting.
    pub(crate) async fn open(
        url: &str,
        token: &str,
        pin: Option<Pin>,
    ) -> Result<(Self, proto::JoinResponse), SignalError> {
        let version = env!("CARGO_PKG_VERSION");
        let url =
            format!("{url}/rtc?auto_subscribe=1&protocol={PROTOCOL}&sdk=bellbird&version={version}&adaptive_stream=0");
        let stream = socket::open(&url, token, pin).await.map_err(|error| match error {
            ClientError::Refused(body) => SignalError::Refused(body.message),
            other => SignalError::Unreachable(other.to_string()),
        })?;
        let mut signal = Self { stream, last_rtt: 0 };
        match within(GREETING, signal.next()).await?? {
            signal_response::Message::Join(join) => Ok((signal, join)),
            signal_response::Message::Leave(leave) => {
                Err(SignalError::Refused(leave.reason().as_str_name().to_owned()))
            }
            _ => Err(SignalError::Unreachable("it does not greet first".to_owned())),
        }
    }

    /// The next message; what is not for us is passed over.
    pub(crate) async fn next(&mut self) -> Result<signal_response::Message, SignalError> {
        loop {
            let bytes = match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(_))) | None => return Err(SignalError::Closed),
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => return Err(error.into()),
            };
            match proto::SignalResponse::decode(bytes) {
                Ok(proto::SignalResponse { message: Some(message) }) => {
                    if let signal_response::Message::PongResp(pong) = &message {
                        self.last_rtt = unix_millis().saturating_sub(pong.last_ping_timestamp).max(0);
                    }
                    return Ok(message);
                }
                Ok(proto::SignalResponse { message: None }) => {}
                Err(error) => tracing::warn!(%error, "a message of the media server cannot be read; it is left out"),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: signal_request::Message) -> Result<(), SignalError> {
        let request = proto::SignalRequest { message: Some(message) };
        Ok(self.stream.send(Message::binary(request.encode_to_vec())).await?)
    }

    pub(crate) async fn ping(&mut self) -> Result<(), SignalError> {
        let timestamp = unix_millis();
        self.send(signal_request::Message::Ping(timestamp)).await?;
        self.send(signal_request::Message::PingReq(proto::Ping { timestamp, rtt: self.last_rtt })).await
    }

    /// Says good-bye, so that the others need not wait for a timeout.
    pub(crate) async fn leave(&mut self) {
        let leave = proto::LeaveRequest {
            reason: proto::DisconnectReason::ClientInitiated as i32,
            action: proto::leave_request::Action::Disconnect as i32,
            ..proto::LeaveRequest::default()
        };
        let farewell = async {
            _ = self.send(signal_request::Message::Leave(leave)).await;
            _ = self.stream.close(None).await;
        };
        _ = within(Duration::from_secs(1), farewell).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "LiveKit measures the round trip by the client's own clock")]
fn unix_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
