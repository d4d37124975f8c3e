//! `bellbird people`: everybody else on the server, and who can be reached.

use clap::Args;
use serde_json::json;

use crate::{
    Context,
    exit::{Exit, Failure},
    lines::word,
    say,
};

/// List the people of the server.
#[derive(Args)]
pub(crate) struct People {
    /// Programs with an API key, too: they ring people, and cannot be rung.
    #[arg(long)]
    programs: bool,
}

impl People {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let snapshot = context.profile.rest()?.snapshot().await?;
        for person in snapshot.people.into_iter().filter(|person| self.programs || !person.is_program) {
            if context.json {
                let line = json!({
                    "id": person.id, "name": person.name, "role": person.role, "presence": person.presence,
                    "is_program": person.is_program,
                });
                say(&line.to_string());
            } else {
                say(&format!("{}\t{}\t{}\t{}", person.id, person.name, word(&person.role), word(&person.presence)));
            }
        }
        Ok(Exit::Done)
    }
}
