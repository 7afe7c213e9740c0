//! Which sentences a model has learnt from, so that a score on the same sentences is told from one on others.

/// Fingerprints of sentences (see [`fingerprint`](crate::data::audit::fingerprint)): 32 bits each, so that one in 100,000 sentences is taken for one of 40,000 others.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_sentences_are_most() {
        let (one, two) = (1, 2);
        let seen = Seen::new(vec![two, one, one]);
        assert_eq!(seen.prints().len(), 2);
        assert!(seen.has_most(&[one, 7]) && !seen.has_most(&[one, 7, 8]) && !seen.has_most(&[]));
    }
}
