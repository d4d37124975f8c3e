//! Who is connected and has not shown yet who he is: of one address so many at once.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Connections of one site on which nobody has shown a good token. Whoever has one is not counted: an office behind one
/// address has many devices.
const MOST: u32 = 64;

/// What of an address tells one visitor from another: whoever has an IPv6 address has a whole /64 of them.
pub(crate) fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// Everybody who is at the door, by site.
#[derive(Debug)]
pub(crate) struct Visitors {
    most: u32,
    there: Mutex<HashMap<IpAddr, u32>>,
}

/// One connection, as every request on it knows it.
#[derive(Debug, Clone)]
pub(crate) struct Visit(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    seat: Mutex<Option<Seat>>,
    asked: CancellationToken,
}

/// A place at the door; free again when it is dropped.
#[derive(Debug)]
struct Seat {
    visitors: Arc<Visitors>,
    site: IpAddr,
}

impl Visitors {
    pub(crate) fn new(limits_factor: NonZeroU32) -> Self {
        Self { most: MOST.saturating_mul(limits_factor.get()), there: Mutex::default() }
    }

    /// Somebody connects; nothing if too many of his site are there already. This machine itself is not counted:
    /// whatever stands before the server on it brings everybody.
    pub(crate) fn come(self: &Arc<Self>, address: IpAddr) -> Option<Visit> {
        let seat = if address.to_canonical().is_loopback() { None } else { Some(self.sit(site(address))?) };
        Some(Visit(Arc::new(Shown { seat: Mutex::new(seat), asked: CancellationToken::new() })))
    }

    fn sit(self: &Arc<Self>, site: IpAddr) -> Option<Seat> {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = there.entry(site).or_default();
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Seat { visitors: Arc::clone(self), site })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut there = self.visitors.there.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = there.get_mut(&self.site) {
            *taken -= 1;
            if *taken == 0 {
                there.remove(&self.site);
            }
        }
    }
}

impl Visit {
    /// Something was asked on the connection.
    pub(crate) fn has_asked(&self) {
        self.0.asked.cancel();
    }

    /// Until something is asked.
    pub(crate) async fn asked(&self) {
        self.0.asked.cancelled().await;
    }

    /// A good token was shown on it.
    pub(crate) fn is_known(&self) {
        drop(self.0.seat.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_site_holds_so_many_connections_until_they_end_or_show_who_they_are() {
        let visitors = Arc::new(Visitors::new(NonZeroU32::MIN));
        let come = |address: &str| visitors.come(at(address));
        let mut there: Vec<Visit> = (0..64).map(|_| come("192.0.2.7").unwrap()).collect();
        assert!(come("192.0.2.7").is_none());
        assert!(come("::ffff:192.0.2.7").is_none(), "the same address in other words");
        assert!(come("192.0.2.8").is_some(), "one site does not keep another out");
        there.pop();
        there.push(come("192.0.2.7").expect("one has gone"));
        there[0].is_known();
        there[0].is_known();
        there.push(come("192.0.2.7").expect("one is known"));
        assert!(come("192.0.2.7").is_none());
        for _ in 0..1_000 {
            there.push(come("127.0.0.1").expect("this machine itself is not counted"));
        }
        drop(there);
        assert!(visitors.there.lock().unwrap().is_empty(), "nothing is kept of who has gone");
    }

    #[test]
    fn a_customers_whole_ipv6_network_is_one_site() {
        assert_eq!(site(at("2001:db8:1:2:3:4:5:6")), site(at("2001:db8:1:2::1")));
        assert_ne!(site(at("2001:db8:1:2::1")), site(at("2001:db8:1:3::1")));
        assert_eq!(site(at("::ffff:192.0.2.7")), at("192.0.2.7"));
    }
}
