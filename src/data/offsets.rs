//! In what unit a file counts its offsets: told by where they fall.
//!
//! Files of this program count Unicode characters, as Python does. JavaScript tools count UTF-16 units, other programs
//! bytes. All three agree up to the first character beyond ASCII; behind it, a reading in the wrong unit soon cuts a
//! word or a character. So each unit is compared with characters on those spans of a file where the two differ; it is
//! taken only where all of these are whole words in it, and fewer than half in characters.

use std::fmt;

use crate::characters::Characters;
use crate::error::Location;
use crate::source::{Warn, Warning};
use crate::{Article, Span};

/// What an offset counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffsetUnit {
    /// Unicode characters (code points).
    #[default]
    Characters,
    /// UTF-16 code units: characters beyond U+FFFF count twice.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl OffsetUnit {
    /// The byte of `text` at which the unit number `index` begins; `None` beyond the text or within a character.
    pub fn to_byte(self, text: &Characters<'_>, index: usize) -> Option<usize> {
        match self {
            Self::Characters => text.to_byte(index),
            Self::Bytes => text.text().is_char_boundary(index).then_some(index),
            Self::Utf16 => {
                let mut units = 0;
                for (at, c) in text.text().char_indices() {
                    if units >= index {
                        return (units == index).then_some(at);
                    }
                    units += c.len_utf16();
                }
                (units == index).then_some(text.text().len())
            }
        }
    }

    /// The bytes from one offset to another.
    pub fn span(self, text: &Characters<'_>, start: usize, end: usize) -> Option<Span> {
        Some(self.to_byte(text, start)?..self.to_byte(text, end)?).filter(|span| span.start < span.end)
    }
}

impl fmt::Display for OffsetUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Characters => "Unicode characters",
            Self::Utf16 => "UTF-16 units",
            Self::Bytes => "bytes",
        })
    }
}

/// Compares each unit with characters, on the spans where the two differ.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// For each unit: the spans that tell it from characters, those that fit it, those that fit characters.
    told: [[usize; 3]; 3],
    /// How many spans told any unit from characters.
    pub telling: usize,
}

impl Tally {
    /// Looks at one span; `words` is what stands there, where the file says so.
    pub fn add(&mut self, article: &Article, start: usize, end: usize, words: Option<&str>) {
        if article.text.is_ascii() {
            return;
        }
        let text = Characters::new(&article.text);
        let good = |span: &Option<Span>| {
            span.as_ref().is_some_and(|span| match words {
                Some(words) => article.text[span.clone()] == *words,
                None => is_whole_words(&article.text, span),
            })
        };
        let plain = OffsetUnit::Characters.span(&text, start, end);
        let mut tells = false;
        for unit in [OffsetUnit::Utf16, OffsetUnit::Bytes] {
            let span = unit.span(&text, start, end);
            if span != plain {
                tells = true;
                let told = &mut self.told[unit as usize];
                told[0] += 1;
                told[1] += usize::from(good(&span));
                told[2] += usize::from(good(&plain));
            }
        }
        self.telling += usize::from(tells);
    }

    /// The unit that fits; where it is not characters, or none fits, `warn` is told.
    pub fn unit(&self, path: &str, warn: &Warn) -> OffsetUnit {
        let say = |message: String| warn(Warning { location: Location::file(path), message });
        for unit in [OffsetUnit::Utf16, OffsetUnit::Bytes] {
            let [tell, fit, plain] = self.told[unit as usize];
            if tell > 0 && fit == tell && 2 * plain < tell {
                say(format!("offsets are read as {unit}, in which all {tell} that tell are whole words"));
                return unit;
            }
        }
        // Every span that tells tells bytes from characters.
        let [tell, _, plain] = self.told[OffsetUnit::Bytes as usize];
        if 2 * plain < tell {
            let least = tell - plain;
            say(format!(
                "of {tell} offsets behind other characters than ASCII {least} cut a word in {}; check them",
                OffsetUnit::Characters
            ));
        }
        OffsetUnit::Characters
    }
}

/// Whether a span begins and ends where words do.
fn is_whole_words(text: &str, span: &Span) -> bool {
    let word = |c: char| c.is_alphanumeric();
    let inside = &text[span.clone()];
    inside.trim() == inside
        && !(text[..span.start].ends_with(word) && inside.starts_with(word))
        && !(text[span.end..].starts_with(word) && inside.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn told(text: &str, spans: &[(usize, usize)]) -> (OffsetUnit, usize) {
        let mut tally = Tally::default();
        for (start, end) in spans {
            tally.add(&Article::new(text), *start, *end, None);
        }
        let said = Arc::new(Mutex::new(0));
        let sink = said.clone();
        let warn: Warn = Arc::new(move |_| *sink.lock().expect("no panic") += 1);
        let unit = tally.unit("a.csv", &warn);
        let said = *said.lock().expect("no panic");
        (unit, said)
    }

    #[test]
    fn each_unit_is_told_by_whole_words() {
        // Côte: 4 characters, 5 bytes; 🇷 is one character, two UTF-16 units, four bytes.
        let text = "🇷 Côte d'Ivoire thanked Peru.";
        assert_eq!(told(text, &[(2, 15), (24, 28)]), (OffsetUnit::Characters, 0));
        assert_eq!(told(text, &[(3, 16), (25, 29)]), (OffsetUnit::Utf16, 1));
        assert_eq!(told(text, &[(5, 19), (28, 32)]), (OffsetUnit::Bytes, 1));
        // Accents tell bytes from characters, and nothing of UTF-16.
        let mixed = |spans: &[(&str, usize, usize)]| {
            let mut tally = Tally::default();
            spans.iter().for_each(|(text, a, b)| tally.add(&Article::new(*text), *a, *b, None));
            tally.unit("a.csv", &crate::source::ignore_warnings())
        };
        let accents = ("“Perú” thanked Chile.", 15, 20);
        assert_eq!(mixed(&[accents, accents, ("😀 Peru thanked Chile.", 3, 7)]), OffsetUnit::Utf16);
        assert_eq!(mixed(&[accents, accents, ("😀 Peru thanked Chile.", 2, 6)]), OffsetUnit::Characters);
        assert_eq!(told("Peru thanked Chile.", &[(0, 4), (13, 18)]), (OffsetUnit::Characters, 0));
    }

    #[test]
    fn an_offset_within_a_character_is_none() {
        let text = Characters::new("🇷é");
        assert_eq!(OffsetUnit::Utf16.to_byte(&text, 1), None);
        assert_eq!(OffsetUnit::Utf16.to_byte(&text, 2), Some(4));
        assert_eq!(OffsetUnit::Utf16.to_byte(&text, 3), Some(6));
        assert_eq!(OffsetUnit::Utf16.to_byte(&text, 4), None);
        assert_eq!(OffsetUnit::Bytes.to_byte(&text, 5), None);
        assert_eq!(OffsetUnit::Bytes.to_byte(&text, 6), Some(6));
    }
}
