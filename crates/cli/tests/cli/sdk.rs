//! The SDK as another program uses it: its examples, and futures that are dropped half-way.

#[path = "../../../call-client/examples/answer_bot.rs"]
#[expect(dead_code, reason = "its main takes arguments; the test calls what it calls")]
mod answer_bot;
#[path = "../../../call-client/examples/ring.rs"]
#[expect(dead_code, reason = "its main takes arguments; the test calls what it calls")]
mod ring;

use std::{sync::Arc, time::Duration};

use call_client::{
    Account, CallingState, Choice, Client, ClientState, Connection, EndReason, Engine, EngineOptions, JoinOptions,
    Leave, SignInWish, Toggle, sign_in,
};
use tokio::time::timeout;

use crate::person::{Person, Running, Server};

const PATIENCE: Duration = Duration::from_secs(20);

fn silence() -> Engine {
    Engine::start(EngineOptions { microphone: Choice::None, speaker: Choice::None, camera: Choice::None }).unwrap()
}

async fn sees(client: &Client, what: &str, is: impl Fn(&ClientState) -> bool) -> Arc<ClientState> {
    let mut states = client.state();
    match timeout(PATIENCE, states.wait_for(|state| is(state))).await {
        Ok(Ok(state)) => Arc::clone(&state),
        Ok(Err(_)) | Err(_) => panic!("{what}: not seen; {:#?}", client.state().borrow()),
    }
}

/// Somebody who uses the SDK, connected.
async fn program(host: &Person, name: &str) -> (Account, Client) {
    let invite = host.invites(&[]).await.parse().unwrap();
    let account = sign_in(&invite, SignInWish::named(name)).await.unwrap();
    let client = Client::start(account.clone(), None).unwrap();
    sees(&client, "the snapshot", |state| state.connection == Connection::Online).await;
    (account, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_lines_ring_somebody_and_talk() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut answer = ben.start(&["answer", "--for", "1s", "--mic", "none", "--speaker", "none"]);
    let invite = ann.invites(&[]).await;
    let ringing = async { ring::ring(&invite, "ben", silence()).await.map_err(|error| error.to_string()) };
    let reason = timeout(PATIENCE, ringing).await.expect("the example ends").unwrap();
    assert_eq!(reason, Some(EndReason::Ended), "the other hung up, and the call was for two");
    answer.is("joined").await;
    assert_eq!(answer.end().await.exit, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_lines_answer_every_call() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let invite = ann.invites(&[]).await;
    let bot =
        tokio::spawn(async move { answer_bot::answer(&invite, silence()).await.map_err(|error| error.to_string()) });
    // It can be rung as soon as the server knows it, and answers when it is connected.
    let known = async { while ann.run(&["people"]).await.lines.is_empty() {} };
    timeout(PATIENCE, known).await.expect("the bot signs in");
    for _ in 0..2 {
        let call = ann.run(&["call", "answer-bot", "--for", "1s", "--mic", "none", "--speaker", "none"]).await;
        assert_eq!((call.exit, &call.last()["reason"]), (0, &"answered".into()), "{call:?}");
    }
    assert!(!bot.is_finished(), "it waits for the next call");
    bot.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_nobody_waits_for_any_more_is_carried_out() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let (_, caller) = program(&ann, "Caller").await;
    let (account, callee) = program(&ann, "Callee").await;
    let cid = caller.ring(vec![account.user], Toggle::Off).await.unwrap();
    sees(&callee, "the ring", |state| state.incoming().next().is_some()).await;
    {
        let joining = callee.join(cid.clone(), JoinOptions::default());
        tokio::pin!(joining);
        // Polled once, which hands it over, and dropped.
        assert!(futures_util::poll!(joining.as_mut()).is_pending());
    }
    let answered =
        |state: &ClientState| state.call(&cid).is_some_and(|call| call.state.calling_state != CallingState::Ringing);
    sees(&callee, "it comes in", answered).await;
    sees(&caller, "the caller follows", answered).await;
    callee.leave(cid.clone(), Leave::Plain).await.unwrap();
    sees(&callee, "and out again", |state| state.call(&cid).is_none_or(call_client::CallView::is_over)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_nobody_waits_for_any_more_is_in_the_state() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let (_, caller) = program(&ann, "Caller").await;
    let (account, callee) = program(&ann, "Callee").await;
    let rung = account.user.clone();
    let ringing = tokio::spawn({
        let caller = caller.clone();
        async move { caller.ring(vec![rung], Toggle::Off).await }
    });
    let state = sees(&callee, "the ring", |state| state.incoming().next().is_some()).await;
    ringing.abort();
    let cid = state.incoming().next().unwrap().cid.clone();
    let seen = sees(&caller, "its own ring", |state| state.outgoing().next().is_some()).await;
    assert_eq!(seen.outgoing().next().unwrap().cid, cid);
    caller.leave(cid.clone(), Leave::Plain).await.unwrap();
    sees(&callee, "cancelled", |state| state.incoming().next().is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_late_still_hears_every_change_in_its_order() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let (_, caller) = program(&ann, "Caller").await;
    let (account, callee) = program(&ann, "Callee").await;
    let mut changes = callee.changes();
    let cid = caller.ring(vec![account.user], Toggle::Off).await.unwrap();
    caller.leave(cid.clone(), Leave::Plain).await.unwrap();
    let is_over = |state: &ClientState| state.call(&cid).is_some_and(call_client::CallView::is_over);
    sees(&callee, "it rang", is_over).await;
    let mut stood = Vec::new();
    while stood.last() != Some(&CallingState::Left) {
        let state = timeout(PATIENCE, changes.recv()).await.expect("a further change").unwrap();
        stood.extend(state.call(&cid).map(|call| call.state.calling_state));
    }
    stood.dedup();
    assert_eq!(stood, [CallingState::Ringing, CallingState::Left]);
}

async fn serves_again(host: &Person, address: &str, data: &std::path::Path) -> Running {
    let mut again =
        host.start(&["serve", "--data", data.to_str().unwrap(), "--listen", address, "--udp", "127.0.0.1:0"]);
    again.line("it is ready", |line| line["event"] == "ready").await;
    again
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_new_secret_for_its_tokens_signs_nobody_out() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let (_, client) = program(&ann, "Program").await;
    let (address, data) = (server.address.clone(), server.path("server"));
    server.process.signal("TERM").await;
    let (_folder, _) = server.stop().await;
    sees(&client, "the server is away", |state| matches!(state.connection, Connection::Offline { .. })).await;
    std::fs::remove_file(data.join("token-secret")).unwrap();
    // Asks while the socket is away as well: both hold a token of the old secret.
    let _second = serves_again(&ann, &address, &data).await;
    client.server().devices().await.expect("a new token is fetched");
    sees(&client, "it comes back", |state| state.connection == Connection::Online).await;
    client.sign_out().await.unwrap();
    sees(&client, "it is signed out", |state| state.connection == Connection::SignedOut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_comes_back_when_the_server_said_and_not_before() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let (_, client) = program(&ann, "Program").await;
    let (address, data) = (server.address.clone(), server.path("server"));
    server.process.signal("TERM").await;
    let (_folder, _) = server.stop().await;
    sees(&client, "the server is away", |state| matches!(state.connection, Connection::Offline { .. })).await;
    let _second = serves_again(&ann, &address, &data).await;
    // Told to come back within three seconds: no doubled waits after attempts in vain.
    let mut states = client.state();
    let back = states.wait_for(|state| state.connection == Connection::Online);
    timeout(Duration::from_secs(6), back).await.expect("it comes back").unwrap();
}
