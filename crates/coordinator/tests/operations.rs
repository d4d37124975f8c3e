//! A server from outside, as whoever runs it sees it: whether it says that it is well, and how it ends.

use std::{path::Path, time::Duration};

use coordinator::{Config, Server};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};
use wire::{Event, Presence, ServerMessage, SignedIn};

const PATIENCE: Duration = Duration::from_secs(20);

async fn server(data: &Path) -> Server {
    let any = ([127, 0, 0, 1], 0).into();
    Server::start(Config { listen: any, udp: any, ..Config::new(data.to_owned()) }).await.unwrap()
}

async fn sign_in(server: &Server) -> SignedIn {
    let code = server.admin_invite().await.unwrap().code;
    let body = json!({ "code": code, "name": "Ann", "device_name": "test" });
    let request = reqwest::Client::new().post(format!("{}/v1/sign-in", server.url())).body(body.to_string());
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

async fn socket(server: &Server, signed_in: &SignedIn) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut request = format!("ws://{}/v1/socket", server.address()).into_client_request().unwrap();
    let bearer = format!("Bearer {}", signed_in.access.token).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    connect_async(request).await.unwrap().0
}

#[tokio::test]
async fn healthz_says_what_is_not_well() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let look = || async {
        let response = reqwest::get(format!("{}/healthz", server.url())).await.unwrap();
        (response.status().as_u16(), serde_json::from_str::<Value>(&response.text().await.unwrap()).unwrap())
    };
    let well = json!({ "status": "ok", "store": "ok", "hub": "ok", "parts": "ok" });
    assert_eq!(look().await, (200, well.clone()));
    // A table that is gone stands for a disk that takes nothing.
    let options = SqliteConnectOptions::new().filename(folder.path().join("bellbird.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("ALTER TABLE beats RENAME TO lost").execute(&mut database).await.unwrap();
    let ill = timeout(PATIENCE, async {
        loop {
            let (status, health) = look().await;
            if status != 200 {
                return (status, health);
            }
            tokio::task::yield_now().await;
        }
    });
    let (status, health) = ill.await.expect("it is found out");
    assert_eq!((status, &health["status"], &health["hub"]), (503, &json!("failing"), &json!("ok")));
    assert_ne!(health["store"], "ok");
    sqlx::query("ALTER TABLE lost RENAME TO beats").execute(&mut database).await.unwrap();
    let recovered = timeout(PATIENCE, async {
        while look().await != (200, well.clone()) {
            tokio::task::yield_now().await;
        }
    });
    recovered.await.expect("it is well again");
}

#[tokio::test]
async fn what_a_newer_device_says_is_counted_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let signed_in = sign_in(&server).await;
    let mut socket = socket(&server, &signed_in).await;
    for text in [r#"{"type": "hologram", "depth": 3}"#, "no message", r#"{"type": "ping"}"#] {
        socket.send(Message::text(text)).await.unwrap();
    }
    let answered = timeout(PATIENCE, async {
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap()
                && serde_json::from_str::<ServerMessage>(&text).unwrap() == ServerMessage::Pong
            {
                return;
            }
        }
    });
    answered.await.expect("the ping behind them is answered");
    let metrics = reqwest::get(format!("{}/metrics", server.url())).await.unwrap().text().await.unwrap();
    for why in ["unknown", "unreadable"] {
        let line = format!("bellbird_messages_passed_over_total{{why=\"{why}\"}} 1");
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn who_says_too_often_how_he_stands_is_heard_less_often_and_the_last_word_counts() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let signed_in = sign_in(&server).await;
    let mut socket = socket(&server, &signed_in).await;
    let flood = ["here", "away"].repeat(50);
    for standing in flood.into_iter().chain(["do_not_disturb"]) {
        let text = json!({ "type": "standing", "standing": standing }).to_string();
        socket.send(Message::text(text)).await.unwrap();
    }
    let told = timeout(PATIENCE, async {
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap()
                && let ServerMessage::Event { event: Event::Person { person }, .. } =
                    serde_json::from_str(&text).unwrap()
                && person.presence == Presence::DoNotDisturb
            {
                return;
            }
        }
    });
    told.await.expect("what was said last is told with a heartbeat");
    let metrics = reqwest::get(format!("{}/metrics", server.url())).await.unwrap().text().await.unwrap();
    let passed_over = metrics.lines().find_map(|line| {
        line.strip_prefix("bellbird_messages_passed_over_total{why=\"too_many\"} ")?.parse::<u32>().ok()
    });
    assert!(passed_over.unwrap() >= 60, "{metrics}");
}

