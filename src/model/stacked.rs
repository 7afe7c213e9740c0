//! Two models in one: the encoder reads the sentence, masked n-grams know the turns of phrase, and their scores are added.
//!
//! ```text
//! z = s ∘ (e + w l) + d         e: scores of the encoder; l: of the n-grams
//! ```
//!
//! with w, s and d fitted on rows that neither had seen. A cascade asks the n-grams first, and the encoder only where
//! they are not sure.

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
    /// From which probability on a cascade takes the answer of the n-grams alone.
    pub sure_from: f64,
}

/// An encoder and masked n-grams.
#[derive(Debug, Clone)]
pub struct StackedModel {
    pub(crate) encoder: Arc<Encoder>,
    pub(crate) linear: LinearModel,
    pub(crate) stack: Stack,
    /// Where the n-grams are at least so sure, from 0 to 1, they answer alone.
    pub(crate) sure_from: Option<f64>,
    pub(crate) base: OnceLock<[f64; 3]>,
}

impl StackedModel {
    pub(crate) fn new(encoder: Arc<Encoder>, linear: LinearModel, stack: Stack, sure_from: Option<f64>) -> Self {
        Self { encoder, linear, stack, sure_from, base: OnceLock::new() }
    }

    /// The same models, as a cascade: where the n-grams alone give a class at least the probability `sure_from`, their
    /// answer is taken; `None` asks the encoder always.
    pub fn with_sure_from(&self, sure_from: Option<f64>) -> Self {
        Self { sure_from, ..self.clone() }
    }

    /// From which probability on the n-grams answer alone.
    pub fn sure_from(&self) -> Option<f64> {
        self.sure_from
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

    /// Which windows the encoder is asked about, of these scores of the n-grams.
    fn is_asked(&self, linear: [f64; 3]) -> bool {
        self.sure_from.is_none_or(|sure| {
            let probabilities = self.stack.linear_calibration.probabilities(linear);
            probabilities.into_iter().fold(0.0, f64::max) < sure
        })
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
        let mut scores = self.linear.score(windows);
        let asked: Vec<usize> = (0..windows.len()).filter(|&i| self.is_asked(scores[i])).collect();
        let inputs: Vec<Option<EncoderInput>> = asked.iter().map(|&i| EncoderInput::new(&windows[i])).collect();
        let mut asked = asked.into_iter().zip(self.encode(&inputs)).peekable();
        for (i, score) in scores.iter_mut().enumerate() {
            let encoder = asked.next_if(|(at, _)| *at == i).and_then(|(_, encoder)| encoder);
            *score = self.stack.apply(encoder, *score);
        }
        scores
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
        let score = self.linear.score(std::slice::from_ref(window))[0];
        let Some(input) = EncoderInput::new(window).filter(|_| self.is_asked(score)) else {
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
        let source = window.document.article.part(window.document.sentences[window.sentences.0].part);
        let terms = words.into_iter().zip(scores).map(|(span, without)| {
            let without = without.unwrap_or(whole);
            let ngrams = |k: usize| -> f64 {
                let holds = |term: &&Term| term.span.start < span.end && span.start < term.span.end;
                linear.iter().filter(holds).map(|term| term.contribution[k]).sum()
            };
            let contribution = std::array::from_fn(|k| {
                self.stack.calibration.scale[k] * (whole[k] - without[k] + self.stack.linear_weight * ngrams(k))
            });
            Term { name: source[span.clone()].to_lowercase(), span, contribution }
        });
        Attribution::Occlusion(terms.collect())
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Stacked(self)
    }
}
