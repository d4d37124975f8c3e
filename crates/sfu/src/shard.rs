//! The thread that owns rooms, connections and sockets: receive, find the connection, forward, send. No hop, no lock.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket},
    time::{Duration, Instant},
};

use bytes::Bytes;
use str0m::{
    Input,
    net::{Protocol, Receive},
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
};

use crate::{
    demux::{Demux, is_stun},
    participant::{ConnectionKey, ParticipantKey},
    query::JoinQuery,
    room::{Rooms, Work},
    sfu::{SfuConfig, SfuEvent},
    token::{Admission, Source},
};

/// Datagrams taken from one socket before the timers get their turn.
const BATCH: usize = 64;
/// Larger than any datagram on a path of 1,500 bytes.
const DATAGRAM: usize = 2048;
/// How often who has gone silent is looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// What the handle asks of the shard.
#[derive(Debug)]
pub(crate) enum Command {
    Join {
        admission: Box<Admission>,
        query: JoinQuery,
        responses: mpsc::Sender<Bytes>,
        reply: oneshot::Sender<ParticipantKey>,
    },
    Signal {
        key: ParticipantKey,
        request: Bytes,
    },
    SignalClosed {
        key: ParticipantKey,
    },
    Remove {
        room: String,
        identity: String,
    },
    CloseRoom {
        room: String,
    },
    Permit {
        room: String,
        identity: String,
        sources: Vec<Source>,
    },
    Mute {
        room: String,
        identity: String,
        sources: Vec<Source>,
    },
}

