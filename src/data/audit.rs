//! Texts that stand on both sides of a split, word for word or nearly.
//!
//! Two texts are compared by their word 3-grams (lower case, letters and digits only). They are the same when all words
//! are; near when the share of 3-grams in common, counted against the smaller of the two sets, is at least
//! [`NEAR`]: so a sentence is found inside an article too. Texts of fewer than [`MIN_SHINGLES`] 3-grams are only
//! compared word for word.
//!
//! Candidates come from an inverted index of the 3-grams, so the time grows with the texts and not with their pairs. A
//! 3-gram of more than [`MAX_TEXTS`] texts leads to no candidate, though it counts in the comparison.

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

/// The share of common 3-grams from which two texts are near.
pub const NEAR: f64 = 0.8;
/// The fewest 3-grams that are compared.
pub const MIN_SHINGLES: usize = 5;
/// The most texts that a 3-gram may stand in to lead from one to the other.
pub const MAX_TEXTS: usize = 1000;

/// A text of the one side that stands on the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leak {
    /// The text of the other side, by its place in the list given.
    pub text: usize,
    /// Whether all words are the same.
    pub exact: bool,
    /// Share of common 3-grams, 0 to 1; 1 when exact.
    pub overlap: f64,
}

/// An index over the texts of one side.
///
/// ```
/// use detente::data::audit::Index;
/// let index = Index::new(["Minsk thanked Moscow for the loan that it had asked for."]);
/// assert!(index.find("minsk thanked Moscow, for the loan that it had asked for").is_some_and(|l| l.exact));
/// assert!(index.find("Minsk thanked Moscow for the loan that it had wanted for years.").is_none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Index {
    whole: FxHashMap<u64, Vec<u32>>,
    /// The 3-grams of each text, sorted.
    sets: Vec<Box<[u64]>>,
    /// The texts that each 3-gram stands in, in order.
    texts: FxHashMap<u64, Vec<u32>>,
}

impl Index {
    /// Indexes texts.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut index = Self::default();
        for (i, text) in texts.into_iter().enumerate() {
            let words = words(text);
            index.whole.entry(hash(&words)).or_default().push(i as u32);
            let set = shingles(&words);
            for &shingle in &set {
                index.texts.entry(shingle).or_default().push(i as u32);
            }
            index.sets.push(set.into());
        }
        index
    }

    /// The indexed text that `text` repeats most, if any is the same or near.
    pub fn find(&self, text: &str) -> Option<Leak> {
        let words = words(text);
        if words.is_empty() {
            return None;
        }
        if let Some(&text) = self.whole.get(&hash(&words)).and_then(|texts| texts.first()) {
            return Some(Leak { text: text as usize, exact: true, overlap: 1.0 });
        }
        let near = self.near(&shingles(&words)).into_iter();
        near.max_by(|a, b| a.overlap.total_cmp(&b.overlap).then(b.text.cmp(&a.text)))
    }

    /// The indexed texts that `text` repeats, in the order in which they were given; of those with all words the same,
    /// which repeat each other too, only the first.
    pub fn find_first(&self, text: &str) -> Vec<Leak> {
        let words = words(text);
        if words.is_empty() {
            return Vec::new();
        }
        let same = self.whole.get(&hash(&words)).map_or(&[][..], Vec::as_slice);
        let mut found = self.near(&shingles(&words));
        found.retain(|near| same.binary_search(&(near.text as u32)).is_err());
        if let Some(&text) = same.first() {
            let leak = Leak { text: text as usize, exact: true, overlap: 1.0 };
            let place = found.partition_point(|near| near.text < leak.text);
            found.insert(place, leak);
        }
        found
    }

    /// The texts whose 3-grams overlap enough with `set`.
    fn near(&self, set: &[u64]) -> Vec<Leak> {
        if set.len() < MIN_SHINGLES {
            return Vec::new();
        }
        let mut shared: FxHashMap<u32, usize> = FxHashMap::default();
        let mut passed_over = 0;
        for texts in set.iter().filter_map(|shingle| self.texts.get(shingle)) {
            if texts.len() > MAX_TEXTS {
                passed_over += 1;
                continue;
            }
            for &text in texts {
                *shared.entry(text).or_default() += 1;
            }
        }
        let mut shared: Vec<(u32, usize)> = shared.into_iter().collect();
        shared.sort_unstable();
        let leak = |(text, n): (u32, usize)| {
            let other = &self.sets[text as usize];
            let smaller = other.len().min(set.len());
            if smaller < MIN_SHINGLES || ((n + passed_over) as f64) < NEAR * smaller as f64 {
                return None;
            }
            let n = if passed_over == 0 { n } else { common(set, other) };
            let overlap = n as f64 / smaller as f64;
            (overlap >= NEAR).then_some(Leak { text: text as usize, exact: false, overlap })
        };
        shared.into_iter().filter_map(leak).collect()
    }
}

/// How many values two sorted sets share.
fn common(a: &[u64], b: &[u64]) -> usize {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    few.iter().filter(|shingle| many.binary_search(shingle).is_ok()).count()
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

fn hash(words: &[String]) -> u64 {
    xxh3_64(words.join(" ").as_bytes())
}

/// The fingerprint of a sentence: of its words, whatever their case and what stands between them. `None` of fewer than five,
/// which are too common to show anything.
pub fn fingerprint(text: &str) -> Option<u32> {
    const LEAST_WORDS: usize = 5;
    let words = words(text);
    (words.len() >= LEAST_WORDS).then(|| hash(&words) as u32)
}

fn shingles(words: &[String]) -> Vec<u64> {
    let mut set: Vec<u64> = words.windows(3).map(hash).collect();
    set.sort_unstable();
    set.dedup();
    set
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
    }

    #[test]
    fn a_sentence_is_found_inside_an_article() {
        let article = "Talks began at noon. The two ministers shook hands and signed the grain accord. Rain fell.";
        let index = Index::new(["Nothing of the kind happened on that day in the city.", article]);
        let leak = index.find("The two ministers shook hands and signed the grain accord.").expect("it is there");
        assert_eq!((leak.text, leak.exact, leak.overlap), (1, false, 1.0));
        assert_eq!(index.find("The two ministers never met."), None);
        assert_eq!(index.find(""), None);
    }

    #[test]
    fn short_texts_are_compared_word_for_word() {
        let index = Index::new(["Minsk thanks Moscow", ""]);
        assert!(index.find("MINSK thanks Moscow!").is_some_and(|leak| leak.exact));
        assert_eq!(index.find("Minsk thanks Moscow again"), None);
    }

    #[test]
    fn all_repetitions_are_found_and_frequent_shingles_do_not_hide_them() {
        let first = "The two ministers shook hands and signed the grain accord.";
        let index =
            Index::new([first, "Rain fell.", "the two ministers shook hands, and signed the grain accord", "x"]);
        let found = index.find_first(&format!("{first} Rain fell on the city."));
        assert_eq!(found.iter().map(|l| (l.text, l.exact)).collect::<Vec<_>>(), [(0, false), (2, false)]);
        assert_eq!(index.find_first(first).iter().map(|l| (l.text, l.exact)).collect::<Vec<_>>(), [(0, true)]);

        let mut texts = vec!["on the first day of the year the envoys met again in Oslo".to_owned()];
        texts.extend((0..=MAX_TEXTS).map(|i| format!("on the first day of {i}")));
        let index = Index::new(texts.iter().map(String::as_str));
        let leak = index.find("on the first day of the year the envoys met again in Rome").expect("it is near");
        assert_eq!((leak.text, leak.overlap), (0, 10.0 / 11.0));
    }
}
