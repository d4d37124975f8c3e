//! `bellbird admit`: who waits to be let in, and an admin's word.

use clap::Args;
use serde_json::json;
use wire::{AnswerAsk, AskId, WaitingAsk};

use super::invite::RoleName;
use crate::{
    Context,
    exit::{Exit, Failure},
    say,
};

/// List who waits to be let in, or answer one of them. For admins.
///
/// Say yes only if the code beside the name is the one on the other screen: if they differ, somebody is in between.
#[derive(Args)]
pub(crate) struct Admit {
    /// Whom to let in, as listed without this.
    #[arg(value_name = "ID")]
    id: Option<u32>,
    /// Do not let him in.
    #[arg(long, requires = "id")]
    refuse: bool,
    /// What he may do; `user` if absent.
    #[arg(long, requires = "id", conflicts_with = "refuse")]
    role: Option<RoleName>,
}

impl Admit {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        let Some(id) = self.id else {
            rest.asks().await?.iter().for_each(|ask| print(context, ask));
            return Ok(Exit::Done);
        };
        let answer = AnswerAsk { admit: !self.refuse, role: self.role.map(wire::Role::from) };
        rest.answer_ask(AskId(id), &answer).await?;
        let done = if answer.admit { "admitted" } else { "refused" };
        if context.json {
            say(&json!({ "id": id, "done": done }).to_string());
        } else {
            say(&format!("{id} is {done}"));
        }
        Ok(Exit::Done)
    }
}

fn print(context: &Context, ask: &WaitingAsk) {
    if context.json {
        let line = json!({
            "id": ask.id, "name": ask.name, "device_name": ask.device_name, "code": ask.code, "expires_at": ask.expires_at,
        });
        say(&line.to_string());
    } else {
        say(&format!("{}\t{}\t{}\t{}", ask.id, ask.code, ask.name, ask.device_name));
    }
}
