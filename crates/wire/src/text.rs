//! Length and character rules of every text from outside, in one place.

use std::fmt;

/// Largest HTTP body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Largest WebSocket message, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Largest custom data of a call or member, in bytes of JSON.
pub const MAX_CUSTOM_BYTES: usize = 5 * 1024;
/// Most members of a call.
pub const MAX_MEMBERS: usize = 1000;

/// A rule for a text that people read.
#[derive(Debug, Clone, Copy)]
pub struct TextRule {
    /// Most characters (Unicode scalar values).
    pub max_characters: usize,
}

/// A person's or a device's name.
pub const NAME: TextRule = TextRule { max_characters: 100 };
/// The short message that goes with a decline.
pub const MESSAGE: TextRule = TextRule { max_characters: 500 };

impl TextRule {
    /// The text without surrounding space, or `None` if it breaks the rule: empty, too long, or with control or
    /// direction-changing characters, which would let a name pretend to be another.
    #[must_use]
    pub fn check<'a>(&self, text: &'a str) -> Option<&'a str> {
        let text = text.trim();
        let fits = text.chars().any(is_seen) && text.chars().count() <= self.max_characters;
        (fits && !text.chars().any(is_deceptive)).then_some(text)
    }
}

/// The rule in words: what a text has.
impl fmt::Display for TextRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 to {} characters, without control characters", self.max_characters)
    }
}

/// Whether there is anything to see: what only joins or spaces other characters is nothing by itself.
fn is_seen(character: char) -> bool {
    !character.is_whitespace()
        && !matches!(character, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}')
        && !matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{2800}')
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_cannot_turn_the_text_around() {
        assert_eq!(NAME.check("  Ann Ägren "), Some("Ann Ägren"));
        for bad in ["", "   ", "Ann\u{202e}nimda", "a\nb", "\u{200b}", "\u{2060}\u{3164}", &"x".repeat(101)] {
            assert_eq!(NAME.check(bad), None, "{bad:?}");
        }
    }
}
