//! How a server proves that it made an invite, to a device that was only told the code.
//!
//! A link carries the fingerprint of the server's certificate; a code read aloud does not. So the device first asks the
//! server it has found whether it knows the code, without telling it: it sends the beginning of the code's hash and a
//! random number, and the server answers with a MAC, keyed with the whole hash, over that number and the fingerprint of
//! its own certificate. Somebody in between has another certificate and does not know the hash, of which the beginning
//! says nothing (a code has 99 bits): his answer does not fit what the device saw. Only then is the code sent.

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{InviteCode, Pin, ServerAddress};

/// Bytes of a code's hash that name it.
const NAME_BYTES: usize = 8;

/// `POST /v1/invites/prove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProveInvite {
    /// The first 8 bytes of the SHA-256 of the code.
    pub name: [u8; NAME_BYTES],
    /// Random, for this question alone.
    pub nonce: [u8; 32],
}

/// Answer to [`ProveInvite`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteProof {
    /// The MAC.
    pub mac: [u8; 32],
    /// Where the server says it is, if its certificate was issued by an authority: that is known by the server's name, and
    /// not by its fingerprint, nor by the address at which it was found on a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_for: Option<String>,
}

/// What is stored of a code.
#[must_use]
pub fn code_hash(code: &InviteCode) -> [u8; 32] {
    Sha256::digest(code.as_str()).into()
}

impl ProveInvite {
    /// The question about a code.
    #[must_use]
    pub fn about(code: &InviteCode, nonce: [u8; 32]) -> Self {
        let hash = code_hash(code);
        let mut name = [0; NAME_BYTES];
        name.copy_from_slice(&hash[..NAME_BYTES]);
        Self { name, nonce }
    }

    /// The answer of who knows the hash, and shows this certificate (none on loopback).
    #[must_use]
    pub fn answer(&self, hash: &[u8], certificate: Option<&Pin>, issued_for: Option<&ServerAddress>) -> InviteProof {
        let issued_for = issued_for.map(ToString::to_string);
        let mac = self.mac(hash, certificate, issued_for.as_deref()).finalize().into_bytes().into();
        InviteProof { mac, issued_for }
    }

    /// Whether an answer is of a server that knows the code and shows this certificate.
    #[must_use]
    pub fn is_answered_by(&self, proof: &InviteProof, code: &InviteCode, certificate: Option<&Pin>) -> bool {
        self.mac(&code_hash(code), certificate, proof.issued_for.as_deref()).verify_slice(&proof.mac).is_ok()
    }

    fn mac(&self, hash: &[u8], certificate: Option<&Pin>, issued_for: Option<&str>) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(hash).expect("a key of any length will do");
        mac.update(b"bellbird invite");
        mac.update(&self.nonce);
        mac.update(&certificate.map_or([0; 32], |pin| pin.0));
        // The last, so that its end is the end: nothing of it can be taken for something else.
        mac.update(issued_for.unwrap_or_default().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_code_and_shows_the_certificate_answers_rightly() {
        let (code, other): (InviteCode, InviteCode) = ("abcd".parse().unwrap(), "abce".parse().unwrap());
        let (server, between) = (Pin([1; 32]), Pin([2; 32]));
        let question = ProveInvite::about(&code, [7; 32]);
        let proof = question.answer(&code_hash(&code), Some(&server), None);
        assert!(question.is_answered_by(&proof, &code, Some(&server)));
        assert!(!question.is_answered_by(&proof, &code, Some(&between)), "passed on by somebody in between");
        assert!(!question.is_answered_by(&proof, &code, None));
        let named = InviteProof { issued_for: Some("other.example:443".to_owned()), ..proof.clone() };
        assert!(!question.is_answered_by(&named, &code, Some(&server)), "sent to another server");
        let address = "bell.example:443".parse().unwrap();
        let issued = question.answer(&code_hash(&code), Some(&server), Some(&address));
        assert!(question.is_answered_by(&issued, &code, Some(&server)));
        assert_eq!(issued.issued_for.as_deref(), Some("bell.example:443"));
        assert!(!ProveInvite::about(&code, [8; 32]).is_answered_by(&proof, &code, Some(&server)), "an old answer");
        let guessed = question.answer(&code_hash(&other), Some(&between), None);
        assert!(!question.is_answered_by(&guessed, &code, Some(&between)));
        let read: ProveInvite = serde_json::from_str(&serde_json::to_string(&question).unwrap()).unwrap();
        assert_eq!(read, question);
    }
}
