//! The server announces itself on its network (DNS-SD over mDNS, RFC 6762 and 6763).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use tokio::time::timeout;
use wire::{MDNS_SERVICE, Pin};

/// Longest value of a line of a TXT record, with its key, in bytes.
const LONGEST_VALUE: usize = 200;
/// Longest part of a name on the network that comes of the server's, in bytes: a label has 63, and more is added.
const LONGEST_NAME: usize = 48;
/// How long taking it back may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// An announcement, until it is taken back or dropped.
pub(crate) struct Announcement {
    daemon: ServiceDaemon,
    instance: String,
}

impl Announcement {
    /// Tells the network of a server: its name, where it listens, and the fingerprint invites name. `identity` tells it
    /// from others of the same name.
    pub(crate) fn begin(
        name: &str,
        listens: SocketAddr,
        pin: Option<Pin>,
        identity: &Pin,
    ) -> Result<Self, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        let tag = identity.0[..4].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let instance = format!("{} ({tag})", shortened(name, LONGEST_NAME));
        let host = format!("bellbird-{tag}.local.");
        let pin = pin.map(|pin| pin.to_string());
        let mut lines = vec![("name", shortened(name, LONGEST_VALUE)), ("v", "1")];
        lines.extend(pin.as_deref().map(|pin| ("pin", pin)));
        let everywhere = listens.ip().is_unspecified();
        let addresses: &[IpAddr] = if everywhere { &[] } else { &[listens.ip()] };
        let mut service =
            ServiceInfo::new(MDNS_SERVICE, &instance, &host, addresses, listens.port(), lines.as_slice())?;
        if everywhere {
            service = service.enable_addr_auto();
        } else {
            // Who hears of it elsewhere could not reach it.
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(IfKind::Addr(listens.ip()))?;
        }
        let instance = service.get_fullname().to_owned();
        daemon.register(service)?;
        Ok(Self { daemon, instance })
    }

    /// Takes it back: others forget the server at once, and not when what they know is too old.
    pub(crate) async fn end(self) {
        if let Ok(done) = self.daemon.unregister(&self.instance) {
            _ = timeout(FAREWELL, done.recv_async()).await;
        }
    }
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Announcement").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        _ = self.daemon.shutdown();
    }
}

fn shortened(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_letters() {
        assert_eq!(shortened("Büro", 2), "B");
        assert_eq!(shortened("Büro", 3), "Bü");
        assert_eq!(shortened("Büro", 48), "Büro");
    }
}
