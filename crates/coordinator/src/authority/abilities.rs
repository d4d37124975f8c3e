//! A set of capabilities as bits: asked for with every request and every event.

use std::collections::BTreeSet;

use wire::Capability;

/// What somebody may do; a bit for each capability, in the order of [`Capability::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Abilities(u64);

const _: () = assert!(Capability::ALL.len() <= 64, "a bit for each");

impl Abilities {
    pub(super) fn contains(self, capability: Capability) -> bool {
        self.0 & bit(capability) != 0
    }

    pub(super) fn insert(&mut self, capability: Capability) {
        self.0 |= bit(capability);
    }

    pub(super) fn remove(&mut self, capability: Capability) {
        self.0 &= !bit(capability);
    }
}

fn bit(capability: Capability) -> u64 {
    1 << (capability as u32)
}

impl FromIterator<Capability> for Abilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        let mut abilities = Self::default();
        capabilities.into_iter().for_each(|capability| abilities.insert(capability));
        abilities
    }
}

impl From<Abilities> for BTreeSet<Capability> {
    fn from(abilities: Abilities) -> Self {
        Capability::ALL.iter().copied().filter(|capability| abilities.contains(*capability)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_has_a_bit_of_its_own() {
        for capability in Capability::ALL {
            let alone: Abilities = [*capability].into_iter().collect();
            assert_eq!(BTreeSet::from(alone), BTreeSet::from([*capability]));
        }
        let mut all: Abilities = Capability::ALL.iter().copied().collect();
        all.remove(Capability::Ring);
        assert_eq!(BTreeSet::from(all).len(), Capability::ALL.len() - 1);
        assert!(!all.contains(Capability::Ring) && all.contains(Capability::ReadCall));
    }
}
