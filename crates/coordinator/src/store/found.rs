//! Lists of people: how names are compared, and where a page ends.

use wire::UserId;

use super::cursor;

/// A place in the order of people: the next page begins behind it, whatever they are called meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonPlace {
    /// The name as it was [folded] then.
    pub(crate) folded: String,
    /// Of people of the same name.
    pub(crate) id: String,
}

/// A person in his place; an id that cannot be read leaves the place.
#[derive(Debug)]
pub(crate) struct FoundPerson {
    pub(crate) place: PersonPlace,
    pub(crate) user: Option<UserId>,
}

impl PersonPlace {
    /// For the next page.
    pub(crate) fn cursor(&self) -> String {
        cursor::written(&(&self.folded, &self.id))
    }

    /// `None` if the cursor is made up.
    pub(crate) fn read(cursor: &str) -> Option<Self> {
        let (folded, id) = cursor::read(cursor)?;
        Some(Self { folded, id })
    }
}

/// A name without the difference of small and capital letters. Letter by letter, so that a part of a name is a part of the
/// folded one; by way of the capitals, as some have two small letters (σ and ς).
pub(crate) fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_small_and_capital_letters() {
        for (one, other) in
            [("Иван", "иван"), ("Özgür", "ÖZGÜR"), ("Νίκος", "ΝΊΚΟΣ"), ("Weiß", "WEISS"), ("Ann", "ann")]
        {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("Özgür"), folded("Ozgur"));
        assert!(folded("ΝΊΚΟΣ").starts_with(&folded("ΝΊΚΟΣ Α")[.."νίκοσ".len()]), "a part is a part");
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_not_made_up() {
        let place = PersonPlace { folded: "özgür".to_owned(), id: "ozgur".to_owned() };
        assert_eq!(PersonPlace::read(&place.cursor()), Some(place));
        for made_up in ["", "ann", "bnVsbA", "WyJhIl0"] {
            assert_eq!(PersonPlace::read(made_up), None, "{made_up}");
        }
    }
}
