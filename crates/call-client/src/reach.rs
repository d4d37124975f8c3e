//! Whether the server one means answers at an address, as its host wants to know of the address outside.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use wire::Pin;

use crate::{error::ClientError, tls};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Who answers at an address, as far as this side can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// The server that is meant.
    Yes,
    /// Something else does.
    SomethingElse,
    /// Nothing does. Many routers let nobody of the inside come in from outside: somebody outside has to try.
    No,
}

/// Tries whether the server with this certificate answers at an address.
///
/// # Errors
/// When the TLS library cannot be set up.
pub async fn answers_at(address: SocketAddr, pin: Pin) -> Result<Answers, ClientError> {
    let config = tls::trusting(Some(pin)).map_err(|error| ClientError::Unreachable { why: error.to_string() })?;
    let tried = timeout(ANSWER, async {
        let Ok(stream) = TcpStream::connect(address).await else { return Answers::No };
        match TlsConnector::from(config).connect(address.ip().into(), stream).await {
            Ok(_) => Answers::Yes,
            Err(_) => Answers::SomethingElse,
        }
    });
    Ok(tried.await.unwrap_or(Answers::No))
}

/// Whether this is an address of the internet, and not of a home's network or a provider's own (RFC 1918, RFC 6598, RFC 3927,
/// RFC 4193).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let is_of_provider = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_link_local() || ip.is_loopback() || ip.is_unspecified() || is_of_provider)
        }
        IpAddr::V6(ip) => {
            !(ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback() || ip.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_network_inside_is_not_outside() {
        for (address, public) in [
            ("203.0.113.7", true),
            ("192.168.1.1", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.127.255.1", false),
            ("100.128.0.1", true),
            ("169.254.1.1", false),
            ("2001:db8::1", true),
            ("fd00::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
