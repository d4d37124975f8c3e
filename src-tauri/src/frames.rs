//! Encoded pictures for the page, over a WebSocket that only this machine's page can open.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use media::{EncodedFrame, VideoHub, VideoSubscription, Vp8Decoder};
use serde::Deserialize;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
    },
};

use crate::state::FramesAddress;

/// Pages that may open the socket: the app's own, on each platform.
const ORIGINS: [&str; 3] = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What the page says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FromPage {
    /// What its decoder can take.
    Codec(Codec),
    /// Its decoder is stuck.
    Key,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Codec {
    Vp8,
    I420,
}

/// Binds to loopback and serves until the app ends; answers how the page gets in.
pub(crate) async fn serve(hub: VideoHub) -> std::io::Result<FramesAddress> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let secret = format!("{:032x}", rand::random::<u128>());
    let known = secret.clone();
    tauri::async_runtime::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tauri::async_runtime::spawn(watch(stream, hub.clone(), known.clone()));
        }
    });
    Ok(FramesAddress { url: format!("ws://{address}/frames"), secret })
}

async fn watch(stream: TcpStream, hub: VideoHub, secret: String) {
    _ = stream.set_nodelay(true);
    let mut track = None;
    #[expect(clippy::result_large_err, reason = "the library's type, built once a connection")]
    let check = |request: &Request, response: Response| {
        let origin = request.headers().get("origin").and_then(|origin| origin.to_str().ok());
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        if value("secret") != Some(secret.as_str()) || !origin.is_some_and(|origin| ORIGINS.contains(&origin)) {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            return Err(refusal);
        }
        track = value("track").map(str::to_owned);
        Ok(response)
    };
    let Ok(Ok(socket)) = timeout(HANDSHAKE, accept_hdr_async(stream, check)).await else { return };
    if let Some(track) = track {
        feed(socket, hub.subscribe(&track)).await;
    }
}

async fn feed(mut socket: WebSocketStream<TcpStream>, mut pictures: VideoSubscription) {
    let mut decoder: Option<Vp8Decoder> = None;
    loop {
        tokio::select! {
            frame = pictures.next() => {
                let Some(frame) = frame else { return };
                let message = match decoder.as_mut() {
                    None => Some(packed(u8::from(frame.key), &frame, (frame.width, frame.height), &frame.data)),
                    Some(decoder) => match decoder.decode(&frame.data) {
                        Ok(picture) => picture.map(|picture| {
                            packed(2, &frame, (picture.width(), picture.height()), picture.bytes())
                        }),
                        Err(error) => {
                            tracing::debug!(%error, "a picture cannot be decoded");
                            pictures.request_key_frame();
                            None
                        }
                    },
                };
                if let Some(message) = message
                    && socket.send(message).await.is_err()
                {
                    return;
                }
            }
            said = socket.next() => {
                let Some(Ok(message)) = said else { return };
                let Message::Text(text) = message else { continue };
                match serde_json::from_str(&text) {
                    Ok(FromPage::Codec(Codec::I420)) => decoder = Vp8Decoder::new().ok(),
                    Ok(FromPage::Codec(Codec::Vp8)) => decoder = None,
                    Ok(FromPage::Key) => pictures.request_key_frame(),
                    Err(error) => tracing::debug!(%error, "the page said something that cannot be read"),
                }
            }
        }
    }
}

/// Kind, time in microseconds, size, data.
fn packed(kind: u8, frame: &EncodedFrame, (width, height): (u16, u16), data: &[u8]) -> Message {
    let mut bytes = Vec::with_capacity(13 + data.len());
    bytes.push(kind);
    bytes.extend_from_slice(&u64::try_from(frame.timestamp.as_micros()).unwrap_or(0).to_le_bytes());
    bytes.extend_from_slice(&width.to_le_bytes());
    bytes.extend_from_slice(&height.to_le_bytes());
    bytes.extend_from_slice(data);
    Message::binary(bytes)
}