/// Binds the sockets and starts the thread; answers where it listens.
pub(crate) fn start(
    config: SfuConfig,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<SfuEvent>,
) -> io::Result<SocketAddr> {
    let sockets = bind(config.udp)?;
    let listening = sockets.first().map_or(Ok(config.udp), StdUdpSocket::local_addr)?;
    let mut candidates = Vec::new();
    for socket in &sockets {
        let address = socket.local_addr()?;
        if config.addresses.is_empty() || config.addresses.contains(&address.ip()) {
            candidates.push(address);
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    std::thread::Builder::new().name("sfu".to_owned()).spawn(move || {
        let outcome = runtime.block_on(async move {
            let sockets = sockets.into_iter().map(adopt).collect::<io::Result<Vec<_>>>()?;
            let rooms = Rooms::new(config.key, candidates);
            Shard { sockets, rooms, demux: Demux::default(), deadlines: BTreeSet::new(), events }.run(commands).await;
            Ok::<_, io::Error>(())
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "the media server has stopped");
        }
    })?;
    Ok(listening)
}

/// One socket an address: the local address of a datagram is then known, which ICE needs, and one port serves them all.
fn bind(udp: SocketAddr) -> io::Result<Vec<StdUdpSocket>> {
    if !udp.ip().is_unspecified() {
        return Ok(vec![StdUdpSocket::bind(udp)?]);
    }
    let mut addresses: Vec<IpAddr> =
        if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip()).filter(|ip| ip.is_ipv4()).collect();
    addresses.dedup();
    let mut sockets: Vec<StdUdpSocket> = Vec::new();
    for address in addresses {
        let port =
            sockets.first().map_or_else(|| Ok(udp.port()), |first| Ok::<_, io::Error>(first.local_addr()?.port()))?;
        match StdUdpSocket::bind((address, port)) {
            Ok(socket) => sockets.push(socket),
            Err(error) if sockets.is_empty() => return Err(error),
            Err(error) => tracing::warn!(%address, %error, "an address of this machine cannot be used for media"),
        }
    }
    Ok(sockets)
}

struct Socket {
    socket: UdpSocket,
    address: SocketAddr,
}

fn adopt(socket: StdUdpSocket) -> io::Result<Socket> {
    let address = socket.local_addr()?;
    socket.set_nonblocking(true)?;
    Ok(Socket { socket: UdpSocket::from_std(socket)?, address })
}

struct Shard {
    sockets: Vec<Socket>,
    rooms: Rooms,
    demux: Demux,
    /// When each connection wants to be woken.
    deadlines: BTreeSet<(Instant, ConnectionKey)>,
    events: mpsc::Sender<SfuEvent>,
}

impl Shard {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut buffer = vec![0; DATAGRAM];
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = self.deadlines.first().map_or_else(|| now() + SWEEP, |(at, _)| *at);
            tokio::select! {
                () = readable(&self.sockets) => self.receive(&mut buffer),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                () = tokio::time::sleep_until(wake.into()) => self.on_time(now()),
                _ = sweep.tick() => self.rooms.sweep(now()),
            }
            self.work(now());
        }
    }

    fn on_command(&mut self, command: Command) {
        let now = now();
        match command {
            Command::Join { admission, query, responses, reply } => {
                let key = self.rooms.join(now, *admission, &query, responses);
                _ = reply.send(key);
            }
            Command::Signal { key, request } => self.rooms.signal(now, key, request),
            Command::SignalClosed { key } => self.rooms.signal_closed(now, key),
            Command::Remove { room, identity } => self.rooms.remove(&room, &identity),
            Command::CloseRoom { room } => self.rooms.close(&room),
            Command::Permit { room, identity, sources } => self.rooms.permit(now, &room, &identity, sources),
            Command::Mute { room, identity, sources } => self.rooms.mute(&room, &identity, &sources),
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) {
        let now = now();
        for index in 0..self.sockets.len() {
            let destination = self.sockets[index].address;
            for _ in 0..BATCH {
                // Nothing more; or an ICMP error of an earlier send, which says nothing about this socket.
                let Ok((length, source)) = self.sockets[index].socket.try_recv_from(buffer) else { break };
                self.on_datagram(now, source, destination, &buffer[..length]);
                self.work(now);
            }
        }
    }

    fn on_datagram(&mut self, now: Instant, source: SocketAddr, destination: SocketAddr, datagram: &[u8]) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, datagram) else { return };
        let input = Input::Receive(now, receive);
        // STUN says itself whom it is for, and an address may change hands; everything else goes by address.
        let known = self.demux.find(source);
        let found = match known {
            Some(connection) if !is_stun(datagram) || self.rooms.accepts(connection, &input) => Some(connection),
            _ if is_stun(datagram) => self.rooms.find(&input),
            _ => None,
        };
        let Some(connection) = found else { return };
        if known != Some(connection) {
            self.demux.learn(source, connection);
        }
        self.rooms.receive(now, connection, input);
    }

    fn on_time(&mut self, now: Instant) {
        while let Some((at, connection)) = self.deadlines.first().copied() {
            if at > now {
                return;
            }
            self.deadlines.pop_first();
            self.rooms.timeout(now, connection);
        }
    }

    /// Does what the rooms want done, until they want nothing more.
    fn work(&mut self, now: Instant) {
        while let Some(work) = self.rooms.poll(now) {
            match work {
                Work::Transmit(transmit) => {
                    if let Some(socket) = self.sockets.iter().find(|socket| socket.address == transmit.source) {
                        // A full socket buffer loses the datagram, as the network would.
                        _ = socket.socket.try_send_to(&transmit.contents, transmit.destination);
                    }
                }
                Work::Wake { connection, before, at } => {
                    if let Some(before) = before {
                        self.deadlines.remove(&(before, connection));
                    }
                    self.deadlines.insert((at, connection));
                }
                Work::Forget(participant) => {
                    self.demux.forget(participant);
                    self.deadlines.retain(|(_, connection)| connection.participant != participant);
                }
                Work::Tell(event) => {
                    if self.events.try_send(event).is_err() {
                        tracing::error!("nobody takes what the media server tells; a coming or going is lost");
                    }
                }
            }
        }
    }
}

/// Waits until some socket has something to read.
async fn readable(sockets: &[Socket]) {
    std::future::poll_fn(|context| {
        let ready = sockets.iter().any(|socket| socket.socket.poll_recv_ready(context).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[expect(clippy::disallowed_methods, reason = "the shard is the driver: it reads the clock for everything it owns")]
fn now() -> Instant {
    Instant::now()
}
