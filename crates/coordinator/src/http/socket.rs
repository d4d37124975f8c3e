//! The one WebSocket of a device: snapshot first, then events; heartbeats both ways.

use std::time::Duration;

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures_util::SinkExt as _;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{ClientMessage, ErrorBody, MAX_FRAME_BYTES, ServerMessage, Standing};

use super::{App, Refusal, SignedIn};
use crate::{
    hub::{Caller, Outlet, Request},
    limits::Limit,
    metrics::PassedOver,
};

/// Messages that may wait for a slow reader before it is cut off.
const OUTLET: usize = 256;
/// What is read at a time; larger messages grow it while they are read.
const SOCKET_BUFFER: usize = 1024;
const HEARTBEAT: Duration = Duration::from_secs(5);
const DEAD_AFTER: Duration = Duration::from_secs(15);
/// How long saying good-bye may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// The close code "service restart" (IANA's registry for RFC 6455).
const SERVICE_RESTART: u16 = 1012;
/// The close code "policy violation" (RFC 6455, section 7.4.1): for what has no code of its own.
const POLICY: u16 = 1008;
/// A write that takes longer means that nobody reads.
const WRITE: Duration = Duration::from_secs(10);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(open))
}

/// The one WebSocket of a device: a snapshot, then events.
#[utoipa::path(
    get,
    path = "/v1/socket",
    tag = "people",
    responses((status = 101, description = "`ServerMessage`s out, `ClientMessage`s in, as text"))
)]
async fn open(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let refused = |error: WebSocketUpgradeRejection| ErrorBody::invalid("upgrade", error.body_text());
    let upgrade = upgrade.map_err(refused)?;
    // Idle connections are many: the library's own 128 KB a connection would be most of a server's memory.
    let upgrade = upgrade.read_buffer_size(SOCKET_BUFFER).write_buffer_size(SOCKET_BUFFER);
    let upgrade = upgrade.max_message_size(MAX_FRAME_BYTES).max_frame_size(MAX_FRAME_BYTES);
    let until_farewell = app.sockets.token();
    Ok(upgrade.on_upgrade(async move |socket| {
        serve(app, who, socket).await;
        drop(until_farewell);
    }))
}

async fn serve(app: App, who: Caller, mut socket: WebSocket) {
    let (sender, mut messages) = mpsc::channel(OUTLET);
    let epoch = app.next_epoch();
    let device = who.device.clone();
    let connect = Request::Connect { who: who.clone(), outlet: Outlet { epoch, sender } };
    if app.hub.send(connect).await.is_err() {
        return;
    }
    // Signed out since it was let in: its sign-out may have come before the hub knew of this connection.
    if app.signed_out.has(&device) {
        _ = app.hub.send(Request::Disconnect { device, epoch }).await;
        return;
    }
    tracing::debug!(%device, "a device connected");
    let connected = app.metrics.connection();
    let end = talk(&app, &who, &mut socket, &mut messages).await;
    tracing::debug!(%device, ?end, "a device's connection ended");
    // The first to hear of a shutdown counts for all: then everybody is still there.
    let devices = if end == End::Shutdown { *app.devices_at_end.get_or_init(|| app.metrics.connected()) } else { 0 };
    drop(connected);
    let farewell = timeout(FAREWELL, say_farewell(&mut socket, end, devices));
    let disconnect = app.hub.send(Request::Disconnect { device, epoch });
    // At a shutdown the hub has many to take leave of, and the devices are to hear of it while the process is there.
    if end == End::Shutdown {
        _ = farewell.await;
        _ = disconnect.await;
    } else {
        _ = disconnect.await;
        _ = farewell.await;
    }
}

async fn say_farewell(socket: &mut WebSocket, end: End, devices: u32) {
    let close = match end {
        End::Shutdown => {
            let come_back = ServerMessage::ComeBack { in_ms: back_in(devices, rand::random()) };
            let text = serde_json::to_string(&come_back).expect("a farewell is plain data");
            _ = socket.send(Message::Text(Utf8Bytes::from(text))).await;
            Some(CloseFrame { code: SERVICE_RESTART, reason: Utf8Bytes::from_static("the server restarts") })
        }
        End::LetGo => {
            Some(CloseFrame { code: POLICY, reason: Utf8Bytes::from_static("signed out, replaced, or too slow") })
        }
        End::Silent => Some(CloseFrame { code: POLICY, reason: Utf8Bytes::from_static("nothing was heard for 15 s") }),
        End::Closed | End::Broken | End::TooSlow => None,
    };
    _ = socket.send(Message::Close(close)).await;
}

