//! Which features a model knows, and the column of each.

use crate::{Error, Result};

/// The feature hashes that a model knows, ascending; a hash's place is its column.
///
/// The array can go to a file and come back as it is: beside it stands only a table of `4·2^b` bytes with `2^b` at
/// least half the number of hashes, filled in one pass, that says where the hashes with given top bits begin, and a bit set
/// of eight bits a hash or more, which most of the hashes that are not there miss. A look-up
/// reads one word of the set, and then one entry of the table and one or two hashes, as long as hashes are spread evenly;
/// otherwise it is a binary search.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    hashes: Vec<u64>,
    /// `starts[t]..starts[t + 1]` are the places of hashes whose top bits are `t`.
    starts: Vec<u32>,
    shift: u32,
    /// The bits at the low bits of the hashes are set; small enough to stay near the processor.
    present: Vec<u64>,
}

impl Vocabulary {
    /// The vocabulary of `hashes`, which ascend strictly.
    ///
    /// # Errors
    /// [`Error::Shape`] if they don't, or if there are 2³² or more.
    pub fn new(hashes: Vec<u64>) -> Result<Self> {
        if u32::try_from(hashes.len()).is_err() {
            let found = hashes.len().to_string();
            return Err(Error::Shape { what: "features of a vocabulary", found, expected: "fewer than 2^32".into() });
        }
        let ascends = hashes.iter().zip(hashes.iter().skip(1)).fold(true, |all, (a, b)| all & (a < b));
        if !ascends && let Some(at) = hashes.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(Error::Shape {
                what: "hashes of a vocabulary",
                found: format!("{} before {} at {at}", hashes[at], hashes[at + 1]),
                expected: "strictly ascending hashes".into(),
            });
        }
        let bits = hashes.len().div_ceil(2).max(2).next_power_of_two().ilog2();
        let shift = u64::BITS - bits;
        // How many have each top, one place further on; then, of all tops before.
        let mut starts = vec![0; (1 << bits) + 1];
        for hash in &hashes {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut present = vec![0u64; hashes.len().max(8).next_power_of_two() / 8];
        let words = present.len() as u64;
        for hash in &hashes {
            present[(hash >> 6 & (words - 1)) as usize] |= 1 << (hash & 63);
        }
        Ok(Self { hashes, starts, shift, present })
    }

    /// The column of `hash`, if it is known.
    #[inline]
    pub fn get(&self, hash: u64) -> Option<u32> {
        // The bit is set of all that are known, and of few others.
        if self.present[(hash >> 6) as usize & (self.present.len() - 1)] >> (hash & 63) & 1 == 0 {
            return None;
        }
        let top = (hash >> self.shift) as usize;
        let (start, end) = (self.starts[top], self.starts[top + 1]);
        let bucket = &self.hashes[start as usize..end as usize];
        let place = if bucket.len() <= 8 {
            bucket.iter().position(|&h| h == hash)?
        } else {
            bucket.binary_search(&hash).ok()?
        };
        Some(start + place as u32)
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
