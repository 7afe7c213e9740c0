//! In what unit a file counts its offsets: told by where they fall.
//!
//! Files of this program count Unicode characters, as Python does. JavaScript tools count UTF-16 units, other programs
//! bytes. All three agree up to the first character beyond ASCII; behind it, a reading in the wrong unit soon cuts a
//! word or a character. So of the spans of a file those are looked at that differ by unit. Another unit than characters is
//! taken only where all of them are whole words in it, and fewer than half in characters.

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
    const ALL: [Self; 3] = [Self::Characters, Self::Utf16, Self::Bytes];

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

/// Counts, for each unit, the spans that are whole words in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    fits: [usize; 3],
    /// How many spans told the units apart.
    pub telling: usize,
}

impl Tally {
    /// Looks at one span; `words` is what stands there, where the file says so.
    pub fn add(&mut self, article: &Article, start: usize, end: usize, words: Option<&str>) {
        if article.text.is_ascii() {
            return;
        }
        let text = Characters::new(&article.text);
        let spans = OffsetUnit::ALL.map(|unit| unit.span(&text, start, end));
        if spans.iter().all(|span| *span == spans[0]) {
            return;
        }
        self.telling += 1;
        for (fits, span) in self.fits.iter_mut().zip(spans) {
            let good = span.is_some_and(|span| match words {
                Some(words) => article.text[span] == *words,
                None => is_whole_words(&article.text, &span),
            });
            *fits += usize::from(good);
        }
    }

    /// The unit that fits; where it is not characters, `warn` is told.
    pub fn unit(&self, path: &str, warn: &Warn) -> OffsetUnit {
        let fits = |unit: OffsetUnit| self.fits[unit as usize];
        if self.telling == 0 || 2 * fits(OffsetUnit::Characters) >= self.telling {
            return OffsetUnit::Characters;
        }
        let Some(unit) = OffsetUnit::ALL.into_iter().find(|unit| fits(*unit) == self.telling) else {
            return OffsetUnit::Characters;
        };
        let message = format!("offsets are read as {unit}, in which all {} that tell are whole words", self.telling);
        warn(Warning { location: Location::file(path), message });
        unit
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
