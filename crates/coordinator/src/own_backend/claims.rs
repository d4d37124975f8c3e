//! What a token of the operator's own says of a person.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use wire::{ErrorBody, NAME, Role, UserId};

use super::refused;
use crate::store::MOST_TEAMS;

/// What the claims are called in the operator's tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// The person's id.
    pub user: String,
    /// The name people read; the id if the claim is absent.
    pub name: String,
    /// `admin`, `user` or `guest`; `user` if the claim is absent.
    pub role: String,
    /// A list of teams; none if the claim is absent.
    pub teams: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { user: "sub".to_owned(), name: "name".to_owned(), role: "role".to_owned(), teams: "teams".to_owned() }
    }
}

/// A person as a token names him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) teams: BTreeSet<String>,
}

impl ClaimNames {
    pub(super) fn read(&self, claims: &Map<String, Value>) -> Result<User, ErrorBody> {
        let wrong = |claim: &str, rule: &dyn std::fmt::Display| refused(&format!("its claim {claim}: {rule}"));
        let name_rule = format!("a name has {NAME}");
        let id: UserId = match claims.get(&self.user) {
            Some(Value::String(id)) => id.parse().map_err(|error| wrong(&self.user, &error))?,
            // Products count their people more often than not.
            Some(Value::Number(id)) => id.to_string().parse().map_err(|error| wrong(&self.user, &error))?,
            _ => return Err(wrong(&self.user, &"it must be the person's id")),
        };
        let name = match claims.get(&self.name) {
            None | Some(Value::Null) => id.to_string(),
            Some(Value::String(name)) => text(name).ok_or_else(|| wrong(&self.name, &name_rule))?,
            Some(_) => return Err(wrong(&self.name, &name_rule)),
        };
        let role = match claims.get(&self.role) {
            None | Some(Value::Null) => Role::User,
            Some(role) => Role::deserialize(role).map_err(|_| wrong(&self.role, &"admin, user or guest"))?,
        };
        let teams = match claims.get(&self.teams) {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(Value::Array(teams)) if teams.len() <= MOST_TEAMS => {
                let team = |team: &Value| team.as_str().and_then(text);
                teams.iter().map(team).collect::<Option<_>>().ok_or_else(|| wrong(&self.teams, &name_rule))?
            }
            Some(_) => return Err(wrong(&self.teams, &"a list of 100 names at most")),
        };
        Ok(User { id, name, role, teams })
    }
}

fn text(text: &str) -> Option<String> {
    NAME.check(text).map(str::to_owned)
}
