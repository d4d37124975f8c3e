//! Notices that the way to the server has become another one: a cable, another Wi-Fi, a VPN.
//!
//! The system is asked by which of its own addresses packets would leave. That is one lookup in the routing table and
//! sends nothing; it says what a list of interfaces does not: whether a change concerns this connection.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often to look. A change is noticed within this time, and the machine wakes for nothing else.
const LOOK: Duration = Duration::from_secs(2);
/// Stands for the outside while the server's own address is not known (reserved for documentation, RFC 5737).
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The way that was seen last.
#[derive(Debug)]
pub(crate) struct Way {
    towards: IpAddr,
    by: Option<IpAddr>,
    look: Interval,
}

impl Way {
    /// The way outside, for as long as there is no connection.
    pub(crate) fn outside() -> Self {
        Self::towards(OUTSIDE, source(OUTSIDE))
    }

    fn towards(towards: IpAddr, by: Option<IpAddr>) -> Self {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { towards, by, look }
    }

    /// From now on the way of a connection, or the way outside while there is none.
    pub(crate) fn lead_to(&mut self, peer: Option<SocketAddr>) {
        self.towards = peer.map_or(OUTSIDE, |peer| peer.ip());
        self.by = source(self.towards);
    }

    /// Waits until it is another.
    pub(crate) async fn changed(&mut self) {
        loop {
            self.look.tick().await;
            if self.has_changed() {
                return;
            }
        }
    }

    /// Whether it is another than the last time. A way that is gone is none: what was lost may come back as it was.
    pub(crate) fn has_changed(&mut self) -> bool {
        let now = source(self.towards);
        self.follows(now)
    }

    /// As if another network had been there when it was looked at last, just now.
    #[cfg(test)]
    pub(crate) fn left_behind() -> Self {
        let elsewhere = Ipv4Addr::new(198, 51, 100, 1).into();
        let mut way = Self::towards(Ipv4Addr::LOCALHOST.into(), Some(elsewhere));
        way.look.reset();
        way
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

    #[tokio::test]
    async fn another_network_is_noticed_and_a_hole_in_the_same_one_when_it_closes() {
        let (home, phone): (IpAddr, IpAddr) = ("192.168.1.7".parse().unwrap(), "172.20.10.2".parse().unwrap());
        let mut way = Way::towards(OUTSIDE, Some(home));
        assert!(!way.follows(Some(home)));
        assert!(way.follows(Some(phone)), "another Wi-Fi");
        assert!(!way.follows(Some(phone)));
        assert!(!way.follows(None), "nothing to connect by");
        assert!(!way.follows(None));
        assert!(way.follows(Some(phone)), "there again: tried at once");
    }

    #[tokio::test]
    async fn the_system_knows_the_way_to_this_machine() {
        let mut here = Way::outside();
        here.lead_to(Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(here.by, Some(Ipv4Addr::LOCALHOST.into()));
        assert!(!here.has_changed());
    }
}
