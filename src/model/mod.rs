//! What is fitted: from windows of evidence to class scores, and from those to stances.
//!
//! [`linear`] scores a window by masked n-grams; [`head`] puts the scores of a pair's evidence together, calibrates them
//! and decides; [`file`](mod@file) writes and reads the whole.

pub mod file;
pub mod head;
pub mod linear;
mod softmax;

pub use softmax::softmax;

use head::{Calibration, Decision, Pooling};
use linear::features::Names;
use linear::ngrams::NgramParams;
use linear::tfidf::Tfidf;
use linear::tokenize::Tokenizer;

/// What is fitted, and saved with a model.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub tokenizer: Tokenizer,
    pub ngrams: NgramParams,
    pub tfidf: Tfidf,
    /// The name of each column's feature.
    pub names: Names,
    /// A row of three weights for each column.
    pub coef: Vec<[f32; 3]>,
    pub intercept: [f64; 3],
    pub calibration: Calibration,
    pub pooling: Pooling,
    /// Probabilities for a pair that the text names but does not connect.
    pub no_evidence: [f64; 3],
    pub decision: Decision,
}
