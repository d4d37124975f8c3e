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
    /// The text without surrounding space, or `None` if it breaks the rule: empty, too long, or with control,
    /// direction-changing or hidden characters, which would let a name pretend to be another.
    #[must_use]
    pub fn check<'a>(&self, text: &'a str) -> Option<&'a str> {
        let text = text.trim();
        let fits = text.chars().any(is_seen) && text.chars().count() <= self.max_characters;
        (fits && !deceives(text)).then_some(text)
    }
}

/// The rule in words: what a text has.
impl fmt::Display for TextRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 to {} characters, without control characters and such as hide in a text", self.max_characters)
    }
}

/// Whether there is anything to see: what only joins or spaces other characters is nothing by itself.
fn is_seen(character: char) -> bool {
    !character.is_whitespace()
        && !matches!(character, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}')
        && !matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{2800}')
}

/// Whether it turns the text around, breaks the line, or hides in it. Joiners (U+200C and U+200D) are none of these: scripts
/// and emoji are written with them.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{2028}' | '\u{2029}')
        || matches!(character, '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(character, '\u{e0000}'..='\u{e007f}')
}

/// The flags that are written with characters which hide anywhere else: of England, of Scotland, of Wales.
const FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

fn deceives(text: &str) -> bool {
    text.chars().any(is_deceptive)
        && FLAGS.iter().fold(text.to_owned(), |rest, flag| rest.replace(flag, " ")).chars().any(is_deceptive)
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

    #[test]
    fn nothing_hides_in_a_name_and_scripts_and_emoji_are_written_as_they_are() {
        let hidden =
            "\u{61c}\u{ad}\u{180e}\u{200b}\u{2028}\u{2029}\u{2060}\u{fff9}\u{fffa}\u{fffb}\u{e0000}\u{e0041}\u{e007f}";
        for character in hidden.chars() {
            assert_eq!(NAME.check(&format!("An{character}n")), None, "{character:?}");
        }
        let [england, scotland, wales] = FLAGS;
        for good in
            ["نامه\u{200c}ای", "क्\u{200d}ष", "👩\u{200d}🚀 Ann", "Ann ❤\u{fe0f}", england, scotland, wales, "🏴 Ann"]
        {
            assert_eq!(NAME.check(good), Some(good), "{good:?}");
        }
        let cut = england.trim_end_matches('\u{e007f}');
        for bad in [cut, &format!("{wales}\u{e0067}"), &england.replace('\u{1f3f4}', "🏁")] {
            assert_eq!(NAME.check(bad), None, "{bad:?}");
        }
    }
}
