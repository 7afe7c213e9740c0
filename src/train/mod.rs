//! Labelled pairs in, a fitted pipeline out.
//!
//! 1. Every pair becomes counted features: one row of counts for each piece of evidence. Rows that repeat an earlier
//!    one in every respect are left out.
//! 2. TF-IDF and the classifier are fitted on each set of folds but one, and score the one left out. Folds are dealt out by
//!    group and text, so that no sentence, document or story is on both sides, with all labels in each.
//! 3. Calibration and decision are chosen on those out-of-fold scores; what is reported of a fold, on those of the others.
//! 4. TF-IDF and the classifier are fitted on all rows.
//!
//! The result depends on the rows, the parameters and the seed; not on the number of threads.

mod head;
pub mod recipe;
mod rows;
mod warning;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::Array1;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sprs::CsMat;

use crate::data::LabelledPair;
use crate::data::split::folds;
use crate::error::{Error, Location, Result};
use crate::gazetteer::Gazetteer;
use crate::model::file::{CURRENT_VERSION, DataManifest, FileManifest, Manifest};
use crate::model::head::{CalibrationMethod, Pooling};
use crate::model::linear::LinearModel;
use crate::model::linear::features::{Names, window};
use crate::model::linear::ngrams::NgramParams;
use crate::model::linear::tfidf::{Tfidf, TfidfParams};
use crate::model::linear::tokenize::Tokenizer;
use crate::model::linear::{LogisticRegression, LogisticRegressionParams, SparseRecords};
use crate::model::{Head, Model};
use crate::pipeline::Pipeline;
use crate::stance::Stance;

use head::HeldOut;
pub use recipe::Recipe;
use rows::{ReadRows, Row, check_folds, check_rows, label_shares, read_rows, visit};
pub use warning::TrainWarning;
pub use windows::{WindowRecord, WindowRow, window_rows};

/// Everything that can be set in training; `--config FILE.toml` holds the same names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainParams {
    /// Which features are made.
    pub ngrams: NgramParams,
    /// How they are weighted. Defaults to scikit-learn's, with `min_df` 2 and `sublinear_tf`.
    pub tfidf: TfidfParams,
    /// The classifier.
    pub logistic: LogisticRegressionParams,
    /// How the evidence of an article is put together.
    pub pooling: Pooling,
    /// Folds for the out-of-fold scores, 2 or more. Defaults to 5.
    pub folds: usize,
    /// Seed of the folds. Defaults to 0.
    pub seed: u64,
}

impl Default for TrainParams {
    fn default() -> Self {
        Self {
            ngrams: NgramParams::default(),
            tfidf: TfidfParams::new().min_df(2).sublinear_tf(true),
            logistic: LogisticRegressionParams::new(),
            pooling: Pooling::default(),
            folds: 5,
            seed: 0,
        }
    }
}

impl TrainParams {
    /// Refuses parameters outside their range.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        if self.folds < 2 {
            return Err(Error::Parameter { name: "folds", found: self.folds.to_string(), expected: "2 or more" });
        }
        self.ngrams.check()?;
        self.pooling.check()?;
        self.logistic.check_ref().map(drop)
    }
}

/// One file of labelled pairs.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name, for the manifest.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The file of texts that its labels were joined with, if they were.
    pub texts: Option<FileManifest>,
    /// Weight of each row in the fit, from 1e-6 to 1e6. 1 is usual.
    pub weight: f64,
    /// Whether its rows answer the codebook's own question, so that probabilities are calibrated on them.
    pub calibrate: bool,
    /// The rows.
    pub pairs: Vec<LabelledPair>,
}

/// More folds than this only take time.
const MAX_FOLDS: usize = 100;

/// A step of training, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading evidence from the rows.
    Features,
    /// Fitting without fold `0`, of `1` folds.
    Fold(usize, usize),
    /// Fitting on all rows.
    Fit,
}

/// A row scored by a model that was not trained on its group.
#[derive(Debug, Clone)]
pub struct OutOfFold {
    /// The file, as an index into the data given, and the row in it.
    pub row: (usize, usize),
    /// The label.
    pub label: Stance,
    /// The stance decided on.
    pub stance: Stance,
    /// The calibrated probabilities.
    pub probabilities: [f64; 3],
}

/// What training yields.
#[derive(Debug, Clone)]
pub struct Training {
    /// The fitted whole.
    pub pipeline: Pipeline,
    /// Every row's out-of-fold probabilities, in the order of the data.
    pub out_of_fold: Vec<OutOfFold>,
    /// Rows whose text does not connect the two names, left out.
    pub missing: Vec<Location>,
    /// What a person should know; recorded in the manifest, too.
    pub warnings: Vec<TrainWarning>,
    /// Rows that repeat an earlier one of the same file, left out; see [`LabelledPair::identity`].
    pub repeated: Vec<Location>,
}

