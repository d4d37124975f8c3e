//! Being let in without an invite: a device asks, both screens show the same code, and an admin says yes.
//!
//! The device has found the server by its address and has no fingerprint to expect. Somebody in between could answer in
//! the server's place; so both screens show a short code made of the certificate (as the device saw it, as the server
//! shows it) and of a random number of each side, and the admin says yes only if they are the same. The device commits to
//! its number before it is told the server's: who is in between has one guess in a million (as with ZRTP's short
//! authentication string, RFC 6189).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Pin, Role, UnixMillis};

/// `POST /v1/asks`: a device asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ask {
    /// The name people will read.
    pub name: String,
    /// What the person's list of devices will show.
    pub device_name: String,
    /// SHA-256 of the random number that is told next.
    pub commitment: [u8; 32],
}

/// Answer to [`Ask`]. Nobody is told before the device has shown its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Asked {
    /// Names the question.
    pub id: AskId,
    /// The server's random number.
    pub nonce: [u8; 32],
}

/// `POST /v1/asks/{id}/show`, and `POST /v1/asks/{id}/outcome`: the number that was committed to. It is also what tells
/// the device from others that know the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShowNumber {
    /// The device's random number.
    pub nonce: [u8; 32],
}

/// Answer to `show`: now admins are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shown {
    /// How long they may take, in milliseconds.
    pub expires_in_ms: u32,
}

/// Answer to `outcome`, which waits for it up to half a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AskOutcome {
    /// Nobody has answered yet: ask again.
    Waiting,
    /// An admin said yes: an invite for this device.
    Admitted {
        /// The link.
        invite: String,
    },
    /// An admin said no.
    Refused,
    /// Nobody answered in time, or the server was started anew.
    Over,
}

/// Somebody who waits at the door, as admins see him (`GET /v1/asks`, and the event).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct WaitingAsk {
    /// Names the question.
    pub id: AskId,
    /// The name he gave.
    pub name: String,
    /// His device.
    pub device_name: String,
    /// What his screen shows as well, if nobody is in between.
    pub code: String,
    /// Until when it can be answered.
    pub expires_at: UnixMillis,
}

/// `POST /v1/asks/{id}/answer`: an admin's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerAsk {
    /// Whether the device is let in.
    pub admit: bool,
    /// The role he comes with; `user` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Names a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct AskId(pub u32);

impl fmt::Display for AskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a device commits to.
#[must_use]
pub fn commitment(nonce: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(nonce).into()
}

/// The code both screens show: six digits, `123 456`. `certificate` is absent on loopback.
#[must_use]
pub fn comparison_code(certificate: Option<&Pin>, device_nonce: &[u8; 32], server_nonce: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"bellbird ask");
    hash.update(certificate.map_or([0; 32], |pin| pin.0));
    hash.update(device_nonce);
    hash.update(server_nonce);
    let hash = hash.finalize();
    // Of 64 bits, so that every code is as likely as any other to one part in 10^13.
    let number = hash[..8].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte)) % 1_000_000;
    format!("{:03} {:03}", number / 1_000, number % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_of_both_numbers_and_of_the_certificate() {
        let code = |pin, device, server| comparison_code(Some(&Pin([pin; 32])), &[device; 32], &[server; 32]);
        assert_eq!(code(1, 2, 3), code(1, 2, 3));
        for other in [code(9, 2, 3), code(1, 9, 3), code(1, 2, 9), comparison_code(None, &[2; 32], &[3; 32])] {
            assert_ne!(other, code(1, 2, 3));
        }
        let code = code(1, 2, 3);
        assert!(code.len() == 7 && code.bytes().filter(u8::is_ascii_digit).count() == 6, "{code}");
        assert_ne!(commitment(&[1; 32]), [1; 32]);
    }
}
