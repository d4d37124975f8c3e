//! What whoever runs a server decides about it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
};

use wire::CallTypeData;

use crate::{certificate::CertificateFiles, own_backend::OwnBackend, reach::Router, webhooks::Reach};

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database, the keys and the certificate are kept; made if it does not exist.
    pub data: PathBuf,
    /// TCP address for devices. Port 0 takes any.
    pub listen: SocketAddr,
    /// UDP address for sound and picture. Port 0 takes any.
    pub udp: SocketAddr,
    /// Key and secret of the media server; made and kept in the data folder if absent.
    pub livekit_key: Option<(String, String)>,
    /// The name people read.
    pub name: String,
    /// Hosts by which others come to this server: invites name the first one, sound and picture come by all. The machine's
    /// own address if empty.
    pub advertise: Vec<String>,
    /// How many times the usual number of what is limited one address or device may do; 1 is usual.
    pub limits_factor: NonZeroU32,
    /// The operator's own certificate; self-made and kept in the data folder if absent.
    pub certificate: Option<CertificateFiles>,
    /// Whether it announces itself on its network.
    pub announce: bool,
    /// The router that is asked to open the ports; none is asked if absent.
    pub map_ports: Option<Router>,
    /// How people of the operator's own product sign in, if he has one.
    pub sign_in: Option<OwnBackend>,
    /// Where webhooks may lie.
    pub webhooks: Reach,
    /// The operator's own call types by name, and built-in ones as he wants them: in place of what an admin made of them
    /// before this start.
    pub call_types: BTreeMap<String, CallTypeData>,
}

impl Config {
    /// What is usual for a server that keeps its data there: any free ports of this machine itself.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        let anywhere_here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            data,
            listen: anywhere_here,
            udp: anywhere_here,
            livekit_key: None,
            name: "Bellbird".to_owned(),
            advertise: Vec::new(),
            limits_factor: NonZeroU32::MIN,
            certificate: None,
            announce: false,
            map_ports: None,
            sign_in: None,
            webhooks: Reach::Public,
            call_types: BTreeMap::new(),
        }
    }
}
