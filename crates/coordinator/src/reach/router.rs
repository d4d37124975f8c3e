//! The router lets the outside in: ports of it lead to this server while it runs. Asked for by PCP (RFC 6887), NAT-PMP
//! (RFC 6886) or UPnP's Internet Gateway Device, whichever the router speaks.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    num::NonZeroU16,
    time::Duration,
};

use crab_nat::{
    InternetProtocol, MappingFailure, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig, natpmp, pcp,
};
use igd_next::{
    AddPortError, PortMappingProtocol, SearchOptions,
    aio::{Gateway, tokio::Tokio, tokio::search_gateway},
};

/// Routers grant any time, also none at all.
const SOONEST: Duration = Duration::from_secs(1);
/// How long the router is asked to keep a port open; it is asked again long before.
const LEASE: Duration = Duration::from_secs(3600);
/// A router answers within milliseconds; the waits of the RFCs are for much worse networks than a home's.
const PATIENCE: TimeoutConfig =
    TimeoutConfig { initial_timeout: Duration::from_millis(250), max_retries: 2, max_retry_timeout: None };
/// How long a router may take to be found by UPnP.
const SEARCH: Duration = Duration::from_secs(3);
/// Port of UPnP's search (SSDP).
const SSDP: u16 = 1900;
/// What the router's own page shows.
const DESCRIPTION: &str = "Bellbird";

/// Which router to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router {
    /// The one that leads outside.
    Default,
    /// The one at this address.
    At(IpAddr),
}

/// By which protocol a router was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouterProtocol {
    /// Port Control Protocol.
    Pcp,
    /// NAT Port Mapping Protocol.
    NatPmp,
    /// Universal Plug and Play.
    Upnp,
}

/// The router does not let the outside in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// None answered.
    #[error(
        "no router answered by PCP, NAT-PMP or UPnP: switch one of them on at its own page, or forward the TCP and the \
         UDP port to this computer there"
    )]
    Silent,
    /// It answered, and said no.
    #[error("the router refused to open a port ({0}): look at its own page, or forward the ports there")]
    Refused(String),
}

/// Ports of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inside {
    pub(crate) tcp: NonZeroU16,
    pub(crate) udp: NonZeroU16,
}

/// Where the outside comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside {
    /// The router's address, as the outside sees it.
    pub address: IpAddr,
    /// Its TCP port that leads to the server.
    pub tcp: u16,
    /// Its UDP port that leads to the server.
    pub udp: u16,
    /// How it was asked.
    pub by: RouterProtocol,
}

/// Ports that are open, until they are given back.
#[derive(Debug)]
pub(crate) struct OpenPorts {
    pub(crate) outside: Outside,
    lease: Duration,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Pmp { tcp: PortMapping, udp: PortMapping },
    Upnp { gateway: Gateway<Tokio>, tcp: SocketAddr, udp: SocketAddr },
}

impl Router {
    /// Has the router open the ports.
    pub(crate) async fn open(self, inside: Inside) -> Result<OpenPorts, RouterError> {
        let mut refusal = None;
        if let Some(gateway) = self.gateway() {
            match open_by_pmp(gateway, inside).await {
                Ok(open) => return Ok(open),
                Err(RouterError::Silent) => {}
                Err(refused @ RouterError::Refused(_)) => refusal = Some(refused),
            }
        }
        match open_by_upnp(self, inside).await {
            Err(RouterError::Silent) => Err(refusal.unwrap_or(RouterError::Silent)),
            other => other,
        }
    }

    /// The address that the outside sees, without opening anything.
    ///
    /// # Errors
    /// When no router answers.
    pub async fn outside_address(self) -> Result<(IpAddr, RouterProtocol), RouterError> {
        if let Some(gateway) = self.gateway()
            && let Ok(address) = natpmp::external_address(gateway.into(), Some(PATIENCE)).await
        {
            return Ok((address.into(), RouterProtocol::NatPmp));
        }
        let gateway = self.search().await?;
        match gateway.get_external_ip().await {
            Ok(address) => Ok((address, RouterProtocol::Upnp)),
            Err(error) => Err(RouterError::Refused(error.to_string())),
        }
    }

    fn gateway(self) -> Option<IpAddr> {
        match self {
            Self::At(address) => Some(address),
            Self::Default => default_gateway(),
        }
    }

