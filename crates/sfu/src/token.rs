//! LiveKit access tokens: JWT, HS256, the key's name as issuer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use livekit_protocol as proto;
use serde::{Deserialize, Serialize};

use crate::query::Refusal;

/// Name and secret that sign tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The issuer that tokens name.
    pub key: String,
    /// What signs them; 32 characters or more.
    pub secret: String,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What somebody may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaySend {
    /// Tracks of these sources.
    pub sources: Vec<Source>,
    /// Messages through the data channels.
    pub data: bool,
}

impl MaySend {
    /// All there is.
    #[must_use]
    pub fn everything() -> Self {
        Self { sources: Source::ALL.to_vec(), data: true }
    }
}

/// What a token gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The room it lets into.
    pub room: String,
    /// Who comes; unique in the room.
    pub identity: String,
    /// The name the others read.
    pub name: String,
    /// How long it lets in.
    pub lifetime: Duration,
    /// What may be sent.
    pub may_send: MaySend,
}

/// A kind of track, as LiveKit names them in `canPublishSources`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The voice.
    Microphone,
    /// The camera's picture.
    Camera,
    /// The screen.
    ScreenShare,
    /// The sound of what is on the screen.
    ScreenShareAudio,
}

impl Source {
    /// Every source there is.
    pub const ALL: [Self; 4] = [Self::Microphone, Self::Camera, Self::ScreenShare, Self::ScreenShareAudio];

    /// As the protocol numbers them. What is sent decides before what its sender calls it: a picture is the camera's or the
    /// screen's, and sound the voice or the screen's.
    pub(crate) fn of(info: &proto::TrackInfo) -> Self {
        let is_of_screen = match info.source() {
            proto::TrackSource::ScreenShare | proto::TrackSource::ScreenShareAudio => true,
            proto::TrackSource::Camera | proto::TrackSource::Microphone | proto::TrackSource::Unknown => false,
        };
        match (info.r#type(), is_of_screen) {
            (proto::TrackType::Video, false) => Self::Camera,
            (proto::TrackType::Video, true) => Self::ScreenShare,
            (proto::TrackType::Audio | proto::TrackType::Data, false) => Self::Microphone,
            (proto::TrackType::Audio | proto::TrackType::Data, true) => Self::ScreenShareAudio,
        }
    }

    fn in_protocol(self) -> proto::TrackSource {
        match self {
            Self::Microphone => proto::TrackSource::Microphone,
            Self::Camera => proto::TrackSource::Camera,
            Self::ScreenShare => proto::TrackSource::ScreenShare,
            Self::ScreenShareAudio => proto::TrackSource::ScreenShareAudio,
        }
    }
}

/// Claims as LiveKit writes them; unknown ones are ignored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Claims {
    iss: String,
    sub: String,
    nbf: u64,
    exp: u64,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    metadata: String,
    video: VideoGrant,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VideoGrant {
    room_join: bool,
    room: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_publish: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_subscribe: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_publish_data: Option<bool>,
    /// Empty means all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    can_publish_sources: Vec<Source>,
}

/// Who may come into which room, as a checked token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) room: String,
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) metadata: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) can_subscribe: bool,
    pub(crate) can_publish_data: bool,
}

/// As the protocol lists them; empty means all.
pub(crate) fn in_protocol(sources: &[Source]) -> Vec<i32> {
    listed(sources).iter().map(|source| source.in_protocol() as i32).collect()
}

/// A token for any LiveKit client, good from now on.
///
/// # Panics
/// Never: the claims are plain data.
#[must_use]
pub fn access_token(key: &ApiKey, grant: &Grant) -> String {
    let now = unix_seconds();
    let claims = Claims {
        iss: key.key.clone(),
        sub: grant.identity.clone(),
        nbf: now,
        exp: now + grant.lifetime.as_secs(),
        name: grant.name.clone(),
        metadata: String::new(),
        video: VideoGrant {
            room_join: true,
            room: grant.room.clone(),
            can_publish: Some(!grant.may_send.sources.is_empty()),
            can_subscribe: Some(true),
            can_publish_data: Some(grant.may_send.data),
            can_publish_sources: listed(&grant.may_send.sources),
        },
    };
    sign(key, &claims)
}

/// As a token lists them; empty means all.
fn listed(sources: &[Source]) -> Vec<Source> {
    if sources.len() == Source::ALL.len() { Vec::new() } else { sources.to_vec() }
}

/// A token like the one a participant came with, for its next connection.
pub(crate) fn refreshed(key: &ApiKey, admission: &Admission, lifetime: Duration) -> String {
    let now = unix_seconds();
    let claims = Claims {
        iss: key.key.clone(),
        sub: admission.identity.clone(),
        nbf: now,
        exp: now + lifetime.as_secs(),
        name: admission.name.clone(),
        metadata: admission.metadata.clone(),
        video: VideoGrant {
            room_join: true,
            room: admission.room.clone(),
            can_publish: Some(!admission.sources.is_empty()),
            can_subscribe: Some(admission.can_subscribe),
            can_publish_data: Some(admission.can_publish_data),
            can_publish_sources: listed(&admission.sources),
        },
    };
    sign(key, &claims)
}

