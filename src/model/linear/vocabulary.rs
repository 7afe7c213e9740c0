//! Which features a model knows, and the column of each.

use super::lookup::Lookup;
use crate::{Error, Result};

/// The feature hashes that a model knows, ascending; a hash's place is its column.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    hashes: Vec<u64>,
    lookup: Lookup,
}

impl Vocabulary {
    /// The vocabulary of `hashes`, which ascend strictly.
    ///
    /// # Errors
    /// [`Error::Shape`] if they don't, or if there are 2³² or more.
    pub fn new(hashes: Vec<u64>) -> Result<Self> {
        let Ok(count) = u32::try_from(hashes.len()) else {
            let found = hashes.len().to_string();
            return Err(Error::Shape { what: "features of a vocabulary", found, expected: "fewer than 2^32".into() });
        };
        let ascends = hashes.iter().zip(hashes.iter().skip(1)).fold(true, |all, (a, b)| all & (a < b));
        if !ascends && let Some(at) = hashes.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(Error::Shape {
                what: "hashes of a vocabulary",
                found: format!("{} before {} at {at}", hashes[at], hashes[at + 1]),
                expected: "strictly ascending hashes".into(),
            });
        }
        let lookup = Lookup::new(count, hashes.iter().copied().zip(0..), |column| hashes[column as usize]);
        Ok(Self { hashes, lookup })
    }

    /// The column of `hash`, if it is known.
    #[inline]
    pub fn get(&self, hash: u64) -> Option<u32> {
        self.lookup.find(hash, |column| self.hashes[column as usize])
    }

    /// The hashes, ascending.
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// How many features there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}
