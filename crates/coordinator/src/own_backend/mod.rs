//! People of an existing product: their tokens are the operator's own, and are checked here.

mod claims;
mod jwks;
#[cfg(test)]
mod tests;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use url::Url;
use wire::{Code, ErrorBody, Renewal};

use crate::{
    access::{SHORTEST_SECRET, Secret},
    error::StartError,
};
pub use claims::ClaimNames;
pub(crate) use claims::User;
use jwks::KeySet;

/// Clocks of the operator's servers may differ from ours by this much, in seconds.
const LEEWAY: u64 = 30;
/// Longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 8 * 1024;

/// How people of the operator's own product sign in: `[sign_in]` of the configuration. Either `secret` or `jwks_url`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnBackend {
    /// Shared with the product, which signs tokens with it (HS256); 32 bytes or more.
    pub secret: Option<Secret>,
    /// Where the product publishes the public keys of its tokens (RS256, ES256 or EdDSA).
    pub jwks_url: Option<Url>,
    /// The `iss` that tokens must have.
    pub issuer: Option<String>,
    /// The `aud` that tokens must have; tokens with an audience are refused if none is named here.
    pub audience: Option<String>,
    /// What devices show for a new access token: `secret`, or `token` for a fresh one of the product beside it.
    pub renew: Renewal,
    /// What the claims are called.
    pub claims: ClaimNames,
}

/// Checks the operator's own tokens.
pub(crate) struct UserTokens {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
    claims: ClaimNames,
    pub(crate) renew: Renewal,
}

/// A secret checks what was signed with a secret, public keys what was signed with private ones, and never the other
/// way round, whatever a token says of itself.
enum Keys {
    Secret(DecodingKey),
    Set(KeySet),
}

impl UserTokens {
    /// Takes the configuration over, or says what is wrong with it. Must run inside a tokio runtime.
    pub(crate) fn new(config: &OwnBackend) -> Result<Self, StartError> {
        let keys = match (&config.secret, &config.jwks_url) {
            (Some(secret), None) if secret.reveal().len() >= SHORTEST_SECRET => {
                Keys::Secret(DecodingKey::from_secret(secret.reveal().as_bytes()))
            }
            (Some(_), None) => return Err(StartError::OwnBackend("the secret needs 32 bytes or more".to_owned())),
            (None, Some(url)) => Keys::Set(KeySet::start(url.clone()).map_err(StartError::OwnBackend)?),
            _ => return Err(StartError::OwnBackend("it needs either a secret or a jwks_url".to_owned())),
        };
        Ok(Self {
            keys,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            claims: config.claims.clone(),
            renew: config.renew,
        })
    }

    /// Whom a token names, if it is good.
    pub(crate) async fn check(&self, token: &str) -> Result<User, ErrorBody> {
        if token.len() > LONGEST_TOKEN {
            return Err(refused("it is longer than 8 KB"));
        }
        let header = decode_header(token).map_err(|error| explain(&error))?;
        // Whoever does not know what must be understood must not take it (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(refused("its header asks for extensions (crit) that this server does not know"));
        }
        let (key, algorithm) = match &self.keys {
            Keys::Secret(key) => (key.clone(), Algorithm::HS256),
            Keys::Set(set) => set.find(header.kid.as_deref(), header.alg).await?,
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        let mut required = vec!["exp"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        let decoded = decode(token, &key, &validation).map_err(|error| explain(&error))?;
        self.claims.read(&decoded.claims)
    }
}

/// Whether a set of public keys can be read.
#[cfg(feature = "fuzzing")]
pub(crate) fn reads_key_set(body: &[u8]) -> bool {
    jwks::parse(body).is_ok()
}

/// The refusal of a token, with what is wrong with it.
fn refused(why: &str) -> ErrorBody {
    let message = format!("this token of your product is not taken here ({why}): sign in to the product again");
    ErrorBody { field: Some("user_token".to_owned()), ..ErrorBody::new(Code::Unauthenticated, message) }
}

/// The refusal of a token that is not good now, and may be in a moment: nobody is signed out by it.
fn not_yet(why: &str) -> ErrorBody {
    let message = format!("this token of your product is not taken here now ({why}): fetch a fresh one and try again");
    ErrorBody { message, ..fresh_token_wanted() }
}

/// The refusal of whoever has to show a fresh token.
pub(crate) fn fresh_token_wanted() -> ErrorBody {
    let message = "a fresh token of your product is needed: fetch one and try again";
    ErrorBody { field: Some("user_token".to_owned()), ..ErrorBody::new(Code::TokenExpired, message) }
}

fn explain(error: &jsonwebtoken::errors::Error) -> ErrorBody {
    match error.kind() {
        ErrorKind::ExpiredSignature => fresh_token_wanted(),
        ErrorKind::ImmatureSignature => not_yet("it is not good yet: a clock is wrong"),
        ErrorKind::InvalidIssuer => refused("it is of another issuer"),
        ErrorKind::InvalidAudience => refused("it is for another audience"),
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => refused("it is signed in another way"),
        ErrorKind::InvalidSignature => refused("its signature is not the product's"),
        ErrorKind::MissingRequiredClaim(claim) => refused(&format!("it has no {claim}")),
        _ => refused("it is not a signed token"),
    }
}
