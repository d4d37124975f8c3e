//! `bellbird sign-in`: this installation becomes a device of a person.

use call_client::SignInWish;
use clap::Args;
use serde_json::json;
use wire::{Code, Invite, NAME, UserId};

use crate::{
    Context,
    exit::{Exit, Failure},
    say,
};

/// Sign this device in with an invite.
#[derive(Args)]
pub(crate) struct SignIn {
    /// The link: bellbird://join/…
    invite: Invite,
    /// The id to be known by; made from the name if absent or taken.
    #[arg(long)]
    id: Option<UserId>,
    /// The name people read; the id, or the name of this machine's user, if absent.
    #[arg(long)]
    name: Option<String>,
}

impl SignIn {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if context.profile.is_signed_in() {
            let message = "somebody is signed in with this profile already: `bellbird sign-out` first, or use another \
                           --profile";
            return Err(Failure::refused(Code::Conflict, message));
        }
        let name = self.name.or_else(|| self.id.as_ref().map(ToString::to_string)).unwrap_or_else(machine_user);
        let wish = SignInWish { user_id: self.id, name, device_name: device_name() };
        let account = call_client::sign_in(&self.invite, wish).await?;
        context.profile.keep_account(&account)?;
        if context.json {
            let server = account.server.to_string();
            say(&json!({ "user": account.user, "device": account.device, "server": server }).to_string());
        } else {
            say(&format!("{} is signed in at {} as {}", account.name, account.server, account.user));
        }
        Ok(Exit::Done)
    }
}

fn machine_user() -> String {
    let user = std::env::var("USER").unwrap_or_default();
    NAME.check(&user).unwrap_or("Somebody").to_owned()
}

fn device_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("{} (command line)", NAME.check(&host).unwrap_or("This computer"))
}