    async fn search(self) -> Result<Gateway<Tokio>, RouterError> {
        let mut options = SearchOptions::default();
        (options.timeout, options.single_search_timeout) = (Some(SEARCH), Some(SEARCH));
        if let Self::At(address) = self {
            options.broadcast_address = (address, SSDP).into();
            // Who was named is trusted, wherever he is.
            options.allowed_gateway_ips = vec![address];
        }
        search_gateway(options).await.map_err(|error| {
            tracing::debug!(%error, "no router was found by UPnP");
            RouterError::Silent
        })
    }
}

async fn open_by_pmp(gateway: IpAddr, inside: Inside) -> Result<OpenPorts, RouterError> {
    let client = own_address_towards(gateway).ok_or(RouterError::Silent)?;
    let open = async |protocol, port: NonZeroU16| {
        let options = PortMappingOptions {
            external_port: Some(port),
            lifetime_seconds: Some(u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX)),
            timeout_config: Some(PATIENCE),
        };
        let opened = match PortMapping::new(gateway.into(), client, protocol, port, options).await {
            // Some that speak NAT-PMP have never heard of its next version, and say nothing.
            Err(MappingFailure::Pcp(pcp::Failure::Timeout)) => {
                natpmp::port_mapping(gateway.into(), protocol, port, options).await.map_err(MappingFailure::from)
            }
            other => other,
        };
        opened.map_err(|error| {
            tracing::debug!(%error, "the router opens no port by PCP or NAT-PMP");
            if is_silence(&error) { RouterError::Silent } else { RouterError::Refused(error.to_string()) }
        })
    };
    let tcp = open(InternetProtocol::Tcp, inside.tcp).await?;
    let udp = match open(InternetProtocol::Udp, inside.udp).await {
        Ok(udp) => udp,
        Err(error) => {
            give_back_pmp(tcp).await;
            return Err(error);
        }
    };
    let (address, by) = match udp.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => (external_ip, RouterProtocol::Pcp),
        PortMappingType::NatPmp => match natpmp::external_address(gateway.into(), Some(PATIENCE)).await {
            Ok(address) => (address.into(), RouterProtocol::NatPmp),
            Err(error) => {
                give_back_pmp(tcp).await;
                give_back_pmp(udp).await;
                return Err(RouterError::Refused(error.to_string()));
            }
        },
    };
    let outside =
        Outside { address: canonical(address), tcp: tcp.external_port().get(), udp: udp.external_port().get(), by };
    let lease = Duration::from_secs(u64::from(tcp.lifetime().min(udp.lifetime())));
    Ok(OpenPorts { outside, lease, held: Held::Pmp { tcp, udp } })
}

/// Nobody speaks the protocol there.
fn is_silence(error: &MappingFailure) -> bool {
    match error {
        MappingFailure::NatPmp(natpmp::Failure::Socket(_) | natpmp::Failure::Timeout)
        | MappingFailure::Pcp(pcp::Failure::Socket(_) | pcp::Failure::Timeout) => true,
        MappingFailure::NatPmp(_) | MappingFailure::Pcp(_) => false,
    }
}

async fn open_by_upnp(router: Router, inside: Inside) -> Result<OpenPorts, RouterError> {
    let gateway = router.search().await?;
    let own = own_address_towards(gateway.addr.ip()).ok_or(RouterError::Silent)?;
    let (tcp, udp) = (SocketAddr::new(own, inside.tcp.get()), SocketAddr::new(own, inside.udp.get()));
    let refused = |error: &dyn std::fmt::Display| RouterError::Refused(error.to_string());
    let address = gateway.get_external_ip().await.map_err(|error| refused(&error))?;
    add_upnp(&gateway, PortMappingProtocol::TCP, tcp).await.map_err(|error| refused(&error))?;
    if let Err(error) = add_upnp(&gateway, PortMappingProtocol::UDP, udp).await {
        remove_upnp(&gateway, PortMappingProtocol::TCP, tcp.port()).await;
        return Err(refused(&error));
    }
    let outside = Outside { address, tcp: tcp.port(), udp: udp.port(), by: RouterProtocol::Upnp };
    Ok(OpenPorts { outside, lease: LEASE, held: Held::Upnp { gateway, tcp, udp } })
}

