//! The one WebSocket of this device: connects, keeps it alive, comes back by itself.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig},
};
use tracing::{debug, info, warn};
use wire::{ClientMessage, Code, ServerMessage};

use crate::{backoff, error::ClientError, rest::Rest, tls};

/// A connection that takes longer to open has failed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Our heartbeat; the server's comes as WebSocket pings.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A connection that is silent for this long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(15);
/// A snapshot of a large server; far above it something is wrong.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// What happens on the socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    Message(ServerMessage),
    /// Lost (or never reached); it is being tried again.
    Down {
        why: String,
    },
    /// The server does not know this device any more; it is not tried again.
    SignedOut,
}

pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Runs until the receiver of `events` is gone or the device is signed out. `messages` are sent while connected and
/// dropped otherwise: the snapshot of the next connection heals what was lost.
pub(crate) async fn run(rest: Rest, events: mpsc::Sender<SocketEvent>, mut messages: mpsc::Receiver<ClientMessage>) {
    let mut attempt = 0;
    loop {
        match connect(&rest).await {
            Ok(stream) => {
                info!("connected to the server");
                attempt = 0;
                let why = serve(stream, &events, &mut messages).await;
                debug!(%why, "connection to the server lost");
                if events.send(SocketEvent::Down { why }).await.is_err() {
                    return;
                }
            }
            Err(error) if matches!(error.code(), Some(Code::Unauthenticated)) => {
                _ = events.send(SocketEvent::SignedOut).await;
                return;
            }
            Err(error) => {
                debug!(%error, attempt, "the server cannot be reached");
                if events.send(SocketEvent::Down { why: error.to_string() }).await.is_err() {
                    return;
                }
            }
        }
        if messages.is_closed() && messages.is_empty() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(backoff::wait(attempt, rand::random())) => {}
            () = events.closed() => return,
        }
        attempt = attempt.saturating_add(1);
        while messages.try_recv().is_ok() {}
    }
}

async fn connect(rest: &Rest) -> Result<Stream, ClientError> {
    let token = rest.access_token().await?;
    open(&rest.socket_url("/v1/socket"), &token, rest.account().pin).await
}

/// Opens a WebSocket with a bearer token; also used for the media server's signalling.
pub(crate) async fn open(url: &str, token: &str, pin: Option<wire::Pin>) -> Result<Stream, ClientError> {
    let unreachable = |why: String| ClientError::Unreachable { why };
    let mut request = url.into_client_request().map_err(|error| unreachable(error.to_string()))?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| unreachable(error.to_string()))?;
    request.headers_mut().insert("authorization", bearer);
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_BYTES));
    let connector = pin.map(|pin| Connector::Rustls(tls::pinned(pin)));
    let opening = connect_async_tls_with_config(request, Some(config), true, connector);
    match timeout(CONNECT_TIMEOUT, opening).await {
        Ok(Ok((stream, _response))) => Ok(stream),
        Ok(Err(tungstenite::Error::Http(response))) => {
            let body = response.body().as_deref().and_then(|body| serde_json::from_slice(body).ok());
            Err(body.map_or_else(|| unreachable(response.status().to_string()), ClientError::Refused))
        }
        Ok(Err(error)) if tls::is_wrong_certificate(&error) => Err(ClientError::WrongServer),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable("no answer within 10 s".to_owned())),
    }
}

/// Moves messages both ways until the connection is lost; says why it was.
async fn serve(
    mut stream: Stream,
    events: &mpsc::Sender<SocketEvent>,
    messages: &mut mpsc::Receiver<ClientMessage>,
) -> String {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = now();
    loop {
        tokio::select! {
            received = stream.next() => {
                heard = now();
                match received {
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(message) => if events.send(SocketEvent::Message(message)).await.is_err() {
                            _ = stream.close(None).await;
                            return "shutting down".to_owned();
                        },
                        Err(error) => warn!(%error, "a message of the server cannot be read; it is left out"),
                    },
                    Some(Ok(Message::Close(_))) | None => return "the server closed the connection".to_owned(),
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Err(error)) => return error.to_string(),
                }
            }
            message = messages.recv() => {
                let Some(message) = message else {
                    _ = stream.close(None).await;
                    return "shutting down".to_owned();
                };
                if let Err(error) = send(&mut stream, &message).await {
                    return error.to_string();
                }
            }
            _ = heartbeat.tick() => {
                if heard.elapsed() > DEAD_AFTER {
                    return "the server has been silent for 15 s".to_owned();
                }
                if let Err(error) = send(&mut stream, &ClientMessage::Ping).await {
                    return error.to_string();
                }
            }
            () = events.closed() => {
                _ = stream.close(None).await;
                return "shutting down".to_owned();
            }
        }
    }
}

async fn send(stream: &mut Stream, message: &ClientMessage) -> Result<(), tungstenite::Error> {
    let text = serde_json::to_string(message).expect("a client message is plain data");
    stream.send(Message::text(text)).await
}

#[expect(clippy::disallowed_methods, reason = "the driver of the socket reads the clock")]
fn now() -> Instant {
    Instant::now()
}
