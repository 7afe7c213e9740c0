//! Whether articles are still like those that a model was measured on.
//!
//! Two collections are compared by what the model reads and by what it says: their words, the length of their texts, the pairs of
//! an article, the stances and how sure they are. Distributions are compared by the population stability index
//! Σ (qᵢ − pᵢ) ln (qᵢ / pᵢ) over bins, 0 where they are alike; in credit scoring, where it comes from, above 0.1 is called some
//! change and above 0.25 much (Siddiqi 2006, "Credit risk scorecards"). Of two halves of one collection it is about
//! (bins − 1) (1/n + 1/m), so small collections differ by chance.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::article::{Article, Part};
use crate::error::{Error, Result};
use crate::pipeline::{Pipeline, Query};
use crate::stance::Stance;

/// Numbers are compared in this many bins, of equal mass in the reference.
const BINS: usize = 10;
/// Words that are compared one by one: the most frequent of the reference.
const WORDS: usize = 50;

/// What articles are like, to be compared.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    articles: usize,
    /// Fingerprints of their texts: one that comes again says nothing new.
    texts: BTreeSet<u64>,
    /// In how many articles each word is.
    words: BTreeMap<String, usize>,
    lengths: Vec<f64>,
    pairs: Vec<f64>,
    stances: [usize; 3],
    sureness: Vec<f64>,
}

/// How two collections differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftRecord {
    /// Different articles of the reference, and of the others.
    pub articles: [usize; 2],
    /// Connected pairs in them.
    pub pairs: [usize; 2],
    /// The population stability index of each distribution.
    pub psi: BTreeMap<String, f64>,
    /// What each index is in the mean by chance alone, of as many: (bins − 1) (1/n + 1/m).
    pub expected: BTreeMap<String, f64>,
    /// The share of the different words of an article, in the mean, that no article of the reference has; and the same of the
    /// reference's articles, each against the others.
    pub unknown_words: [f64; 2],
    /// The shares of aligned, neutral, opposed among the pairs.
    pub stances: [[f64; 3]; 2],
    /// The mean probability of the stance decided on.
    pub confidence: [f64; 2],
}

impl Profile {
    /// What articles and the model's answers to them are like, toward everybody that they name.
    pub fn new(pipeline: &Pipeline, articles: &[Article]) -> Self {
        let query = Query { evidence_limit: Some(0), ..Query::default() };
        let mut texts = BTreeSet::new();
        let articles: Vec<Article> = articles.iter().filter(|article| texts.insert(print(article))).cloned().collect();
        let of = |some: &[Article]| {
            let mut profile = Self::default();
            for (article, predictions) in some.iter().zip(pipeline.predict_batch(some, &query)) {
                profile.articles += 1;
                profile.lengths.push(article.text.chars().count() as f64);
                profile.pairs.push(predictions.len() as f64);
                for word in words(article) {
                    *profile.words.entry(word).or_default() += 1;
                }
                for prediction in predictions {
                    profile.stances[prediction.stance.index()] += 1;
                    profile.sureness.push(prediction.probabilities[prediction.stance.index()]);
                }
            }
            profile
        };
        let parts: Vec<Self> = articles.par_chunks(32).map(of).collect();
        parts.into_iter().fold(Self { texts, ..Self::default() }, |mut all, part| {
            all.add(part);
            all
        })
    }

    /// What is new to these of some articles, put to them.
    pub fn read(&mut self, pipeline: &Pipeline, mut articles: Vec<Article>) {
        articles.retain(|article| !self.texts.contains(&print(article)));
        let mut more = Self::new(pipeline, &articles);
        self.texts.append(&mut more.texts);
        self.add(more);
    }

    fn add(&mut self, other: Self) {
        self.articles += other.articles;
        for (word, count) in other.words {
            *self.words.entry(word).or_default() += count;
        }
        self.lengths.extend(other.lengths);
        self.pairs.extend(other.pairs);
        self.stances.iter_mut().zip(other.stances).for_each(|(all, more)| *all += more);
        self.sureness.extend(other.sureness);
    }

    fn stance_shares(&self) -> [f64; 3] {
        let all = self.sureness.len().max(1) as f64;
        self.stances.map(|count| count as f64 / all)
    }
}

fn print(article: &Article) -> u64 {
    xxh3_64(format!("{}\n{}", article.part(Part::Title), article.text).as_bytes())
}

/// The different words of an article, in small letters.
fn words(article: &Article) -> BTreeSet<String> {
    [Part::Title, Part::Text]
        .into_iter()
        .flat_map(|part| article.part(part).split(|c: char| !c.is_alphabetic()))
        .filter(|word| word.chars().count() > 1)
        .map(str::to_lowercase)
        .collect()
}

