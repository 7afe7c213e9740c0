//! Training rows as an encoder reads them: the same rows, evidence, weights and folds as [`train`](super::train)'s.

use serde::Serialize;

use super::rows::{Found, read_evidence};
use super::{Dataset, MAX_FOLDS, TrainParams};
use crate::characters::Characters;
use crate::data::LabelledPair;
use crate::data::split::folds;
use crate::document::{Document, Evidence, Party};
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
    /// The code of the state, or its name as the row has it where the gazetteer knows none.
    pub state: String,
    /// The code of the actor, or its name likewise.
    pub actor: String,
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
    let record = |document: &Document<'_>, evidence: &Evidence, pair: (Party, Party)| -> Option<WindowRecord> {
        let Evidence { part, sentences, strength, .. } = *evidence;
        let EncoderInput { text, state, actor, .. } =
            EncoderInput::new(&EvidenceWindow { document, sentences, strength, pair })?;
        let characters = Characters::new(&text);
        let (state, actor) = (characters.of_span(&state), characters.of_span(&actor));
        Some(WindowRecord { state, actor, weight: params.pooling.weight(part, strength), text })
    };
    let found = read_evidence(data, gazetteer, record)?.found;
    let pairs: Vec<&LabelledPair> = found.iter().map(|row| &data[row.origin.0].pairs[row.origin.1]).collect();
    let (fold_of, _) = folds(&pairs, params.folds.min(MAX_FOLDS), params.seed);
    let code = |name: &str| gazetteer.find(name).map_or(name, |id| gazetteer.get(id).code.as_str()).to_owned();
    let row = |((row, pair), fold): ((Found<Option<WindowRecord>>, &LabelledPair), usize)| {
        let dataset = &data[row.origin.0];
        WindowRow {
            data: dataset.name.clone(),
            id: pair.article.id.clone(),
            label: row.label,
            weight: dataset.weight,
            calibrate: dataset.calibrate,
            fold,
            state: code(&pair.state),
            actor: code(&pair.actor),
            windows: row.evidence.into_iter().flatten().collect(),
        }
    };
    Ok(found.into_iter().zip(pairs).zip(fold_of).map(row).collect())
}
