//! `bellbird people`: everybody else on the server, and who can be reached.

use clap::Args;
use serde_json::json;
use wire::{PeopleQuery, Person};

use super::history::PAGE;
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
        let (me, rest) = (context.profile.account()?.user, context.profile.rest()?);
        let mut query = PeopleQuery { limit: Some(PAGE), ..PeopleQuery::default() };
        loop {
            let page = rest.people(&query).await?;
            let others = page.people.iter().filter(|person| person.id != me && (self.programs || !person.is_program));
            others.for_each(|person| print(person, context.json));
            query.after = page.next;
            if query.after.is_none() {
                return Ok(Exit::Done);
            }
        }
    }
}

fn print(person: &Person, json: bool) {
    if json {
        let line = json!({
            "id": person.id, "name": person.name, "role": person.role, "presence": person.presence,
            "is_program": person.is_program,
        });
        say(&line.to_string());
    } else {
        say(&format!("{}\t{}\t{}\t{}", person.id, person.name, word(&person.role), word(&person.presence)));
    }
}