/// Trains a pipeline.
///
/// `progress` is called at the start of each step.
///
/// # Errors
/// [`Error::Empty`] without usable rows, [`Error::OneClass`], [`Error::UnknownEntity`], [`Error::Parameter`],
/// [`Error::Shape`] where groups or rows are too few for folds, and what the solver reports.
pub fn train(
    data: &[Dataset],
    params: &TrainParams,
    gazetteer: &Gazetteer,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Training> {
    params.check()?;
    if let Some(dataset) = data.iter().find(|dataset| !(1e-6..=1e6).contains(&dataset.weight)) {
        let expected = "a number from 1e-6 to 1e6";
        return Err(Error::Parameter { name: "the weight of a data set", found: dataset.weight.to_string(), expected });
    }
    for (at, dataset) in data.iter().enumerate() {
        if data[..at].iter().any(|earlier| earlier.sha256 == dataset.sha256 && earlier.pairs == dataset.pairs) {
            let found = format!("`{}` twice", dataset.name);
            return Err(Error::Parameter {
                name: "the data",
                found,
                expected: "each file once; `weight` counts rows more",
            });
        }
    }
    progress(Step::Features);
    let tokenizer = Tokenizer::default();
    let ReadRows { rows, missing, repeated } = read_rows(data, params, gazetteer, &tokenizer)?;
    let no_evidence = label_shares(&missing);
    let missing: Vec<Location> = missing.into_iter().map(|(location, _)| location).collect();
    check_rows(data, &rows, params)?;
    let pairs: Vec<&LabelledPair> = rows.iter().map(|row| &data[row.origin.0].pairs[row.origin.1]).collect();
    let (fold_of, folds) = folds(&pairs, params.folds.min(MAX_FOLDS), params.seed);
    check_folds(&rows, &pairs, &fold_of, folds, params)?;

    let mut warnings = Vec::new();
    if folds < params.folds {
        warnings.push(TrainWarning::Folds { asked: params.folds, used: folds });
    }
    let mut stopped = Vec::new();
    let mut logits = vec![[0.0; 3]; rows.len()];
    for fold in 0..folds {
        progress(Step::Fold(fold, folds));
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&i| fold_of[i] == fold);
        let training: Vec<&Row> = outside.iter().map(|&i| &rows[i]).collect();
        let (tfidf, model) = fit(&training, params)?;
        stopped.extend((!model.converged()).then(|| model.n_iter()));
        let scored: Vec<[f64; 3]> =
            inside.par_iter().map(|&i| score(&rows[i], &tfidf, &model, &params.pooling)).collect();
        for (i, z) in inside.into_iter().zip(scored) {
            logits[i] = z;
        }
    }
    // The rows whose probabilities should be right: those that answer the codebook's question, or all.
    let any = rows.iter().any(|row| row.calibrate);
    let held_out = |i: usize| HeldOut {
        logits: logits[i],
        label: rows[i].label,
        fold: fold_of[i],
        used: rows[i].calibrate || !any,
    };
    let held_out: Vec<HeldOut> = (0..rows.len()).map(held_out).collect();
    let head = head::choose(&held_out, folds)?;
    if head.is_flat {
        warnings.push(TrainWarning::NoSignal { rows: held_out.iter().filter(|row| row.used).count() });
    }
    if head.method != CalibrationMethod::VectorScaling {
        let rows = held_out.iter().filter(|row| row.used).count();
        warnings.push(TrainWarning::Calibration { method: head.method, rows });
    }
    let out_of_fold: Vec<OutOfFold> = (0..rows.len())
        .map(|i| OutOfFold {
            row: rows[i].origin,
            label: rows[i].label,
            stance: head.stances[i],
            probabilities: head.probabilities[i],
        })
        .collect();

    progress(Step::Fit);
    let (tfidf, model) = fit(&rows.iter().collect::<Vec<_>>(), params)?;
    stopped.extend((!model.converged()).then(|| model.n_iter()));
    if let Some(&n_iter) = stopped.iter().max() {
        warnings.push(TrainWarning::NotConverged { n_iter, fits: stopped.len() });
    }
    let names = feature_names(data, params, gazetteer, &tokenizer, &tfidf)?;
    let coef = (0..tfidf.vocabulary().len()).map(|c| std::array::from_fn(|k| model.coef()[[k, c]] as f32)).collect();
    let intercept = model.intercept();
    let linear = LinearModel { tokenizer, ngrams: params.ngrams.clone(), tfidf, names, coef, intercept };
    let pooling = params.pooling.clone();
    let head = Head { pooling, calibration: head.calibration, decision: head.decision, no_evidence };
    let model = Model { evidence: Arc::new(linear), head };
    let mut manifest = manifest(data, params, gazetteer, &rows, missing.len());
    manifest.warnings = warnings.iter().map(ToString::to_string).collect();
    Ok(Training { pipeline: Pipeline::new(model, manifest), out_of_fold, missing, warnings, repeated })
}

