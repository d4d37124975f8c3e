//! A connected device: one WebSocket that keeps itself alive and comes back by itself, as the app's does.

use std::{
    cell::Cell,
    path::Path,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::{ClientConfig, RootCertStore, pki_types::pem::PemObject as _};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_with_config,
    tungstenite::{Message, Utf8Bytes, client::IntoClientRequest as _, protocol::WebSocketConfig},
};
use wire::ClientMessage;

use crate::{
    api,
    clock::{backoff, now},
    people::Account,
};

/// As the app's.
const CONNECT: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// What a device hears of calls.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    /// The number it was connected with.
    pub(crate) device: usize,
    pub(crate) text: Utf8Bytes,
}

/// Where and how devices connect, and how many are there.
pub(crate) struct Network {
    pub(crate) address: String,
    tls: Option<TlsConnector>,
    /// Devices that have their snapshot.
    connected: Cell<usize>,
    /// Snapshots so far.
    came: Cell<usize>,
    /// Connections that were lost, and attempts that failed.
    lost: Cell<usize>,
}

impl Network {
    pub(crate) fn plain(address: &str) -> Rc<Self> {
        Rc::new(Self::to(address, None))
    }

    /// TLS to the same port, with the certificate in the server's data folder as the only one trusted.
    pub(crate) fn tls(address: &str, data: &Path) -> Result<Rc<Self>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.join("certificate.pem"))?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let tls = Some(TlsConnector::from(Arc::new(config)));
        Ok(Rc::new(Self::to(address, tls)))
    }

    fn to(address: &str, tls: Option<TlsConnector>) -> Self {
        let (connected, came, lost) = (Cell::default(), Cell::default(), Cell::default());
        Self { address: address.to_owned(), tls, connected, came, lost }
    }

    /// How often a device has got its snapshot.
    pub(crate) fn came(&self) -> usize {
        self.came.get()
    }

    pub(crate) fn connected(&self) -> usize {
        self.connected.get()
    }

    pub(crate) fn lost(&self) -> usize {
        self.lost.get()
    }

    async fn open(&self, account: &Account, number: usize) -> Result<Socket> {
        let stream = api::connect(&self.address, number).await?;
        let stream = match &self.tls {
            None => MaybeTlsStream::Plain(stream),
            Some(tls) => MaybeTlsStream::Rustls(tls.connect(ServerName::try_from("bellbird")?, stream).await?),
        };
        let mut request = format!("ws://{}/v1/socket", self.address).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", account.token).parse()?);
        // Small buffers: ten thousand of them are in this process.
        let config = WebSocketConfig::default().read_buffer_size(4096).max_message_size(Some(64 << 20));
        Ok(client_async_with_config(request, stream, Some(config)).await?.0)
    }
}

/// A device that is (or tries to be) connected; dropping it goes away without a word.
pub(crate) struct Device {
    messages: mpsc::Sender<ClientMessage>,
    task: JoinHandle<()>,
}

impl Device {
    /// Connects and stays; what it hears of calls goes to `heard`, if anybody wants it.
    pub(crate) fn connect(
        network: &Rc<Network>,
        account: Account,
        number: usize,
        heard: Option<mpsc::Sender<Heard>>,
    ) -> Self {
        let (messages, outgoing) = mpsc::channel(4);
        let run = run(Rc::clone(network), account, number, heard, outgoing);
        Self { messages, task: tokio::task::spawn_local(run) }
    }

    pub(crate) async fn send(&self, message: ClientMessage) -> Result<()> {
        self.messages.send(message).await.context("the device's connection has ended")
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    network: Rc<Network>,
    account: Account,
    number: usize,
    heard: Option<mpsc::Sender<Heard>>,
    mut outgoing: mpsc::Receiver<ClientMessage>,
) {
    let mut attempt = 0;
    loop {
        if let Ok(Ok(stream)) = timeout(CONNECT, network.open(&account, number)).await {
            let mut there = There { network: &network, has_snapshot: false };
            _ = serve(stream, number, heard.as_ref(), &mut outgoing, &mut there).await;
            attempt = if there.has_snapshot { 0 } else { attempt };
        }
        network.lost.set(network.lost.get() + 1);
        sleep(backoff(attempt)).await;
        attempt = attempt.saturating_add(1);
    }
}

/// Counts a device as connected for as long as it is.
struct There<'a> {
    network: &'a Network,
    has_snapshot: bool,
}

impl There<'_> {
    fn has_snapshot(&mut self) {
        if !std::mem::replace(&mut self.has_snapshot, true) {
            self.network.connected.set(self.network.connected() + 1);
            self.network.came.set(self.network.came() + 1);
        }
    }
}

impl Drop for There<'_> {
    fn drop(&mut self) {
        if self.has_snapshot {
            self.network.connected.set(self.network.connected() - 1);
        }
    }
}

async fn serve(
    mut stream: Socket,
    number: usize,
    heard: Option<&mpsc::Sender<Heard>>,
    outgoing: &mut mpsc::Receiver<ClientMessage>,
    there: &mut There<'_>,
) -> Result<()> {
    // Heartbeats of many devices fall on different moments.
    let first = tokio::time::Instant::from_std(now()) + HEARTBEAT.mul_f64(rand::random());
    let mut heartbeat = interval_at(first, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            received = stream.next() => {
                let at = now();
                let Message::Text(text) = received.context("closed")?? else { continue };
                let is_snapshot = text.starts_with("{\"type\":\"snapshot\"");
                if is_snapshot {
                    there.has_snapshot();
                }
                if let Some(heard) = heard && (is_snapshot || text.contains("\"kind\":\"call\"")) {
                    heard.send(Heard { at, device: number, text }).await?;
                }
            }
            Some(message) = outgoing.recv() => stream.send(Message::text(serde_json::to_string(&message)?)).await?,
            _ = heartbeat.tick() => stream.send(Message::text(serde_json::to_string(&ClientMessage::Ping)?)).await?,
        }
    }
}
