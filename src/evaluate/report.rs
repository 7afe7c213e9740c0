//! The evaluation record: one set of labelled pairs against one model.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::LabelledPair;
use crate::error::{Error, Result};
use crate::evaluate::bootstrap::{Bootstrap, Groups};
use crate::evaluate::compare::{McNemar, approximate_randomization, holm, mcnemar_exact, paired_difference};
use crate::evaluate::examine::{AnsweredRecord, ConformalRecord, LeakRecord, Sure, examine};
use crate::evaluate::metrics::{self, ConfusionMatrix};
use crate::evaluate::selective::{SelectiveRecord, area_under_risk_coverage, selective};
use crate::pipeline::{Ask, Pipeline, ScoredPair, Who, find};
use crate::stance::Stance;

/// One labelled pair with what the model says of it.
#[derive(Debug, Clone)]
pub struct Scored<'d> {
    /// The labelled pair.
    pub pair: &'d LabelledPair,
    /// Its label.
    pub label: Stance,
    /// The predicted class.
    pub stance: Stance,
    /// The predicted probabilities; `None` of a program that gives none.
    pub probabilities: Option<[f64; 3]>,
    /// Whether the state or the actor was not found in the text.
    pub missing: bool,
}

/// Precision, recall, F1 and support of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassRecord {
    /// Share of the rows given this class that have it.
    pub precision: f64,
    /// Share of the rows of this class that were given it.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Rows of this class.
    pub support: usize,
    /// The chance that a row of this class has a higher probability of it than another; `None` where the rows are of one
    /// kind.
    #[serde(default)]
    pub roc_auc: Option<f64>,
    /// The mean precision over all thresholds that find one row more of the class.
    #[serde(default)]
    pub average_precision: Option<f64>,
}

/// A measure of labels and probabilities.
type OfProbabilities<T> = fn(&[Stance], &[[f64; 3]]) -> Result<T>;

/// Groups of fewer rows say little.
pub const SMALL: usize = 30;

/// `n` and scores of the rows that share a value of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Rows.
    pub n: usize,
    /// Macro-F1 on them.
    pub macro_f1: f64,
    /// Its 95 % bootstrap interval over groups; `None` where there is but one group.
    #[serde(default)]
    pub ci95: Option<[f64; 2]>,
    /// The share of them that is right.
    #[serde(default)]
    pub accuracy: f64,
    /// Whether they are fewer than [`SMALL`].
    #[serde(default)]
    pub small: bool,
}

/// Which model was evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// What the user called it.
    #[serde(default)]
    pub name: String,
    /// SHA-256 of the model file, or of the file of predictions.
    pub sha256: String,
    /// Version of the program that trained it; empty for predictions.
    pub version: String,
}

/// The evaluation record; `--format json` prints just this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Labelled rows.
    pub n: usize,
    /// Unweighted mean of the three F1.
    pub macro_f1: f64,
    /// Mean of the F1 of aligned and opposed.
    pub f_avg: f64,
    /// Share of rows given their label.
    pub accuracy: f64,
    /// Mean recall.
    pub balanced_accuracy: f64,
    /// Matthews correlation coefficient.
    pub mcc: f64,
    /// Cohen's κ.
    pub cohen_kappa: f64,
    /// Mean of −ln p(label); `None`, as the next three, of predictions without probabilities.
    pub log_loss: Option<f64>,
    /// Mean squared distance of the probabilities from the label.
    pub brier: Option<f64>,
    /// Expected calibration error over 10 bins of equal mass.
    pub ece: Option<f64>,
    /// The area under the risk–coverage curve, see [`area_under_risk_coverage`].
    #[serde(default)]
    pub aurc: Option<f64>,
    /// The answers of the surest rows; empty without probabilities.
    #[serde(default)]
    pub selective: Vec<SelectiveRecord>,
    /// By class.
    pub per_class: BTreeMap<Stance, ClassRecord>,
    /// Rows true, columns predicted; aligned, neutral, opposed.
    pub confusion: [[usize; 3]; 3],
    /// 95 % bootstrap intervals over groups, by metric.
    pub ci95: BTreeMap<String, [f64; 2]>,
    /// By the values of the columns asked for.
    pub by: BTreeMap<String, BTreeMap<String, GroupRecord>>,
    /// Rows whose state or actor was not found in the text; they count as answered neutral.
    pub missing: usize,
    /// Of the contrasts, the share of which every row is right; `None` where there is none. A contrast are the rows of one
    /// group with the same state and actor, if their labels differ: sentences that a small change turns.
    pub contrasts_right: Option<f64>,
    /// How many contrasts there are.
    pub contrasts: usize,
    /// The model.
    pub model: ModelRecord,
    /// The answers that are as sure as was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<AnsweredRecord>,
    /// The sets of classes of `predict --conformal`, where the model has a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<ConformalRecord>,
    /// Rows that the model has learnt from, where it says from which, and the score without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaks: Option<LeakRecord>,
    /// Other models on the same rows, if any were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
}

