//! Where events may be sent: whoever registers a hook must not make the server talk to what only the server can reach.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;
use url::{Host, Url};
use wire::ErrorBody;

/// Where hooks may lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// `https` on public addresses.
    #[default]
    Public,
    /// Anywhere, this machine and its own network included, also without TLS.
    Anywhere,
}

/// A hook's URL, if it may lie there.
pub(crate) fn check_url(text: &str, reach: Reach) -> Result<Url, ErrorBody> {
    let invalid = |rule: &str| ErrorBody::invalid("url", rule);
    if text.len() > 2_000 {
        return Err(invalid("a URL has 2,000 characters at most"));
    }
    let url = Url::parse(text).map_err(|error| invalid(&format!("this is not a URL ({error})")))?;
    let allowed: &[&str] = if reach == Reach::Anywhere { &["https", "http"] } else { &["https"] };
    if !allowed.contains(&url.scheme()) {
        return Err(invalid("it must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it must hold no user or password: deliveries are signed instead"));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(invalid("it must name a host")),
    };
    if reach == Reach::Public && address.is_some_and(|address| !is_public(address)) {
        return Err(invalid("the address is not a public one: the server's operator can allow that"));
    }
    Ok(url)
}

/// Looks names up when something is sent, and passes over what is not public then: a name may mean anything by now.
#[derive(Debug)]
pub(super) struct Lookup(pub(super) Reach);

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable = found.filter(|address| reach == Reach::Anywhere || is_public(address.ip()));
            let usable: Vec<SocketAddr> = usable.collect();
            if usable.is_empty() {
                let message = "the name has no public address: the server's operator can allow others";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, message).into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the registry of special addresses (RFC 6890 and its successors).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // "This network", shared addresses of providers, IETF protocols, benchmarks, the reserved rest with broadcast.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4() {
        // Mapped and compatible addresses are the others in disguise; ::1 and :: are among the latter.
        return is_public_v4(inner) && address.to_ipv4_mapped().is_some();
    }
    let [first, second, ..] = address.segments();
    let octets = address.octets();
    let embedded = match first {
        // 6to4, and the translation of 64:ff9b::/96.
        0x2002 => Some(Ipv4Addr::new(octets[2], octets[3], octets[4], octets[5])),
        0x64 if second == 0xff9b => Some(Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15])),
        _ => None,
    };
    match embedded {
        Some(inner) => is_public_v4(inner),
        // Only 2000::/3 is given out; of it, Teredo and the rest of 2001::/23 and documentation are not for this.
        None => {
            first & 0xe000 == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8)) && first != 0x3fff
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_everybody_reaches_are_public() {
        for (address, public) in [
            ("93.184.215.14", true),
            ("2606:2800:220:1::1", true),
            ("::ffff:93.184.215.14", true),
            ("64:ff9b::5db8:d70e", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("192.0.0.8", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::7f00:1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("64:ff9b::7f00:1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn a_url_that_leads_inside_is_refused_unless_the_operator_allows_it() {
        for inside in [
            "http://shop.example/hook",
            "https://127.0.0.1/hook",
            "https://[::1]/hook",
            "https://169.254.169.254/latest/meta-data",
            "https://2130706433/hook",
            "https://0x7f.1/hook",
            "https://[::ffff:10.0.0.1]/hook",
        ] {
            assert_eq!(check_url(inside, Reach::Public).unwrap_err().field.as_deref(), Some("url"), "{inside}");
            assert!(check_url(inside, Reach::Anywhere).is_ok(), "{inside}");
        }
        for never in ["", "shop.example", "file:///etc/passwd", "gopher://shop.example", "https://ann:x@shop.example/"]
        {
            assert!(check_url(never, Reach::Anywhere).is_err(), "{never}");
        }
        assert!(check_url("https://shop.example/hook?x=1", Reach::Public).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_passed_over_when_it_is_looked_up() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(Lookup(Reach::Public).resolve(name()).await.is_err());
        assert!(Lookup(Reach::Anywhere).resolve(name()).await.is_ok_and(|mut found| found.next().is_some()));
    }
}
