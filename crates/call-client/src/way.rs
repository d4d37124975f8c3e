//! Notices that the way to the server has become another one: a cable, another Wi-Fi, a VPN.
//!
//! The system is asked by which of its own addresses packets would leave. That is one lookup in the routing table and
//! sends nothing; it says what a list of interfaces does not: whether a change concerns this connection.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

/// How often to look. A change is noticed within this time, and the machine wakes for nothing else.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// Stands for the outside while the server's own address is not known (reserved for documentation, RFC 5737).
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The way that was seen last.
#[derive(Debug)]
pub(crate) struct Way {
    towards: IpAddr,
    by: Option<IpAddr>,
}

impl Way {
    /// The way of a connection, or the way outside while there is none.
    pub(crate) fn towards(peer: Option<SocketAddr>) -> Self {
        let towards = peer.map_or(OUTSIDE, |peer| peer.ip());
        Self { towards, by: source(towards) }
    }

    /// Whether it is another than the last time. A way that is gone is none: what was lost may come back as it was.
    pub(crate) fn has_changed(&mut self) -> bool {
        let now = source(self.towards);
        self.follows(now)
    }

    fn follows(&mut self, now: Option<IpAddr>) -> bool {
        let before = std::mem::replace(&mut self.by, now);
        now.is_some() && now != before
    }
}

fn source(towards: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if towards.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((towards, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_network_is_noticed_and_a_hole_in_the_same_one_when_it_closes() {
        let (home, phone): (IpAddr, IpAddr) = ("192.168.1.7".parse().unwrap(), "172.20.10.2".parse().unwrap());
        let mut way = Way { towards: OUTSIDE, by: Some(home) };
        assert!(!way.follows(Some(home)));
        assert!(way.follows(Some(phone)), "another Wi-Fi");
        assert!(!way.follows(Some(phone)));
        assert!(!way.follows(None), "nothing to connect by");
        assert!(!way.follows(None));
        assert!(way.follows(Some(phone)), "there again: tried at once");
    }

    #[test]
    fn the_system_knows_the_way_to_this_machine() {
        let mut here = Way::towards(Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(here.by, Some(Ipv4Addr::LOCALHOST.into()));
        assert!(!here.has_changed());
    }
}
