//! `bellbird sign-in`: this installation becomes a device of a person.

use std::{str::FromStr, time::Duration};

use call_client::{Account, ClientError, SignInWish, find_servers, invite_by_code};
use clap::Args;
use serde_json::json;
use wire::{Code, Invite, InviteCode, NAME, ServerAddress, UserId};

use crate::{
    Context,
    exit::{Exit, Failure},
    note, say,
};

/// How long to look for the server of a code.
const LOOK: Duration = Duration::from_secs(2);

/// Sign this device in with an invite.
///
/// The invite is a link, or the code of one as it was read aloud. A code says not where its server is: it is the one of
/// --server, or one of those that announce themselves on this network. It is not told to a server that did not make it.
#[derive(Args)]
pub(crate) struct SignIn {
    /// The link (bellbird://join/…), or its code (abcd-efgh-…).
    invite: LinkOrCode,
    /// Where the server of the code is; looked for on this network if absent.
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    server: Option<ServerAddress>,
    /// The id to be known by; made from the name if absent or taken.
    #[arg(long)]
    id: Option<UserId>,
    /// The name people read; the id, or the name of this machine's user, if absent.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Clone)]
enum LinkOrCode {
    Link(Invite),
    Code(InviteCode),
}

impl FromStr for LinkOrCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return text.parse().map(Self::Link).map_err(|error: wire::InviteError| error.to_string());
        }
        InviteCode::from_spoken(text).map(Self::Code).map_err(|error| error.to_string())
    }
}

impl SignIn {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        only_when_signed_out(context)?;
        let invite = match self.invite {
            LinkOrCode::Link(invite) => {
                if self.server.is_some_and(|server| server != invite.server) {
                    note(&format!("the link says where its server is, {}: --server is not used", invite.server));
                }
                invite
            }
            LinkOrCode::Code(code) => match self.server {
                Some(server) => invite_by_code(&code, &server).await?,
                None => found(&code).await?,
            },
        };
        let named = self.name.clone();
        let name = self.name.or_else(|| self.id.as_ref().map(ToString::to_string)).unwrap_or_else(machine_user);
        let wish = SignInWish { user_id: self.id.clone(), name, device_name: device_name() };
        let account = call_client::sign_in(&invite, wish).await?;
        if self.id.is_some_and(|id| id != account.user) {
            note("--id is not used: it is taken, or the invite is for one more device of somebody");
        }
        if named.is_some_and(|name| name.trim() != account.name) {
            note("--name is not used: the invite is for one more device of somebody, who has a name");
        }
        keep(context, &account)
    }
}

/// Where a server is, as people write it.
pub(super) fn address(text: &str) -> Result<ServerAddress, String> {
    let wanted = "it is HOST:PORT alone, as calls.example.org:7480, without http:// or a path";
    text.parse().map_err(|_| wanted.to_owned())
}

/// The invite of the server on this network that made the code.
async fn found(code: &InviteCode) -> Result<Invite, Failure> {
    let servers = find_servers(LOOK).await.map_err(|error| Failure::unreachable(error.to_string()))?;
    let mut refusal = None;
    for server in &servers {
        match invite_by_code(code, &server.address).await {
            Ok(invite) => return Ok(invite),
            Err(ClientError::Refused(body)) => refusal = Some(body),
            Err(error) => tracing::info!(%error, server = %server.address, "a server that was found does not answer"),
        }
    }
    match refusal {
        Some(body) => Err(ClientError::Refused(body).into()),
        None => Err(Failure::unreachable("no server was found on this network: name it with --server HOST:PORT")),
    }
}

pub(super) fn only_when_signed_out(context: &Context) -> Result<(), Failure> {
    if context.profile.is_signed_in() {
        // One that cannot be read says itself what to do.
        context.profile.account()?;
        let message =
            "somebody is signed in with this profile already: `bellbird sign-out` first, or use another --profile";
        return Err(Failure::refused(Code::Conflict, message));
    }
    context.profile.check()
}

/// Keeps a sign-in, and says whose it is.
pub(super) fn keep(context: &Context, account: &Account) -> Result<Exit, Failure> {
    context.profile.keep_account(account)?;
    if context.json {
        let server = account.server.to_string();
        say(&json!({ "user": account.user, "device": account.device, "server": server }).to_string());
    } else {
        say(&format!("{} is signed in at {} as {}", account.name, account.server, account.user));
    }
    Ok(Exit::Done)
}

pub(super) fn machine_user() -> String {
    let user = std::env::var("USER").unwrap_or_default();
    NAME.check(&user).unwrap_or("Somebody").to_owned()
}

pub(super) fn device_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("{} (command line)", NAME.check(&host).unwrap_or("This computer"))
}