/// Another model on the same rows, and whether the difference is more than chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The other model.
    pub model: ModelRecord,
    /// Its macro-F1.
    pub macro_f1: f64,
    /// Macro-F1 of this model minus that of the other.
    pub difference: f64,
    /// 95 % interval of the difference: both are measured on the same draws of groups.
    pub ci95: [f64; 2],
    /// Two-sided p-value of the difference by approximate randomisation over groups, in 2,000 rounds.
    pub p_value: f64,
    /// The same, corrected for all comparisons of the record by Holm's method.
    pub p_holm: f64,
    /// Rows that the other model has learnt from, where it says from which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaks: Option<LeakRecord>,
    /// Rows that only one of the two has right: `only_first` the other model, `only_second` this one.
    pub mcnemar: McNemar,
}

/// How to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateParams {
    /// Columns to break the score down by: `state`, `actor`, or a column of the file.
    pub by: Vec<String>,
    /// Bootstrap draws. Defaults to 2,000.
    pub draws: usize,
    /// Seed of the bootstrap. Defaults to 0.
    pub seed: u64,
    /// Which answers count as sure enough. Defaults to none.
    pub sure: Option<Sure>,
    /// How often sets of classes should hold the truth, 0.5 to 1. Defaults to 0.9.
    pub level: f64,
}

impl Default for EvaluateParams {
    fn default() -> Self {
        Self { by: Vec::new(), draws: 2000, seed: 0, sure: None, level: 0.9 }
    }
}

/// What the model says of each labelled pair, in the order given. Rows without a label are left out.
///
/// # Errors
/// [`Error::UnknownEntity`] for a row without offsets whose state or actor the gazetteer lacks.
pub fn score<'d>(pipeline: &Pipeline, pairs: &'d [LabelledPair]) -> Result<Vec<Scored<'d>>> {
    let (labelled, labels): (Vec<&'d LabelledPair>, Vec<Stance>) =
        pairs.iter().filter_map(|pair| Some((pair, pair.label?))).unzip();
    let scored = predict_labelled(pipeline, &labelled)?;
    let row = |((scored, pair), label): ((Option<ScoredPair>, &'d LabelledPair), Stance)| Scored {
        pair,
        label,
        stance: scored.as_ref().map_or(Stance::Neutral, |s| s.stance),
        probabilities: Some(scored.as_ref().map_or_else(|| pipeline.model().head.no_evidence, |s| s.probabilities)),
        missing: scored.is_none(),
    };
    Ok(scored.into_iter().zip(labelled).zip(labels).map(row).collect())
}

/// Rows that the model scores at once.
const SCORED_TOGETHER: usize = 32;

impl ModelRecord {
    /// The record of a model.
    pub fn of(pipeline: &Pipeline, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            sha256: crate::hash::sha256(&pipeline.to_bytes()),
            version: pipeline.manifest().detente_version.clone(),
        }
    }
}

/// What the model says of the pairs of rows: of the marked words where they have offsets, else of the two entries. `None`
/// where the text does not name both.
///
/// # Errors
/// As [`score`].
pub fn predict_labelled(pipeline: &Pipeline, pairs: &[&LabelledPair]) -> Result<Vec<Option<ScoredPair>>> {
    fn ask<'d>(pipeline: &Pipeline, pair: &'d LabelledPair) -> Result<Ask<'d>> {
        let entry = |name: &str| find(pipeline.gazetteer(), name).map_err(|e| e.at(&pair.location));
        let who = match (&pair.state_span, &pair.actor_span) {
            (Some(state), Some(actor)) => Who::Marked(state.clone(), actor.clone()),
            _ => Who::Entries(entry(&pair.state)?, entry(&pair.actor)?),
        };
        Ok(Ask { article: &pair.article, who })
    }
    // The first error in the order of the rows.
    let asked: Vec<Ask<'_>> = pairs.iter().map(|pair| ask(pipeline, pair)).collect::<Result<_>>()?;
    Ok(asked.par_chunks(SCORED_TOGETHER).flat_map_iter(|asked| pipeline.predict_pairs(asked)).collect())
}

