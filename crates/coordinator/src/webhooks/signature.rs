//! How a delivery is signed: as "Standard Webhooks" 1.0 says (standardwebhooks.com), so that receivers find a library.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use wire::{ErrorBody, EventId};

const PREFIX: &str = "whsec_";

/// A new secret as text: 256 random bits.
pub(crate) fn fresh_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// The bytes of a secret that somebody chose.
pub(crate) fn read_secret(text: &str) -> Result<Vec<u8>, ErrorBody> {
    let bytes = text.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
    bytes
        .filter(|bytes| (24..=64).contains(&bytes.len()))
        .ok_or_else(|| ErrorBody::invalid("secret", "a secret is whsec_ and 24 to 64 random bytes in base64"))
}

/// The value of `webhook-signature`: HMAC-SHA256 over id, time and body.
pub(super) fn sign(secret: &[u8], event: &EventId, seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(format!("{event}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn a_signature_is_what_other_libraries_make() {
        let secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let event: EventId = "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap();
        let signature = sign(&secret, &event, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        assert_eq!(read_secret(&fresh_secret()).unwrap().len(), 32);
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64"] {
            assert_eq!(read_secret(bad).unwrap_err().field.as_deref(), Some("secret"), "{bad}");
        }
    }
}
