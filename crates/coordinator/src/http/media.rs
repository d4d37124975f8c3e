//! The door of the embedded media server: LiveKit signalling v0, so that any LiveKit client can come in with a token.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    extract::{
        RawQuery, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use sfu::{JoinQuery, SignalConnection};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::App;

/// Largest signalling message, as in LiveKit's own server.
const MAX_SIGNAL_BYTES: usize = 2 << 20;
/// WebSocket pings, as often as LiveKit's own server sends them.
const PING: Duration = Duration::from_secs(10);
const WRITE: Duration = Duration::from_secs(10);

pub(super) fn router() -> Router<App> {
    // Clients that speak the newer protocol fall back to v0 when `/rtc/v1` is not there; their `fetch` can only see that
    // with the CORS header.
    Router::new()
        .route("/", get(async || "Bellbird"))
        .route("/rtc", get(connect))
        .route("/rtc/validate", get(validate))
        .route("/rtc/v1", get(not_here))
        .route("/rtc/v1/validate", get(not_here))
}

const ANY_ORIGIN: (&str, &str) = ("access-control-allow-origin", "*");

async fn not_here() -> Response {
    (StatusCode::NOT_FOUND, [ANY_ORIGIN], "not found").into_response()
}

async fn validate(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    match join_query(query.as_deref(), &headers).and_then(|query| app.sfu.validate(&query)) {
        Ok(()) => (StatusCode::OK, [ANY_ORIGIN], "success").into_response(),
        Err(refusal) => refuse(&refusal),
    }
}

async fn connect(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else { return not_here().await };
    let connection = match join_query(query.as_deref(), &headers) {
        Ok(query) => app.sfu.connect(query).await,
        Err(refusal) => Err(refusal),
    };
    match connection {
        Ok(connection) => {
            let upgrade = upgrade.max_message_size(MAX_SIGNAL_BYTES);
            upgrade.on_upgrade(move |socket| serve(app, connection, socket)).into_response()
        }
        Err(refusal) => refuse(&refusal),
    }
}

fn join_query(query: Option<&str>, headers: &HeaderMap) -> Result<JoinQuery, sfu::Refusal> {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    JoinQuery::parse(query.unwrap_or(""), authorization)
}

fn refuse(refusal: &sfu::Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [ANY_ORIGIN], refusal.message.clone()).into_response()
}

async fn serve(app: App, mut connection: SignalConnection, mut socket: WebSocket) {
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outgoing = tokio::select! {
            response = connection.responses.recv() => match response {
                Some(bytes) => Message::Binary(bytes),
                None => break,
            },
            received = socket.recv() => match received {
                Some(Ok(Message::Binary(bytes))) => {
                    if connection.requests.send(bytes).await.is_err() {
                        break;
                    }
                    continue;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => continue,
            },
            _ = ping.tick() => Message::Ping(Bytes::new()),
            () = app.stop.cancelled() => break,
        };
        match timeout(WRITE, socket.send(outgoing)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    _ = timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
}
