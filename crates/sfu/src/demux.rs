//! Which connection a datagram belongs to, by the address it comes from.

use std::{collections::HashMap, net::SocketAddr};

use crate::participant::{ConnectionKey, ParticipantKey};

/// Addresses that have proved, by ICE, to belong to a connection.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_source: HashMap<SocketAddr, ConnectionKey>,
}

impl Demux {
    pub(crate) fn find(&self, source: SocketAddr) -> Option<ConnectionKey> {
        self.by_source.get(&source).copied()
    }

    pub(crate) fn learn(&mut self, source: SocketAddr, connection: ConnectionKey) {
        self.by_source.insert(source, connection);
    }

    pub(crate) fn forget(&mut self, participant: ParticipantKey) {
        self.by_source.retain(|_, connection| connection.participant != participant);
    }
}

/// STUN messages begin with two zero bits and carry the magic cookie (RFC 8489, section 5).
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= 20 && datagram[0] < 4 && datagram[4..8] == [0x21, 0x12, 0xa4, 0x42]
}
