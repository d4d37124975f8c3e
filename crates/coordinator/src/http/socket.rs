//! The one WebSocket of a device: snapshot first, then events; heartbeats both ways.

use std::time::Duration;

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use futures_util::SinkExt as _;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use wire::{ClientMessage, MAX_FRAME_BYTES, ServerMessage};

use super::{App, SignedIn};
use crate::hub::{Caller, Outlet, Request};

/// Messages that may wait for a slow reader before it is cut off.
const OUTLET: usize = 256;
/// What is read at a time; larger messages grow it while they are read.
const SOCKET_BUFFER: usize = 4096;
const HEARTBEAT: Duration = Duration::from_secs(5);
const DEAD_AFTER: Duration = Duration::from_secs(15);
/// A write that takes longer means that nobody reads.
const WRITE: Duration = Duration::from_secs(10);

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/socket", get(open))
}

async fn open(State(app): State<App>, SignedIn { who, .. }: SignedIn, upgrade: WebSocketUpgrade) -> Response {
    // Idle connections are many: the library's own 128 KB a connection would be most of a server's memory.
    let upgrade = upgrade.read_buffer_size(SOCKET_BUFFER).write_buffer_size(SOCKET_BUFFER);
    let upgrade = upgrade.max_message_size(MAX_FRAME_BYTES).max_frame_size(MAX_FRAME_BYTES);
    upgrade.on_upgrade(move |socket| serve(app, who, socket))
}

async fn serve(app: App, who: Caller, mut socket: WebSocket) {
    let (sender, mut messages) = mpsc::channel(OUTLET);
    let epoch = app.next_epoch();
    let device = who.device.clone();
    let connect = Request::Connect { who: who.clone(), outlet: Outlet { epoch, sender } };
    if app.hub.send(connect).await.is_err() {
        return;
    }
    tracing::debug!(%device, "a device connected");
    let why = talk(&app, &who, &mut socket, &mut messages).await;
    tracing::debug!(%device, why, "a device's connection ended");
    _ = app.hub.send(Request::Disconnect { device, epoch }).await;
    _ = timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
}

async fn talk(
    app: &App,
    who: &Caller,
    socket: &mut WebSocket,
    messages: &mut mpsc::Receiver<Utf8Bytes>,
) -> &'static str {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = now();
    loop {
        let outgoing = tokio::select! {
            message = messages.recv() => match message {
                Some(text) => Message::Text(text),
                None => return "replaced, signed out or too slow",
            },
            received = socket.recv() => {
                heard = now();
                match received {
                    Some(Ok(Message::Text(text))) => match on_text(app, who, &text).await {
                        Some(answer) => answer,
                        None => continue,
                    },
                    Some(Ok(Message::Close(_))) | None => return "closed by the device",
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Err(_)) => return "broken",
                }
            }
            _ = heartbeat.tick() => {
                if heard.elapsed() > DEAD_AFTER {
                    return "silent";
                }
                Message::Ping(axum::body::Bytes::new())
            }
            () = app.stop.cancelled() => return "the server is shutting down",
        };
        match timeout(WRITE, send(socket, outgoing, messages)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "broken",
            Err(_) => return "too slow",
        }
    }
}

/// Sends a message, and what waits behind it, by one write.
async fn send(
    socket: &mut WebSocket,
    first: Message,
    messages: &mut mpsc::Receiver<Utf8Bytes>,
) -> Result<(), axum::Error> {
    socket.feed(first).await?;
    for _ in 0..OUTLET {
        let Ok(text) = messages.try_recv() else { break };
        socket.feed(Message::Text(text)).await?;
    }
    socket.flush().await
}

async fn on_text(app: &App, who: &Caller, text: &str) -> Option<Message> {
    match serde_json::from_str(text) {
        Ok(ClientMessage::Ping) => {
            let pong = serde_json::to_string(&ServerMessage::Pong).expect("a pong is plain data");
            Some(Message::Text(Utf8Bytes::from(pong)))
        }
        Ok(ClientMessage::Alerted { cid, ring }) => {
            _ = app.hub.send(Request::Alerted { who: who.clone(), cid, ring }).await;
            None
        }
        Ok(ClientMessage::Standing { standing }) => {
            _ = app.hub.send(Request::Stands { who: who.clone(), standing }).await;
            None
        }
        Ok(ClientMessage::Unknown) => {
            tracing::debug!("a message of a newer version is passed over");
            None
        }
        Err(error) => {
            tracing::debug!(%error, "a message that cannot be read is passed over");
            None
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the driver of a connection reads the clock")]
fn now() -> Instant {
    Instant::now()
}
