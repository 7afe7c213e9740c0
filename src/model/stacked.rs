//! Two models in one: the encoder reads the sentence, masked n-grams know the turns of phrase, and their scores are added.
//!
//! ```text
//! z = s ∘ (e + w l) + d         e: scores of the encoder; l: of the n-grams
//! ```
//!
//! with w, s and d fitted on rows that neither had seen.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::encoder::{Encoder, EncoderInput};
use super::head::Calibration;
use super::linear::LinearModel;
use super::{Attribution, EvidenceModel, EvidenceWindow, Kind, Term};

/// How the scores of the two are put together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Weight of the scores of the n-grams, against 1 for those of the encoder; from 0 to 100.
    pub linear_weight: f64,
    /// From their sum to calibrated scores.
    pub calibration: Calibration,
    /// From the scores of the n-grams alone to calibrated scores.
    pub linear_calibration: Calibration,
    /// From which probability on a cascade that asks this model first takes its answer, where nothing else is said.
    pub sure_from: f64,
}

/// An encoder and masked n-grams.
#[derive(Debug, Clone)]
pub struct StackedModel {
    pub(crate) encoder: Arc<Encoder>,
    pub(crate) linear: LinearModel,
    pub(crate) stack: Stack,
    pub(crate) base: OnceLock<[f64; 3]>,
}

impl StackedModel {
    pub(crate) fn new(encoder: Arc<Encoder>, linear: LinearModel, stack: Stack) -> Self {
        Self { encoder, linear, stack, base: OnceLock::new() }
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The n-grams.
    pub fn linear(&self) -> &LinearModel {
        &self.linear
    }

    /// How the two are put together.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    fn encode(&self, inputs: &[Option<EncoderInput>]) -> Vec<Option<[f64; 3]>> {
        self.encoder.hidden(inputs).into_iter().map(|hidden| Some(self.encoder.scores(&hidden?))).collect()
    }
}

impl Stack {
    /// The calibrated sum; that of the n-grams alone where the encoder could not read the window.
    pub(crate) fn apply(&self, encoder: Option<[f64; 3]>, linear: [f64; 3]) -> [f64; 3] {
        let Some(encoder) = encoder else { return self.linear_calibration.apply(linear) };
        self.calibration.apply(std::array::from_fn(|k| encoder[k] + self.linear_weight * linear[k]))
    }
}

impl EvidenceModel for StackedModel {
    fn score(&self, windows: &[EvidenceWindow<'_>]) -> Vec<[f64; 3]> {
        let inputs: Vec<Option<EncoderInput>> = windows.iter().map(EncoderInput::new).collect();
        let scores = self.encode(&inputs).into_iter().zip(self.linear.score(windows));
        scores.map(|(encoder, linear)| self.stack.apply(encoder, linear)).collect()
    }

    fn base(&self) -> [f64; 3] {
        *self.base.get_or_init(|| {
            let encoder = self.encode(&[Some(EncoderInput::names_alone())]);
            self.stack.apply(encoder[0], self.linear.base())
        })
    }

    /// What each word adds: what the score loses without it. For the encoder the window is read once more without the
    /// word; for the n-grams these are the terms that it is part of.
    fn attribute(&self, window: &EvidenceWindow<'_>) -> Attribution {
        let linear = match self.linear.attribute(window) {
            Attribution::Exact(terms) | Attribution::Occlusion(terms) => terms,
        };
        let Some(input) = EncoderInput::new(window) else {
            let scale = self.stack.linear_calibration.scale;
            let scaled = |term: Term| {
                let contribution = std::array::from_fn(|k| scale[k] * term.contribution[k]);
                Term { contribution, ..term }
            };
            return Attribution::Exact(linear.into_iter().map(scaled).collect());
        };
        let (words, mut inputs): (Vec<_>, Vec<_>) =
            input.occluded().into_iter().map(|(word, input)| (word, Some(input))).unzip();
        inputs.push(Some(input));
        let mut scores = self.encode(&inputs);
        let whole = scores.pop().flatten().unwrap_or_default();
        let terms = words.into_iter().zip(scores).map(|((part, span), without)| {
            let without = without.unwrap_or(whole);
            let ngrams = |k: usize| -> f64 {
                let holds =
                    |term: &&Term| term.part == part && term.span.start < span.end && span.start < term.span.end;
                linear.iter().filter(holds).map(|term| term.contribution[k]).sum()
            };
            let contribution = std::array::from_fn(|k| {
                self.stack.calibration.scale[k] * (whole[k] - without[k] + self.stack.linear_weight * ngrams(k))
            });
            let name = window.document.article.part(part)[span.clone()].to_lowercase();
            Term { name, part, span, contribution }
        });
        Attribution::Occlusion(terms.collect())
    }

    fn is_cut(&self, window: &EvidenceWindow<'_>) -> bool {
        EncoderInput::new(window).is_some_and(|input| self.encoder.is_cut(&input))
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Stacked(self)
    }
}
