//! The one WebSocket of this device: connects, keeps it alive, comes back by itself.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

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
use wire::{ClientMessage, ServerMessage};

use crate::{
    backoff, client,
    clock::Now,
    error::ClientError,
    rest::{Rest, is_about_the_token, is_signed_out},
    tls,
    way::{self, Way},
};

/// A connection that takes longer to open has failed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Our heartbeat; the server's comes as WebSocket pings.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A connection that is silent for this long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(15);
/// Longest wait that a server may ask for before this device comes back.
const LONGEST_AWAY: Duration = Duration::from_secs(60);
/// How long saying good-bye may take.
const FAREWELL: Duration = Duration::from_millis(500);
/// A snapshot of a large server; far above it something is wrong.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// What happens on the socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    Message {
        /// When this connection began to be opened: nothing it brings is older.
        opened_at: Now,
        message: ServerMessage,
    },
    /// Somebody else answers at the server's address; it is tried again.
    WrongServer { why: String },
    /// Lost (or never reached); it is being tried again.
    Down { why: String },
    /// The server does not know this device any more; it is not tried again.
    SignedOut,
}

/// What the socket is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Send this, if there is a connection.
    Send(ClientMessage),
    /// Open a new connection at once: the old one may be dead without knowing it.
    Reconnect,
}

/// How a connection ended.
enum End {
    Lost {
        why: String,
        /// The server had greeted: the next attempt need not be shy.
        was_up: bool,
        /// When the server wants this device back.
        come_back: Option<Duration>,
    },
    /// A new one is wanted at once.
    Renew,
    /// Nobody listens any more.
    Unwanted,
}

pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Runs until the receiver of `events` is gone or the device is signed out. What is sent without a connection is
/// dropped: the snapshot of the next one heals what was lost.
/// What it hears and this version does not know is counted.
pub(crate) async fn run(
    rest: Rest,
    events: mpsc::Sender<SocketEvent>,
    mut orders: mpsc::Receiver<Order>,
    unknown: Arc<AtomicU64>,
) {
    let mut attempt = 0u32;
    loop {
        let opened_at = client::now();
        let mut come_back = None;
        let news = match connect(&rest).await {
            Ok(stream) => {
                info!("connected to the server");
                match serve(stream, opened_at, &events, &mut orders, &unknown).await {
                    End::Unwanted => return,
                    End::Renew => {
                        attempt = 0;
                        continue;
                    }
                    End::Lost { why, was_up, come_back: wished } => {
                        debug!(%why, "connection to the server lost");
                        come_back = wished;
                        // A server that lets in and falls over before it greets is not to be hurried.
                        attempt = if was_up { 0 } else { attempt };
                        SocketEvent::Down { why }
                    }
                }
            }
            Err(NotConnected::SignedOut) => {
                _ = events.send(SocketEvent::SignedOut).await;
                return;
            }
            Err(NotConnected::Failed(error @ ClientError::WrongServer)) => {
                SocketEvent::WrongServer { why: error.to_string() }
            }
            Err(NotConnected::Failed(error)) => {
                debug!(%error, attempt, "the server cannot be reached");
                SocketEvent::Down { why: error.to_string() }
            }
        };
        if events.send(news).await.is_err() {
            return;
        }
        let pause = come_back.unwrap_or_else(|| backoff::wait(attempt, rand::random()));
        attempt = attempt.saturating_add(1);
        match rest_for(pause, &events, &mut orders).await {
            Rested::Enough => {}
            Rested::Hurried => attempt = 0,
            Rested::Unwanted => return,
        }
    }
}

/// How a pause between two attempts ended.
enum Rested {
    Enough,
    /// The network is another, or the machine woke: what was in vain may work now.
    Hurried,
    Unwanted,
}

async fn rest_for(pause: Duration, events: &mpsc::Sender<SocketEvent>, orders: &mut mpsc::Receiver<Order>) -> Rested {
    let pause = tokio::time::sleep(pause);
    tokio::pin!(pause);
    let (mut way, mut look) = (Way::towards(None), ticking(way::LOOK));
    loop {
        tokio::select! {
            () = &mut pause => return Rested::Enough,
            () = events.closed() => return Rested::Unwanted,
            _ = look.tick() => if way.has_changed() {
                return Rested::Hurried;
            },
            order = orders.recv() => match order {
                Some(Order::Send(_)) => {}
                Some(Order::Reconnect) => return Rested::Hurried,
                None => return Rested::Unwanted,
            },
        }
    }
}

fn ticking(every: Duration) -> tokio::time::Interval {
    let mut ticking = interval(every);
    ticking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticking
}

fn peer(stream: &Stream) -> Option<SocketAddr> {
    match stream.get_ref() {
        MaybeTlsStream::Plain(tcp) => tcp.peer_addr().ok(),
        MaybeTlsStream::Rustls(tls) => tls.get_ref().0.peer_addr().ok(),
        // Other libraries for TLS, which are not built in.
        _ => None,
    }
}

/// Why a connection did not come about.
enum NotConnected {
    /// The server does not know this device any more.
    SignedOut,
    Failed(ClientError),
}

