//! `bellbird token`: a way into a room of the media server, for any LiveKit client.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Args, builder::NonEmptyStringValueParser, value_parser};

use super::serve::parse_key;
use crate::{
    exit::{Exit, Failure},
    profile::server_data,
    say,
};

/// Make a token for a room of the media server.
#[derive(Args)]
pub(crate) struct Token {
    /// The room: a call's id, as `default:abc`.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    room: String,
    /// Who comes; unique in the room.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    identity: String,
    /// The name the others read; the identity if absent.
    #[arg(long)]
    name: Option<String>,
    /// How long the token lets in, in minutes; a day at most.
    #[arg(long, value_name = "MINUTES", default_value_t = 360, value_parser = value_parser!(u64).range(1..=1_440))]
    minutes: u64,
    /// The server's data folder, where the media server's key is kept.
    #[arg(long, value_name = "DIR", default_value_os_t = server_data())]
    data: PathBuf,
    /// Key and secret of the media server (KEY:SECRET) instead of those in the data folder.
    #[arg(long, value_name = "KEY:SECRET")]
    livekit_key: Option<String>,
}

impl Token {
    pub(crate) fn run(self, context: &crate::Context) -> Result<Exit, Failure> {
        let key = match self.livekit_key {
            Some(text) => {
                let (key, secret) = parse_key(&text)?;
                coordinator::ApiKey { key, secret }
            }
            None => coordinator::kept_media_key(&self.data).with_context(|| {
                format!(
                    "the media server's key cannot be read in {}: name the data folder with --data",
                    self.data.display()
                )
            })?,
        };
        let name = self.name.unwrap_or_else(|| self.identity.clone());
        let lifetime = Duration::from_secs(self.minutes * 60);
        let token = coordinator::room_token(&key, &self.room, &self.identity, &name, lifetime);
        if context.json {
            say(&serde_json::json!({ "token": token, "room": self.room, "identity": self.identity }).to_string());
        } else {
            say(&token);
        }
        Ok(Exit::Done)
    }
}
