//! The ports that the router holds open for this server: asked for again while it runs, and given back at its end.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::router::OpenPorts;

/// After a router that did not answer, how long until it is asked again.
const RETRY: Duration = Duration::from_secs(60);
/// How long giving the ports back may take; they close by themselves as well.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps the ports until told to stop, and gives them back then.
pub(crate) async fn keep(mut ports: OpenPorts, stop: CancellationToken) {
    let mut wait = ports.renew_in();
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => break,
        }
        let before = ports.outside;
        wait = match ports.renew().await {
            Ok(()) => ports.renew_in(),
            Err(error) => {
                tracing::warn!(%error, "the router does not hold the ports open any more; it is asked again");
                RETRY.min(ports.renew_in())
            }
        };
        if ports.outside != before {
            let (address, tcp, udp) = (ports.outside.address, ports.outside.tcp, ports.outside.udp);
            tracing::warn!(%address, tcp, udp, "the address outside is another now: start the server anew to tell devices");
        }
    }
    if timeout(FAREWELL, ports.give_back()).await.is_err() {
        tracing::info!("the router did not take the ports back in time; they close by themselves");
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, num::NonZeroU16};

    use super::*;
    use crate::{
        Config, Server,
        reach::{
            Inside, Router, RouterProtocol,
            fake_router::{FakeRouter, Speaks},
        },
    };

    async fn until(what: &str, is: impl Fn() -> bool) {
        let waiting = async {
            while !is() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), waiting).await.unwrap_or_else(|_| panic!("{what}: does not happen"));
    }

    #[tokio::test]
    async fn ports_are_asked_for_again_before_the_router_forgets_them_and_given_back() {
        let fake = FakeRouter::start(11, Speaks::Pcp, Ipv4Addr::new(203, 0, 113, 7)).await;
        let inside = Inside { tcp: NonZeroU16::new(7480).unwrap(), udp: NonZeroU16::new(7480).unwrap() };
        let ports = Router::At(fake.address.into()).open(inside).await.unwrap();
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep(ports, stop.clone()));
        // The router's leases are of two seconds.
        until("they are asked for again", || fake.asked() >= 6).await;
        stop.cancel();
        keeping.await.unwrap();
        assert!(fake.open().is_empty());
    }

    #[tokio::test]
    async fn a_server_is_let_in_to_from_outside_and_gives_the_ports_back_at_its_end() {
        let fake = FakeRouter::start(12, Speaks::NatPmp, Ipv4Addr::LOCALHOST).await;
        let folder = tempfile::tempdir().unwrap();
        let map_ports = Some(Router::At(fake.address.into()));
        let server = Server::start(Config { map_ports, ..Config::new(folder.path().join("a")) }).await.unwrap();
        let outside = *server.outside().unwrap().as_ref().unwrap();
        assert_eq!((outside.by, outside.tcp), (RouterProtocol::NatPmp, server.address().port()));
        assert_eq!(outside.udp, server.media_address().port(), "sound and picture come in as well");
        assert_eq!(server.reachable().port, outside.tcp, "invites name the outside");
        server.shutdown().await;
        assert!(fake.open().is_empty(), "given back");
    }
}