#[tokio::test]
async fn a_server_that_ends_tells_its_devices_to_come_back_and_when() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let signed_in = sign_in(&server).await;
    let mut socket = socket(&server, &signed_in).await;
    let greeted = timeout(PATIENCE, async { while !matches!(socket.next().await, Some(Ok(Message::Text(_)))) {} });
    greeted.await.expect("a snapshot");
    let ending = tokio::spawn(server.shutdown());
    let last_words = timeout(PATIENCE, async {
        let mut last = None;
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => last = Some(serde_json::from_str::<ServerMessage>(&text).unwrap()),
                Message::Close(frame) => return (last.unwrap(), frame.unwrap()),
                _ => {}
            }
        }
    });
    let (last, close) = last_words.await.expect("a close frame");
    assert!(matches!(last, ServerMessage::ComeBack { in_ms: 250..=750 }), "{last:?}");
    assert_eq!(u16::from(close.code), 1012);
    timeout(PATIENCE, ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn every_device_is_told_before_the_process_ends() {
    // Nobody reads or answers heartbeats before the end: as many as can be there before the first counts as gone.
    const DEVICES: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let data = folder.path().to_owned();
    let config = Config { limits_factor: 20.try_into().unwrap(), ..Config::new(data) };
    let server = process.spawn(Server::start(config)).await.unwrap().unwrap();
    let ann = sign_in(&server).await;
    let ask = async |path: &str, body: Value| {
        let request = reqwest::Client::new().post(format!("{}/v1/{path}", server.url())).bearer_auth(&ann.access.token);
        request.body(body.to_string()).send().await.unwrap().text().await.unwrap()
    };
    let invite: Value = serde_json::from_str(&ask("invites", json!({ "uses": DEVICES })).await).unwrap();
    let mut sockets = Vec::new();
    for device in 0..DEVICES {
        let wish = json!({ "code": invite["code"], "name": format!("d{device}"), "device_name": "test" });
        let signed_in: SignedIn = serde_json::from_str(&ask("sign-in", wish).await).unwrap();
        sockets.push(socket(&server, &signed_in).await);
    }
    process.spawn(server.shutdown()).await.unwrap();
    // What is not done by now is never done.
    process.shutdown_background();
    for mut socket in sockets {
        let is_told = timeout(PATIENCE, async {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                if matches!(serde_json::from_str(&text).unwrap(), ServerMessage::ComeBack { .. }) {
                    return true;
                }
            }
            false
        });
        assert!(is_told.await.unwrap());
    }
}

#[tokio::test]
async fn a_request_that_was_begun_is_answered_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let signed_in = sign_in(&server).await;
    let address = server.address();
    let body = json!({ "data": { "custom": { "order": 17 } } }).to_string();
    let head = format!(
        "POST /v1/calls/default/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        signed_in.access.token,
        body.len(),
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // By this the server says that the request has begun and the body is wanted.
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut said = vec![0; go_on.len()];
    timeout(PATIENCE, stream.read_exact(&mut said)).await.unwrap().unwrap();
    assert_eq!(said, go_on);
    let ending = tokio::spawn(server.shutdown());
    let refused = timeout(PATIENCE, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    refused.await.expect("nobody new is taken");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"created\":true"), "{answer}");
    timeout(PATIENCE, ending).await.unwrap().unwrap();
}
