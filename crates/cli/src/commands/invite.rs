//! `bellbird invite`: a link that lets somebody in.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use call_client::Qr;
use clap::{Args, ValueEnum};
use serde_json::json;
use wire::{CreateInvite, Role};

use crate::{
    Context,
    exit::{Exit, Failure},
    note, say,
};

/// Make an invite.
#[derive(Args)]
pub(crate) struct Invite {
    /// How often it can be used.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    uses: Option<u32>,
    /// How long it is good for, as 1h, 1d; a week if absent.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// What who comes by it may do; `user` if absent.
    #[arg(long)]
    role: Option<RoleName>,
    /// The team who comes by it belongs to.
    #[arg(long)]
    team: Option<String>,
    /// For one more device of the same person.
    #[arg(long, conflicts_with_all = ["role", "uses", "team"])]
    me: bool,
    /// Draw it as a QR code, too; at a terminal it is drawn by itself.
    #[arg(long)]
    qr: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleName {
    Admin,
    User,
    Guest,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::User => Self::User,
            RoleName::Guest => Self::Guest,
        }
    }
}

impl Invite {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let milliseconds = |time: Duration| {
            u32::try_from(time.as_millis()).map_err(|_| Failure::usage("--expires can be at most 49 days"))
        };
        let request = CreateInvite {
            uses: self.uses,
            expires_in_ms: self.expires.map(milliseconds).transpose()?,
            role: self.role.map(Role::from),
            team: self.team,
            me: self.me,
        };
        let made = context.profile.rest()?.create_invite(&request).await?;
        if context.json {
            say(&json!({ "invite": made.link, "code": made.code, "expires_at": made.expires_at }).to_string());
        } else {
            say(&made.link);
            say(&format!("code to read aloud: {}", made.code.spoken()));
            if self.qr || io::stdout().is_terminal() {
                match Qr::of(&made.link) {
                    Ok(qr) => say(qr.for_terminal().trim_end()),
                    Err(error) => note(&error.to_string()),
                }
            }
        }
        Ok(Exit::Done)
    }
}
