//! Which sentences a model has learnt from, so that a score on the same sentences is told from one on others.

use xxhash_rust::xxh3::xxh3_64;

/// Sentences of fewer words are too common to show anything.
const LEAST_WORDS: usize = 5;

/// Fingerprints of sentences: 32 bits each, so that one in 100,000 sentences is taken for one of 40,000 others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(Vec<u32>);

impl Seen {
    /// The set of these fingerprints.
    pub fn new(mut prints: Vec<u32>) -> Self {
        prints.sort_unstable();
        prints.dedup();
        Self(prints)
    }

    /// The fingerprints in rising order.
    pub fn prints(&self) -> &[u32] {
        &self.0
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether at least half of these sentences were seen; not where there is none.
    pub fn has_most(&self, prints: &[u32]) -> bool {
        let seen = prints.iter().filter(|print| self.0.binary_search(print).is_ok()).count();
        seen > 0 && 2 * seen >= prints.len()
    }
}

/// The fingerprint of a piece of evidence: of its words, whatever their case and what stands between them. `None` of a few
/// words.
pub fn fingerprint(text: &str) -> Option<u32> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    let words: Vec<String> = words.collect();
    (words.len() >= LEAST_WORDS).then(|| xxh3_64(words.join(" ").as_bytes()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_known_again() {
        let print = |text| fingerprint(text).expect("enough words");
        let (one, two) = (print("Minsk thanked Moscow for the loan."), print("Rain fell on all of Peru."));
        assert_eq!(one, print("MINSK thanked Moscow for the “loan”"));
        assert_ne!(one, two);
        assert_eq!(fingerprint("Minsk thanked Moscow."), None);
        let seen = Seen::new(vec![two, one, one]);
        assert_eq!(seen.prints().len(), 2);
        assert!(seen.has_most(&[one, 7]) && !seen.has_most(&[one, 7, 8]) && !seen.has_most(&[]));
    }
}
