//! What is fitted: from windows of evidence to class scores, and from those to stances.
//!
//! An [`EvidenceModel`] scores windows of evidence, each by itself: [`linear`] by masked n-grams, [`stacked`] by these and
//! the [`encoder`] together, [`cascade`] by two models one after the other. The
//! [`Head`] puts the scores of a pair's evidence together, calibrates them and decides. [`file`](mod@file) writes and reads
//! the whole, a [`Model`].
//!
//! A new kind of model implements [`EvidenceModel`], gets a variant of [`Kind`], and an arm in [`file`](mod@file).

pub mod cascade;
pub mod encoder;
pub mod file;
pub mod head;
pub mod linear;
pub mod reference;
pub mod seen;
mod softmax;
pub mod stacked;

use std::fmt::Debug;
use std::sync::Arc;

pub use head::Head;
pub use softmax::softmax;

use crate::article::{Part, Span};
use crate::document::{Document, Party, Strength};
use linear::LinearModel;
use stacked::StackedModel;

/// A run of sentences as evidence for one pair: what a model scores.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceWindow<'d> {
    /// Where it stands.
    pub document: &'d Document<'d>,
    /// The first and the last sentence, as indices into [`Document::sentences`].
    pub sentences: (usize, usize),
    /// How closely it connects the two.
    pub strength: Strength,
    /// State and actor.
    pub pair: (Party, Party),
}

/// A part of a window's score.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What it is called, such as the name of a feature.
    pub name: String,
    /// The part of the article that has its words.
    pub part: Part,
    /// The words that it stands for, where they first occur: bytes of that part.
    pub span: Span,
    /// What it adds to the scores of aligned, neutral, opposed.
    pub contribution: [f64; 3],
}

/// The parts of a window, each with what it adds to the score.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribution {
    /// Parts that add up to the score, with [`base`](EvidenceModel::base).
    Exact(Vec<Term>),
    /// Words, each with what the score loses without it. Words act together, so these do not add up.
    Occlusion(Vec<Term>),
}

/// What scores evidence.
pub trait EvidenceModel: Debug + Send + Sync {
    /// The scores (logits) of aligned, neutral, opposed for each window, in order. Each depends on its window alone, and
    /// on no name of its pair; windows of the same sentences should stand together, for speed.
    fn score(&self, windows: &[EvidenceWindow<'_>]) -> Vec<[f64; 3]>;

    /// The scores of a window that says nothing.
    fn base(&self) -> [f64; 3];

    /// What each part of a window adds to its score.
    fn attribute(&self, window: &EvidenceWindow<'_>) -> Attribution;

    /// Whether it reads only a part of a window, around the pair, as the whole is too long for it.
    fn is_cut(&self, window: &EvidenceWindow<'_>) -> bool {
        let _ = window;
        false
    }

    /// Which kind of model it is.
    fn kind(&self) -> Kind<'_>;
}

/// The kinds of model.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Kind<'m> {
    /// Masked n-grams and logistic regression.
    Linear(&'m LinearModel),
    /// An encoder and masked n-grams together.
    Stacked(&'m StackedModel),
}

/// All that is fitted, and saved: what scores evidence, and what makes stances of the scores.
#[derive(Debug, Clone)]
pub struct Model {
    /// What scores evidence.
    pub evidence: Arc<dyn EvidenceModel>,
    /// What makes stances of the scores.
    pub head: Head,
}
