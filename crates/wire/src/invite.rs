//! The link that lets a person in: `bellbird://join/HOST:PORT/CODE?pin=PIN`.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::InviteCode;

/// As what servers announce themselves on their network (DNS-SD).
pub const MDNS_SERVICE: &str = "_bellbird._tcp.local.";

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    /// Host name, IPv4 address, or IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl ServerAddress {
    /// TLS is left out only on loopback.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for ServerAddress {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let (host, port) = text.rsplit_once(':').ok_or(InviteError::Address)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok()),
            None => {
                Some(host).filter(|host| host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')))
            }
        };
        let host = host.filter(|host| !host.is_empty() && host.len() <= 253).ok_or(InviteError::Address)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(InviteError::Address)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

/// SHA-256 of a server's certificate (DER), by which a device knows it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

impl fmt::Display for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for Pin {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InviteError::Pin)?;
        bytes.try_into().map(Self).map_err(|_| InviteError::Pin)
    }
}

/// An invite, as link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Where the server is.
    pub server: ServerAddress,
    /// The secret.
    pub code: InviteCode,
    /// The certificate to expect; absent on loopback and for servers with a public certificate.
    pub pin: Option<Pin>,
}

/// A text is not an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Something else altogether.
    #[error("this is not a Bellbird invite: it should begin with bellbird://join/")]
    Form,
    /// The address is damaged.
    #[error("the invite's server address is damaged: ask for the link again")]
    Address,
    /// The code is damaged.
    #[error("the invite's code is damaged: ask for the link again")]
    Code,
    /// The certificate's fingerprint is damaged.
    #[error("the invite's fingerprint is damaged: ask for the link again")]
    Pin,
}

impl fmt::Display for Invite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bellbird://join/{}/{}", self.server, self.code)?;
        match &self.pin {
            Some(pin) => write!(formatter, "?pin={pin}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let rest = text.trim().strip_prefix("bellbird://join/").ok_or(InviteError::Form)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, code) = path.split_once('/').ok_or(InviteError::Form)?;
        let pin = query.split('&').find_map(|pair| pair.strip_prefix("pin=")).map(str::parse).transpose()?;
        let code = code.trim_end_matches('/').parse().map_err(|_| InviteError::Code)?;
        Ok(Self { server: server.parse()?, code, pin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_survives_the_link() {
        for server in ["127.0.0.1:7480", "[::1]:7480", "calls.example.org:443"] {
            for pin in [None, Some(Pin([7; 32]))] {
                let invite = Invite { server: server.parse().unwrap(), code: "k7f9-qp".parse().unwrap(), pin };
                assert_eq!(invite.to_string().parse(), Ok(invite));
            }
        }
    }

    #[test]
    fn damage_is_named() {
        let parse = |text: &str| text.parse::<Invite>().unwrap_err();
        assert_eq!(parse("https://example.org"), InviteError::Form);
        assert_eq!(parse("bellbird://join/host/code"), InviteError::Address);
        assert_eq!(parse("bellbird://join/host:0/code"), InviteError::Address);
        assert_eq!(parse("bellbird://join/host:1/c de"), InviteError::Code);
        assert_eq!(parse("bellbird://join/host:1/code?pin=short"), InviteError::Pin);
    }
}
