//! The one WebSocket of this device: connects, keeps it alive, comes back by itself.

#[cfg(test)]
mod tests;

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
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
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
    way::Way,
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

/// How an attempt ended: before there was a connection, or with it.
enum End {
    Lost {
        why: String,
        /// The server had greeted: the next attempt need not be shy.
        was_up: bool,
        /// When the server wants this device back.
        come_back: Option<Duration>,
    },
    /// There was no connection.
    Failed(ClientError),
    /// The server does not know this device any more.
    SignedOut,
    Stopped(Stop),
}

/// What ends an attempt, a connection or a pause before its time.
enum Stop {
    /// The network is another, or the machine woke: a new connection is wanted at once.
    Renew,
    /// Nobody listens any more.
    Unwanted,
}

pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What is sent without a connection is dropped: the snapshot of the next one heals what was lost.
pub(crate) struct Socket {
    rest: Rest,
    events: mpsc::Sender<SocketEvent>,
    orders: mpsc::Receiver<Order>,
    /// Counts what is heard and this version does not know.
    unknown: Arc<AtomicU64>,
    /// One for all attempts and pauses: a change between two of them is one as well.
    way: Way,
    /// How often this device is heard.
    heartbeat: Duration,
    /// A connection that is silent for this long is dead.
    dead_after: Duration,
}

impl Socket {
    pub(crate) fn new(
        rest: Rest,
        events: mpsc::Sender<SocketEvent>,
        orders: mpsc::Receiver<Order>,
        unknown: Arc<AtomicU64>,
    ) -> Self {
        Self { rest, events, orders, unknown, way: Way::outside(), heartbeat: HEARTBEAT, dead_after: DEAD_AFTER }
    }

    /// Runs until the receiver of the events is gone or the device is signed out.
    pub(crate) async fn run(mut self) {
        let mut attempt = 0u32;
        loop {
            let mut come_back = None;
            let news = match self.attempt().await {
                End::Lost { why, was_up, come_back: wished } => {
                    debug!(%why, "connection to the server lost");
                    self.rest.renew_connections();
                    come_back = wished;
                    // A server that lets in and falls over before it greets is not to be hurried.
                    attempt = if was_up { 0 } else { attempt };
                    SocketEvent::Down { why }
                }
                End::Failed(error @ ClientError::WrongServer) => SocketEvent::WrongServer { why: error.to_string() },
                End::Failed(error) => {
                    debug!(%error, attempt, "the server cannot be reached");
                    SocketEvent::Down { why: error.to_string() }
                }
                End::SignedOut => {
                    _ = self.events.send(SocketEvent::SignedOut).await;
                    return;
                }
                End::Stopped(Stop::Renew) => {
                    self.rest.cut_connections();
                    attempt = 0;
                    continue;
                }
                End::Stopped(Stop::Unwanted) => return,
            };
            if self.events.send(news).await.is_err() {
                return;
            }
            let pause = come_back.unwrap_or_else(|| backoff::wait(attempt, rand::random()));
            attempt = attempt.saturating_add(1);
            let stopped = tokio::select! {
                () = sleep(pause) => None,
                stop = self.stop() => Some(stop),
            };
            match stopped {
                None => {}
                Some(Stop::Renew) => {
                    self.rest.cut_connections();
                    attempt = 0;
                }
                Some(Stop::Unwanted) => return,
            }
        }
    }

    /// Opens a connection and serves it to its end.
    async fn attempt(&mut self) -> End {
        let opened_at = client::now();
        let rest = self.rest.clone();
        let connected = tokio::select! {
            connected = connect(&rest) => connected,
            stop = self.stop() => return End::Stopped(stop),
        };
        match connected {
            Ok(stream) => {
                info!("connected to the server");
                let end = self.serve(stream, opened_at).await;
                self.way.lead_to(None);
                end
            }
            Err(end) => end,
        }
    }

