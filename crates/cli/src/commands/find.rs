//! `bellbird find`: the servers that announce themselves on this network.

use std::time::Duration;

use call_client::find_servers;
use clap::Args;
use serde_json::json;

use crate::{
    Context,
    exit::{Exit, Failure},
    say,
};

/// List the servers of this network.
///
/// What a server says of itself is not proof: `bellbird join` and signing in by a code check who answers.
#[derive(Args)]
pub(crate) struct Find {
    /// How long to look.
    #[arg(long = "for", value_name = "TIME", default_value = "2s", value_parser = humantime::parse_duration)]
    within: Duration,
}

impl Find {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        for found in find_servers(self.within).await.map_err(|error| Failure::unreachable(error.to_string()))? {
            if context.json {
                let pin = found.pin.map(|pin| pin.to_string());
                say(&json!({ "server": found.address.to_string(), "name": found.name, "pin": pin }).to_string());
            } else {
                say(&format!("{}\t{}", found.address, found.name));
            }
        }
        Ok(Exit::Done)
    }
}
