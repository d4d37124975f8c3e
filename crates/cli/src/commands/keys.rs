//! `bellbird keys`: what other programs show, made and revoked by an admin.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use wire::{ApiKeyEntry, ApiKeyId, CreateApiKey, Scope, UserId};

use crate::{
    Context,
    exit::{Exit, Failure},
    note, say,
};

/// List the API keys of the server, make one, or revoke one.
#[derive(Args)]
pub(crate) struct Keys {
    /// Make one for a program of this name.
    #[arg(long, value_name = "NAME", requires = "scope")]
    make: Option<String>,
    /// What the program may do; give it several times for several things.
    #[arg(long, value_parser = parse_scope, requires = "make")]
    scope: Vec<Scope>,
    /// How long the key is good for, as 30d, 1y; until it is revoked if absent.
    #[arg(long, value_name = "TIME", value_parser = life, requires = "make")]
    expires: Option<Duration>,
    /// The person whom calls of the program name; made from its name if absent.
    #[arg(long, value_name = "PERSON", requires = "make")]
    user: Option<UserId>,
    /// Revoke this one: it opens nothing from then on.
    #[arg(long, value_name = "KEY", conflicts_with = "make")]
    revoke: Option<ApiKeyId>,
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    let known = Scope::ALL.iter().find(|scope| scope.as_str() == text).copied();
    let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    known.ok_or_else(|| format!("there is no such scope; there are: {}", names.join(", ")))
}

fn life(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    Some(time).filter(|time| !time.is_zero()).ok_or_else(|| "a key lives for some time, ten years at most".to_owned())
}

impl Keys {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        if let Some(name) = self.make {
            let expires_in_ms = self.expires.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            let scopes = self.scope.into_iter().collect();
            let made = rest.create_api_key(&CreateApiKey { name, scopes, user_id: self.user, expires_in_ms }).await?;
            if context.json {
                say(&json!(made).to_string());
            } else {
                note(&format!("the key {} acts as {}; it is shown this once:", made.entry.id, made.entry.user));
                say(&made.token);
            }
            return Ok(Exit::Done);
        }
        if let Some(key) = self.revoke {
            rest.revoke_api_key(&key).await?;
            say(&if context.json { json!({ "revoked": key }).to_string() } else { format!("{key} is revoked") });
            return Ok(Exit::Done);
        }
        for key in rest.api_keys().await? {
            say(&if context.json { json!(key).to_string() } else { line(&key) });
        }
        Ok(Exit::Done)
    }
}

fn line(key: &ApiKeyEntry) -> String {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let used = if key.last_used_at.is_some() { "" } else { "\t(never used)" };
    format!("{}\t{}\t{}{used}", key.id, key.name, scopes.join(" "))
}
