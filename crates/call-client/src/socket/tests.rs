use tokio::task::JoinHandle;

use super::*;
use crate::fake_server::{FakeServer, SOON, say};

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);

/// The client's end of the socket, running.
struct Device {
    orders: mpsc::Sender<Order>,
    events: mpsc::Receiver<SocketEvent>,
    running: JoinHandle<()>,
}

impl Device {
    fn of(server: &FakeServer) -> Self {
        Self::with(server, |_| {})
    }

    fn with(server: &FakeServer, differently: impl FnOnce(&mut Socket)) -> Self {
        let (event_sender, events) = mpsc::channel(16);
        let (orders, order_queue) = mpsc::channel(16);
        let mut socket = Socket::new(server.rest.clone(), event_sender, order_queue, Arc::default());
        differently(&mut socket);
        Self { orders, events, running: tokio::spawn(socket.run()) }
    }

    async fn is_down(&mut self) -> String {
        let looking = async {
            loop {
                if let SocketEvent::Down { why } = self.events.recv().await.expect("the socket runs") {
                    return why;
                }
            }
        };
        timeout(SOON, looking).await.expect("the connection is lost soon")
    }
}

#[tokio::test]
async fn an_order_to_reconnect_is_followed_while_a_connection_is_being_opened() {
    let mut server = FakeServer::start().await;
    let device = Device::of(&server);
    let unanswered = server.asked_for("/v1/token").await;
    device.orders.send(Order::Reconnect).await.unwrap();
    let again = server.asked_for("/v1/token").await;
    assert_ne!(again.connection, unanswered.connection);
}

#[tokio::test]
async fn another_network_is_noticed_while_a_connection_is_being_opened() {
    let mut server = FakeServer::start().await;
    let _device = Device::with(&server, |socket| socket.way = Way::left_behind());
    let unanswered = server.asked_for("/v1/token").await;
    let again = server.asked_for("/v1/token").await;
    assert_ne!(again.connection, unanswered.connection);
}

#[tokio::test]
async fn a_connection_by_a_network_that_is_gone_is_not_kept() {
    let mut server = FakeServer::start().await;
    let _device = Device::with(&server, |socket| socket.way = Way::left_behind());
    let _gone = server.lets_in().await;
    server.asked_for("/v1/socket").await;
}

#[tokio::test]
async fn it_ends_while_a_connection_is_being_opened() {
    let mut server = FakeServer::start().await;
    let device = Device::of(&server);
    let _unanswered = server.asked_for("/v1/token").await;
    drop(device.events);
    timeout(SOON, device.running).await.expect("nobody listens any more").unwrap();
}

#[tokio::test]
async fn a_silent_connection_is_dead_when_its_time_is_up_and_not_at_the_next_heartbeat() {
    let mut server = FakeServer::start().await;
    let mut device = Device::with(&server, |socket| {
        (socket.heartbeat, socket.dead_after) = (NEVER, Duration::from_millis(100));
    });
    let _silent = server.lets_in().await;
    assert!(device.is_down().await.contains("silent"));
}

#[tokio::test]
async fn a_connection_that_is_heard_lives_longer_than_a_silent_one() {
    let mut server = FakeServer::start().await;
    let mut device = Device::with(&server, |socket| {
        (socket.heartbeat, socket.dead_after) = (Duration::from_millis(100), Duration::from_secs(1));
    });
    let mut stream = server.lets_in().await;
    for _ in 0..15 {
        let ping = timeout(SOON, stream.next()).await.expect("a heartbeat comes").unwrap().unwrap();
        assert!(matches!(ping, Message::Text(_)), "not its end: {ping:?}");
        say(&mut stream, r#"{"type": "pong"}"#).await;
    }
    assert!(device.is_down().await.contains("silent"));
}

#[tokio::test]
async fn after_a_loss_and_in_another_network_requests_go_by_new_connections() {
    let mut server = FakeServer::start().await;
    let mut device = Device::of(&server);
    let stream = server.lets_in().await;
    let kept = request(&mut server).await;
    assert_eq!(request(&mut server).await, kept, "while all is well one is enough");
    drop(stream);
    device.is_down().await;
    let _stream = server.asked_for("/v1/socket").await.upgrades().await;
    let second = request(&mut server).await;
    assert_ne!(second, kept, "after a loss");
    device.orders.send(Order::Reconnect).await.unwrap();
    let _stream = server.asked_for("/v1/socket").await.upgrades().await;
    assert_ne!(request(&mut server).await, second, "in another network");
}

/// By which connection a request of this device comes.
async fn request(server: &mut FakeServer) -> usize {
    let rest = server.rest.clone();
    let asking = tokio::spawn(async move { rest.bytes("/v1/something").await });
    let asked = server.asked_for("/v1/something").await;
    let connection = asked.connection;
    asked.gets("something");
    asking.await.unwrap().unwrap();
    connection
}

#[test]
fn what_a_newer_server_says_is_counted_and_nothing_else() {
    let unknown = AtomicU64::new(0);
    let counted = |text: &str| {
        let read = read(text, &unknown);
        (read.is_ok(), unknown.load(Ordering::Relaxed))
    };
    assert_eq!(counted(r#"{"type": "pong"}"#), (true, 0));
    assert_eq!(counted(r#"{"type": "hologram", "depth": 3}"#), (true, 1));
    let event = r#"{"type": "event", "revision": 7, "server_time": 1000, "event": {"kind": "waved", "hand": "left"}}"#;
    assert_eq!(counted(event), (true, 2));
    let seen = r#"{"type": "event", "revision": 8, "server_time": 1000, "event": {"kind": "missed_seen"}}"#;
    assert_eq!(counted(seen), (true, 2));
    assert_eq!(counted("no message"), (false, 2));
}
