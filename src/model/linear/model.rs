//! The linear model of evidence: masked n-grams, weighted by TF-IDF, times the weights of a logistic regression.

use std::ptr;

use super::features::{Counts, WindowTokens};
use super::names::Names;
use super::ngrams::{NgramParams, Words};
use super::tfidf::Tfidf;
use super::tokenize::Tokenizer;
use crate::model::{Attribution, EvidenceModel, EvidenceWindow, Kind, Term};
use crate::stance::Stance;

/// A fitted linear model: z = W x + b, where x is the TF-IDF row of a window.
#[derive(Debug, Clone)]
pub struct LinearModel {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) ngrams: NgramParams,
    pub(crate) tfidf: Tfidf,
    /// The name of each column's feature.
    pub(crate) names: Names,
    /// A row of three weights for each column.
    pub(crate) coef: Vec<[f32; 3]>,
    pub(crate) intercept: [f64; 3],
}

impl LinearModel {
    /// How many features are weighed.
    pub fn n_features(&self) -> usize {
        self.coef.len()
    }

    /// The features with the largest weight for a class, strongest first: name and weight.
    pub fn strongest_features(&self, stance: Stance, count: usize) -> Vec<(&str, f32)> {
        let k = stance.index();
        // A class weight alone is free up to a constant over the classes; its lead over their mean is not.
        let lead = |w: &[f32; 3]| w[k] - (w[0] + w[1] + w[2]) / 3.0;
        let names = self.names.of(self.tfidf.vocabulary());
        let mut columns: Vec<usize> = (0..self.coef.len()).collect();
        columns.sort_by(|&a, &b| lead(&self.coef[b]).total_cmp(&lead(&self.coef[a])).then(a.cmp(&b)));
        columns.into_iter().take(count).map(|c| (&*names[c], lead(&self.coef[c]))).collect()
    }
}

impl LinearModel {
    /// The scores of counted features; `row` is scratch space.
    pub(crate) fn score_counts(&self, counts: &[(u64, f32)], row: &mut Vec<(u32, f64)>) -> [f64; 3] {
        self.tfidf.transform_into(counts, row);
        self.score_row(row)
    }

    fn score_row(&self, row: &[(u32, f64)]) -> [f64; 3] {
        let mut z = self.intercept;
        for &(column, value) in row {
            for (z, w) in z.iter_mut().zip(self.coef[column as usize]) {
                *z += value * f64::from(w);
            }
        }
        z
    }
}

impl EvidenceModel for LinearModel {
    fn score(&self, windows: &[EvidenceWindow<'_>]) -> Vec<[f64; 3]> {
        let mut scores = Vec::with_capacity(windows.len());
        let (mut columns, mut hashes, mut row) = (Vec::new(), Vec::new(), Vec::new());
        // The pairs of the same sentences share their tokens.
        for same in windows.chunk_by(|a, b| ptr::eq(a.document, b.document) && a.sentences == b.sentences) {
            let read = WindowTokens::read(same[0].document, same[0].sentences, &self.tokenizer);
            let words = Words::new(&read.tokens, &read.marks, self.ngrams.mask_names);
            // Most features are unknown: these are left out before anything is sorted.
            let vocabulary = self.tfidf.vocabulary();
            let shared = self.ngrams.shared(&words, |hash| vocabulary.get(hash));
            for window in same {
                columns.clear();
                hashes.clear();
                self.ngrams.columns(&words, &shared, window.pair, window.strength, &mut columns, &mut hashes);
                vocabulary.get_all(&mut hashes, &mut columns);
                self.tfidf.transform_columns(&mut columns, &mut row);
                scores.push(self.score_row(&row));
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
        let mut counts = Counts::default();
        counts.count(&self.ngrams, &words, evidence.pair, evidence.strength);
        let row = self.tfidf.transform(counts.as_slice());
        let mut terms: Vec<Option<Term>> = vec![None; row.len()];
        self.ngrams.features(&words, evidence.pair, evidence.strength, |hash, name, at| {
            let column = self.tfidf.vocabulary().get(hash);
            let found = column.and_then(|c| row.binary_search_by_key(&c, |&(c, _)| c).ok());
            let Some(place) = found else { return };
            terms[place].get_or_insert_with(|| {
                let (column, value) = row[place];
                let (part, span) = read.place(&at);
                Term {
                    name: name.into(),
                    part,
                    span,
                    contribution: self.coef[column as usize].map(|w| value * f64::from(w)),
                }
            });
        });
        Attribution::Exact(terms.into_iter().flatten().collect())
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Linear(self)
    }
}
