//! The linear model of evidence: masked n-grams, weighted by TF-IDF, times the weights of a logistic regression.

use std::ops::Range;
use std::{array, ptr};

use rustc_hash::FxHashMap;

use super::features::{Counts, WindowTokens};
use super::groups;
use super::index::Index;
use super::lexicon::{Feature, Lexicon};
use super::ngrams::{NgramParams, Words, hash_of, text_hash};
use super::scorer::Scorer;
use super::tally::{PAIRS, Tally};
use super::tfidf::{Tfidf, Weighting};
use super::tokenize::Tokenizer;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::model::{Attribution, EvidenceModel, EvidenceWindow, Kind, Term};
use crate::stance::Stance;

/// A fitted linear model: z = W x + b, where x is the TF-IDF row of a window.
#[derive(Debug, Clone)]
pub struct LinearModel {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) ngrams: NgramParams,
    pub(crate) weights: Weights,
    pub(crate) intercept: [f64; 3],
}

/// What the features weigh.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a model has one of them")]
pub(crate) enum Weights {
    /// By the words of the features.
    ByText(Index, Weighting),
    /// By the names of the features, of which only the hashes are known: as they are trained, and beside an encoder, which
    /// takes so long that nothing else counts. A row of three weights for each column.
    ByName(Tfidf, Vec<[f32; 3]>),
}

impl LinearModel {
    /// How many features are weighed.
    pub fn n_features(&self) -> usize {
        match &self.weights {
            Weights::ByText(index, _) => index.lexicon().n_features(),
            Weights::ByName(_, coef) => coef.len(),
        }
    }

    /// The features with the largest weight for a class, strongest first: name and weight. None where the names of features
    /// are not known.
    pub fn strongest_features(&self, stance: Stance, count: usize) -> Vec<(String, f32)> {
        let Weights::ByText(index, _) = &self.weights else { return Vec::new() };
        let k = stance.index();
        // A class weight alone is free up to a constant over the classes; its lead over their mean is not.
        let lead = |Feature { weights: w, .. }: &Feature| w[k] - (w[0] + w[1] + w[2]) / 3.0;
        let mut features = index.named();
        features.sort_by(|(a, _), (b, _)| lead(b).total_cmp(&lead(a)).then(a.rank.cmp(&b.rank)));
        features.into_iter().take(count).map(|(feature, name)| (name, lead(&feature))).collect()
    }

    /// The same model with its features by their words, where each column has its name; else as it is.
    pub(crate) fn with_names(self, names: &[Box<str>]) -> Self {
        let index = match &self.weights {
            Weights::ByName(tfidf, coef) if names.len() == coef.len() => {
                let features = names.iter().zip(coef).zip(tfidf.idf());
                Index::of_named(features.map(|((name, weights), idf)| (&**name, *weights, *idf)))
                    .map(|index| Weights::ByText(index, tfidf.weighting()))
            }
            _ => None,
        };
        Self { weights: index.unwrap_or(self.weights), ..self }
    }

    /// The features by their names, as they were trained, and the weights of each column.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where the names of some are not known.
    pub(crate) fn by_name(&self) -> Result<(Tfidf, Vec<[f32; 3]>)> {
        let (index, weighting) = match &self.weights {
            Weights::ByText(index, weighting) => (index, weighting),
            Weights::ByName(tfidf, coef) => return Ok((tfidf.clone(), coef.clone())),
        };
        let features = index.named();
        if features.len() != index.lexicon().n_features() {
            let (found, expected) = ("some that are not known".into(), "a name for each".into());
            return Err(Error::Shape { what: "names of features", found, expected });
        }
        let vocabulary = Vocabulary::new(features.iter().map(|(_, name)| hash_of(name)).collect())?;
        let idf = features.iter().map(|(feature, _)| feature.idf).collect();
        let tfidf = Tfidf::from_parts(vocabulary, idf, weighting.sublinear_tf, weighting.norm)?;
        Ok((tfidf, features.iter().map(|(feature, _)| feature.weights).collect()))
    }

