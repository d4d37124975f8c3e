//! One participant: two peer connections, what it publishes and what it gets.

use std::{
    net::SocketAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

use livekit_protocol as proto;
use str0m::{
    Candidate, Rtc,
    change::SdpPendingOffer,
    channel::ChannelId,
    config::DtlsCert,
    media::{MediaKind, Mid, Rid},
    rtp::Ssrc,
};

use crate::{dtls::CRYPTO, forward::Forward, sdp::OfferedMedia, signal::SignalOut, token::Admission};

/// Names a participant for the life of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParticipantKey(pub(crate) u64);

/// Names one of its two peer connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionKey {
    pub(crate) participant: ParticipantKey,
    pub(crate) side: Side,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    /// The client offers; its media comes in here.
    Publisher,
    /// The server offers; the others' media goes out here.
    Subscriber,
}

/// Clients know it by its fingerprint, which is in the SDP. One is enough for the life of the process: to make one takes
/// longer than all else of a join. (Without, `Rtc` makes its own.)
static CERTIFICATE: LazyLock<Option<DtlsCert>> = LazyLock::new(|| CRYPTO.dtls_provider.generate_certificate());

/// One peer connection and when it wants to be woken.
pub(crate) struct Connection {
    pub(crate) rtc: Rtc,
    pub(crate) wake: Option<Instant>,
    pub(crate) is_dirty: bool,
}

impl Connection {
    pub(crate) fn new(now: Instant, addresses: &[SocketAddr]) -> Self {
        // The client is full ICE and checks; the server only answers, as LiveKit's does.
        let config = Rtc::builder()
            .set_crypto_provider(CRYPTO.clone())
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true);
        let config = match &*CERTIFICATE {
            Some(certificate) => config.set_dtls_cert(certificate.clone()),
            None => config,
        };
        let mut connection = Self { rtc: config.build(now), wake: None, is_dirty: false };
        connection.add_addresses(addresses);
        connection
    }

    /// Can be reached at these addresses, too; answers them as lines of an SDP.
    pub(crate) fn add_addresses(&mut self, addresses: &[SocketAddr]) -> Vec<String> {
        let mut lines = Vec::new();
        for address in addresses {
            match Candidate::host(*address, "udp") {
                Ok(candidate) => {
                    lines.extend(self.rtc.add_local_candidate(candidate).map(Candidate::to_sdp_string));
                }
                Err(error) => tracing::warn!(%address, %error, "an address cannot be a candidate"),
            }
        }
        lines
    }
}

/// Names a published track for the life of the server; cheap to compare on the packet path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrackKey(pub(crate) u64);

/// A track that comes in.
#[derive(Debug)]
pub(crate) struct UpTrack {
    pub(crate) key: TrackKey,
    pub(crate) info: proto::TrackInfo,
    pub(crate) mid: Mid,
    pub(crate) kind: MediaKind,
    pub(crate) layers: Vec<Layer>,
    /// When it was last decided who gets which layer.
    pub(crate) looked_at: Option<Instant>,
}

/// One encoding of a track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer {
    pub(crate) ssrc: Ssrc,
    pub(crate) rid: Option<Rid>,
    pub(crate) heard: Instant,
    /// The usual time between two of its frames.
    pub(crate) gap: Duration,
    /// When a key frame was last asked for.
    pub(crate) asked_at: Option<Instant>,
}

/// How good a picture is, by the names of LiveKit's layers: `q`, `h`, `f`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quality {
    Low,
    Medium,
    High,
}

impl Quality {
    pub(crate) const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Unknown names count as the least.
    pub(crate) fn of(rid: Rid) -> Self {
        match &*rid {
            "f" => Self::High,
            "h" => Self::Medium,
            _ => Self::Low,
        }
    }

    pub(crate) fn from_wire(quality: proto::VideoQuality) -> Self {
        match quality {
            proto::VideoQuality::Low => Self::Low,
            proto::VideoQuality::Medium => Self::Medium,
            proto::VideoQuality::High | proto::VideoQuality::Off => Self::High,
        }
    }
}

