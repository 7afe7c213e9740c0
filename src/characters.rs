//! Offsets in Unicode characters, as files have them, and in bytes, as Rust counts.

use crate::Span;

/// Bytes between two counts that are kept.
const BLOCK: usize = 512;

/// The characters of a text, counted once: each offset is then found by looking at no more than 512 bytes.
///
/// ```
/// use detente::characters::Characters;
/// let characters = Characters::new("Côte d'Ivoire");
/// assert_eq!(characters.of_byte(5), 4);
/// assert_eq!(characters.to_byte(4), Some(5));
/// assert_eq!(characters.to_byte(14), None);
/// ```
#[derive(Debug, Clone)]
pub struct Characters<'t> {
    text: &'t str,
    /// How many characters begin before each block of bytes; empty where all are ASCII.
    before: Vec<usize>,
}

impl<'t> Characters<'t> {
    /// Counts the characters of `text`.
    pub fn new(text: &'t str) -> Self {
        let mut before = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for block in text.as_bytes().chunks(BLOCK) {
                before.push(count);
                count += starts(block);
            }
        }
        Self { text, before }
    }

    /// The text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// How many characters begin before the byte `at`, at most the length of the text.
    pub fn of_byte(&self, at: usize) -> usize {
        let block = at.min(self.text.len().saturating_sub(1)) / BLOCK;
        match self.before.get(block) {
            Some(before) => before + starts(&self.text.as_bytes()[block * BLOCK..at.min(self.text.len())]),
            None => at,
        }
    }

    /// The offsets in characters of a range of bytes.
    pub fn of_span(&self, span: &Span) -> [usize; 2] {
        [self.of_byte(span.start), self.of_byte(span.end)]
    }

    /// The byte at which the character number `index`, from 0, begins; the length of the text after the last.
    pub fn to_byte(&self, index: usize) -> Option<usize> {
        if self.before.is_empty() {
            return (index <= self.text.len()).then_some(index);
        }
        let block = self.before.partition_point(|&before| before <= index) - 1;
        // A block may begin within a character, which began in the one before.
        let from = self.text.ceil_char_boundary(block * BLOCK);
        let rest = &self.text[from..];
        rest.char_indices().map(|(at, _)| from + at).chain([self.text.len()]).nth(index - self.before[block])
    }

    /// How many characters there are.
    pub fn count(&self) -> usize {
        self.of_byte(self.text.len())
    }
}

/// How many characters begin in `bytes`.
fn starts(bytes: &[u8]) -> usize {
    // So many at a time that a byte holds their count: many bytes are then compared at once.
    let begin = |some: &[u8]| usize::from(some.iter().map(|byte| u8::from(byte & 0xC0 != 0x80)).sum::<u8>());
    bytes.chunks(128).map(begin).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn agree_with_the_definition(text in "[a-c]{0,3}|(é|🇷|a|漢){0,1500}") {
            let characters = Characters::new(&text);
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            for (index, &byte) in starts.iter().enumerate() {
                proptest::prop_assert_eq!(characters.of_byte(byte), index);
                proptest::prop_assert_eq!(characters.to_byte(index), Some(byte));
            }
            proptest::prop_assert_eq!(characters.to_byte(starts.len()), None);
            proptest::prop_assert_eq!(characters.count(), starts.len() - 1);
        }
    }
}