    /// Reads the windows of the same sentences once for all of their pairs.
    fn by_sentences(&self, windows: &[EvidenceWindow<'_>], mut each: impl FnMut(&Words<'_>, &[EvidenceWindow<'_>])) {
        let mut read = WindowTokens::default();
        for same in windows.chunk_by(|a, b| ptr::eq(a.document, b.document) && a.sentences == b.sentences) {
            read.read_into(same[0].document, same[0].sentences, &self.tokenizer);
            each(&Words::new(&read.tokens, &read.marks, self.ngrams.mask_names), same);
        }
    }

    /// The sum of a row of values and their weights.
    pub(crate) fn sum(&self, row: impl Iterator<Item = (f64, [f32; 3])>) -> [f64; 3] {
        let mut z = self.intercept;
        for (value, weights) in row {
            for (z, w) in z.iter_mut().zip(weights) {
                *z += value * f64::from(w);
            }
        }
        z
    }

    /// [`sum`](Self::sum) for two pairs at once, of values that are still to be divided by the norms. What is not a pair's adds zero.
    fn sums(&self, lexicon: &Lexicon, rows: &[(u32, [f64; PAIRS])], norms: [f64; PAIRS]) -> [[f64; 3]; PAIRS] {
        let mut z = self.intercept.map(|z| [z; PAIRS]);
        for &(place, values) in rows {
            for (z, weight) in z.iter_mut().zip(lexicon.weights(place)) {
                for pair in 0..PAIRS {
                    z[pair] += values[pair] / norms[pair] * f64::from(weight);
                }
            }
        }
        array::from_fn(|pair| z.map(|z| z[pair]))
    }

    /// The row of a window, with the place of each feature, and where each feature occurs, by its name.
    fn occurrences(&self, words: &Words<'_>, window: &EvidenceWindow<'_>) -> Occurrences {
        let mut all = Occurrences::default();
        let EvidenceWindow { pair, strength, .. } = *window;
        match &self.weights {
            Weights::ByText(index, weighting) => {
                let mut tally = Tally::new(index.lexicon().n_features());
                self.ngrams.visit(words, pair, strength, |groups, text, at| {
                    let found = index.find(text_hash(text));
                    index.count(found, groups.into(), &mut tally);
                    for (place, group) in found.features(groups) {
                        let name = format!("{}|{text}", groups::NAMES[group as usize]);
                        all.found.push((place, name, at.clone()));
                    }
                });
                let mut rows = Vec::new();
                let [norm, _] = weighting.weigh(index.lexicon(), &mut tally, &mut rows);
                all.row = rows.into_iter().map(|(place, [value, _])| (place, value / norm)).collect();
            }
            Weights::ByName(tfidf, _) => {
                let mut counts = Counts::default();
                counts.count(&self.ngrams, words, pair, strength);
                tfidf.transform_into(counts.as_slice(), &mut all.row);
                self.ngrams.features(words, pair, strength, |hash, name, at| {
                    all.found.extend(tfidf.vocabulary().get(hash).map(|column| (column, name.into(), at)));
                });
            }
        }
        all
    }

    fn weights_of(&self, place: u32) -> [f32; 3] {
        match &self.weights {
            Weights::ByText(index, _) => index.lexicon().weights(place),
            Weights::ByName(_, coef) => coef[place as usize],
        }
    }
}

/// The features of a window.
#[derive(Debug, Default)]
struct Occurrences {
    /// Place and value.
    row: Vec<(u32, f64)>,
    /// Place, name and tokens, each time that it occurs.
    found: Vec<(u32, String, Range<usize>)>,
}

impl EvidenceModel for LinearModel {
    fn score(&self, windows: &[EvidenceWindow<'_>]) -> Vec<[f64; 3]> {
        let mut scores = Vec::with_capacity(windows.len());
        match &self.weights {
            Weights::ByText(index, weighting) => {
                let mut rows = Vec::new();
                let mut scorer = Scorer::new(index, &self.ngrams);
                self.by_sentences(windows, |words, same| {
                    scorer.read(words);
                    for pairs in same.chunks(PAIRS) {
                        let tally = scorer.features(words, pairs);
                        let norms = weighting.weigh(index.lexicon(), tally, &mut rows);
                        scores.extend_from_slice(&self.sums(index.lexicon(), &rows, norms)[..pairs.len()]);
                    }
                });
            }
            Weights::ByName(tfidf, coef) => {
                let (mut counts, mut row) = (Counts::default(), Vec::new());
                self.by_sentences(windows, |words, same| {
                    for window in same {
                        counts.count(&self.ngrams, words, window.pair, window.strength);
                        tfidf.transform_into(counts.as_slice(), &mut row);
                        scores.push(self.sum(row.iter().map(|&(column, value)| (value, coef[column as usize]))));
                    }
                });
            }
        }
        scores
    }

    fn base(&self) -> [f64; 3] {
        self.intercept
    }

    fn attribute(&self, evidence: &EvidenceWindow<'_>) -> Attribution {
        let read = WindowTokens::read(evidence.document, evidence.sentences, &self.tokenizer);
        let words = Words::new(&read.tokens, &read.marks, self.ngrams.mask_names);
        let Occurrences { row, found } = self.occurrences(&words, evidence);
        let places: FxHashMap<u32, usize> = row.iter().map(|(place, _)| *place).zip(0..).collect();
        let mut terms: Vec<Option<Term>> = vec![None; row.len()];
        for (place, name, at) in found {
            let Some(&i) = places.get(&place) else { continue };
            terms[i].get_or_insert_with(|| {
                let (part, span) = read.place(&at);
                let contribution = self.weights_of(place).map(|w| row[i].1 * f64::from(w));
                Term { name, part, span, contribution }
            });
        }
        Attribution::Exact(terms.into_iter().flatten().collect())
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Linear(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Strength};
    use crate::gazetteer::Gazetteer;
    use crate::{Article, Pipeline};

    const TEXT: &str = "Peru, said Chile on Monday, had met Chad and Oman in Peru; the UN and Hamas did not. Oman left Peru and \
                        Chile. \"Sanctions | on Chad,\" said Oman's foreign minister, \"are illegal and dangerous\". The \
                        minister also condemned Peru's unprecedented and unilateral measures against Chile, while Chad's \
                        government, which had recognised the breakaway region, congratulated Oman.";

    fn by_name(model: &LinearModel) -> LinearModel {
        let (tfidf, coef) = model.by_name().expect("all features have names");
        LinearModel { weights: Weights::ByName(tfidf, coef), ..model.clone() }
    }

    #[test]
    fn features_found_by_words_are_those_of_the_names() {
        let Kind::Linear(fast) = Pipeline::fast().model().evidence.kind() else { panic!("a linear model") };
        let article = Article::new(TEXT).with_title("Chile and Peru, Beside Themselves");
        let document = Document::read(&article, Gazetteer::embedded());
        let mut windows: Vec<EvidenceWindow<'_>> = document
            .windows()
            .into_iter()
            .flat_map(|window| {
                let (document, sentences, strength) = (&document, window.sentences, window.strength);
                window.pairs.into_iter().map(move |pair| EvidenceWindow { document, sentences, strength, pair })
            })
            .collect();
        assert!(windows.len() > 50, "{} windows", windows.len());
        // Two words.
        let short = Article::new("Peru Chile");
        let short = Document::read(&short, Gazetteer::embedded());
        let pair = (short.parties()[0], short.parties()[1]);
        // One of two, either of two, and none of two that are read together is not named.
        let unnamed = (pair.0, document.parties()[0]);
        let both = [pair, unnamed, unnamed, (pair.1, pair.0), unnamed, unnamed, pair, (pair.1, pair.0)];
        let (document, sentences, strength) = (&short, (0, 0), Strength::Direct);
        windows.extend(both.map(|pair| EvidenceWindow { document, sentences, strength, pair }));
        let usual = NgramParams::default();
        for ngrams in [
            usual.clone(),
            NgramParams { max_n: 2, near: 1, context: 2, mask_names: false, ..usual.clone() },
            NgramParams { max_n: 0, stems: false, ..usual.clone() },
            NgramParams { near: 0, context: 0, max_n: 5, ..usual.clone() },
            NgramParams { max_region_n: 0, max_n: 1, ..usual.clone() },
            NgramParams { max_n: 0, max_region_n: 0, context: 0, stems: false, ..usual },
        ] {
            let by_text = LinearModel { ngrams, ..fast.clone() };
            let by_name = by_name(&by_text);
            assert_eq!(by_text.score(&windows), by_name.score(&windows));
            for window in windows.iter().step_by(7) {
                assert_eq!(by_text.attribute(window), by_name.attribute(window));
            }
        }
        // A model that does not know all that can be said of a pair beside its words.
        let Weights::ByText(index, weighting) = &fast.weights else { panic!("by text") };
        let named = index.named();
        let some = named.iter().filter(|(_, name)| !name.starts_with("d|state"));
        let some = Index::of_named(some.map(|(feature, name)| (&**name, feature.weights, feature.idf)));
        let by_text = LinearModel { weights: Weights::ByText(some.expect("good names"), *weighting), ..fast.clone() };
        assert!(by_text.n_features() < fast.n_features());
        assert_eq!(by_text.score(&windows), by_name(&by_text).score(&windows));
    }

    #[test]
    fn names_make_an_index_and_it_knows_them() {
        let Kind::Linear(fast) = Pipeline::fast().model().evidence.kind() else { panic!("a linear model") };
        let by_name = by_name(fast);
        let Weights::ByText(index, _) = &fast.weights else { panic!("by text") };
        let mut names: Vec<(u32, Box<str>)> =
            index.named().into_iter().map(|(feature, name)| (feature.rank, name.into())).collect();
        names.sort();
        let names: Vec<Box<str>> = names.into_iter().map(|(_, name)| name).collect();
        let again = by_name.clone().with_names(&names);
        let strongest = |model: &LinearModel| model.strongest_features(Stance::Opposed, 1000);
        assert_eq!(strongest(&again), strongest(fast));
        assert!(matches!(by_name.with_names(&names[1..]).weights, Weights::ByName(..)));
    }
}