/// Compares articles with a reference.
///
/// # Errors
/// [`Error::Empty`] where one of them has no article.
pub fn drift(reference: &Profile, others: &Profile) -> Result<DriftRecord> {
    for (profile, path) in [(reference, "the reference"), (others, "the data")] {
        if profile.articles == 0 {
            return Err(Error::Empty { path: path.into(), what: "article" });
        }
    }
    let mut psi = BTreeMap::new();
    let counts = |profile: &Profile| profile.stances.map(|count| count as f64).to_vec();
    psi.insert("stances".to_owned(), stability(&counts(reference), &counts(others)));
    for (name, [a, b]) in [
        ("sureness", [&reference.sureness, &others.sureness]),
        ("length of texts", [&reference.lengths, &others.lengths]),
        ("pairs of an article", [&reference.pairs, &others.pairs]),
    ] {
        psi.insert(name.to_owned(), binned(a, b));
    }
    let mut frequent: Vec<(&String, &usize)> = reference.words.iter().collect();
    frequent.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let of = |profile: &Profile| -> Vec<f64> {
        frequent.iter().take(WORDS).map(|(word, _)| profile.words.get(*word).copied().unwrap_or(0) as f64).collect()
    };
    psi.insert("frequent words".to_owned(), stability(&of(reference), &of(others)));
    // Articles are drawn, and what is in them comes together, so that it is their number that chance goes by.
    let chance = |bins: usize| (bins as f64 - 1.0) * (1.0 / reference.articles as f64 + 1.0 / others.articles as f64);
    let bins = |name: &str| match name {
        "stances" => Stance::COUNT,
        "frequent words" => WORDS.min(frequent.len()),
        _ => BINS,
    };
    let expected = psi.keys().map(|name| (name.clone(), chance(bins(name)))).collect();
    // Each occurrence in an article counts once; of the reference, a word of one article alone is unknown to the others.
    let total = |profile: &Profile| profile.words.values().sum::<usize>().max(1) as f64;
    let new: usize = others.words.iter().filter(|(word, _)| !reference.words.contains_key(*word)).map(|(_, n)| n).sum();
    let alone = reference.words.values().filter(|count| **count == 1).count();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    Ok(DriftRecord {
        articles: [reference.articles, others.articles],
        pairs: [reference.sureness.len(), others.sureness.len()],
        psi,
        expected,
        unknown_words: [alone as f64 / total(reference), new as f64 / total(others)],
        stances: [reference.stance_shares(), others.stance_shares()],
        confidence: [mean(&reference.sureness), mean(&others.sureness)],
    })
}

/// The index of numbers, in bins of equal mass in `a`.
fn binned(a: &[f64], b: &[f64]) -> f64 {
    let mut sorted = a.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return 0.0;
    }
    let mut edges: Vec<f64> = (1..BINS).map(|bin| sorted[bin * sorted.len() / BINS]).collect();
    edges.dedup();
    let counts = |values: &[f64]| {
        let mut counts = vec![0.0; edges.len() + 1];
        values.iter().for_each(|value| counts[edges.partition_point(|edge| edge <= value)] += 1.0);
        counts
    };
    stability(&counts(a), &counts(b))
}

/// The population stability index of two rows of counts; half a count is added to each, so that empty bins do not weigh without
/// end. 0 where one has none at all.
fn stability(a: &[f64], b: &[f64]) -> f64 {
    let (all_a, all_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    if all_a == 0.0 || all_b == 0.0 {
        return 0.0;
    }
    let share = |count: f64, all: f64| (count + 0.5) / (all + 0.5 * a.len() as f64);
    a.iter().zip(b).map(|(a, b)| (share(*a, all_a), share(*b, all_b))).map(|(p, q)| (q - p) * (q / p).ln()).sum()
}

impl DriftRecord {
    /// What differs by more than `most` and twice what chance does, with its index.
    pub fn above(&self, most: f64) -> Vec<(&str, f64)> {
        let is_above =
            |(name, psi): &(&String, &f64)| **psi > most + 2.0 * self.expected.get(*name).copied().unwrap_or(0.0);
        self.psi.iter().filter(is_above).map(|(name, psi)| (name.as_str(), *psi)).collect()
    }

    /// The share of a stance in the reference, and in the others.
    pub fn shares(&self, stance: Stance) -> [f64; 2] {
        self.stances.map(|shares| shares[stance.index()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_of_the_books() {
        // Without the half counts, of shares 0.5, 0.5 and 0.25, 0.75: 0.25 ln 2 + 0.25 ln 1.5.
        let psi = stability(&[5e9, 5e9], &[2.5e9, 7.5e9]);
        assert!((psi - 0.25 * 2.0f64.ln() - 0.25 * 1.5f64.ln()).abs() < 1e-6, "{psi}");
        assert_eq!(stability(&[3.0, 4.0], &[0.0, 0.0]), 0.0);
        assert_eq!(stability(&[3.0, 4.0], &[3.0, 4.0]), 0.0);
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(binned(&values, &values) < 1e-12 && binned(&values, &[200.0; 100]) > 1.0);
    }

    #[test]
    fn other_words_and_other_stances_show() {
        let pipeline = Pipeline::fast();
        let of =
            |text: &str| -> Vec<Article> { (0..80).map(|i| Article::new(format!("{text} Day {}.", i % 40))).collect() };
        let war = Profile::new(pipeline, &of("Peru condemned Chile over the attack."));
        let peace = Profile::new(pipeline, &of("Peru thanked Chile; fishermen celebrated together."));
        let same = drift(&war, &war).expect("articles");
        assert!(same.above(0.01).is_empty() && same.unknown_words[1] == 0.0, "{same:?}");
        let other = drift(&war, &peace).expect("articles");
        assert!(other.psi["stances"] > 0.25 && other.unknown_words[1] > 0.2, "{other:?}");
        assert_eq!(other.articles, [40, 40]);
        assert!(drift(&war, &Profile::default()).is_err());
    }
}
