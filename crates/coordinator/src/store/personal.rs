//! What people change about themselves, as it is stored with everything else that is decided.

use std::collections::{BTreeMap, BTreeSet};

use wire::{DeviceId, DoNotDisturb, UnixMillis, UserId};

use super::StoredPerson;

/// What one change is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Personal {
    pub(crate) people: BTreeMap<UserId, PersonChange>,
    /// Missed calls that were looked at: up to which line of the person's history.
    pub(crate) seen: BTreeMap<UserId, i64>,
    pub(crate) signed_out: BTreeMap<DeviceId, UnixMillis>,
}

impl Personal {
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.seen.is_empty() && self.signed_out.is_empty()
    }
}

/// What is new about a person; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PersonChange {
    pub(crate) name: Option<String>,
    pub(crate) favourites: Option<BTreeSet<UserId>>,
    pub(crate) do_not_disturb: Option<DoNotDisturb>,
    /// Stored before, together with the picture.
    pub(crate) avatar: Option<Option<String>>,
}

impl PersonChange {
    pub(crate) fn between(before: &StoredPerson, after: StoredPerson) -> Self {
        Self {
            name: (after.name != before.name).then_some(after.name),
            favourites: (after.favourites != before.favourites).then_some(after.favourites),
            do_not_disturb: (after.do_not_disturb != before.do_not_disturb).then_some(after.do_not_disturb),
            avatar: (after.avatar != before.avatar).then_some(after.avatar),
        }
    }

    /// This, and what a newer one says instead.
    pub(crate) fn then(&mut self, newer: Self) {
        let Self { name, favourites, do_not_disturb, avatar } = newer;
        self.name = name.or(self.name.take());
        self.favourites = favourites.or(self.favourites.take());
        self.do_not_disturb = do_not_disturb.or(self.do_not_disturb.take());
        self.avatar = avatar.or(self.avatar.take());
    }

    pub(crate) fn apply(self, person: &mut StoredPerson) {
        let Self { name, favourites, do_not_disturb, avatar } = self;
        if let Some(name) = name {
            person.name = name;
        }
        if let Some(favourites) = favourites {
            person.favourites = favourites;
        }
        if let Some(do_not_disturb) = do_not_disturb {
            person.do_not_disturb = do_not_disturb;
        }
        if let Some(avatar) = avatar {
            person.avatar = avatar;
        }
    }
}
