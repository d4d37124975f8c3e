//! `bellbird join`: ask a server to be let in, without an invite; an admin says yes on his screen.

use call_client::{Admission, Asking, SignInWish};
use clap::Args;
use serde_json::json;
use wire::{Code, ServerAddress, UserId};

use super::sign_in::{address, device_name, keep, machine_user, only_when_signed_out};
use crate::{
    Context,
    exit::{Exit, Failure},
    note,
    phone::Interrupt,
    say,
};

/// Ask a server to be let in, without an invite.
///
/// Both screens show a code of six digits. The admin compares them (by looking, or on the phone) and says yes: if they
/// differ, somebody is in between. `bellbird find` lists the servers of this network; an admin without the app answers by
/// `bellbird admit`.
#[derive(Args)]
pub(crate) struct Join {
    /// The server.
    #[arg(value_name = "HOST:PORT", value_parser = address)]
    server: ServerAddress,
    /// The id to be known by; made from the name if absent or taken.
    #[arg(long)]
    id: Option<UserId>,
    /// The name people read; the id, or the name of this machine's user, if absent.
    #[arg(long)]
    name: Option<String>,
}

impl Join {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        only_when_signed_out(context)?;
        let mut interrupt = Interrupt::new()?;
        let name = self.name.or_else(|| self.id.as_ref().map(ToString::to_string)).unwrap_or_else(machine_user);
        let asking = Asking::begin(&self.server, &name, &device_name()).await?;
        if context.json {
            let expires_in_ms = u64::try_from(asking.expires_in().as_millis()).unwrap_or(u64::MAX);
            let line = json!({ "event": "asked", "code": asking.code(), "expires_in_ms": expires_in_ms });
            say(&line.to_string());
        } else {
            say(&format!("Both screens must show the code {}", asking.code()));
            note("waiting for an admin to let this device in");
        }
        let admission = tokio::select! {
            admission = asking.outcome() => admission?,
            () = interrupt.wait() => return Err(Failure::interrupted()),
        };
        match admission {
            Admission::Admitted(invite) => {
                let wish = SignInWish { user_id: self.id, name, device_name: device_name() };
                keep(context, &call_client::sign_in(&invite, wish).await?)
            }
            Admission::Refused => {
                Err(Failure::refused(Code::PermissionDenied, "an admin has said no: ask him for an invite"))
            }
            Admission::Over => {
                note("nobody answered in time: ask again while an admin is at his screen");
                Ok(Exit::NoAnswer)
            }
        }
    }
}