/// A track that goes out.
#[derive(Debug)]
pub(crate) struct DownTrack {
    pub(crate) publisher: ParticipantKey,
    pub(crate) track: String,
    /// The same, for the packet path.
    pub(crate) track_key: TrackKey,
    pub(crate) mid: Mid,
    pub(crate) forward: Forward,
    /// Better than this it does not want.
    pub(crate) most: Quality,
    pub(crate) is_paused: bool,
    /// The client has answered the offer that made it.
    pub(crate) is_answered: bool,
}

/// A track the client has announced but not offered yet.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) cid: String,
    pub(crate) info: proto::TrackInfo,
    pub(crate) at: Instant,
}

pub(crate) struct Participant {
    pub(crate) sid: String,
    pub(crate) room: String,
    pub(crate) admission: Admission,
    pub(crate) signal: SignalOut,
    pub(crate) publisher: Connection,
    pub(crate) subscriber: Connection,
    pub(crate) is_active: bool,
    pub(crate) joined_at_ms: i64,
    pub(crate) version: u32,
    pub(crate) client_protocol: i32,
    pub(crate) auto_subscribe: bool,
    /// Tracks it said it does not want (or, without auto-subscribe, wants).
    pub(crate) exceptions: Vec<String>,
    pub(crate) tracks: Vec<UpTrack>,
    pub(crate) announced: Vec<Announced>,
    pub(crate) unclaimed: Vec<OfferedMedia>,
    pub(crate) downs: Vec<DownTrack>,
    pub(crate) pending_offer: Option<SdpPendingOffer>,
    pub(crate) offer_id: u32,
    pub(crate) channels: Channels,
    pub(crate) joined: Instant,
    pub(crate) heard: Instant,
    /// When it last got a token for its next connection.
    pub(crate) token_at: Instant,
}

/// The data channels, by their fixed labels.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    pub(crate) from_reliable: Option<ChannelId>,
    pub(crate) from_lossy: Option<ChannelId>,
    pub(crate) to_reliable: Option<ChannelId>,
    pub(crate) to_lossy: Option<ChannelId>,
}

impl Participant {
    pub(crate) fn connection(&mut self, side: Side) -> &mut Connection {
        match side {
            Side::Publisher => &mut self.publisher,
            Side::Subscriber => &mut self.subscriber,
        }
    }

    /// What others (and itself) are told about it.
    pub(crate) fn info(&self, state: proto::participant_info::State) -> proto::ParticipantInfo {
        proto::ParticipantInfo {
            sid: self.sid.clone(),
            identity: self.admission.identity.clone(),
            state: state as i32,
            tracks: self.tracks.iter().map(|track| track.info.clone()).collect(),
            metadata: self.admission.metadata.clone(),
            joined_at: self.joined_at_ms / 1000,
            joined_at_ms: self.joined_at_ms,
            name: self.admission.name.clone(),
            version: self.version,
            permission: Some(proto::ParticipantPermission {
                can_subscribe: self.admission.can_subscribe,
                can_publish: !self.admission.sources.is_empty(),
                can_publish_sources: crate::token::in_protocol(&self.admission.sources),
                can_publish_data: self.admission.can_publish_data,
                ..proto::ParticipantPermission::default()
            }),
            is_publisher: !self.tracks.is_empty(),
            client_protocol: self.client_protocol,
            ..proto::ParticipantInfo::default()
        }
    }

    pub(crate) fn state(&self) -> proto::participant_info::State {
        if self.is_active { proto::participant_info::State::Active } else { proto::participant_info::State::Joined }
    }

    /// Whether it wants a track of somebody else.
    pub(crate) fn wants(&self, track: &str) -> bool {
        self.admission.can_subscribe && self.auto_subscribe != self.exceptions.iter().any(|sid| sid == track)
    }
}