fn sign(key: &ApiKey, claims: &Claims) -> String {
    let header = Header::new(Algorithm::HS256);
    encode(&header, claims, &EncodingKey::from_secret(key.secret.as_bytes())).expect("claims are plain JSON")
}

/// A token of these claims, whatever they are.
#[cfg(feature = "fuzzing")]
pub(crate) fn signed(key: &ApiKey, claims: &str) -> Option<String> {
    let claims: serde_json::Map<String, serde_json::Value> = serde_json::from_str(claims).ok()?;
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key.secret.as_bytes())).ok()
}

/// Checks a token as LiveKit's server does: HS256, our key, in time (one minute of leeway), for a room, for somebody.
pub(crate) fn check(key: &ApiKey, token: &str, room: Option<&str>) -> Result<Admission, Refusal> {
    let refuse = |why: &str| Refusal { status: 401, message: format!("invalid token: {why}") };
    let header = decode_header(token).map_err(|_| refuse("it is not a JWT"))?;
    if header.alg != Algorithm::HS256 {
        return Err(refuse("it is not signed with HS256"));
    }
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 60;
    validation.validate_nbf = true;
    validation.set_issuer(&[&key.key]);
    let decoded = decode::<Claims>(token, &DecodingKey::from_secret(key.secret.as_bytes()), &validation)
        .map_err(|error| refuse(&error.to_string()))?;
    let claims = decoded.claims;
    let granted = if claims.video.room.is_empty() { room.unwrap_or_default() } else { &claims.video.room };
    if !claims.video.room_join || granted.is_empty() {
        return Err(Refusal { status: 401, message: "the token does not let into a room".to_owned() });
    }
    if claims.sub.is_empty() {
        return Err(Refusal { status: 400, message: "the token names no identity".to_owned() });
    }
    // Unset means allowed (protocol/auth/grants.go).
    let sources = match (claims.video.can_publish.unwrap_or(true), claims.video.can_publish_sources) {
        (false, _) => Vec::new(),
        (true, sources) if sources.is_empty() => Source::ALL.to_vec(),
        (true, sources) => sources,
    };
    Ok(Admission {
        room: granted.to_owned(),
        identity: claims.sub,
        name: claims.name,
        metadata: claims.metadata,
        sources,
        can_subscribe: claims.video.can_subscribe.unwrap_or(true),
        can_publish_data: claims.video.can_publish_data.unwrap_or(true),
    })
}

#[expect(clippy::disallowed_methods, reason = "tokens are made and checked against the clock of the moment")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey { key: "devkey".to_owned(), secret: "a secret of thirty-two characters".to_owned() }
    }

    fn grant() -> Grant {
        Grant {
            room: "default:x".to_owned(),
            identity: "ann/d1".to_owned(),
            name: "Ann".to_owned(),
            lifetime: Duration::from_secs(60),
            may_send: MaySend { sources: vec![Source::Microphone], data: false },
        }
    }

    #[test]
    fn a_token_lets_into_its_room_and_no_other() {
        let admission = check(&key(), &access_token(&key(), &grant()), Some("default:other")).unwrap();
        assert_eq!((admission.room.as_str(), admission.identity.as_str()), ("default:x", "ann/d1"));
        assert_eq!((admission.sources, admission.can_publish_data), (vec![Source::Microphone], false));
    }

    #[test]
    fn a_refreshed_token_gives_what_the_first_one_gave() {
        let admission = Admission {
            room: "default:x".to_owned(),
            identity: "ann/d1".to_owned(),
            name: "Ann".to_owned(),
            metadata: "{}".to_owned(),
            sources: vec![Source::Microphone, Source::Camera],
            can_subscribe: false,
            can_publish_data: false,
        };
        let token = refreshed(&key(), &admission, Duration::from_secs(60));
        assert_eq!(check(&key(), &token, None).unwrap(), admission);
    }

    #[test]
    fn a_foreign_secret_issuer_or_algorithm_is_refused() {
        let token = access_token(&key(), &grant());
        let other = ApiKey { secret: "another secret of thirty-two chars".to_owned(), ..key() };
        assert_eq!(check(&other, &token, None).unwrap_err().status, 401);
        let other = ApiKey { key: "other".to_owned(), ..key() };
        assert_eq!(check(&other, &token, None).unwrap_err().status, 401);
        assert_eq!(check(&key(), "eyJhbGciOiJub25lIn0.e30.", None).unwrap_err().status, 401);
        assert_eq!(check(&key(), "", None).unwrap_err().status, 401);
    }

    #[test]
    fn grants_that_are_not_set_are_given() {
        let claims = Claims {
            iss: "devkey".to_owned(),
            sub: "x".to_owned(),
            exp: unix_seconds() + 60,
            video: VideoGrant { room_join: true, room: "r".to_owned(), ..VideoGrant::default() },
            ..Claims::default()
        };
        let admission = check(&key(), &sign(&key(), &claims), None).unwrap();
        assert_eq!(admission.sources, Source::ALL);
        assert!(admission.can_subscribe && admission.can_publish_data);
    }
}
