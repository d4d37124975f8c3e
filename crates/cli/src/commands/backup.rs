//! `bellbird backup`: a whole copy of what a server keeps, made while it runs or not.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    Context,
    exit::{Exit, Failure},
    phone::Interrupt,
    profile::server_data,
    say,
};

/// Copy everything a server keeps into an empty folder, while it runs or not.
///
/// `bellbird serve --data FOLDER` on the copy is the same server: same people, same certificate, same invites. The copy is
/// as secret as the original, and only its owner can read its files.
#[derive(Args)]
pub(crate) struct Backup {
    /// Where the copy goes; made if it does not exist.
    #[arg(value_name = "FOLDER")]
    into: PathBuf,
    /// The server's data folder.
    #[arg(long, value_name = "DIR", default_value_os_t = server_data())]
    data: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut interrupt = Interrupt::new()?;
        tokio::select! {
            copied = coordinator::back_up(&self.data, &self.into) => copied?,
            () = interrupt.wait() => return Err(Failure::interrupted_copy(&self.into)),
        }
        let into = self.into.display().to_string();
        if context.json {
            say(&json!({ "backup": into }).to_string());
        } else {
            say(&format!("everything is copied to {into}"));
        }
        Ok(Exit::Done)
    }
}
