//! Who waits at the door to be let in without an invite, sans-IO: asked, shown to admins, answered, forgotten.

use std::{collections::BTreeMap, time::Duration};

use wire::{
    Ask, AskId, AskOutcome, Asked, Code, ErrorBody, Pin, Shown, UnixMillis, WaitingAsk, commitment, comparison_code,
};

/// How long a question can be answered.
const PATIENCE: Duration = Duration::from_secs(300);
/// Most who wait at once: an admin's screen holds no more, and who asks in bulk is kept from filling the memory.
const MOST: usize = 40;
/// Most of them of one site, so that one alone does not keep the others out.
const MOST_OF_ONE: usize = 5;

/// Everybody who waits, or was answered a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Door {
    asks: BTreeMap<AskId, Entry>,
}

#[derive(Debug)]
struct Entry {
    site: String,
    ask: Ask,
    server_nonce: [u8; 32],
    expires_at: UnixMillis,
    stage: Stage,
}

/// How far a question is. What proves that it is the device that asked exists once it has shown it.
#[derive(Debug)]
enum Stage {
    Committed,
    Waiting { device_nonce: [u8; 32], code: String },
    Answered { device_nonce: [u8; 32], outcome: AskOutcome },
}

impl Door {
    /// A device asks, from somewhere. The id and the number are random.
    pub(crate) fn ask(
        &mut self,
        now: UnixMillis,
        site: String,
        ask: Ask,
        id: AskId,
        nonce: [u8; 32],
    ) -> Result<Asked, ErrorBody> {
        self.asks.retain(|_, entry| entry.expires_at > now);
        let of_one = self.asks.values().filter(|entry| entry.site == site).count();
        if self.asks.len() >= MOST || of_one >= MOST_OF_ONE || self.asks.contains_key(&id) {
            let message = "too many wait to be let in already: ask for an invite, or try again in five minutes";
            let wait = u32::try_from(PATIENCE.as_millis()).unwrap_or(u32::MAX);
            return Err(ErrorBody { retry_after_ms: Some(wait), ..ErrorBody::new(Code::RateLimited, message) });
        }
        let expires_at = now.plus(PATIENCE);
        self.asks.insert(id, Entry { site, ask, server_nonce: nonce, expires_at, stage: Stage::Committed });
        Ok(Asked { id, nonce })
    }

    /// The device shows its number: answers with what admins see, or nothing when they have seen it already.
    pub(crate) fn show(
        &mut self,
        now: UnixMillis,
        id: AskId,
        nonce: [u8; 32],
        certificate: Option<&Pin>,
    ) -> Result<(Shown, Option<WaitingAsk>), ErrorBody> {
        let entry = self.asks.get_mut(&id).filter(|entry| entry.expires_at > now).ok_or_else(unknown)?;
        if commitment(&nonce) != entry.ask.commitment {
            return Err(ErrorBody::invalid("nonce", "this is not the number that was committed to"));
        }
        let left = entry.expires_at.since(now);
        let shown = Shown { expires_in_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX) };
        match entry.stage {
            Stage::Committed => {
                let code = comparison_code(certificate, &nonce, &entry.server_nonce);
                entry.stage = Stage::Waiting { device_nonce: nonce, code };
                Ok((shown, entry.waiting(id)))
            }
            Stage::Waiting { .. } | Stage::Answered { .. } => Ok((shown, None)),
        }
    }

    /// What the device is told; somebody else, who knows only the id, is told nothing.
    pub(crate) fn outcome(&self, now: UnixMillis, id: AskId, nonce: &[u8; 32]) -> AskOutcome {
        let entry = self.asks.get(&id).filter(|entry| entry.expires_at > now);
        match entry.map(|entry| &entry.stage) {
            Some(Stage::Waiting { device_nonce, .. }) if device_nonce == nonce => AskOutcome::Waiting,
            Some(Stage::Answered { device_nonce, outcome }) if device_nonce == nonce => outcome.clone(),
            Some(Stage::Committed | Stage::Waiting { .. } | Stage::Answered { .. }) | None => AskOutcome::Over,
        }
    }

    /// Everybody an admin can answer.
    pub(crate) fn waiting(&self, now: UnixMillis) -> Vec<WaitingAsk> {
        let asks = self.asks.iter().filter(|(_, entry)| entry.expires_at > now);
        asks.filter_map(|(id, entry)| entry.waiting(*id)).collect()
    }

    /// An admin's word; the first counts. Who was let in gets this invite.
    pub(crate) fn answer(&mut self, now: UnixMillis, id: AskId, outcome: AskOutcome) -> Result<(), ErrorBody> {
        let entry = self.asks.get_mut(&id).filter(|entry| entry.expires_at > now).ok_or_else(unknown)?;
        match entry.stage {
            Stage::Waiting { device_nonce, .. } => {
                entry.stage = Stage::Answered { device_nonce, outcome };
                Ok(())
            }
            Stage::Committed => Err(unknown()),
            Stage::Answered { .. } => Err(ErrorBody::new(Code::Conflict, "another admin has answered this already")),
        }
    }
}

