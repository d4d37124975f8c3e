//! Lists of people: how names are compared.

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
}
