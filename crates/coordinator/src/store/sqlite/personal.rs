//! What people changed about themselves, in the statement that writes a batch.

use super::write::{Statement, json};
use crate::store::{Personal, StoreError, folded};

const PEOPLE: &str = "UPDATE people SET name = coalesce(told.value ->> 1, name), \
     folded = coalesce(told.value ->> 4, folded), \
     favourites = coalesce(told.value ->> 2, favourites), do_not_disturb = coalesce(told.value ->> 3, do_not_disturb) \
     FROM json_each(?) AS told WHERE people.id = told.value ->> 0; ";
/// Before the lines of the batch are written, which nobody can have looked at.
const SEEN: &str = "UPDATE history SET unseen = 0 FROM json_each(?) AS seen \
     WHERE person = seen.value ->> 0 AND history.id <= seen.value ->> 1 AND unseen = 1; ";
const SIGNED_OUT: &str = "UPDATE devices SET signed_out_at = gone.value ->> 1 FROM json_each(?) AS gone \
     WHERE devices.id = gone.value ->> 0; ";
/// With a device goes what it could come back by: invites it made for its own person or for admins.
const VOID: &str = "DELETE FROM invites WHERE made_with IN (SELECT value ->> 0 FROM json_each(?)) \
     AND (person IS NOT NULL OR role = '\"admin\"'); ";

impl Statement {
    pub(super) fn put_personal(&mut self, personal: &Personal) -> Result<(), StoreError> {
        if !personal.people.is_empty() {
            let mut people = Vec::new();
            for (id, change) in &personal.people {
                // Lists are kept as text, within the text that brings them.
                let favourites = change.favourites.as_ref().map(serde_json::to_string).transpose()?;
                let quiet = change.do_not_disturb.as_ref().map(serde_json::to_string).transpose()?;
                people.push((id, &change.name, favourites, quiet, change.name.as_deref().map(folded)));
            }
            self.put_json(PEOPLE, json(people.iter())?)?;
        }
        if !personal.seen.is_empty() {
            self.put_json(SEEN, json(personal.seen.iter())?)?;
        }
        if !personal.signed_out.is_empty() {
            let gone = json(personal.signed_out.iter())?;
            self.put_json(SIGNED_OUT, gone.clone())?;
            self.put_json(VOID, gone)?;
        }
        Ok(())
    }

    fn put_json(&mut self, sql: &str, rows: String) -> Result<(), StoreError> {
        self.sql.push_str(sql);
        self.bind(rows)
    }
}

#[cfg(test)]
mod tests {
    use wire::{CallId, Direction, HistoryEntry, HistoryOutcome, Role, UnixMillis, UserId};

    use crate::store::{Change, Remembered, Sqlite, StoredPerson};

    fn missed(occasion: &str) -> Remembered {
        let entry = HistoryEntry {
            id: 0,
            cid: CallId::new("default", "x").unwrap(),
            at: UnixMillis(1),
            direction: Direction::Incoming,
            outcome: HistoryOutcome::Missed,
            duration_ms: 0,
            caller: "ann".parse().unwrap(),
            people: Vec::new(),
            video: false,
            message: None,
            reason: None,
            unseen: true,
            custom: Default::default(),
        };
        Remembered { person: "ben".parse().unwrap(), occasion: occasion.to_owned(), entry }
    }

    #[tokio::test]
    async fn missed_calls_are_seen_up_to_a_line_and_the_others_are_shown_however_old() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap();
        let ben: UserId = "ben".parse().unwrap();
        let person = StoredPerson::new(ben.clone(), "Ben".to_owned(), Role::User, Default::default());
        assert!(store.put_person(&person, UnixMillis(0)).await.unwrap());
        let mut lines = Vec::new();
        for number in 0..150 {
            let mut change = Change::default();
            change.remember(missed(&format!("ring{number}")));
            lines.extend(store.write(&change).await.unwrap().into_iter().map(|line| line.id));
        }
        let unseen = async || {
            let shown = store.shown_history(&ben).await.unwrap();
            (shown.len(), shown.iter().filter(|line| line.unseen).map(|line| line.id).min())
        };
        assert_eq!(unseen().await, (150, Some(lines[0])));
        let mut change = Change::default();
        change.personal.seen.insert(ben.clone(), lines[119]);
        change.remember(missed("while that was written"));
        store.write(&change).await.unwrap();
        assert_eq!(unseen().await, (100, Some(lines[120])));
        change = Change::default();
        change.personal.seen.insert(ben.clone(), i64::MAX);
        change.remember(missed("and that"));
        store.write(&change).await.unwrap();
        assert_eq!(unseen().await, (100, Some(lines[149] + 2)));
    }
}
