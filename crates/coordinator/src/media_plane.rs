//! The media server as the coordinator sees it: tokens in, kicks in, comings and goings out.

use std::time::Duration;

use sfu::{ApiKey, Grant, Sfu};
use wire::{CallId, DeviceId, MediaCredentials, MediaServer, UserId};

/// How long the token of a join lets in; the media server refreshes it while the participant stays.
const TOKEN: Duration = Duration::from_secs(10 * 60);

/// Our own media server in this process, or (later) a LiveKit cluster by its public API.
#[derive(Debug, Clone)]
pub(crate) enum MediaPlane {
    Embedded { sfu: Sfu, key: ApiKey },
}

impl MediaPlane {
    /// The way in for one device. The room is named like the call.
    pub(crate) fn credentials(&self, cid: &CallId, user: &UserId, device: &DeviceId, name: &str) -> MediaCredentials {
        let token = self.token(cid.as_str(), &identity(user, device), name, TOKEN);
        match self {
            Self::Embedded { .. } => MediaCredentials { server: MediaServer::Here, token },
        }
    }

    pub(crate) fn token(&self, room: &str, identity: &str, name: &str, lifetime: Duration) -> String {
        match self {
            Self::Embedded { key, .. } => {
                let grant = Grant {
                    room: room.to_owned(),
                    identity: identity.to_owned(),
                    name: name.to_owned(),
                    lifetime,
                    can_publish: true,
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

    pub(crate) fn close_room(&self, cid: &CallId) {
        match self {
            Self::Embedded { sfu, .. } => sfu.close_room(cid.as_str()),
        }
    }
}

/// Media identity is per device.
fn identity(user: &UserId, device: &DeviceId) -> String {
    format!("{user}/{device}")
}

/// The device of a media identity, if it is one of ours.
pub(crate) fn device_of(identity: &str) -> Option<DeviceId> {
    identity.split_once('/')?.1.parse().ok()
}
