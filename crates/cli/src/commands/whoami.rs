//! `bellbird whoami`: who this device is signed in as, by the server's account.

use clap::Args;
use serde_json::json;

use crate::{
    Context,
    exit::{Exit, Failure},
    lines::word,
    say,
};

/// Say who this device is signed in as.
#[derive(Args)]
pub(crate) struct Whoami {}

impl Whoami {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let server = context.profile.account()?.server;
        let snapshot = context.profile.rest()?.snapshot().await?;
        let me = snapshot.me;
        if context.json {
            let line = json!({
                "user": me.id, "name": me.name, "role": me.role,
                "device": snapshot.device, "server": server.to_string(), "server_name": snapshot.server_name,
            });
            say(&line.to_string());
        } else {
            say(&format!("{} ({}, {}) at {server}, device {}", me.name, me.id, word(&me.role), snapshot.device));
        }
        Ok(Exit::Done)
    }
}
