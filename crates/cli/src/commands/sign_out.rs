//! `bellbird sign-out`: the device is forgotten, here and on the server.

use call_client::{Account, Rest};
use clap::Args;
use serde_json::json;
use wire::Code;

use crate::{
    Context,
    exit::{Exit, Failure},
    note, say,
};

/// Sign this device out.
#[derive(Args)]
pub(crate) struct SignOut {
    /// Forget the sign-in here also when the server cannot be told, or the sign-in cannot be read. The server then still
    /// lists the device, until another device of the same person signs it out there (`bellbird devices --sign-out`).
    #[arg(long)]
    forget: bool,
}

/// What becomes of a sign-in of which the server cannot be told that it is over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Untold {
    Keep,
    Forget,
}

impl SignOut {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        sign_out(context, if self.forget { Untold::Forget } else { Untold::Keep }).await
    }
}

/// Signs the device of this profile out.
pub(crate) async fn sign_out(context: &Context, untold: Untold) -> Result<Exit, Failure> {
    let account = match (context.profile.account(), untold) {
        (Ok(account), _) => match (tell_server(&account).await, untold) {
            (Ok(()), _) => Some(account),
            (Err(failure), Untold::Keep) => return Err(failure.advise(FORGET)),
            (Err(failure), Untold::Forget) => {
                note(&format!("the server was not told: {}", failure.message()));
                Some(account)
            }
        },
        (Err(failure), Untold::Forget) if context.profile.is_signed_in() => {
            note(&format!("the server was not told: {}", failure.message()));
            None
        }
        (Err(failure), Untold::Forget | Untold::Keep) => return Err(failure),
    };
    context.profile.forget_account()?;
    let user = account.as_ref().map(|account| &account.user);
    if context.json {
        let device = account.as_ref().map(|account| &account.device);
        say(&json!({ "user": user, "device": device }).to_string());
    } else {
        say(&format!("{} is signed out", user.map_or("whoever it was", |user| user.as_str())));
    }
    Ok(Exit::Done)
}

const FORGET: &str = "`bellbird sign-out --forget` forgets the sign-in here all the same";

async fn tell_server(account: &Account) -> Result<(), Failure> {
    match Rest::new(account.clone())?.sign_out().await {
        Ok(()) => Ok(()),
        // Signed out from another device: what was wanted.
        Err(error) if error.code() == Some(Code::Unauthenticated) => {
            note("the server had forgotten this device already");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