async fn add_upnp(
    gateway: &Gateway<Tokio>,
    protocol: PortMappingProtocol,
    local: SocketAddr,
) -> Result<(), AddPortError> {
    let lease = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
    match gateway.add_port(protocol, local.port(), local, lease, DESCRIPTION).await {
        // Older routers keep it until it is given back.
        Err(AddPortError::OnlyPermanentLeasesSupported) => {
            gateway.add_port(protocol, local.port(), local, 0, DESCRIPTION).await
        }
        other => other,
    }
}

async fn remove_upnp(gateway: &Gateway<Tokio>, protocol: PortMappingProtocol, port: u16) {
    if let Err(error) = gateway.remove_port(protocol, port).await {
        tracing::debug!(%error, port, "the router did not take a port back; it closes by itself");
    }
}

async fn give_back_pmp(mapping: PortMapping) {
    let port = mapping.external_port();
    if let Err((error, _)) = mapping.try_drop().await {
        tracing::debug!(%error, port, "the router did not take a port back; it closes by itself");
    }
}

impl OpenPorts {
    /// When to ask for them again: routers forget, restart and change their address.
    pub(crate) fn renew_in(&self) -> Duration {
        half(self.lease)
    }

    /// Asks for them again; the outside may be another afterwards.
    pub(crate) async fn renew(&mut self) -> Result<(), RouterError> {
        let refused = |error: &dyn std::fmt::Display| RouterError::Refused(error.to_string());
        match &mut self.held {
            Held::Pmp { tcp, udp } => {
                tcp.renew().await.map_err(|error| refused(&error))?;
                udp.renew().await.map_err(|error| refused(&error))?;
                (self.outside.tcp, self.outside.udp) = (tcp.external_port().get(), udp.external_port().get());
                self.outside.address = match udp.mapping_type() {
                    PortMappingType::Pcp { external_ip, .. } => canonical(external_ip),
                    PortMappingType::NatPmp => {
                        let address = natpmp::external_address(udp.gateway(), Some(PATIENCE)).await;
                        address.map_err(|error| refused(&error))?.into()
                    }
                };
            }
            Held::Upnp { gateway, tcp, udp } => {
                add_upnp(gateway, PortMappingProtocol::TCP, *tcp).await.map_err(|error| refused(&error))?;
                add_upnp(gateway, PortMappingProtocol::UDP, *udp).await.map_err(|error| refused(&error))?;
                self.outside.address = gateway.get_external_ip().await.map_err(|error| refused(&error))?;
            }
        }
        Ok(())
    }

    /// The router closes them.
    pub(crate) async fn give_back(self) {
        match self.held {
            Held::Pmp { tcp, udp } => _ = tokio::join!(give_back_pmp(tcp), give_back_pmp(udp)),
            Held::Upnp { gateway, tcp, udp } => {
                remove_upnp(&gateway, PortMappingProtocol::TCP, tcp.port()).await;
                remove_upnp(&gateway, PortMappingProtocol::UDP, udp.port()).await;
            }
        }
    }
}

/// When half of a lease is over.
fn half(lease: Duration) -> Duration {
    (lease / 2).max(SOONEST)
}

