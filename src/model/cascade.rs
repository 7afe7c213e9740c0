//! Two models one after the other: a quick one reads every window, a better one those of which the quick one is not sure.

use std::sync::Arc;

use super::{Attribution, EvidenceModel, EvidenceWindow, Kind, softmax};

/// A quick model, and a better one for what it leaves open. It is not stored as one: [`kind`](EvidenceModel::kind) is that
/// of the better model.
#[derive(Debug, Clone)]
pub struct Cascade {
    first: Arc<dyn EvidenceModel>,
    then: Arc<dyn EvidenceModel>,
    sure_from: f64,
}

impl Cascade {
    /// Where `first` gives a class at least the probability `sure_from`, its scores are taken; 0 never asks `then`, and above
    /// 1 it is always asked. The scores of both should be calibrated.
    pub fn new(first: Arc<dyn EvidenceModel>, then: Arc<dyn EvidenceModel>, sure_from: f64) -> Self {
        Self { first, then, sure_from }
    }

    /// From which probability on the first model answers alone.
    pub fn sure_from(&self) -> f64 {
        self.sure_from
    }

    fn is_sure(&self, scores: [f64; 3]) -> bool {
        softmax(scores).into_iter().fold(0.0, f64::max) >= self.sure_from
    }
}

impl EvidenceModel for Cascade {
    fn score(&self, windows: &[EvidenceWindow<'_>]) -> Vec<[f64; 3]> {
        let mut scores = self.first.score(windows);
        let asked: Vec<usize> = (0..windows.len()).filter(|&i| !self.is_sure(scores[i])).collect();
        let open: Vec<EvidenceWindow<'_>> = asked.iter().map(|&i| windows[i]).collect();
        for (i, score) in asked.into_iter().zip(self.then.score(&open)) {
            scores[i] = score;
        }
        scores
    }

    fn base(&self) -> [f64; 3] {
        self.then.base()
    }

    fn attribute(&self, window: &EvidenceWindow<'_>) -> Attribution {
        let sure = self.is_sure(self.first.score(std::slice::from_ref(window))[0]);
        if sure { self.first.attribute(window) } else { self.then.attribute(window) }
    }

    fn is_cut(&self, window: &EvidenceWindow<'_>) -> bool {
        self.first.is_cut(window) || self.then.is_cut(window)
    }

    fn kind(&self) -> Kind<'_> {
        self.then.kind()
    }
}
