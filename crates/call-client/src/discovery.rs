//! The servers that announce themselves on this network (DNS-SD over mDNS, RFC 6762 and 6763).

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::sync::watch;
use wire::{MDNS_SERVICE, NAME, Pin, ServerAddress};

/// A server that announces itself. What it says is not proof of anything: joining checks who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// Its name, for people.
    pub name: String,
    /// Where it is.
    pub address: ServerAddress,
    /// The certificate it says it has; absent for one that is known by its host's name.
    pub pin: Option<Pin>,
}

/// Searching is not possible here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this machine cannot look for servers on its network ({why}): name the server's address instead")]
pub struct DiscoveryError {
    /// The system's words.
    why: String,
}

/// A search that goes on until it is dropped.
pub struct Search {
    daemon: ServiceDaemon,
    found: watch::Receiver<Vec<FoundServer>>,
}

impl Search {
    /// Begins to look. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// When there is no network to look at.
    pub fn begin() -> Result<Self, DiscoveryError> {
        let failed = |error: mdns_sd::Error| DiscoveryError { why: error.to_string() };
        let daemon = ServiceDaemon::new().map_err(failed)?;
        let events = daemon.browse(MDNS_SERVICE).map_err(failed)?;
        let (sender, found) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut servers: BTreeMap<String, FoundServer> = BTreeMap::new();
            // Ends with the daemon.
            while let Ok(event) = events.recv_async().await {
                match event {
                    ServiceEvent::ServiceResolved(service) => match found_server(&service) {
                        Some(server) => _ = servers.insert(service.fullname.clone(), server),
                        None => tracing::debug!(service = service.fullname, "what announces itself is no server"),
                    },
                    ServiceEvent::ServiceRemoved(_, name) => _ = servers.remove(&name),
                    // Steps of the search.
                    _ => continue,
                }
                sender.send_replace(servers.values().cloned().collect());
            }
        });
        Ok(Self { daemon, found })
    }

    /// Everybody found so far, by name; changes as servers come and go.
    #[must_use]
    pub fn found(&self) -> watch::Receiver<Vec<FoundServer>> {
        self.found.clone()
    }
}

impl std::fmt::Debug for Search {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Search").field("found", &*self.found.borrow()).finish_non_exhaustive()
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        // It ends by itself all the same, with the program.
        _ = self.daemon.shutdown();
    }
}

/// Looks for a while.
///
/// # Errors
/// When there is no network to look at.
pub async fn find_servers(within: Duration) -> Result<Vec<FoundServer>, DiscoveryError> {
    let search = Search::begin()?;
    tokio::time::sleep(within).await;
    let found = search.found.borrow().clone();
    Ok(found)
}

fn found_server(service: &ResolvedService) -> Option<FoundServer> {
    let addresses = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
    // An address of this machine alone only for a server that has no other.
    let address = addresses.filter(is_usable).min_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip))?;
    let address = ServerAddress { host: address.to_string(), port: service.port };
    let name = service.get_property_val_str("name").and_then(|name| NAME.check(name));
    let pin = service.get_property_val_str("pin").and_then(|pin| pin.parse().ok());
    Some(FoundServer { name: name.unwrap_or("Bellbird").to_owned(), address, pin })
}

/// Link-local addresses of IPv6 mean nothing without an interface, which no invite names.
fn is_usable(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_unicast_link_local(),
    }
}
