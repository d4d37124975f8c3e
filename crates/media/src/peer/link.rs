//! One WebRTC connection and its sockets: datagrams in and out, and the time of its next wish.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdUdpSocket},
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcError,
    net::{Protocol, Receive, Transmit},
};
use tokio::net::UdpSocket;

/// Datagrams taken at once before others get their turn.
const BATCH: usize = 32;
/// Larger than any datagram on a path of 1,500 bytes.
const DATAGRAM: usize = 2048;

/// How often a connection may want the time it was just told.
const TURNS: u32 = 16;
/// When it is told again, if it wants it more often.
const SOON: Duration = Duration::from_millis(1);

/// A connection with a socket for each address of this machine: the local address of a datagram is then known, which
/// ICE needs. The two connections of a call do not share sockets: a server tells them apart by our address.
pub(super) struct Link {
    pub(super) rtc: Rtc,
    sockets: Vec<(UdpSocket, SocketAddr)>,
    pub(super) wake: Instant,
    /// What the connection has told, in order, until it is passed on.
    events: Vec<Event>,
    buffer: Vec<u8>,
}

impl Link {
    /// Binds sockets and makes their addresses known to the connection. Must run inside a tokio runtime.
    pub(super) fn new(mut rtc: Rtc, now: Instant) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for ip in own_addresses() {
            let socket = match StdUdpSocket::bind((ip, 0)) {
                Ok(socket) => socket,
                Err(error) => {
                    tracing::debug!(%ip, %error, "an address of this machine cannot be used");
                    continue;
                }
            };
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            if let Ok(candidate) = Candidate::host(address, "udp") {
                rtc.add_local_candidate(candidate);
            }
            sockets.push((UdpSocket::from_std(socket)?, address));
        }
        Ok(Self { rtc, sockets, wake: now, events: Vec::new(), buffer: vec![0; DATAGRAM] })
    }

    /// Waits until some socket has something to read.
    pub(super) async fn readable(&self) {
        std::future::poll_fn(|context| {
            let ready = self.sockets.iter().any(|(socket, _)| socket.poll_recv_ready(context).is_ready());
            if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }

    /// What it has told since the last time; `events` is empty, and room for more.
    pub(super) fn told(&mut self, events: Vec<Event>) -> Vec<Event> {
        std::mem::replace(&mut self.events, events)
    }

    /// Takes what has come.
    pub(super) fn receive(&mut self, now: Instant) -> Result<(), RtcError> {
        for index in 0..self.sockets.len() {
            for _ in 0..BATCH {
                let (socket, destination) = &self.sockets[index];
                let Ok((length, source)) = socket.try_recv_from(&mut self.buffer) else { break };
                let datagram = &self.buffer[..length];
                let Ok(receive) = Receive::new(Protocol::Udp, source, *destination, datagram) else { continue };
                let input = Input::Receive(now, receive);
                if self.rtc.accepts(&input) {
                    self.rtc.handle_input(input)?;
                    self.drain(now)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn timeout(&mut self, now: Instant) -> Result<(), RtcError> {
        self.rtc.handle_input(Input::Timeout(now))?;
        self.drain(now)
    }

    /// Sends and tells until the connection wants nothing more but time.
    pub(super) fn drain(&mut self, now: Instant) -> Result<(), RtcError> {
        let mut turns = 0;
        loop {
            match self.rtc.poll_output()? {
                Output::Transmit(transmit) => self.transmit(&transmit),
                Output::Event(event) => self.events.push(event),
                Output::Timeout(at) if at <= now && turns < TURNS => {
                    turns += 1;
                    self.rtc.handle_input(Input::Timeout(now))?;
                }
                Output::Timeout(at) => {
                    // A connection that wants the same moment again and again gets a later one, and the others a turn.
                    self.wake = if at <= now { now + SOON } else { at };
                    return Ok(());
                }
            }
        }
    }

    fn transmit(&self, transmit: &Transmit) {
        if let Some((socket, _)) = self.sockets.iter().find(|(_, address)| *address == transmit.source) {
            // A full socket buffer loses the datagram, as the network would.
            _ = socket.try_send_to(&transmit.contents, transmit.destination);
        }
    }
}

/// Every IPv4 address of this machine, loopback included: the media server may be on the same machine.
fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(IpAddr::is_ipv4).collect();
    addresses.sort();
    addresses.dedup();
    if addresses.is_empty() {
        addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    addresses
}