/// What one model says of rows beside what another says of the same.
///
/// # Errors
/// [`Error::Shape`] for rows that differ, and as [`Bootstrap::intervals`].
pub fn compare(
    scored: &[Scored<'_>],
    other: &[Scored<'_>],
    params: &EvaluateParams,
    model: ModelRecord,
) -> Result<Comparison> {
    const ROUNDS: usize = 2000;
    let keys: Vec<&str> = scored.iter().map(|s| s.pair.group_key()).collect();
    let groups = Groups::new(&keys)?;
    let y_true: Vec<Stance> = scored.iter().map(|s| s.label).collect();
    let stances = |scored: &[Scored<'_>]| scored.iter().map(|s| s.stance).collect::<Vec<Stance>>();
    let (this, other) = (stances(scored), stances(other));
    let both = [other.as_slice(), this.as_slice()];
    let bootstrap = Bootstrap::new().draws(params.draws).seed(params.seed);
    let difference = paired_difference(&bootstrap, &groups, &y_true, both, ConfusionMatrix::f1_macro)?;
    let p_value = approximate_randomization(&groups, &y_true, both, ConfusionMatrix::f1_macro, ROUNDS, params.seed)?;
    Ok(Comparison {
        model,
        macro_f1: metrics::f1_macro_score(&y_true, &other)?,
        difference: difference.value,
        ci95: [difference.lower, difference.upper],
        p_value,
        p_holm: p_value,
        leaks: None,
        mcnemar: mcnemar_exact(&y_true, both)?,
    })
}

/// Corrects the p-values of comparisons that are made of one set of rows, see [`holm`].
///
/// # Errors
/// As [`holm`].
pub fn correct(comparisons: &mut [Comparison]) -> Result<()> {
    let corrected = holm(&comparisons.iter().map(|comparison| comparison.p_value).collect::<Vec<_>>())?;
    comparisons.iter_mut().zip(corrected).for_each(|(comparison, p)| comparison.p_holm = p);
    Ok(())
}

impl Comparison {
    /// What the comparison says, in a sentence, of a model and the other.
    pub fn sentence(&self, name: &str) -> String {
        /// Below it a difference is taken for more than chance.
        const LEVEL: f64 = 0.05;
        let other = &self.model.name;
        let [low, high] = self.ci95;
        let (better, worse) = if self.difference >= 0.0 { (name, other.as_str()) } else { (other.as_str(), name) };
        let by = self.difference.abs();
        let size = match self.mcnemar.effect.abs() {
            g if g < 0.05 => "hardly any",
            g if g < 0.15 => "a small",
            g if g < 0.25 => "a medium",
            _ => "a large",
        };
        let p = match self.p_holm {
            p if p < 0.001 => "p < 0.001".to_owned(),
            p => format!("p = {p:.3}"),
        };
        if self.p_holm < LEVEL && (low > 0.0 || high < 0.0) {
            format!(
                "{better} is better than {worse} by {by:.3} macro-F1, which is more than chance ({p}): {size} effect"
            )
        } else {
            format!(
                "these rows do not show which is better: {better} has {by:.3} macro-F1 more than {worse}, which may be chance ({p})"
            )
        }
    }
}

/// Evaluates a model on labelled pairs.
///
/// # Errors
/// As [`score`], and [`Error::Empty`] when no row has a label.
pub fn evaluate(pipeline: &Pipeline, pairs: &[LabelledPair], params: &EvaluateParams) -> Result<Evaluation> {
    let scored = score(pipeline, pairs)?;
    let mut record = summarise(&scored, params, ModelRecord::of(pipeline, ""))?;
    examine(&mut record, &scored, pipeline, params)?;
    Ok(record)
}

/// Puts scored rows together into the evaluation record.
///
/// # Errors
/// [`Error::Empty`] when there are no rows.
pub fn summarise(scored: &[Scored<'_>], params: &EvaluateParams, model: ModelRecord) -> Result<Evaluation> {
    if scored.is_empty() {
        return Err(Error::Empty { path: "the evaluation data".into(), what: "labelled row" });
    }
    let y_true: Vec<Stance> = scored.iter().map(|s| s.label).collect();
    let y_pred: Vec<Stance> = scored.iter().map(|s| s.stance).collect();
    let probabilities: Option<Vec<[f64; 3]>> = scored.iter().map(|s| s.probabilities).collect();
    let of = |measure: OfProbabilities<f64>| probabilities.as_ref().map(|p| measure(&y_true, p)).transpose();
    let by_class = |measure: OfProbabilities<[Option<f64>; 3]>| {
        probabilities.as_ref().map_or(Ok([None; 3]), |p| measure(&y_true, p))
    };
    let scores = metrics::precision_recall_f1_support(&y_true, &y_pred)?;
    let roc_auc = by_class(metrics::roc_auc_score)?;
    let average_precision = by_class(metrics::average_precision_score)?;
    let per_class = Stance::ALL
        .into_iter()
        .map(|c| {
            let s = &scores[c.index()];
            let record = ClassRecord {
                precision: s.precision,
                recall: s.recall,
                f1: s.f1,
                support: s.support as usize,
                roc_auc: roc_auc[c.index()],
                average_precision: average_precision[c.index()],
            };
            (c, record)
        })
        .collect();
    let contrasts = contrasts(scored);
    Ok(Evaluation {
        n: scored.len(),
        macro_f1: metrics::f1_macro_score(&y_true, &y_pred)?,
        f_avg: metrics::f_avg_score(&y_true, &y_pred)?,
        accuracy: metrics::accuracy_score(&y_true, &y_pred)?,
        balanced_accuracy: metrics::balanced_accuracy_score(&y_true, &y_pred)?,
        mcc: metrics::matthews_corrcoef(&y_true, &y_pred)?,
        cohen_kappa: metrics::cohen_kappa_score(&y_true, &y_pred)?,
        log_loss: of(metrics::log_loss)?,
        brier: of(metrics::brier_score_loss)?,
        ece: of(|y, p| metrics::expected_calibration_error(y, p, metrics::Bins::EqualMass))?,
        aurc: probabilities.as_ref().map(|p| area_under_risk_coverage(&y_true, &y_pred, p)).transpose()?,
        selective: probabilities.as_ref().map_or(Ok(Vec::new()), |p| selective(&y_true, &y_pred, p))?,
        per_class,
        confusion: metrics::confusion_matrix(&y_true, &y_pred)?.0.map(|row| row.map(|n| n as usize)),
        ci95: intervals(scored, params)?,
        by: params
            .by
            .iter()
            .map(|column| Ok((column.clone(), breakdown(scored, column, params)?)))
            .collect::<Result<_>>()?,
        missing: scored.iter().filter(|s| s.missing).count(),
        contrasts_right: (!contrasts.is_empty())
            .then(|| contrasts.iter().filter(|right| **right).count() as f64 / contrasts.len() as f64),
        contrasts: contrasts.len(),
        model,
        answered: None,
        conformal: None,
        leaks: None,
        comparisons: Vec::new(),
    })
}

/// For each contrast whether all its rows are right.
fn contrasts(scored: &[Scored<'_>]) -> Vec<bool> {
    let mut rows: BTreeMap<[&str; 3], Vec<&Scored<'_>>> = BTreeMap::new();
    for s in scored {
        if let Some(group) = &s.pair.group {
            rows.entry([group, &s.pair.state, &s.pair.actor]).or_default().push(s);
        }
    }
    let turned = rows.values().filter(|rows| rows.iter().any(|s| s.label != rows[0].label));
    turned.map(|rows| rows.iter().all(|s| s.stance == s.label)).collect()
}

/// The rows by what they have in a column; by `year`, what their dates say.
fn breakdown(scored: &[Scored<'_>], column: &str, params: &EvaluateParams) -> Result<BTreeMap<String, GroupRecord>> {
    let mut rows: BTreeMap<String, Vec<&Scored<'_>>> = BTreeMap::new();
    for s in scored {
        rows.entry(value(s.pair, column)).or_default().push(s);
    }
    let record = |(value, rows): (String, Vec<&Scored<'_>>)| {
        let y_true: Vec<Stance> = rows.iter().map(|s| s.label).collect();
        let y_pred: Vec<Stance> = rows.iter().map(|s| s.stance).collect();
        let keys: Vec<&str> = rows.iter().map(|s| s.pair.group_key()).collect();
        let bootstrap = Bootstrap::new().draws(params.draws).seed(params.seed);
        let record = GroupRecord {
            n: rows.len(),
            macro_f1: metrics::f1_macro_score(&y_true, &y_pred)?,
            ci95: macro_f1_interval(&bootstrap, &keys, &y_true, &y_pred)?,
            accuracy: metrics::accuracy_score(&y_true, &y_pred)?,
            small: rows.len() < SMALL,
        };
        Ok((value, record))
    };
    rows.into_iter().map(record).collect()
}

/// The 95 % interval of macro-F1 by a bootstrap over groups, rows of equal keys; `None` where there is but one.
///
/// # Errors
/// As [`Bootstrap::intervals`].
pub fn macro_f1_interval(
    bootstrap: &Bootstrap,
    keys: &[&str],
    y_true: &[Stance],
    y_pred: &[Stance],
) -> Result<Option<[f64; 2]>> {
    let Ok(groups) = Groups::new(keys) else { return Ok(None) };
    let macro_f1 = |weights: &[f64]| Ok([ConfusionMatrix::new(y_true, y_pred, Some(weights))?.f1_macro()]);
    let [interval] = bootstrap.intervals(&groups, macro_f1)?;
    Ok(Some([interval.lower, interval.upper]))
}

/// What a row has in a column; `year` is that of its date where it has no such column.
fn value(pair: &LabelledPair, column: &str) -> String {
    match (column, pair.column(column)) {
        ("year", None) => pair.article.month().map_or_else(String::new, |month| month.to_string()[..4].to_owned()),
        (_, value) => value.unwrap_or_default().to_owned(),
    }
}

/// 95 % intervals by a bootstrap over groups: a row's `group`, or else its text. Empty where there is but one group.
fn intervals(scored: &[Scored<'_>], params: &EvaluateParams) -> Result<BTreeMap<String, [f64; 2]>> {
    const NAMES: [&str; 8] =
        ["macro_f1", "f_avg", "accuracy", "balanced_accuracy", "mcc", "cohen_kappa", "log_loss", "brier"];
    let keys: Vec<&str> = scored.iter().map(|s| s.pair.group_key()).collect();
    let Ok(groups) = Groups::new(&keys) else { return Ok(BTreeMap::new()) };
    let y_true: Vec<Stance> = scored.iter().map(|s| s.label).collect();
    let y_pred: Vec<Stance> = scored.iter().map(|s| s.stance).collect();
    let probabilities: Option<Vec<[f64; 3]>> = scored.iter().map(|s| s.probabilities).collect();
    let losses = |measure: OfProbabilities<Vec<f64>>| match &probabilities {
        Some(p) => measure(&y_true, p),
        None => Ok(vec![f64::NAN; y_true.len()]),
    };
    let (log_losses, brier_losses) = (losses(metrics::log_losses)?, losses(metrics::brier_losses)?);
    let mean = |losses: &[f64], weights: &[f64]| {
        losses.iter().zip(weights).map(|(l, w)| l * w).sum::<f64>() / weights.iter().sum::<f64>()
    };
    let intervals = Bootstrap::new().draws(params.draws).seed(params.seed).intervals(&groups, |weights| {
        let matrix = ConfusionMatrix::new(&y_true, &y_pred, Some(weights))?;
        Ok([
            matrix.f1_macro(),
            matrix.f_avg(),
            matrix.accuracy(),
            matrix.balanced_accuracy(),
            matrix.matthews_corrcoef(),
            matrix.cohen_kappa(),
            mean(&log_losses, weights),
            mean(&brier_losses, weights),
        ])
    })?;
    let known = NAMES.iter().zip(intervals).filter(|(_, interval)| interval.value.is_finite());
    Ok(known.map(|(name, i)| ((*name).to_string(), [i.lower, i.upper])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stance::{Aligned, Neutral, Opposed};

    #[test]
    fn contrasts_are_right_when_all_their_rows_are() {
        let row = |group: &str, actor: &str, label| {
            let mut pair = crate::data::example("Peru hit Chile.", "Peru", actor, label, 1);
            pair.group = Some(group.into());
            pair
        };
        // g1 turns toward Chile and is right twice; toward Cuba it does not turn. g2 turns and is right once. g3 stands alone.
        let pairs = [
            (row("g1", "Chile", Opposed), Opposed),
            (row("g1", "Chile", Neutral), Neutral),
            (row("g1", "Cuba", Neutral), Aligned),
            (row("g1", "Cuba", Neutral), Neutral),
            (row("g2", "Chile", Opposed), Opposed),
            (row("g2", "Chile", Aligned), Neutral),
            (row("g3", "Chile", Aligned), Neutral),
        ];
        let scored: Vec<Scored<'_>> = pairs
            .iter()
            .map(|(pair, stance)| {
                let label = pair.label.expect("it has one");
                Scored { pair, label, stance: *stance, probabilities: Some([1.0 / 3.0; 3]), missing: false }
            })
            .collect();
        assert_eq!(contrasts(&scored), [true, false]);
        let model = ModelRecord { name: String::new(), sha256: String::new(), version: String::new() };
        let record = summarise(&scored, &EvaluateParams::default(), model).expect("a record");
        assert_eq!((record.contrasts, record.contrasts_right), (2, Some(0.5)));
    }
}
