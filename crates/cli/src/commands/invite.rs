//! `bellbird invite`: a link that lets somebody in; those that there are, and how one is taken back.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, UNIX_EPOCH},
};

use call_client::Qr;
use clap::{Args, ValueEnum};
use serde_json::json;
use wire::{CreateInvite, InviteEntry, InviteId, Role};

use crate::{
    Context,
    exit::{Exit, Failure},
    note, say,
};

/// Make an invite, list those that can still be used, or revoke one.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("making").multiple(true).args(["uses", "expires", "role", "team", "me", "qr"]))]
pub(crate) struct Invite {
    /// How often it can be used.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    uses: Option<u32>,
    /// How long it is good for, as 1h, 1d; a week if absent, an hour with --me (a day at most).
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
    /// List the invites that can still be used: all of them for an admin, one's own for others.
    #[arg(long, conflicts_with_all = ["making", "revoke"])]
    list: bool,
    /// Revoke this one: nobody comes in by it any more.
    #[arg(long, value_name = "ID", conflicts_with = "making")]
    revoke: Option<InviteId>,
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
        if self.list {
            for invite in context.profile.rest()?.invites().await? {
                say(&if context.json { json!(invite).to_string() } else { line(&invite) });
            }
            return Ok(Exit::Done);
        }
        if let Some(id) = self.revoke {
            context.profile.rest()?.revoke_invite(&id).await?;
            say(&if context.json { json!({ "revoked": id }).to_string() } else { format!("{id} is revoked") });
            return Ok(Exit::Done);
        }
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

/// Which, for whom, how often and until when, and who made it.
fn line(invite: &InviteEntry) -> String {
    let whom = match (&invite.person, &invite.team) {
        (Some(person), _) => format!("one more device of {person}"),
        (None, Some(team)) => format!("{} in {team}", role(invite.role)),
        (None, None) => role(invite.role).to_owned(),
    };
    let until = UNIX_EPOCH + Duration::from_millis(u64::try_from(invite.expires_at.0).unwrap_or(0));
    let until = humantime::format_rfc3339_seconds(until);
    let maker = invite.made_by.as_ref().map_or("the server", |user| user.as_str());
    format!("{}\t{whom}\t{} left\tuntil {until}\tby {maker}", invite.id, invite.uses_left)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::User => "user",
        Role::Guest => "guest",
    }
}
