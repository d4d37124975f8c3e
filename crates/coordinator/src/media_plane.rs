//! The media server as the coordinator sees it: tokens in, kicks in, comings and goings out.

use std::time::Duration;

use sfu::{ApiKey, Grant, MaySend, Sfu, Source};
use wire::{CallId, DeviceId, MediaCredentials, MediaServer, TrackSource, UserId};

use crate::authority::Sending;

/// How long the token of a join lets in; the media server refreshes it while the participant stays.
const TOKEN: Duration = Duration::from_secs(10 * 60);

/// Our own media server in this process, or (later) a LiveKit cluster by its public API.
#[derive(Debug, Clone)]
pub(crate) enum MediaPlane {
    Embedded { sfu: Sfu, key: ApiKey },
}

impl MediaPlane {
    /// The way in for one device. The room is named like the call.
    pub(crate) fn credentials(
        &self,
        cid: &CallId,
        user: &UserId,
        device: &DeviceId,
        name: &str,
        sending: &Sending,
    ) -> MediaCredentials {
        let token = self.token(cid.as_str(), &identity(user, device), name, TOKEN, may_send(sending));
        match self {
            Self::Embedded { .. } => MediaCredentials { server: MediaServer::Here, token },
        }
    }

    pub(crate) fn token(
        &self,
        room: &str,
        identity: &str,
        name: &str,
        lifetime: Duration,
        may_send: MaySend,
    ) -> String {
        match self {
            Self::Embedded { key, .. } => {
                let grant = Grant {
                    room: room.to_owned(),
                    identity: identity.to_owned(),
                    name: name.to_owned(),
                    lifetime,
                    may_send,
                };
                sfu::access_token(key, &grant)
            }
        }
    }

    pub(crate) fn remove(&self, cid: &CallId, user: &UserId, device: &DeviceId) {
        match self {
            Self::Embedded { sfu, .. } => sfu.remove_participant(cid.as_str(), &identity(user, device)),
        }
    }

    /// The device is out, and asked to come again.
    pub(crate) fn ask_again(&self, cid: &CallId, user: &UserId, device: &DeviceId) {
        match self {
            Self::Embedded { sfu, .. } => sfu.ask_again(cid.as_str(), &identity(user, device)),
        }
    }

    /// The device is out, as the call is over.
    pub(crate) fn tell_over(&self, cid: &CallId, user: &UserId, device: &DeviceId) {
        match self {
            Self::Embedded { sfu, .. } => sfu.tell_over(cid.as_str(), &identity(user, device)),
        }
    }

    /// From now on the device may send this and nothing else.
    pub(crate) fn permit(&self, cid: &CallId, user: &UserId, device: &DeviceId, sending: &Sending) {
        match self {
            Self::Embedded { sfu, .. } => sfu.permit(cid.as_str(), &identity(user, device), may_send(sending)),
        }
    }

    pub(crate) fn mute(&self, cid: &CallId, user: &UserId, device: &DeviceId, sources: &[TrackSource]) {
        match self {
            Self::Embedded { sfu, .. } => sfu.mute(cid.as_str(), &identity(user, device), sources_of(sources)),
        }
    }

    pub(crate) fn close_room(&self, cid: &CallId) {
        match self {
            Self::Embedded { sfu, .. } => sfu.close_room(cid.as_str()),
        }
    }
}

fn may_send(sending: &Sending) -> MaySend {
    MaySend { sources: sources_of(&sending.tracks), data: sending.data }
}

/// As the media server names them; a shared screen has two.
fn sources_of(sources: &[TrackSource]) -> Vec<Source> {
    let names = |source: &TrackSource| match source {
        TrackSource::Microphone => vec![Source::Microphone],
        TrackSource::Camera => vec![Source::Camera],
        TrackSource::Screen => vec![Source::ScreenShare, Source::ScreenShareAudio],
    };
    sources.iter().flat_map(names).collect()
}

/// Media identity is per device.
fn identity(user: &UserId, device: &DeviceId) -> String {
    format!("{user}/{device}")
}

/// Whose and which device's a media identity is, if it is one of ours.
pub(crate) fn bearer_of(identity: &str) -> Option<(UserId, DeviceId)> {
    let (user, device) = identity.split_once('/')?;
    Some((user.parse().ok()?, device.parse().ok()?))
}
