//! Who gets in: secrets, hashes and access tokens.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use wire::{
    AccessClaims, AccessToken, CODE_LENGTH, CODE_LETTERS, Code, DeviceId, ErrorBody, InviteCode, Role, UnixMillis,
    UserId,
};

/// A text that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

/// How long an access token is good for.
const ACCESS_TOKEN: Duration = Duration::from_secs(15 * 60);
/// By how much clocks may differ, in seconds.
const LEEWAY: u64 = 5;
/// Good tokens that are remembered; at most some 200 KB.
const MOST_GOOD: usize = 1024;

/// Signs and checks the access tokens of one server.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// Tokens that were found good, by their hashes: a device shows the same one with every request.
    good: Mutex<HashMap<[u8; 32], AccessClaims>>,
}

impl Tokens {
    pub(crate) fn new(secret: &str) -> Self {
        let secret = secret.as_bytes();
        let (encoding, decoding) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Self { encoding, decoding, good: Mutex::default() }
    }

    pub(crate) fn issue(&self, user: &UserId, device: &DeviceId, role: Role, now: UnixMillis) -> AccessToken {
        let seconds = u64::try_from(now.0 / 1000).unwrap_or(0);
        let claims = AccessClaims {
            sub: user.clone(),
            device: device.clone(),
            role,
            exp: seconds + ACCESS_TOKEN.as_secs(),
            nbf: seconds,
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).expect("claims are plain JSON");
        AccessToken { token, expires_in_ms: 15 * 60 * 1000 }
    }

    pub(crate) fn check(&self, token: &str, now: UnixMillis) -> Result<AccessClaims, ErrorBody> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let is_fresh = |claims: &&AccessClaims| i64::try_from(claims.exp).is_ok_and(|exp| now.0 / 1000 <= exp);
        let good = || self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(claims) = good().get(&hash).filter(is_fresh) {
            return Ok(claims.clone());
        }
        let claims = self.verify(token)?;
        let mut good = good();
        if good.len() >= MOST_GOOD {
            good.clear();
        }
        good.insert(hash, claims.clone());
        Ok(claims)
    }

    fn verify(&self, token: &str) -> Result<AccessClaims, ErrorBody> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        match decode::<AccessClaims>(token, &self.decoding, &validation) {
            Ok(decoded) => Ok(decoded.claims),
            Err(error) => Err(match error.kind() {
                // Too old; made before this server's clock was set back; or signed with a secret that was replaced. The
                // device may be as good as ever: its refresh secret tells.
                ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature | ErrorKind::InvalidSignature => {
                    ErrorBody::new(
                        Code::TokenExpired,
                        "the access token is not good any longer: fetch a new one and try again",
                    )
                }
                _ => not_signed_in(),
            }),
        }
    }
}

/// How long after a sign-out an access token of the device may still look good, in milliseconds.
pub(crate) const SIGNED_OUT_COUNTS: i64 = (ACCESS_TOKEN.as_secs() as i64 + 60) * 1000;

/// Devices that were signed out while their access tokens still look good: asked at every request, without the database.
#[derive(Debug)]
pub(crate) struct SignedOut {
    devices: Mutex<HashMap<DeviceId, UnixMillis>>,
}

impl SignedOut {
    pub(crate) fn new(devices: Vec<(DeviceId, UnixMillis)>) -> Self {
        Self { devices: Mutex::new(devices.into_iter().collect()) }
    }

    /// Says whether that is news.
    pub(crate) fn add(&self, device: &DeviceId, now: UnixMillis) -> bool {
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        devices.retain(|_, at| at.0 > now.0 - SIGNED_OUT_COUNTS);
        devices.insert(device.clone(), now).is_none()
    }

    /// It could not be stored: the device is still signed in.
    pub(crate) fn take_back(&self, device: &DeviceId) {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).remove(device);
    }

    pub(crate) fn has(&self, device: &DeviceId) -> bool {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).contains_key(device)
    }
}

/// The refusal of whoever shows no good token.
pub(crate) fn not_signed_in() -> ErrorBody {
    ErrorBody::new(Code::Unauthenticated, "this device is not signed in here: a new invite is needed")
}

/// 256 random bits as text: a device's long-lived secret.
pub(crate) fn fresh_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A new invite's code.
pub(crate) fn fresh_code() -> InviteCode {
    let letter = |_| char::from(CODE_LETTERS[rand::random_range(0..CODE_LETTERS.len())]);
    let text: String = (0..CODE_LENGTH).map(letter).collect();
    text.parse().expect("letters and digits keep the rule for codes")
}

/// What is stored of a secret. The secrets have 100 bits and more of randomness, so a plain hash cannot be reversed.
pub(crate) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A secret that can be guessed makes anybody everybody; in bytes.
pub(crate) const SHORTEST_SECRET: usize = 32;

/// The secret in a file that only its owner can read; made on first use.
pub(crate) fn kept_secret(file: &Path) -> io::Result<String> {
    match std::fs::read_to_string(file) {
        Ok(kept) if kept.trim().len() < SHORTEST_SECRET => {
            let path = file.display();
            let why = format!("{path} holds no secret: restore it from a backup, or remove it and a new one is made");
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
        Ok(kept) => Ok(kept.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let fresh = fresh_secret();
            write_private(file, fresh.as_bytes())?;
            Ok(fresh)
        }
        Err(error) => Err(error),
    }
}

/// How a file is called while it is written.
pub(crate) const PARTIAL: &str = "partial";

/// Opens a file that only its owner can read: a new one, or the one that is there, which nobody else may read from now on.
pub(crate) fn open_private(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let opened = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    if opened.metadata()?.permissions().mode() & 0o077 != 0 {
        opened.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(opened)
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(file: &Path, content: &[u8]) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let partial = file.with_extension(PARTIAL);
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options.write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    opened.write_all(content)?;
    opened.sync_all()?;
    std::fs::rename(partial, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(tokens: &Tokens, at: UnixMillis) -> String {
        tokens.issue(&"ann".parse().unwrap(), &"d1".parse().unwrap(), Role::User, at).token
    }

    #[test]
    fn a_token_that_a_new_one_would_mend_is_told_apart_from_one_of_nobody() {
        let (tokens, before) = (Tokens::new("the secret"), Tokens::new("the secret that was lost"));
        let now = crate::hub::unix_now();
        let code = |token: &str| tokens.check(token, now).unwrap_err().code;
        assert!(tokens.check(&token(&tokens, now), now).is_ok());
        assert_eq!(code(&token(&before, now)), Code::TokenExpired, "the secret was replaced");
        let clock_was_ahead = now.plus(Duration::from_secs(3_600));
        assert_eq!(code(&token(&tokens, clock_was_ahead)), Code::TokenExpired, "the clock was set back");
        assert_eq!(code(&token(&tokens, UnixMillis(now.0 - 3_600_000))), Code::TokenExpired);
        for nobody in ["", "x", "a.b.c"] {
            assert_eq!(code(nobody), Code::Unauthenticated, "{nobody}");
        }
    }
}
