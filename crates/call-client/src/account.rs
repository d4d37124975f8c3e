//! What an installation keeps to be signed in: where the server is, who it is there, and its secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wire::{DeviceId, Invite, Pin, ServerAddress, SignIn, SignedIn, UserId};

use crate::{error::ClientError, http::Outside};

/// A device's sign-in. Whoever has it is this device: keep it where only its owner can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Where the server is.
    #[serde(with = "as_text")]
    pub server: ServerAddress,
    /// The certificate to expect.
    #[serde(with = "as_optional_text", default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// The person.
    pub user: UserId,
    /// The person's name at sign-in.
    pub name: String,
    /// This device.
    pub device: DeviceId,
    /// The long-lived secret that fetches access tokens.
    pub refresh_secret: String,
}

/// Who a device would like to be.
#[derive(Debug, Clone)]
pub struct SignInWish {
    /// The wished id; the server makes one from the name if absent or taken.
    pub user_id: Option<UserId>,
    /// The name people read.
    pub name: String,
    /// What the person's list of devices shows.
    pub device_name: String,
}

impl SignInWish {
    /// A person by this name, on this machine.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { user_id: None, name: name.to_owned(), device_name: "A program".to_owned() }
    }
}

/// Redeems an invite: this installation becomes a device of the person.
///
/// # Errors
/// When the server is not reachable, is not the one of the invite (pin), or refuses the code.
pub async fn sign_in(invite: &Invite, wish: SignInWish) -> Result<Account, ClientError> {
    let request =
        SignIn { code: invite.code.clone(), user_id: wish.user_id, name: wish.name, device_name: wish.device_name };
    let outside = Outside::expecting(&invite.server, invite.pin)?;
    let signed_in: SignedIn = outside.post("/v1/sign-in", &request, Duration::ZERO).await?;
    Ok(Account {
        server: invite.server.clone(),
        pin: invite.pin,
        user: signed_in.me.id,
        name: signed_in.me.name,
        device: signed_in.device,
        refresh_secret: signed_in.refresh_secret,
    })
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: ToString, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

mod as_optional_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: ToString, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_some(&value.to_string()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(Error::custom)).transpose()
    }
}