async fn connect(rest: &Rest) -> Result<Stream, NotConnected> {
    let no_token = |error| if is_signed_out(&error) { NotConnected::SignedOut } else { NotConnected::Failed(error) };
    let (url, pin) = (rest.socket_url("/v1/socket"), rest.account().pin);
    let token = rest.access_token().await.map_err(no_token)?;
    let opened = match open(&url, &token, pin).await {
        Err(error) if is_about_the_token(&error) => {
            open(&url, &rest.another_token(&token).await.map_err(no_token)?, pin).await
        }
        other => other,
    };
    opened.map_err(NotConnected::Failed)
}

/// Opens a WebSocket with a bearer token; also used for the media server's signalling.
pub(crate) async fn open(url: &str, token: &str, pin: Option<wire::Pin>) -> Result<Stream, ClientError> {
    let unreachable = |why: String| ClientError::Unreachable { why };
    let mut request = url.into_client_request().map_err(|error| unreachable(error.to_string()))?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| unreachable(error.to_string()))?;
    request.headers_mut().insert("authorization", bearer);
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_BYTES));
    // Without TLS the server is this machine itself, and there is nothing to trust.
    let connector = if url.starts_with("wss:") {
        Connector::Rustls(tls::trusting(pin).map_err(|error| unreachable(error.to_string()))?)
    } else {
        Connector::Plain
    };
    let opening = connect_async_tls_with_config(request, Some(config), true, Some(connector));
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

/// Moves messages both ways until the connection is lost or not wanted any more.
async fn serve(
    mut stream: Stream,
    opened_at: Now,
    events: &mpsc::Sender<SocketEvent>,
    orders: &mut mpsc::Receiver<Order>,
    unknown: &AtomicU64,
) -> End {
    let (mut heartbeat, mut look) = (ticking(HEARTBEAT), ticking(way::LOOK));
    let mut way = Way::towards(peer(&stream));
    let mut heard = now();
    let mut was_up = false;
    let mut come_back = None;
    let end = loop {
        let lost = |why: String| End::Lost { why, was_up, come_back };
        tokio::select! {
            received = stream.next() => {
                heard = now();
                match received {
                    Some(Ok(Message::Text(text))) => match read(&text, unknown) {
                        Ok(ServerMessage::ComeBack { in_ms }) => {
                            come_back = Some(Duration::from_millis(u64::from(in_ms)).min(LONGEST_AWAY));
                        }
                        Ok(message) => {
                            was_up |= matches!(message, ServerMessage::Snapshot(_));
                            if events.send(SocketEvent::Message { opened_at, message }).await.is_err() {
                                break End::Unwanted;
                            }
                        }
                        Err(error) => warn!(%error, "a message of the server cannot be read; it is left out"),
                    },
                    Some(Ok(Message::Close(_))) | None => return lost("the server closed the connection".to_owned()),
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Err(error)) => return lost(error.to_string()),
                }
            }
            order = orders.recv() => match order {
                Some(Order::Send(message)) => if let Err(error) = send(&mut stream, &message).await {
                    return lost(error.to_string());
                },
                Some(Order::Reconnect) => break End::Renew,
                None => break End::Unwanted,
            },
            _ = look.tick() => if way.has_changed() {
                info!("the network has changed");
                break End::Renew;
            },
            _ = heartbeat.tick() => {
                if heard.elapsed() > DEAD_AFTER {
                    return lost("the server has been silent for 15 s".to_owned());
                }
                if let Err(error) = send(&mut stream, &ClientMessage::Ping).await {
                    return lost(error.to_string());
                }
            }
            () = events.closed() => break End::Unwanted,
        }
    };
    // A peer that is gone does not hold this up.
    _ = timeout(FAREWELL, stream.close(None)).await;
    end
}

/// A message of the server; one of a newer version is counted.
fn read(text: &str, unknown: &AtomicU64) -> Result<ServerMessage, serde_json::Error> {
    let message: ServerMessage = serde_json::from_str(text)?;
    if message.is_unknown() {
        unknown.fetch_add(1, Ordering::Relaxed);
        debug!(text, "a message of a newer version is passed over");
    }
    Ok(message)
}

async fn send(stream: &mut Stream, message: &ClientMessage) -> Result<(), tungstenite::Error> {
    let text = serde_json::to_string(message).expect("a client message is plain data");
    stream.send(Message::text(text)).await
}

#[expect(clippy::disallowed_methods, reason = "the driver of the socket reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_server_says_is_counted_and_nothing_else() {
        let unknown = AtomicU64::new(0);
        let counted = |text: &str| {
            let read = read(text, &unknown);
            (read.is_ok(), unknown.load(Ordering::Relaxed))
        };
        assert_eq!(counted(r#"{"type": "pong"}"#), (true, 0));
        assert_eq!(counted(r#"{"type": "hologram", "depth": 3}"#), (true, 1));
        let event =
            r#"{"type": "event", "revision": 7, "server_time": 1000, "event": {"kind": "waved", "hand": "left"}}"#;
        assert_eq!(counted(event), (true, 2));
        let seen = r#"{"type": "event", "revision": 8, "server_time": 1000, "event": {"kind": "missed_seen"}}"#;
        assert_eq!(counted(seen), (true, 2));
        assert_eq!(counted("no message"), (false, 2));
    }
}