fn fit(rows: &[&Row], params: &TrainParams) -> Result<(Tfidf, LogisticRegression)> {
    let counts: Vec<&[(u64, f32)]> = rows.iter().flat_map(|r| r.evidence.iter().map(|(c, _)| c.as_slice())).collect();
    let tfidf = params.tfidf.fit(&counts)?;
    let pooled: Vec<Vec<(u32, f64)>> = rows.par_iter().map(|row| pooled_row(row, &tfidf)).collect();
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in pooled {
        for (column, value) in row {
            indices.push(column as usize);
            values.push(value);
        }
        indptr.push(indices.len());
    }
    let x = CsMat::new((rows.len(), tfidf.vocabulary().len()), indptr, indices, values);
    let labels: Vec<Stance> = rows.iter().map(|r| r.label).collect();
    let weights = rows.iter().map(|r| r.weight as f32).collect();
    let dataset = DatasetBase::new(SparseRecords(x), Array1::from(labels)).with_weights(weights);
    let model = params.logistic.fit(&dataset)?;
    Ok((tfidf, model))
}

/// The weighted mean of the rows of a pair's evidence.
fn pooled_row(row: &Row, tfidf: &Tfidf) -> Vec<(u32, f64)> {
    if let [(counts, _)] = &row.evidence[..] {
        return tfidf.transform(counts.as_slice());
    }
    let total: f64 = row.evidence.iter().map(|(_, w)| w).sum();
    let mut sum = BTreeMap::new();
    for (counts, weight) in &row.evidence {
        for (column, value) in tfidf.transform(counts.as_slice()) {
            *sum.entry(column).or_insert(0.0) += weight / total * value;
        }
    }
    sum.into_iter().collect()
}

fn score(row: &Row, tfidf: &Tfidf, model: &LogisticRegression, pooling: &Pooling) -> [f64; 3] {
    let scores: Vec<[f64; 3]> = row
        .evidence
        .iter()
        .map(|(counts, _)| {
            let x = tfidf.transform(counts.as_slice());
            model.decision_function(&x)
        })
        .collect();
    let weights: Vec<f64> = row.evidence.iter().map(|(_, w)| *w).collect();
    let shares = pooling.shares(&weights, &scores);
    std::array::from_fn(|k| scores.iter().zip(&shares).map(|(z, share)| share * z[k]).sum())
}

fn feature_names(
    data: &[Dataset],
    params: &TrainParams,
    gazetteer: &Gazetteer,
    tokenizer: &Tokenizer,
    tfidf: &Tfidf,
) -> Result<Names> {
    let vocabulary = tfidf.vocabulary();
    let mut names: Vec<Option<Box<str>>> = vec![None; vocabulary.len()];
    for pair in data.iter().flat_map(|d| &d.pairs) {
        visit(pair, gazetteer, |document, parties| -> Result<()> {
            for evidence in document.evidence(parties.0, parties.1) {
                let (tokens, marks) = window(document, evidence.sentences, tokenizer);
                let mut clash = Ok(());
                params.ngrams.features(&tokens, &marks, parties, evidence.strength, |hash, name, _| {
                    let Some(column) = vocabulary.get(hash) else { return };
                    match &names[column as usize] {
                        None => names[column as usize] = Some(name.into()),
                        Some(known) if **known != *name => {
                            clash = Err(Error::Shape {
                                what: "feature hash",
                                found: format!("`{known}` and `{name}` under {hash:016x}"),
                                expected: "one name; leave one row out and train again".into(),
                            });
                        }
                        Some(_) => {}
                    }
                });
                clash?;
            }
            Ok(())
        })??;
    }
    Ok(Names::new(names.iter().map(|n| n.as_deref().unwrap_or(""))))
}

fn manifest(data: &[Dataset], params: &TrainParams, gazetteer: &Gazetteer, rows: &[Row], missing: usize) -> Manifest {
    let mut labels = [0; 3];
    for row in rows {
        labels[row.label.index()] += 1;
    }
    Manifest {
        format_version: CURRENT_VERSION,
        detente_version: env!("CARGO_PKG_VERSION").into(),
        gazetteer_version: gazetteer.version().to_string(),
        seed: params.seed,
        data: data
            .iter()
            .map(|d| DataManifest {
                name: d.name.clone(),
                sha256: d.sha256.clone(),
                texts: d.texts.clone(),
                rows: d.pairs.len(),
                weight: d.weight,
            })
            .collect(),
        rows: rows.len(),
        missing,
        labels,
        params: serde_json::to_value(params).expect("parameters are plain data"),
        metrics: serde_json::Value::Null,
        warnings: Vec::new(),
    }
}