    /// Waits for what makes it pointless to wait for anything else.
    async fn stop(&mut self) -> Stop {
        loop {
            tokio::select! {
                () = self.way.changed() => return Stop::Renew,
                () = self.events.closed() => return Stop::Unwanted,
                order = self.orders.recv() => match order {
                    Some(Order::Send(_)) => {}
                    Some(Order::Reconnect) => return Stop::Renew,
                    None => return Stop::Unwanted,
                },
            }
        }
    }

    /// Moves messages both ways until the connection is lost or not wanted any more.
    async fn serve(&mut self, mut stream: Stream, opened_at: Now) -> End {
        // It was opened by a way that is gone by now.
        if self.way.has_changed() {
            return End::Stopped(Stop::Renew);
        }
        self.way.lead_to(peer(&stream));
        let mut heartbeat = interval(self.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let silent = sleep(self.dead_after);
        tokio::pin!(silent);
        let mut heard = now();
        let mut was_up = false;
        let mut come_back = None;
        let stop = loop {
            let lost = |why: String| End::Lost { why, was_up, come_back };
            tokio::select! {
                received = stream.next() => {
                    heard = now();
                    match received {
                        Some(Ok(Message::Text(text))) => match read(&text, &self.unknown) {
                            Ok(ServerMessage::ComeBack { in_ms }) => {
                                come_back = Some(Duration::from_millis(u64::from(in_ms)).min(LONGEST_AWAY));
                            }
                            Ok(message) => {
                                was_up |= matches!(message, ServerMessage::Snapshot(_));
                                if self.events.send(SocketEvent::Message { opened_at, message }).await.is_err() {
                                    break Stop::Unwanted;
                                }
                            }
                            Err(error) => warn!(%error, "a message of the server cannot be read; it is left out"),
                        },
                        Some(Ok(Message::Close(_))) | None => {
                            return lost("the server closed the connection".to_owned());
                        }
                        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Err(error)) => return lost(error.to_string()),
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Send(message)) => if let Err(error) = send(&mut stream, &message).await {
                        return lost(error.to_string());
                    },
                    Some(Order::Reconnect) => break Stop::Renew,
                    None => break Stop::Unwanted,
                },
                () = self.way.changed() => {
                    info!("the network has changed");
                    break Stop::Renew;
                }
                _ = heartbeat.tick() => if let Err(error) = send(&mut stream, &ClientMessage::Ping).await {
                    return lost(error.to_string());
                },
                () = &mut silent => {
                    // It is wound up when it rings, not with every message.
                    if heard.elapsed() >= self.dead_after {
                        return lost(format!("the server has been silent for {} s", self.dead_after.as_secs()));
                    }
                    silent.as_mut().reset(heard + self.dead_after);
                }
                () = self.events.closed() => break Stop::Unwanted,
            }
        };
        // A peer that is gone does not hold this up.
        _ = timeout(FAREWELL, stream.close(None)).await;
        End::Stopped(stop)
    }
}

fn peer(stream: &Stream) -> Option<SocketAddr> {
    match stream.get_ref() {
        MaybeTlsStream::Plain(tcp) => tcp.peer_addr().ok(),
        MaybeTlsStream::Rustls(tls) => tls.get_ref().0.peer_addr().ok(),
        // Other libraries for TLS, which are not built in.
        _ => None,
    }
}

async fn connect(rest: &Rest) -> Result<Stream, End> {
    let no_token = |error| if is_signed_out(&error) { End::SignedOut } else { End::Failed(error) };
    let (url, pin) = (rest.socket_url("/v1/socket"), rest.account().pin);
    let token = rest.access_token().await.map_err(no_token)?;
    let opened = match open(&url, &token, pin).await {
        Err(error) if is_about_the_token(&error) => {
            open(&url, &rest.another_token(&token).await.map_err(no_token)?, pin).await
        }
        other => other,
    };
    opened.map_err(End::Failed)
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
