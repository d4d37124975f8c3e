//! The handle of a running media server.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use livekit_protocol::DisconnectReason;
use tokio::sync::{mpsc, oneshot};

use crate::{
    query::{JoinQuery, Refusal},
    shard::{self, Command},
    sockets::Counters,
    token::{self, ApiKey, MaySend, Source},
};

/// Commands to the shard wait here; signalling is slow compared to media.
const COMMANDS: usize = 1024;
/// Comings and goings wait here for the coordinator.
const EVENTS: usize = 1024;
/// Signalling messages of one client; more than a join of a large room makes.
const SIGNALS: usize = 256;

/// What the media server needs to know.
#[derive(Debug, Clone)]
pub struct SfuConfig {
    /// UDP address. The unspecified address means every address of this machine; port 0 takes any.
    pub udp: SocketAddr,
    /// Addresses that clients are told; every address it listens on if empty.
    pub addresses: Vec<IpAddr>,
    /// Addresses of others that lead here, as of a router that passes a port on; clients are told them as well.
    pub outside: Vec<SocketAddr>,
    /// What signs the tokens.
    pub key: ApiKey,
}

/// The media server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket or the thread could not be made.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Comings and goings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SfuEvent {
    /// Media can flow.
    ParticipantJoined {
        /// The room.
        room: String,
        /// Who.
        identity: String,
    },
    /// Left, was removed, or was lost.
    ParticipantLeft {
        /// The room.
        room: String,
        /// Who.
        identity: String,
    },
}

/// A running media server. Cheap to clone; it ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Sfu {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<Command>,
    key: ApiKey,
    udp: SocketAddr,
    counters: Arc<Counters>,
}

/// Datagrams since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// From clients.
    pub received: u64,
    /// To clients.
    pub sent: u64,
}

/// The signalling of one client, as bytes: protobuf `SignalRequest`s in, `SignalResponse`s out. Dropping `requests` says
/// that the socket is closed; the end of `responses` asks for it to be closed.
#[derive(Debug)]
pub struct SignalConnection {
    /// From the client.
    pub requests: mpsc::Sender<Bytes>,
    /// To the client.
    pub responses: mpsc::Receiver<Bytes>,
}

impl Sfu {
    /// Starts a media server; the receiver tells who comes and goes. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn start(config: SfuConfig) -> Result<(Self, mpsc::Receiver<SfuEvent>), StartError> {
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        let (event_sender, events) = mpsc::channel(EVENTS);
        let key = config.key.clone();
        let (udp, counters) = shard::start(config, command_queue, event_sender)?;
        Ok((Self { shared: Arc::new(Shared { commands, key, udp, counters }) }, events))
    }

    /// Waits until its thread has ended, which it does by a fault of its own alone while there is a handle.
    pub async fn ended(&self) {
        self.shared.commands.closed().await;
    }

    /// Where it listens.
    #[must_use]
    pub fn udp_address(&self) -> SocketAddr {
        self.shared.udp
    }

    /// What went over its sockets until now.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { received, sent } = &*self.shared.counters;
        Traffic { received: count(received), sent: count(sent) }
    }

    /// Whether a client would be let in.
    ///
    /// # Errors
    /// Why not.
    pub fn validate(&self, query: &JoinQuery) -> Result<(), Refusal> {
        token::check(&self.shared.key, &query.token, query.room.as_deref()).map(|_| ())
    }

    /// Lets a client in; its greeting is the first response.
    ///
    /// # Errors
    /// Why not, as HTTP status.
    pub async fn connect(&self, query: JoinQuery) -> Result<SignalConnection, Refusal> {
        let admission = token::check(&self.shared.key, &query.token, query.room.as_deref())?;
        let (requests, mut request_queue) = mpsc::channel(SIGNALS);
        let (response_sender, responses) = mpsc::channel(SIGNALS);
        let (reply, answer) = oneshot::channel();
        let closing =
            || Refusal { status: 503, message: "the media server has ended: try again in a moment".to_owned() };
        let commands = self.shared.commands.clone();
        let join = Command::Join { admission: Box::new(admission), query, responses: response_sender, reply };
        commands.send(join).await.map_err(|_| closing())?;
        let key = answer.await.map_err(|_| closing())?;
        // Weak, so that an open connection does not keep the server alive.
        let commands = commands.downgrade();
        tokio::spawn(async move {
            while let Some(request) = request_queue.recv().await {
                let Some(commands) = commands.upgrade() else { return };
                if commands.send(Command::Signal { key, request }).await.is_err() {
                    return;
                }
            }
            if let Some(commands) = commands.upgrade() {
                _ = commands.send(Command::SignalClosed { key }).await;
            }
        });
        Ok(SignalConnection { requests, responses })
    }

    /// Takes somebody out of a room.
    pub fn remove_participant(&self, room: &str, identity: &str) {
        self.take_out(room, identity, DisconnectReason::ParticipantRemoved);
    }

    /// Takes somebody out of a room as if he were lost on the way: his client is asked to come again.
    pub fn ask_again(&self, room: &str, identity: &str) {
        self.take_out(room, identity, DisconnectReason::ConnectionTimeout);
    }

    /// Takes somebody out of a room whose call is over, and nobody else.
    pub fn tell_over(&self, room: &str, identity: &str) {
        self.take_out(room, identity, DisconnectReason::RoomDeleted);
    }

    fn take_out(&self, room: &str, identity: &str, reason: DisconnectReason) {
        self.tell(Command::Remove { room: room.to_owned(), identity: identity.to_owned(), reason });
    }

    /// Takes everybody out of a room.
    pub fn close_room(&self, room: &str) {
        self.tell(Command::CloseRoom { room: room.to_owned() });
    }

    /// From now on somebody may send this and nothing else.
    pub fn permit(&self, room: &str, identity: &str, may_send: MaySend) {
        self.tell(Command::Permit { room: room.to_owned(), identity: identity.to_owned(), may_send });
    }

    /// Mutes somebody's tracks of these sources; he may unmute himself.
    pub fn mute(&self, room: &str, identity: &str, sources: Vec<Source>) {
        self.tell(Command::Mute { room: room.to_owned(), identity: identity.to_owned(), sources });
    }

    fn tell(&self, command: Command) {
        match self.shared.commands.try_send(command) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(command)) => {
                // The shard is busy: the order is not lost, it waits in a task of its own.
                let commands = self.shared.commands.clone();
                tokio::spawn(async move { commands.send(command).await });
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }
}

/// How long a refreshed token lets in (LiveKit's servers give ten minutes at least).
pub(crate) const REFRESHED_TOKEN: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_holds_it_learns_that_its_thread_has_ended() {
        let (commands, queue) = mpsc::channel(1);
        let key = ApiKey { key: String::new(), secret: String::new() };
        let shared = Shared { commands, key, udp: ([127, 0, 0, 1], 0).into(), counters: Arc::default() };
        let sfu = Sfu { shared: Arc::new(shared) };
        assert!(tokio::time::timeout(Duration::from_millis(10), sfu.ended()).await.is_err());
        drop(queue);
        sfu.ended().await;
    }
}