/// PCP writes IPv4 addresses as IPv6.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The address of this machine that a router sees.
fn own_address_towards(router: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if router.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((router, SSDP)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// The router that leads outside, where the system says which it is; elsewhere UPnP finds it.
fn default_gateway() -> Option<IpAddr> {
    let routes = std::fs::read_to_string("/proc/net/route").ok()?;
    gateway_in(&routes).map(IpAddr::V4)
}

/// From Linux's table of routes: `interface destination gateway flags …`, addresses in hexadecimal of this machine's byte
/// order.
fn gateway_in(routes: &str) -> Option<Ipv4Addr> {
    /// The route is up, and leads over a gateway.
    const UP_OVER_GATEWAY: u32 = 0x0003;
    let mut best: Option<(u32, Ipv4Addr)> = None;
    for line in routes.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, destination, gateway, flags, _, _, metric, mask, ..] = fields.as_slice() else { continue };
        let number = |text: &str| u32::from_str_radix(text, 16).ok();
        let (Some(0), Some(0), Some(gateway), Some(flags), Ok(metric)) =
            (number(destination), number(mask), number(gateway), number(flags), metric.parse::<u32>())
        else {
            continue;
        };
        if flags & UP_OVER_GATEWAY == UP_OVER_GATEWAY && best.is_none_or(|(known, _)| metric < known) {
            best = Some((metric, Ipv4Addr::from(gateway.to_ne_bytes())));
        }
    }
    best.map(|(_, gateway)| gateway)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::fake_router::{FakeRouter, Speaks};

    #[test]
    #[cfg(target_endian = "little")]
    fn the_way_outside_is_the_cheapest_default_route_that_is_up() {
        let routes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                      wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
                      eth0\t00000000\tFE01A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                      tun0\t00000000\t01010A0A\t0002\t0\t0\t1\t00000000\t0\t0\t0\n\
                      eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(gateway_in(routes), Some(Ipv4Addr::new(192, 168, 1, 254)));
        assert_eq!(gateway_in("Iface\n"), None);
        assert_eq!(gateway_in("Iface\nwlan0\tdamaged\n"), None);
    }

    const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

    fn inside() -> Inside {
        Inside { tcp: NonZeroU16::new(7480).unwrap(), udp: NonZeroU16::new(7481).unwrap() }
    }

    /// A router of each kind is asked to open both ports, asked again, and asked to close them.
    async fn open_and_close(host: u8, speaks: Speaks, by: RouterProtocol) {
        let fake = FakeRouter::start(host, speaks, OUTSIDE).await;
        let router = Router::At(fake.address.into());
        let mut ports = router.open(inside()).await.unwrap();
        assert_eq!(ports.outside, Outside { address: OUTSIDE.into(), tcp: 7480, udp: 7481, by });
        let open = fake.open();
        assert_eq!(open.keys().collect::<Vec<_>>(), [&("TCP", 7480), &("UDP", 7481)]);
        assert_eq!((open[&("TCP", 7480)].1, open[&("UDP", 7481)].1), (7480, 7481));
        assert!(ports.renew_in() * 2 <= LEASE);
        let before = fake.asked();
        ports.renew().await.unwrap();
        assert_eq!((fake.asked(), ports.outside.address), (before + 2, OUTSIDE.into()));
        ports.give_back().await;
        assert!(fake.open().is_empty(), "{:?}", fake.open());
    }

    #[tokio::test]
    async fn by_pcp() {
        open_and_close(1, Speaks::Pcp, RouterProtocol::Pcp).await;
    }

    #[tokio::test]
    async fn by_nat_pmp_also_where_the_newer_version_meets_silence() {
        open_and_close(2, Speaks::NatPmp, RouterProtocol::NatPmp).await;
        open_and_close(3, Speaks::OldNatPmp, RouterProtocol::NatPmp).await;
    }

    #[tokio::test]
    async fn by_upnp_also_where_ports_stay_open_for_ever() {
        open_and_close(4, Speaks::Upnp, RouterProtocol::Upnp).await;
        open_and_close(5, Speaks::UpnpPermanent, RouterProtocol::Upnp).await;
    }

    #[tokio::test]
    async fn a_router_that_refuses_and_one_that_is_silent_are_told_apart() {
        let fake = FakeRouter::start(6, Speaks::Refusal, OUTSIDE).await;
        let refused = Router::At(fake.address.into()).open(inside()).await.unwrap_err();
        assert!(matches!(refused, RouterError::Refused(_)), "{refused}");
        let nobody = Router::At(Ipv4Addr::new(127, 77, 0, 250).into());
        assert_eq!(nobody.open(inside()).await.unwrap_err(), RouterError::Silent);
        assert_eq!(nobody.outside_address().await.unwrap_err(), RouterError::Silent);
    }

    #[tokio::test]
    async fn the_address_outside_can_be_asked_for_alone() {
        let fake = FakeRouter::start(7, Speaks::Upnp, OUTSIDE).await;
        let known = Router::At(fake.address.into()).outside_address().await;
        assert_eq!(known, Ok((OUTSIDE.into(), RouterProtocol::Upnp)));
        assert!(fake.open().is_empty());
    }

    #[test]
    fn a_router_that_grants_no_time_is_asked_again_and_not_without_a_pause() {
        assert_eq!([0, 1, 10].map(|lease| half(Duration::from_secs(lease)).as_secs()), [1, 1, 5]);
    }
}
