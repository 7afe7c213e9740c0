//! How names begin: most words of a text are ruled out by their first three bytes.

use serde::{Deserialize, Serialize};

use super::compiled::whole;

/// How some names can begin: a bit for each [`Start`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Starts {
    #[serde(with = "whole")]
    bits: Vec<u64>,
}

/// How a word begins: its first byte, and the next two with capitals as small letters, as far as they are ASCII and belong to
/// the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Start(u32);

/// As many values as a [`Start`] has.
const ALL: usize = 1 << 18;

/// Letters and digits as numbers from 1, small letters apart from capitals only in the first table; other bytes as 0.
const CLASSES: [[u8; 256]; 2] = {
    let mut tables = [[0; 256]; 2];
    let mut i = 0;
    while i < 26 {
        tables[0][b'A' as usize + i] = 1 + i as u8;
        tables[0][b'a' as usize + i] = 27 + i as u8;
        tables[1][b'A' as usize + i] = 1 + i as u8;
        tables[1][b'a' as usize + i] = 1 + i as u8;
        i += 1;
    }
    while i < 36 {
        tables[0][b'0' as usize + i - 26] = 27 + i as u8;
        tables[1][b'0' as usize + i - 26] = 1 + i as u8;
        i += 1;
    }
    tables
};

impl Start {
    /// Of the word that begins at `at`.
    #[inline]
    pub fn of(bytes: &[u8], at: usize) -> Self {
        let rest = &bytes[at..];
        let [first, second, third] = match rest.first_chunk::<3>() {
            Some(three) => *three,
            None => [rest[0], rest.get(1).copied().unwrap_or_default(), 0],
        };
        let class = |table: usize, byte: u8| u32::from(CLASSES[table][usize::from(byte)]);
        let (first, second, third) = (class(0, first), class(1, second), class(1, third));
        Self(first << 12 | second << 6 | if second == 0 { 0 } else { third })
    }

    /// Of a name, as it is written and with a capital.
    pub fn both_of(name: &str) -> [Self; 2] {
        let mut bytes = name.as_bytes().to_vec();
        let written = Self::of(&bytes, 0);
        bytes[0] = bytes[0].to_ascii_uppercase();
        [written, Self::of(&bytes, 0)]
    }

    /// A word of 64 bits among those of [`Starts`], and a bit of it.
    #[inline]
    fn bit(self) -> (usize, u32) {
        (self.0 as usize / 64, self.0 % 64)
    }
}

impl Default for Starts {
    fn default() -> Self {
        Self { bits: vec![0; ALL / 64] }
    }
}

impl Starts {
    pub fn add(&mut self, start: Start) {
        let (word, bit) = start.bit();
        self.bits[word] |= 1 << bit;
    }

    /// Whether a name can begin so.
    #[inline]
    pub fn has(&self, start: Start) -> bool {
        let (word, bit) = start.bit();
        self.bits[word] >> bit & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_begin_alike_have_one_start() {
        let start = |text: &str| Start::of(text.as_bytes(), 0);
        for (one, other) in
            [("EU", "EU "), ("EU", "Eu, a"), ("U", "U.S"), ("CHA", "Chad"), ("G7", "G7\n"), ("Aé", "A–")]
        {
            assert_eq!(start(one), start(other), "{one} {other}");
        }
        for (one, other) in [("Cha", "cha"), ("EU", "EUR"), ("U", "US"), ("Cha", "Che"), ("Iran", "Oran")] {
            assert_ne!(start(one), start(other), "{one} {other}");
        }
        assert_eq!(Start::both_of("the West"), [start("the"), start("The")]);
        let mut starts = Starts::default();
        Start::both_of("the West").into_iter().for_each(|start| starts.add(start));
        assert!(starts.has(start("THE")) && starts.has(start("then")) && !starts.has(start("to")));
    }
}
