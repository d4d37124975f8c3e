//! The thread that owns rooms, connections and sockets: receive, find the connection, forward, send. No hop, no lock.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use livekit_protocol::DisconnectReason;
use str0m::{
    Input,
    net::{Protocol, Receive},
};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot},
};

use crate::{
    demux::{Demux, is_stun},
    participant::{ConnectionKey, ParticipantKey},
    query::JoinQuery,
    room::{Rooms, Work},
    sfu::{SfuConfig, SfuEvent},
    sockets::{Counters, Sockets},
    token::{Admission, MaySend, Source},
};

/// Datagrams taken from one socket before the timers get their turn.
const BATCH: usize = 64;
/// Larger than any datagram on a path of 1,500 bytes.
const DATAGRAM: usize = 2048;
/// How often who has gone silent is looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// How often the addresses of this machine are looked at; it takes a few microseconds.
const LOOK: Duration = Duration::from_secs(3);

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
        reason: DisconnectReason,
    },
    CloseRoom {
        room: String,
    },
    Permit {
        room: String,
        identity: String,
        may_send: MaySend,
    },
    Mute {
        room: String,
        identity: String,
        sources: Vec<Source>,
    },
}

/// Starts the thread, which binds the sockets; answers where it listens, and what it counts.
pub(crate) fn start(
    config: SfuConfig,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<SfuEvent>,
) -> io::Result<(SocketAddr, Arc<Counters>)> {
    let (opened, answer) = std::sync::mpsc::sync_channel(1);
    // A runtime must not end among the tasks of another one: it is made and ends on its own thread, also on failure.
    std::thread::Builder::new().name("sfu".to_owned()).spawn(move || {
        let udp = config.udp;
        let (runtime, sockets) = match open(udp, config.addresses, config.outside) {
            Ok(open) => open,
            Err(error) => {
                _ = opened.send(Err(error));
                return;
            }
        };
        let listening = sockets.listening().unwrap_or(udp);
        if opened.send(Ok((listening, sockets.counters()))).is_err() {
            return;
        }
        let rooms = Rooms::new(config.key, sockets.candidates());
        let shard = Shard { sockets, rooms, demux: Demux::default(), deadlines: BTreeSet::new(), events };
        runtime.block_on(shard.run(commands));
    })?;
    answer.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended")))
}

fn open(udp: SocketAddr, told: Vec<IpAddr>, outside: Vec<SocketAddr>) -> io::Result<(Runtime, Sockets)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let guard = runtime.enter();
    let sockets = Sockets::bind(udp, told, outside)?;
    drop(guard);
    Ok((runtime, sockets))
}

struct Shard {
    sockets: Sockets,
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
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = self.deadlines.first().map_or_else(|| now() + SWEEP, |(at, _)| *at);
            tokio::select! {
                () = self.sockets.readable() => self.receive(&mut buffer),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                () = tokio::time::sleep_until(wake.into()) => self.on_time(now()),
                _ = sweep.tick() => self.rooms.sweep(now()),
                _ = look.tick() => self.look(),
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
            Command::Remove { room, identity, reason } => self.rooms.remove(&room, &identity, reason),
            Command::CloseRoom { room } => self.rooms.close(&room),
            Command::Permit { room, identity, may_send } => self.rooms.permit(now, &room, &identity, may_send),
            Command::Mute { room, identity, sources } => self.rooms.mute(&room, &identity, &sources),
        }
    }

    fn look(&mut self) {
        let change = self.sockets.look();
        if !change.come.is_empty() || !change.gone.is_empty() {
            tracing::info!(come = change.come.len(), gone = change.gone.len(), "the addresses of this machine changed");
            self.rooms.follow_addresses(self.sockets.candidates(), &change.come);
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) {
        let now = now();
        for index in 0..self.sockets.count() {
            for _ in 0..BATCH {
                let Some((length, source, destination)) = self.sockets.receive(index, buffer) else { break };
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
                    self.sockets.send(transmit.source, transmit.destination, &transmit.contents);
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

#[expect(clippy::disallowed_methods, reason = "the shard is the driver: it reads the clock for everything it owns")]
fn now() -> Instant {
    Instant::now()
}
