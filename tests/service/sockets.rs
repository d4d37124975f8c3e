//! WebSockets that do not keep the rules: what they send is passed over or ends them, and nobody else is held up.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use call_client::{Account, CallingState, Toggle};
use futures_util::{SinkExt as _, StreamExt as _};
use harness::service::{Service, User};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};
use wire::{CallId, Presence, UpdateCall};

use super::raw::Raw;

/// As small as the system lets it be: who does not read is noticed soon.
const RECEIVE_BUFFER: u32 = 4096;
/// More than any system keeps for a reader that does not read.
const MOST_EVENTS: usize = 4_000;
/// A ring is heard of in this time, whoever does not read: long, for a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(2);

async fn socket(account: &Account) -> Result<WebSocketStream<TcpStream>> {
    let token = Raw::of(account).await?.token.context("a token")?;
    let server = account.server.to_string();
    let mut request = format!("ws://{server}/v1/socket").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    let stream = socket.connect(server.parse()?).await?;
    Ok(client_async(request, stream).await?.0)
}

async fn hears(socket: &mut WebSocketStream<TcpStream>, part: &str) -> Result<()> {
    next_with(socket, part).await.map(|_| ())
}

/// The next text that holds something.
async fn next_with(socket: &mut WebSocketStream<TcpStream>, part: &str) -> Result<String> {
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message?
            && text.contains(part)
        {
            return Ok(text.to_string());
        }
    }
    anyhow::bail!("the connection ended before {part} came")
}

#[tokio::test]
async fn messages_that_make_no_sense_are_passed_over() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.account("ann", wire::CreateInvite::default()).await?;
    let mut socket = socket(&ann).await?;
    hears(&mut socket, "snapshot").await?;
    for text in [
        "",
        "no JSON",
        "[]",
        "{\"type\": 7}",
        "{\"type\": \"a-newer-one\", \"with\": [1]}",
        "{\"type\": \"alerted\"}",
        "{\"type\": \"alerted\", \"cid\": \"no cid\", \"ring\": \"r1\"}",
        "{\"type\": \"alerted\", \"cid\": \"default:nonesuch\", \"ring\": \"r1\"}",
    ] {
        socket.send(Message::text(text)).await?;
    }
    socket.send(Message::binary(vec![0xff; 100])).await?;
    socket.send(Message::text("{\"type\": \"ping\"}")).await?;
    hears(&mut socket, "pong").await
}

#[tokio::test]
async fn r19_what_is_left_of_a_ring_travels_beside_the_servers_time() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.account("ben", wire::CreateInvite::default()).await?);
    let mut socket = socket(&ben).await?;
    hears(&mut socket, "snapshot").await?;
    ann.client.ring(vec![ben.user.clone()], Toggle::Off).await?;
    let told: serde_json::Value = serde_json::from_str(&next_with(&mut socket, "\"remaining_ms\"").await?)?;
    let left = told["event"]["state"]["ring"]["remaining_ms"].as_i64().context("what is left")?;
    let now = told["server_time"].as_i64().context("the server's time")?;
    // On this machine the clocks agree.
    let here = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?;
    assert!((40_000..=45_000).contains(&left) && (here - now).abs() < 5_000, "{told}");
    Ok(())
}

#[tokio::test]
async fn a_message_over_64_kb_ends_the_connection() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.account("ann", wire::CreateInvite::default()).await?;
    let mut socket = socket(&ann).await?;
    hears(&mut socket, "snapshot").await?;
    _ = socket.send(Message::text("x".repeat(64 * 1024 + 1))).await;
    assert!(hears(&mut socket, "nothing that comes").await.is_err());
    User::connect(ann).await.map(|_| ())
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_the_others_ring_on() -> Result<()> {
    // One who changes a call so often would be told to wait.
    let service = Service::start_for(NonZeroU32::MAX).await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let slow = service.account("slow", wire::CreateInvite::default()).await?;
    let mut socket = socket(&slow).await?;
    let is_there = |presence: Presence| {
        let slow = slow.user.clone();
        move |state: &call_client::ClientState| {
            state.people.iter().any(|person| person.id == slow && person.presence == presence)
        }
    };
    ann.sees("the slow reader", is_there(Presence::Online)).await?;
    let cid: CallId = "default:news".parse()?;
    let data = serde_json::json!({"data": {"members": [{"user": slow.user}]}});
    ann.client.get_or_create(cid.clone(), serde_json::from_value(data)?).await?;
    let mut events = 0;
    while !is_there(Presence::Offline)(&ann.state()) {
        anyhow::ensure!(events < MOST_EVENTS, "still connected after {events} events that nobody read");
        events += 1;
        let custom = serde_json::from_value(serde_json::json!({ "text": "x".repeat(5_000), "number": events }))?;
        let update = UpdateCall { custom: Some(custom), ..UpdateCall::default() };
        ann.client.server().update_call(&cid, &update).await?;
        if events % 100 == 0 {
            // It is not silent: it only does not read.
            _ = socket.send(Message::text("{\"type\": \"ping\"}")).await;
            rings_soon(&ann, &ben).await?;
        }
    }
    rings_soon(&ann, &ben).await
}

async fn rings_soon(ann: &User, ben: &User) -> Result<()> {
    let begun = Instant::now();
    let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&cid, CallingState::Ringing).await?;
    anyhow::ensure!(begun.elapsed() < SOON, "a ring took {:?}", begun.elapsed());
    ann.client.leave(cid.clone(), call_client::Leave::Plain).await?;
    ben.is_in(&cid, CallingState::Left).await.map(|_| ())
}
