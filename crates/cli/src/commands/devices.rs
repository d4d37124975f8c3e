//! `bellbird devices`: where this person is signed in, and how one of these places is signed out.

use clap::Args;
use serde_json::json;
use wire::DeviceId;

use super::sign_out::{Untold, sign_out};
use crate::{
    Context,
    exit::{Exit, Failure},
    say,
};

/// List the devices of this person, or sign one out.
#[derive(Args)]
pub(crate) struct Devices {
    /// Sign this one out: its tokens are refused at once.
    #[arg(long, value_name = "DEVICE")]
    sign_out: Option<DeviceId>,
}

impl Devices {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        if let Some(device) = self.sign_out {
            let account = context.profile.account()?;
            if account.device == device {
                return sign_out(context, Untold::Keep).await;
            }
            rest.sign_out_device(&device).await?;
            if context.json {
                say(&json!({ "user": account.user, "device": device }).to_string());
            } else {
                say(&format!("{device} is signed out"));
            }
            return Ok(Exit::Done);
        }
        for device in rest.devices().await? {
            if context.json {
                let line = json!({
                    "device": device.id, "name": device.name, "created_at": device.created_at, "is_this": device.is_this,
                });
                say(&line.to_string());
            } else {
                let this = if device.is_this { "\t(this one)" } else { "" };
                say(&format!("{}\t{}{this}", device.id, device.name));
            }
        }
        Ok(Exit::Done)
    }
}
