//! A server for tests: real sockets on this machine; each request is answered by the test, when and as it likes.

use std::time::Duration;

use futures_util::SinkExt as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

use crate::{account::Account, rest::Rest};

/// Much longer than anything takes here, and shorter than the client's own patience with a request.
pub(crate) const SOON: Duration = Duration::from_secs(6);

/// The server; on each connection one request after another.
pub(crate) struct FakeServer {
    pub(crate) rest: Rest,
    requests: mpsc::Receiver<Asked>,
}

/// A request that waits for its answer. Its connection is closed if it is dropped.
pub(crate) struct Asked {
    /// The how manieth connection it came by.
    pub(crate) connection: usize,
    pub(crate) path: String,
    /// What a WebSocket begins with.
    key: String,
    answer: oneshot::Sender<Answer>,
}

enum Answer {
    Content(String),
    Upgrade { key: String, upgraded: oneshot::Sender<TcpStream> },
}

impl FakeServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let account = Account {
            server: listener.local_addr().unwrap().to_string().parse().unwrap(),
            pin: None,
            user: "ben".parse().unwrap(),
            name: "Ben".to_owned(),
            device: "ben-1".parse().unwrap(),
            refresh_secret: "secret".to_owned(),
        };
        let (sender, requests) = mpsc::channel(16);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, sender.clone()));
            }
        });
        Self { rest: Rest::new(account).unwrap(), requests }
    }

    /// The next request.
    pub(crate) async fn asked(&mut self) -> Asked {
        timeout(SOON, self.requests.recv()).await.expect("something is asked soon").expect("the server runs")
    }

    /// The next request, which is for this.
    pub(crate) async fn asked_for(&mut self, path: &str) -> Asked {
        let asked = self.asked().await;
        assert_eq!(asked.path, path);
        asked
    }

    /// Lets a device in that has no access token yet.
    pub(crate) async fn lets_in(&mut self) -> WebSocketStream<TcpStream> {
        self.asked_for("/v1/token").await.gets_a_token();
        self.asked_for("/v1/socket").await.upgrades().await
    }
}

impl Asked {
    pub(crate) fn gets(self, content: &str) {
        _ = self.answer.send(Answer::Content(content.to_owned()));
    }

    pub(crate) fn gets_a_token(self) {
        self.gets(r#"{"token": "t", "expires_in_ms": 600000}"#);
    }

    pub(crate) async fn upgrades(self) -> WebSocketStream<TcpStream> {
        let (upgraded, stream) = oneshot::channel();
        _ = self.answer.send(Answer::Upgrade { key: self.key, upgraded });
        WebSocketStream::from_raw_socket(stream.await.unwrap(), Role::Server, None).await
    }
}

/// Says something to a connected device.
pub(crate) async fn say(socket: &mut WebSocketStream<TcpStream>, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

async fn serve(stream: TcpStream, connection: usize, requests: mpsc::Sender<Asked>) {
    let mut stream = BufReader::new(stream);
    while let Some((path, key)) = read(&mut stream).await {
        let (answer, answered) = oneshot::channel();
        _ = requests.send(Asked { connection, path, key, answer }).await;
        match answered.await {
            Ok(Answer::Content(content)) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", content.len());
                _ = stream.write_all((head + &content).as_bytes()).await;
            }
            Ok(Answer::Upgrade { key, upgraded }) => {
                let accept = derive_accept_key(key.as_bytes());
                let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
                _ = stream.write_all(format!("{head}sec-websocket-accept: {accept}\r\n\r\n").as_bytes()).await;
                _ = upgraded.send(stream.into_inner());
                return;
            }
            Err(_) => return,
        }
    }
}

/// The path of the next request, and its key if it wants a WebSocket; none at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut path, mut key, mut length) = (None, String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match (line.trim().split_once(": "), &path) {
            (Some((name, value)), _) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            (Some((name, value)), _) if name.eq_ignore_ascii_case("sec-websocket-key") => value.clone_into(&mut key),
            (None, None) => path = line.split(' ').nth(1).map(str::to_owned),
            (None, Some(_)) => break,
            (Some(_), _) => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some((path?, key))
}
