//! What a model says of itself, held against labelled rows: how sure it is, and what it has learnt from.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::metrics;
use super::report::{EvaluateParams, Evaluation, Scored};
use crate::model::reference::Reference;
use crate::pipeline::Pipeline;
use crate::train::fingerprints;
use crate::{Error, Result, Stance};

/// Answers that are sure enough, among all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredRecord {
    /// The share that was asked for; `None` where a probability was.
    pub asked: Option<f64>,
    /// The probability of the stance decided on, from which up rows are answered.
    pub min_prob: f64,
    /// The share of the rows that is answered.
    pub coverage: f64,
    /// The share of the answers that is right; `None` where there is none.
    pub accuracy: Option<f64>,
    /// Macro-F1 of the answers.
    pub macro_f1: Option<f64>,
}

/// How often sets of classes hold the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConformalRecord {
    /// How often they should.
    pub level: f64,
    /// How often they do.
    pub coverage: f64,
    /// The same of the rows of each class that has any.
    pub by_class: BTreeMap<Stance, f64>,
    /// The mean number of classes in a set, 1 to 3.
    pub mean_size: f64,
    /// The share of the sets that have one class.
    pub single: f64,
}

/// Rows whose evidence, at least half of it, the model has learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakRecord {
    /// How many.
    pub rows: usize,
    /// Macro-F1 without them; `None` where there are no others.
    pub macro_f1_without: Option<f64>,
}

/// From when an answer is sure enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sure {
    /// From this probability of the stance decided on.
    MinProb(f64),
    /// As sure as this share of the rows of the model's reference.
    Coverage(f64),
}

impl Sure {
    /// The probability, of a model with this reference.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a share where the model has no reference.
    pub fn min_prob(self, reference: Option<&Reference>) -> Result<f64> {
        match self {
            Self::MinProb(p) => Ok(p),
            Self::Coverage(coverage) => {
                reference.map(|reference| reference.min_prob(coverage)).ok_or_else(no_reference)
            }
        }
    }
}

/// What is said where a model has no reference.
pub fn no_reference() -> Error {
    Error::Parameter {
        name: "the model",
        found: "one that does not record how sure it was of rows it had not seen".into(),
        expected: "a model that does; train it again with this version, or give --min-prob",
    }
}

/// What [`summarise`](super::report::summarise) cannot know of the rows alone: what the model says of itself.
///
/// # Errors
/// As [`Sure::min_prob`]; [`Error::UnknownEntity`].
pub fn examine(
    record: &mut Evaluation,
    scored: &[Scored<'_>],
    pipeline: &Pipeline,
    params: &EvaluateParams,
) -> Result<()> {
    let reference = pipeline.manifest().reference.as_ref();
    record.answered = params.sure.map(|sure| answered(scored, sure, reference)).transpose()?;
    record.conformal = reference.map(|reference| conformal(scored, reference, params.level));
    record.leaks = leaks(scored, pipeline)?;
    Ok(())
}

/// Rows that a model has learnt from; `None` where it does not say from which.
///
/// # Errors
/// [`Error::UnknownEntity`].
pub fn leaks(scored: &[Scored<'_>], pipeline: &Pipeline) -> Result<Option<LeakRecord>> {
    let seen = &pipeline.manifest().seen;
    if seen.is_empty() {
        return Ok(None);
    }
    let leaks = |s: &Scored<'_>| Ok(seen.has_most(&fingerprints(s.pair, pipeline.gazetteer())?));
    let leaks: Vec<bool> =
        scored.par_iter().map(leaks).collect::<Vec<Result<bool>>>().into_iter().collect::<Result<_>>()?;
    let others = || scored.iter().zip(&leaks).filter(|(_, leaks)| !**leaks).map(|(s, _)| s);
    let (y_true, y_pred): (Vec<Stance>, Vec<Stance>) = others().map(|s| (s.label, s.stance)).unzip();
    let rows = leaks.iter().filter(|leaks| **leaks).count();
    let macro_f1_without = (!y_true.is_empty()).then(|| metrics::f1_macro_score(&y_true, &y_pred)).transpose()?;
    Ok(Some(LeakRecord { rows, macro_f1_without }))
}

fn answered(scored: &[Scored<'_>], sure: Sure, reference: Option<&Reference>) -> Result<AnsweredRecord> {
    let min_prob = sure.min_prob(reference)?;
    let is_sure = |s: &&Scored<'_>| s.probabilities.is_some_and(|p| p[s.stance.index()] >= min_prob);
    let (y_true, y_pred): (Vec<Stance>, Vec<Stance>) =
        scored.iter().filter(is_sure).map(|s| (s.label, s.stance)).unzip();
    let of = |measure: fn(&[Stance], &[Stance]) -> Result<f64>| {
        (!y_true.is_empty()).then(|| measure(&y_true, &y_pred)).transpose()
    };
    Ok(AnsweredRecord {
        asked: match sure {
            Sure::Coverage(coverage) => Some(coverage),
            Sure::MinProb(_) => None,
        },
        min_prob,
        coverage: y_true.len() as f64 / scored.len() as f64,
        accuracy: of(metrics::accuracy_score)?,
        macro_f1: of(metrics::f1_macro_score)?,
    })
}

fn conformal(scored: &[Scored<'_>], reference: &Reference, level: f64) -> ConformalRecord {
    let set = |s: &Scored<'_>| Some((s.label, reference.label_set(level, &s.probabilities?)));
    let sets: Vec<(Stance, Vec<Stance>)> = scored.iter().filter_map(set).collect();
    // The share of sets that hold their label, of all or of those of a class.
    let held = |class: Option<Stance>| {
        let of_class = || sets.iter().filter(|(label, _)| class.is_none_or(|class| *label == class));
        let (all, held) = (of_class().count(), of_class().filter(|(label, set)| set.contains(label)).count());
        (all > 0).then(|| held as f64 / all as f64)
    };
    let rows = sets.len().max(1) as f64;
    ConformalRecord {
        level,
        coverage: held(None).unwrap_or(0.0),
        by_class: Stance::ALL.into_iter().filter_map(|class| Some((class, held(Some(class))?))).collect(),
        mean_size: sets.iter().map(|(_, set)| set.len() as f64).sum::<f64>() / rows,
        single: sets.iter().filter(|(_, set)| set.len() == 1).count() as f64 / rows,
    }
}
