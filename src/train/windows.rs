//! Training rows as an encoder reads them: the same rows, evidence, weights and folds as [`train`](super::train)'s.

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::Serialize;

use super::{Dataset, MAX_FOLDS, TrainParams, visit};
use crate::characters::Characters;
use crate::data::LabelledPair;
use crate::data::split::folds;
use crate::document::Evidence;
use crate::error::Result;
use crate::gazetteer::Gazetteer;
use crate::model::EvidenceWindow;
use crate::model::encoder::EncoderInput;
use crate::stance::Stance;

/// A labelled pair with all its windows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowRow {
    /// The file that the row is from.
    pub data: String,
    /// The id of its text.
    pub id: String,
    /// The label.
    pub label: Stance,
    /// The weight of the row in the fit.
    pub weight: f64,
    /// Whether probabilities are calibrated on it.
    pub calibrate: bool,
    /// The fold that it is in.
    pub fold: usize,
    /// Its evidence; at least one.
    pub windows: Vec<WindowRecord>,
}

/// One window as text; offsets count characters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowRecord {
    /// The text, with the pair masked.
    pub text: String,
    /// Where the state stands.
    pub state: [usize; 2],
    /// Where the actor stands.
    pub actor: [usize; 2],
    /// Its weight in the pool of the row's evidence.
    pub weight: f64,
}

/// The rows to train on that have evidence, in the order of the data.
///
/// # Errors
/// What reading the rows gives; see [`train`](super::train).
pub fn window_rows(data: &[Dataset], params: &TrainParams, gazetteer: &Gazetteer) -> Result<Vec<WindowRow>> {
    params.check()?;
    let mut found: Vec<(&Dataset, &LabelledPair, Stance, Vec<WindowRecord>)> = Vec::new();
    for dataset in data {
        let read = |pair: &LabelledPair| {
            visit(pair, gazetteer, |document, pair| {
                let record = |e: &Evidence| {
                    let window = EvidenceWindow { document, sentences: e.sentences, strength: e.strength, pair };
                    let input = EncoderInput::new(&window)?;
                    let characters = Characters::new(&input.text);
                    let (state, actor) = (characters.of_span(&input.state), characters.of_span(&input.actor));
                    let weight = params.pooling.weight(e.part, e.strength);
                    Some(WindowRecord { state, actor, weight, text: input.text.clone() })
                };
                document.evidence(pair.0, pair.1).iter().filter_map(record).collect::<Vec<_>>()
            })
        };
        let windows: Vec<Vec<WindowRecord>> =
            dataset.pairs.par_iter().map(read).collect::<Vec<_>>().into_iter().collect::<Result<_>>()?;
        let mut seen = FxHashSet::default();
        for (pair, windows) in dataset.pairs.iter().zip(windows) {
            let Some(label) = pair.label else { continue };
            if seen.insert(pair.identity(gazetteer)) && !windows.is_empty() {
                found.push((dataset, pair, label, windows));
            }
        }
    }
    let pairs: Vec<&LabelledPair> = found.iter().map(|(_, pair, ..)| *pair).collect();
    let (fold_of, _) = folds(&pairs, params.folds.min(MAX_FOLDS), params.seed);
    let row = |((dataset, pair, label, windows), fold): ((&Dataset, &LabelledPair, Stance, Vec<_>), usize)| WindowRow {
        data: dataset.name.clone(),
        id: pair.article.id.clone(),
        label,
        weight: dataset.weight,
        calibrate: dataset.calibrate,
        fold,
        windows,
    };
    Ok(found.into_iter().zip(fold_of).map(row).collect())
}
