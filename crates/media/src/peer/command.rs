//! What a peer is told, and what it tells.

/// A command to a [`Peer`](crate::Peer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerCommand {
    /// The server's offer on the subscriber connection; answered by [`PeerEvent::SubscriberAnswer`].
    SubscriberOffer {
        /// The session description.
        sdp: String,
        /// The answer carries the same number.
        id: u32,
    },
    /// The server's answer to [`PeerEvent::PublisherOffer`].
    PublisherAnswer {
        /// The session description.
        sdp: String,
        /// The offer's number; 0 where the server does not number. An answer to an older offer is ignored.
        id: u32,
    },
    /// A candidate the server found; one that cannot be read is ignored.
    RemoteCandidate {
        /// The connection it belongs to.
        target: Target,
        /// `RTCIceCandidateInit` as JSON.
        candidate_init_json: String,
    },
    /// Sends the microphone as the track that was announced under this id.
    PublishMicrophone {
        /// Goes into the msid of the m-line.
        cid: String,
    },
    /// Sends the camera as the track that was announced under this id.
    PublishCamera {
        /// Goes into the msid of the m-line.
        cid: String,
    },
    /// Off sends nothing.
    SetMicrophone(Toggle),
    /// Off closes the device.
    SetCamera(Toggle),
    /// Off plays nothing of this call.
    SetSpeaker(Toggle),
    /// Looks for a new path on the publisher connection; the server does so on the subscriber connection.
    RestartIce,
    /// Says goodbye and ends.
    Close,
}

/// An event of a [`Peer`](crate::Peer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// To be sent to the server, which answers with [`PeerCommand::PublisherAnswer`].
    PublisherOffer {
        /// The session description with all our candidates.
        sdp: String,
        /// Counts up from 1.
        id: u32,
    },
    /// The answer to [`PeerCommand::SubscriberOffer`].
    SubscriberAnswer {
        /// The session description with all our candidates.
        sdp: String,
        /// The offer's number.
        id: u32,
    },
    /// A connection is up or gone.
    Connection {
        /// Which of the two.
        target: Target,
        /// How it is now.
        state: ConnectionState,
    },
    /// A remote track can be heard or watched (in the [`VideoHub`](crate::VideoHub) under its sid).
    TrackAdded {
        /// Whose it is.
        participant_sid: String,
        /// What it is called.
        track_sid: String,
        /// Sound or pictures.
        kind: TrackKind,
    },
    /// A remote track is gone.
    TrackRemoved {
        /// What it was called.
        track_sid: String,
    },
    /// A device does not work; it is being tried again.
    DeviceFailed {
        /// Which one.
        kind: DeviceKind,
        /// For people.
        why: String,
    },
    /// It works again.
    DeviceRecovered {
        /// Which one.
        kind: DeviceKind,
    },
}

/// One of the two connections of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// What we send; we offer.
    Publisher,
    /// What we receive; the server offers.
    Subscriber,
}

/// Whether media can flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// It can.
    Connected,
    /// It could, and cannot any more.
    Disconnected,
}

/// Sound or pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// Opus.
    Audio,
    /// VP8.
    Video,
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Takes our voice.
    Microphone,
    /// Plays theirs.
    Speaker,
    /// Takes our picture.
    Camera,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toggle {
    /// In use.
    On,
    /// Not in use.
    Off,
}