impl Entry {
    fn waiting(&self, id: AskId) -> Option<WaitingAsk> {
        match &self.stage {
            Stage::Waiting { code, .. } => Some(WaitingAsk {
                id,
                name: self.ask.name.clone(),
                device_name: self.ask.device_name.clone(),
                code: code.clone(),
                expires_at: self.expires_at,
            }),
            Stage::Committed | Stage::Answered { .. } => None,
        }
    }
}

fn unknown() -> ErrorBody {
    ErrorBody::invalid("id", "nobody waits by this id any more: he went away, or it took longer than five minutes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);
    const ID: AskId = AskId(7);

    fn ask() -> Ask {
        let (name, device_name) = ("Ben".to_owned(), "laptop".to_owned());
        Ask { name, device_name, commitment: commitment(&[1; 32]) }
    }

    fn asked() -> Door {
        let mut door = Door::default();
        door.ask(NOW, "near".to_owned(), ask(), ID, [2; 32]).unwrap();
        door
    }

    fn admitted() -> AskOutcome {
        AskOutcome::Admitted { invite: "bellbird://join/…".to_owned() }
    }

    #[test]
    fn nobody_is_shown_before_the_number_is_and_both_see_the_same_code() {
        let mut door = asked();
        assert!(door.waiting(NOW).is_empty());
        assert_eq!(door.outcome(NOW, ID, &[1; 32]), AskOutcome::Over, "not asked yet");
        assert_eq!(door.show(NOW, ID, [9; 32], None).unwrap_err().field.as_deref(), Some("nonce"));
        assert_eq!(door.answer(NOW, ID, admitted()).unwrap_err().code, Code::InvalidRequest);
        let (shown, news) = door.show(NOW, ID, [1; 32], None).unwrap();
        assert_eq!(
            (shown.expires_in_ms, news.clone().unwrap().code),
            (300_000, comparison_code(None, &[1; 32], &[2; 32]))
        );
        assert_eq!(door.waiting(NOW), [news.unwrap()]);
        assert_eq!(door.show(NOW, ID, [1; 32], None).unwrap().1, None, "admins are told once");
    }

    #[test]
    fn the_answer_reaches_the_device_and_nobody_else() {
        let mut door = asked();
        door.show(NOW, ID, [1; 32], None).unwrap();
        assert_eq!(door.outcome(NOW, ID, &[1; 32]), AskOutcome::Waiting);
        door.answer(NOW, ID, admitted()).unwrap();
        assert_eq!(door.outcome(NOW, ID, &[1; 32]), admitted());
        assert_eq!(door.outcome(NOW, ID, &[3; 32]), AskOutcome::Over, "it does not know the number");
        assert_eq!(
            door.answer(NOW, ID, AskOutcome::Refused).unwrap_err().code,
            Code::Conflict,
            "the first word counts"
        );
        assert!(door.waiting(NOW).is_empty());
    }

    #[test]
    fn who_is_not_answered_is_forgotten_and_the_door_is_not_crowded() {
        let mut door = asked();
        door.show(NOW, ID, [1; 32], None).unwrap();
        let later = NOW.plus(PATIENCE);
        assert!(door.waiting(later).is_empty());
        assert_eq!(door.outcome(later, ID, &[1; 32]), AskOutcome::Over);
        assert!(door.answer(later, ID, admitted()).is_err());
        let mut asks = |at, site: &str, id| door.ask(at, site.to_owned(), ask(), AskId(id), [2; 32]);
        for id in 100..104 {
            asks(NOW, "near", id).unwrap();
        }
        let crowded = asks(NOW, "near", 104).unwrap_err();
        assert_eq!((crowded.code, crowded.retry_after_ms), (Code::RateLimited, Some(300_000)));
        for id in 104..139 {
            asks(NOW, &id.to_string(), id).expect("another is not kept out");
        }
        assert_eq!(asks(NOW, "far", 200).unwrap_err().code, Code::RateLimited);
        asks(later, "near", 200).unwrap();
    }
}
