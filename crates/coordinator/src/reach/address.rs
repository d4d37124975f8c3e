//! By which addresses others come to this machine.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use tokio::{net::lookup_host, time::timeout};

use wire::ServerAddress;

use super::router::{Outside, RouterError};
use crate::error::StartError;

/// A start waits so long for a name server.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(5);

/// The address with a port that is free now, where any would do: the router has to be told which.
pub(crate) fn with_a_port(udp: SocketAddr) -> std::io::Result<SocketAddr> {
    if udp.port() != 0 {
        return Ok(udp);
    }
    Ok(SocketAddr::new(udp.ip(), UdpSocket::bind(udp)?.local_addr()?.port()))
}

/// Addresses of others by which sound and picture come to this machine: those of the router, and of whatever stands
/// before a rented machine. Names are looked up once.
pub(crate) async fn outside_media(
    advertised: &[String],
    outside: Option<&Result<Outside, RouterError>>,
    udp: u16,
) -> Vec<SocketAddr> {
    let mut addresses = BTreeSet::new();
    for host in advertised.iter().filter(|_| udp != 0) {
        match timeout(LOOKED_UP_WITHIN, lookup_host((host.as_str(), udp))).await {
            Ok(Ok(found)) => addresses.extend(found),
            Ok(Err(error)) => not_looked_up(host, &error.to_string()),
            Err(_) => not_looked_up(host, "no answer"),
        }
    }
    let mapped = outside.and_then(|outside| outside.as_ref().ok());
    addresses.extend(mapped.map(|to| SocketAddr::new(to.address, to.udp)));
    addresses.into_iter().collect()
}

fn not_looked_up(host: &str, why: &str) {
    tracing::warn!(host, why, "sound and picture may not come from outside: give its address with --advertise as well");
}

/// Invites name the first of them, and whoever reads an invite takes a host alone.
pub(crate) fn check_advertised(hosts: &[String]) -> Result<(), StartError> {
    let is_host = |host: &&String| {
        let address = ServerAddress { host: (*host).clone(), port: 1 };
        address.to_string().parse().is_ok_and(|read: ServerAddress| read == address)
    };
    match hosts.iter().find(|host| !is_host(host)) {
        Some(host) => Err(StartError::Advertise { host: host.clone() }),
        None => Ok(()),
    }
}

/// The host that others reach this server by.
pub(crate) fn advertised(wished: &[String], listening: SocketAddr) -> String {
    if let Some(host) = wished.first() {
        return host.clone();
    }
    if !listening.ip().is_unspecified() {
        return listening.ip().to_string();
    }
    own_address().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_string()
}

/// The address of the interface that leads outside. Connecting a UDP socket sends nothing: it only asks the routing
/// table (192.0.2.1 is reserved for documentation, RFC 5737).
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sound_and_picture_come_by_every_address_of_every_name_that_is_advertised() {
        let given = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
        let told = outside_media(&given(&["localhost", "203.0.113.7", "nowhere.invalid"]), None, 7_481).await;
        assert!(told.contains(&"127.0.0.1:7481".parse().unwrap()), "{told:?}");
        assert!(told.contains(&"203.0.113.7:7481".parse().unwrap()), "{told:?}");
        assert!(outside_media(&given(&["localhost"]), None, 0).await.is_empty(), "no port is known");
    }

    #[test]
    fn invites_name_a_host_and_nothing_else() {
        for good in ["calls.example.org", "localhost", "192.0.2.7", "2001:db8::7"] {
            assert!(check_advertised(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in
            ["", "https://calls.example.org", "calls.example.org:443", "[2001:db8::7]", "calls/", "a b", "fe80::1%eth0"]
        {
            let refused = check_advertised(&["calls.example.org".to_owned(), bad.to_owned()]);
            assert!(refused.is_err_and(|error| error.to_string().contains(bad)), "{bad}");
        }
    }
}
