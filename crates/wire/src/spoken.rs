//! An invite's code as it is read aloud: groups of letters and digits that are hard to mistake for each other.

use crate::InviteCode;

/// What codes are made of: no `i`, `l`, `o`, `0` and `1`.
pub const CODE_LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Letters of a code: 99 bits.
pub const CODE_LENGTH: usize = 20;
/// Letters of a group.
const GROUP: usize = 4;

/// What was heard or typed is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpokenCodeError {
    /// A letter that no code has.
    #[error("no invite code has a “{0}” in it (nor i, l, o, 0 and 1, which look like others): check it and try again")]
    Letter(char),
    /// Too few or too many letters.
    #[error("an invite code has 20 letters and digits, in five groups of four; these are {0}")]
    Length(usize),
}

impl InviteCode {
    /// In groups of four: `k7f9-qpmn-…`.
    #[must_use]
    pub fn spoken(&self) -> String {
        let groups: Vec<&str> =
            self.as_str().as_bytes().chunks(GROUP).filter_map(|group| str::from_utf8(group).ok()).collect();
        groups.join("-")
    }

    /// The code that somebody read aloud or typed, in whatever groups and case.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn from_spoken(text: &str) -> Result<Self, SpokenCodeError> {
        let is_between =
            |character: &char| character.is_whitespace() || matches!(character, '-' | '‐' | '–' | '.' | ',');
        let letters: Vec<char> = text
            .chars()
            .filter(|character| !is_between(character))
            .map(|character| character.to_ascii_lowercase())
            .collect();
        if let Some(letter) =
            letters.iter().find(|letter| !letter.is_ascii() || !CODE_LETTERS.contains(&(**letter as u8)))
        {
            return Err(SpokenCodeError::Letter(*letter));
        }
        let code: String = letters.iter().collect();
        match code.parse() {
            Ok(parsed) if code.len() == CODE_LENGTH => Ok(parsed),
            Ok(_) | Err(_) => Err(SpokenCodeError::Length(letters.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_groups_and_typed_in_any_way() {
        let code: InviteCode = "abcdefghjkmnpqrstuvw".parse().unwrap();
        assert_eq!(code.spoken(), "abcd-efgh-jkmn-pqrs-tuvw");
        for typed in ["abcd-efgh-jkmn-pqrs-tuvw", "  ABCD efgh jkmn–pqrs, tuvw\n", "abcdefghjkmnpqrstuvw"] {
            assert_eq!(InviteCode::from_spoken(typed).as_ref(), Ok(&code), "{typed}");
        }
    }

    #[test]
    fn what_was_misheard_is_named() {
        assert_eq!(InviteCode::from_spoken("abcd-efgh-jkmn-pqrs-tuv0"), Err(SpokenCodeError::Letter('0')));
        assert_eq!(InviteCode::from_spoken("abcd-efgh-jkmn-pqrs-tuvü"), Err(SpokenCodeError::Letter('ü')));
        assert_eq!(InviteCode::from_spoken("abcd-efgh-jkmn-pqrs"), Err(SpokenCodeError::Length(16)));
        assert_eq!(InviteCode::from_spoken(""), Err(SpokenCodeError::Length(0)));
        assert_eq!(InviteCode::from_spoken("https://example.org"), Err(SpokenCodeError::Letter(':')));
    }
}
