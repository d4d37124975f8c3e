//! `bellbird sign-out`: the device is forgotten, here and on the server.

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
pub(crate) struct SignOut {}

impl SignOut {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        sign_out(context).await
    }
}

/// Signs the device of this profile out.
pub(crate) async fn sign_out(context: &Context) -> Result<Exit, Failure> {
    let account = context.profile.account()?;
    match context.profile.rest()?.sign_out().await {
        Ok(()) => {}
        // Signed out from another device: what was wanted.
        Err(error) if error.code() == Some(Code::Unauthenticated) => {
            note("the server had forgotten this device already");
        }
        Err(error) => return Err(error.into()),
    }
    context.profile.forget_account()?;
    if context.json {
        say(&json!({ "user": account.user, "device": account.device }).to_string());
    } else {
        say(&format!("{} is signed out", account.user));
    }
    Ok(Exit::Done)
}
