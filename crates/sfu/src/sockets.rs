//! The UDP sockets: one an address, one port for all; they follow the addresses of this machine.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::net::UdpSocket;

/// One socket an address: the local address of a datagram is then known, which ICE needs.
#[derive(Default)]
pub(crate) struct Sockets {
    sockets: Vec<Socket>,
    port: u16,
    /// Addresses that clients are told; all if empty.
    told: Vec<IpAddr>,
    /// Addresses of others that lead here.
    outside: Vec<SocketAddr>,
    /// Listening on every address of this machine, whichever it has at the moment.
    follows: bool,
    counters: Arc<Counters>,
}

/// Datagrams in and out since the start, for whoever wants to know.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

struct Socket {
    socket: UdpSocket,
    address: SocketAddr,
}

/// What changed about the addresses that clients are told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) come: Vec<SocketAddr>,
    pub(crate) gone: Vec<SocketAddr>,
}

impl Sockets {
    /// Must run inside a tokio runtime.
    pub(crate) fn bind(udp: SocketAddr, told: Vec<IpAddr>, outside: Vec<SocketAddr>) -> io::Result<Self> {
        let follows = udp.ip().is_unspecified();
        let counters = Arc::default();
        let mut sockets = Self { sockets: Vec::new(), port: udp.port(), told, outside, follows, counters };
        if follows {
            for ip in own_addresses() {
                match sockets.add(ip) {
                    Ok(_) => {}
                    Err(error) if sockets.sockets.is_empty() => return Err(error),
                    Err(error) => warn(ip, &error),
                }
            }
        } else {
            sockets.add(udp.ip())?;
        }
        Ok(sockets)
    }

    fn add(&mut self, ip: IpAddr) -> io::Result<SocketAddr> {
        let socket = StdUdpSocket::bind((ip, self.port))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        self.port = address.port();
        self.sockets.push(Socket { socket: UdpSocket::from_std(socket)?, address });
        Ok(address)
    }

    /// Where it listens; the first address if there are several.
    pub(crate) fn listening(&self) -> Option<SocketAddr> {
        self.sockets.first().map(|socket| socket.address)
    }

    /// The addresses that clients are told.
    pub(crate) fn candidates(&self) -> Vec<SocketAddr> {
        let mut candidates: Vec<SocketAddr> =
            self.sockets.iter().map(|socket| socket.address).filter(|address| self.is_told(*address)).collect();
        for address in &self.outside {
            if !candidates.contains(address) {
                candidates.push(*address);
            }
        }
        candidates
    }

    fn is_told(&self, address: SocketAddr) -> bool {
        self.told.is_empty() || self.told.contains(&address.ip())
    }

    /// Looks which addresses this machine has now: after sleep, or on another network, they are others.
    pub(crate) fn look(&mut self) -> Change {
        if self.follows { self.follow(&own_addresses()) } else { Change::default() }
    }

    fn follow(&mut self, addresses: &[IpAddr]) -> Change {
        let mut change = Change::default();
        if addresses.is_empty() {
            // Between two networks, or the system did not say: what there is may yet be of use.
            return change;
        }
        self.sockets.retain(|socket| {
            let stays = addresses.contains(&socket.address.ip());
            if !stays {
                change.gone.push(socket.address);
            }
            stays
        });
        for ip in addresses {
            if self.sockets.iter().any(|socket| socket.address.ip() == *ip) {
                continue;
            }
            match self.add(*ip) {
                Ok(address) => change.come.push(address),
                Err(error) => warn(*ip, &error),
            }
        }
        change.come.retain(|address| self.is_told(*address));
        change.gone.retain(|address| self.is_told(*address));
        change
    }

    /// Waits until some socket has something to read.
    pub(crate) async fn readable(&self) {
        std::future::poll_fn(|context| {
            let ready = self.sockets.iter().any(|socket| socket.socket.poll_recv_ready(context).is_ready());
            if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    pub(crate) fn count(&self) -> usize {
        self.sockets.len()
    }

    /// What one socket has got: length, source, and the address it came to. `None` when there is nothing more; an ICMP
    /// error of an earlier send looks the same, and says nothing about this socket.
    pub(crate) fn receive(&self, index: usize, buffer: &mut [u8]) -> Option<(usize, SocketAddr, SocketAddr)> {
        let Socket { socket, address } = self.sockets.get(index)?;
        let (length, source) = socket.try_recv_from(buffer).ok()?;
        self.counters.received.fetch_add(1, Ordering::Relaxed);
        Some((length, source, *address))
    }

    /// Sends; a full socket buffer loses the datagram, as the network would.
    pub(crate) fn send(&self, source: SocketAddr, destination: SocketAddr, datagram: &[u8]) {
        if let Some(socket) = self.sockets.iter().find(|socket| socket.address == source) {
            _ = socket.socket.try_send_to(datagram, destination);
            self.counters.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Every IPv4 address of this machine; none if the system does not say.
fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = Vec::new();
    for ip in interfaces.iter().map(if_addrs::Interface::ip).filter(IpAddr::is_ipv4) {
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    addresses
}

fn warn(address: IpAddr, error: &io::Error) {
    tracing::warn!(%address, %error, "an address of this machine cannot be used for media");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of 127.0.0.0/8 is there on Linux.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_comes_is_bound_to_the_same_port_and_one_that_goes_is_dropped() -> io::Result<()> {
        let ip = |last: u8| IpAddr::from([127, 0, 0, last]);
        let mut sockets = Sockets { port: 0, follows: true, ..Sockets::default() };
        let first = sockets.follow(&[ip(11)]).come[0];
        let second = SocketAddr::new(ip(12), first.port());
        assert_eq!(sockets.follow(&[ip(11), ip(12)]), Change { come: vec![second], gone: vec![] });
        assert_eq!(sockets.follow(&[]), Change::default(), "nothing is given up for nothing");
        assert_eq!(sockets.follow(&[ip(12)]), Change { come: vec![], gone: vec![first] });
        assert_eq!(sockets.candidates(), [second]);
        let client = UdpSocket::bind((ip(13), 0)).await?;
        client.send_to(b"hello", second).await?;
        sockets.readable().await;
        let mut buffer = [0; 16];
        assert_eq!(sockets.receive(0, &mut buffer), Some((5, client.local_addr()?, second)));
        assert_eq!(sockets.counters().received.load(Ordering::Relaxed), 1);
        assert!(StdUdpSocket::bind(first).is_ok(), "the old one is closed");
        Ok(())
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn clients_are_told_only_the_chosen_addresses() {
        let ip = |last: u8| IpAddr::from([127, 0, 0, last]);
        let outside = vec!["203.0.113.7:7480".parse().unwrap()];
        let mut sockets = Sockets { told: vec![ip(22)], outside: outside.clone(), follows: true, ..Sockets::default() };
        assert_eq!(sockets.follow(&[ip(21)]), Change::default());
        assert_eq!(sockets.candidates(), outside, "what leads here from outside is told always");
        let come = sockets.follow(&[ip(21), ip(22)]).come;
        assert_eq!(sockets.candidates(), [come[0], outside[0]]);
    }
}