/// When a device comes back after a shutdown, in milliseconds: after the quarter of a second that a restart takes, at a
/// moment of its own in the time in which the server can greet as many. `random` is in 0..1.
fn back_in(devices: u32, random: f64) -> u32 {
    let spread = devices.clamp(500, 10_000);
    250 + (f64::from(spread) * random) as u32
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The hub has let it go: replaced by a newer one, signed out, or read too slowly.
    LetGo,
    /// By the device.
    Closed,
    Broken,
    /// Nothing was heard of it.
    Silent,
    /// Nobody took what was sent.
    TooSlow,
    /// The server ends, and most likely begins again.
    Shutdown,
}

async fn talk(app: &App, who: &Caller, socket: &mut WebSocket, messages: &mut mpsc::Receiver<Utf8Bytes>) -> End {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = now();
    let mut unsaid = None;
    let stopped = app.stop.cancelled();
    tokio::pin!(stopped);
    let silent = sleep(DEAD_AFTER);
    tokio::pin!(silent);
    loop {
        let outgoing = tokio::select! {
            message = messages.recv() => match message {
                Some(text) => Message::Text(text),
                None => return End::LetGo,
            },
            received = socket.recv() => {
                heard = now();
                match received {
                    Some(Ok(Message::Text(text))) => match on_text(app, who, &text, &mut unsaid).await {
                        Some(answer) => answer,
                        None => continue,
                    },
                    Some(Ok(Message::Close(_))) | None => return End::Closed,
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Err(_)) => return End::Broken,
                }
            }
            _ = heartbeat.tick() => {
                if let Some(standing) = unsaid.take() {
                    stands(app, who, standing, &mut unsaid).await;
                }
                Message::Ping(axum::body::Bytes::new())
            }
            () = &mut silent => {
                // It is wound up when it rings, not with every message.
                if heard.elapsed() >= DEAD_AFTER {
                    return End::Silent;
                }
                silent.as_mut().reset(heard + DEAD_AFTER);
                continue;
            }
            () = &mut stopped => return End::Shutdown,
        };
        match timeout(WRITE, send(socket, outgoing, messages)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Broken,
            Err(_) => return End::TooSlow,
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

async fn on_text(app: &App, who: &Caller, text: &str, unsaid: &mut Option<Standing>) -> Option<Message> {
    match serde_json::from_str(text) {
        Ok(ClientMessage::Ping) => {
            let pong = serde_json::to_string(&ServerMessage::Pong).expect("a pong is plain data");
            Some(Message::Text(Utf8Bytes::from(pong)))
        }
        Ok(ClientMessage::Alerted { cid, ring }) => {
            match app.limits.take(Limit::Presence, who.device.as_str()) {
                Ok(()) => _ = app.hub.send(Request::Alerted { who: who.clone(), cid, ring }).await,
                Err(_) => app.metrics.passed_over(PassedOver::TooMany),
            }
            None
        }
        Ok(ClientMessage::Standing { standing }) => {
            stands(app, who, standing, unsaid).await;
            None
        }
        Ok(ClientMessage::Unknown) => {
            app.metrics.passed_over(PassedOver::Unknown);
            tracing::debug!("a message of a newer version is passed over");
            None
        }
        Err(error) => {
            app.metrics.passed_over(PassedOver::Unreadable);
            tracing::debug!(%error, "a message that cannot be read is passed over");
            None
        }
    }
}

/// Says how the person stands, or keeps it for the next heartbeat: everybody who sees him hears of each change.
async fn stands(app: &App, who: &Caller, standing: Standing, unsaid: &mut Option<Standing>) {
    match app.limits.take(Limit::Presence, who.device.as_str()) {
        Ok(()) => {
            *unsaid = None;
            _ = app.hub.send(Request::Stands { who: who.clone(), standing }).await;
        }
        Err(_) => {
            app.metrics.passed_over(PassedOver::TooMany);
            *unsaid = Some(standing);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the driver of a connection reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_devices_come_back_over_ten_seconds_and_a_few_at_once() {
        assert_eq!((back_in(3, 0.0), back_in(3, 0.999)), (250, 749));
        assert_eq!((back_in(10_000, 0.5), back_in(u32::MAX, 1.0)), (5_250, 10_250));
    }
}
