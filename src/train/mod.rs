//! Labelled pairs in, a fitted pipeline out.
//!
//! 1. Every pair becomes counted features: one row of counts for each piece of evidence. Rows that repeat an earlier
//!    one in every respect are left out.
//! 2. TF-IDF and the classifier are fitted on each set of folds but one, and score the one left out. Folds are dealt out by
//!    group and text, so that no sentence, document or story is on both sides, with all labels in each.
//! 3. Calibration and decision are chosen on those out-of-fold scores; what is reported of a fold, on those of the others.
//! 4. TF-IDF and the classifier are fitted on all rows.
//!
//! [`train_stacked`] puts an encoder beside these, which was fine-tuned on all folds but one: the scores of both on that
//! fold say how they go together. [`adapt`](fn@adapt) brings such a whole to other rows.
//!
//! The result depends on the rows, the parameters and the seed; not on the number of threads.

mod adapt;
mod encoder;
mod head;
mod linear;
mod questions;
pub mod recipe;
mod rows;
mod stacked;
pub mod tune;
mod warning;
mod windows;

use std::sync::Arc;

use linfa::ParamGuard;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::LabelledPair;
use crate::data::split::folds;
use crate::error::{Error, Location, Result};
use crate::gazetteer::Gazetteer;
use crate::model::file::{CURRENT_VERSION, DataManifest, FileManifest, Manifest};
use crate::model::head::{CalibrationMethod, Pooling};
use crate::model::linear::features::Counts;
use crate::model::linear::ngrams::NgramParams;
use crate::model::linear::tfidf::TfidfParams;
use crate::model::linear::{LinearModel, LogisticRegressionParams};
use crate::model::reference::Reference;
use crate::model::seen::Seen;
use crate::model::stacked::StackedModel;
use crate::model::{EvidenceModel, Head, Kind, Model};
use crate::pipeline::Pipeline;
use crate::stance::Stance;

pub use encoder::TrainedEncoder;
use head::HeldOut;
pub use recipe::Recipe;
pub(crate) use rows::fingerprints;
use rows::{Inputs, ReadRows, Row, check_folds, check_rows, label_shares, read_rows};
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

/// The most rows that an encoder reads to be put beside the n-grams.
const ENOUGH: usize = 4000;

/// A step of training, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading evidence from the rows.
    Features,
    /// Fitting without fold `0`, of `1` folds.
    Fold(usize, usize),
    /// Scoring what an encoder has not seen.
    Encoder,
    /// Fitting on all rows.
    Fit,
}

/// A row scored by a model that was not trained on its group.
#[derive(Debug, Clone)]
pub struct OutOfFold {
    /// The file, as an index into the data given, and the row in it.
    pub row: (usize, usize),
    /// The fold that it was in.
    pub fold: usize,
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

/// Trains a pipeline: masked n-grams and logistic regression.
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
    let mut ready = Ready::read(data, params, gazetteer, Inputs::Left, progress)?;
    let mut scores = vec![Vec::new(); ready.rows.len()];
    for fold in 0..ready.folds {
        progress(Step::Fold(fold, ready.folds));
        for (i, windows) in ready.score_fold(fold)? {
            scores[i] = windows;
        }
    }
    let row = |i: usize| HeldOutRow { row: i, fold: ready.fold_of[i], scores: std::mem::take(&mut scores[i]) };
    let held_out: Vec<HeldOutRow> = (0..ready.rows.len()).map(row).collect();
    let judged = ready.judge(&held_out, ready.folds)?;
    progress(Step::Fit);
    let linear = linear::named(data, ready.fit()?, gazetteer)?;
    Ok(ready.finish(Arc::new(linear), judged))
}

/// Puts an encoder and n-grams together. The encoder was fine-tuned on the same rows but those of one fold; its weight
/// beside the n-grams, the calibration and the decision are chosen on that.
///
/// # Errors
/// As [`train`], and [`Error::Parameter`] where there is no fold that the encoder left out.
pub fn train_stacked(
    data: &[Dataset],
    params: &TrainParams,
    trained: TrainedEncoder,
    gazetteer: &Gazetteer,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Training> {
    let mut ready = Ready::read(data, params, gazetteer, Inputs::Kept, progress)?;
    if trained.held_out >= ready.folds {
        return Err(Error::Parameter {
            name: "the fold that the encoder left out",
            found: trained.held_out.to_string(),
            expected: "one of the folds of these rows",
        });
    }
    progress(Step::Fold(trained.held_out, ready.folds));
    let mut linear = ready.score_fold(trained.held_out)?;
    // Others would say nothing of the probabilities, and the encoder takes its time.
    if linear.iter().any(|(row, _)| ready.rows[*row].calibrate) {
        linear.retain(|(row, _)| ready.rows[*row].calibrate);
    }
    // A dozen numbers are chosen on them: some thousands are enough.
    let every = linear.len().div_ceil(ENOUGH);
    let mut place = 0..;
    linear.retain(|_| place.next().is_some_and(|place: usize| place.is_multiple_of(every)));
    progress(Step::Encoder);
    let seen: Vec<stacked::Seen> = stacked::see(&trained.encoder, &ready.rows, linear);
    let stack = stacked::choose(&seen, &ready.rows)?;
    let pairs: Vec<&LabelledPair> = seen.iter().map(|seen| ready.pair(seen.row)).collect();
    let (fold_of, folds) = folds(&pairs, params.folds.min(MAX_FOLDS), params.seed);
    let row = |(seen, fold): (&stacked::Seen, usize)| HeldOutRow { row: seen.row, fold, scores: seen.apply(&stack) };
    let held_out: Vec<HeldOutRow> = seen.iter().zip(fold_of).map(row).collect();
    let judged = ready.judge(&held_out, folds)?;
    progress(Step::Fit);
    let linear = ready.fit()?;
    let model = StackedModel::new(Arc::new(trained.encoder), linear, stack);
    let mut training = ready.finish(Arc::new(model), judged);
    training.pipeline.manifest.params["encoder"] = trained.manifest;
    Ok(training)
}

/// Brings a model that reads, one of an encoder and n-grams, to other rows: they fit a new last layer of its encoder, the
/// weight of its n-grams beside it, calibration and decision. Of `params`, those of the classifier, the folds and the seed
/// count; features are the model's. Some dozens of numbers are chosen on all held-out scores, so that what is reported of
/// few rows is a little too good.
///
/// # Errors
/// As [`train`], and [`Error::Parameter`] where the model has no encoder.
pub fn adapt(
    base: &Pipeline,
    data: &[Dataset],
    params: &TrainParams,
    gazetteer: &Gazetteer,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Training> {
    let Kind::Stacked(model) = base.model().evidence.kind() else {
        let expected = "one with an encoder, such as `accurate` and `small`";
        return Err(Error::Parameter { name: "the model to start from", found: "n-grams alone".into(), expected });
    };
    let (ngrams, pooling) = (model.linear().ngrams.clone(), base.model().head.pooling.clone());
    // The n-grams are kept, so none is too rare.
    let params = TrainParams { ngrams, pooling, tfidf: TfidfParams::new().min_df(1), ..params.clone() };
    let mut ready = Ready::read(data, &params, gazetteer, Inputs::Kept, progress)?;
    let known = &base.manifest().seen;
    let rows = ready.rows.iter().filter(|row| known.has_most(&row.prints)).count();
    if rows > 0 {
        ready.warnings.push(TrainWarning::Known { rows });
    }
    progress(Step::Encoder);
    let adapter = adapt::Adapter::new(model.encoder(), &ready.rows, &params.logistic);
    let adapt::HeldOutScores { scores, strength, mut stopped } = adapter.held_out(&ready.fold_of, ready.folds)?;
    let (tfidf, coef) = model.linear().by_name()?;
    let linear = |row: &Row| {
        let score = |counts: &Counts| {
            let row = tfidf.transform(counts.as_slice());
            model.linear().sum(row.iter().map(|&(column, value)| (value, coef[column as usize])))
        };
        row.evidence.iter().map(|(counts, _)| score(counts)).collect()
    };
    let seen = scores.into_iter().zip(&ready.rows).enumerate();
    let seen = seen.map(|(row, (encoder, of))| stacked::Seen { row, encoder, linear: linear(of) });
    let seen: Vec<stacked::Seen> = seen.collect();
    let stack = stacked::choose(&seen, &ready.rows)?;
    progress(Step::Fit);
    let (encoder, unfinished) = adapter.finish(strength)?;
    stopped.extend(unfinished);
    ready.stopped.extend(stopped);
    let row =
        |seen: &stacked::Seen| HeldOutRow { row: seen.row, fold: ready.fold_of[seen.row], scores: seen.apply(&stack) };
    let held_out: Vec<HeldOutRow> = seen.iter().map(row).collect();
    let judged = ready.judge(&held_out, ready.folds)?;
    let adapted = StackedModel::new(Arc::new(encoder), model.linear().clone(), stack);
    let mut training = ready.finish(Arc::new(adapted), judged);
    // What the base has learnt from, so has this.
    let manifest = &mut training.pipeline.manifest;
    manifest.seen = Seen::new([known.prints(), manifest.seen.prints()].concat());
    let of_base = &base.manifest().params;
    training.pipeline.manifest.params["tfidf"] = of_base["tfidf"].clone();
    training.pipeline.manifest.params["adapted"] = serde_json::json!({
        "strength": strength,
        "params": of_base,
        "detente_version": base.manifest().detente_version,
        "data": base.manifest().data,
        "rows": base.manifest().rows,
    });
    Ok(training)
}

/// The sentences that a model would learn from these rows.
///
/// # Errors
/// [`Error::UnknownEntity`].
pub fn seen(data: &[Dataset], gazetteer: &Gazetteer) -> Result<Seen> {
    let pairs: Vec<&LabelledPair> = data.iter().flat_map(|dataset| &dataset.pairs).collect();
    let prints = pairs.par_iter().map(|pair| fingerprints(pair, gazetteer)).collect::<Vec<_>>();
    Ok(Seen::new(prints.into_iter().collect::<Result<Vec<_>>>()?.concat()))
}

/// The rows, ready to be fitted to.
struct Ready<'a> {
    data: &'a [Dataset],
    params: &'a TrainParams,
    gazetteer: &'a Gazetteer,
    rows: Vec<Row>,
    fold_of: Vec<usize>,
    folds: usize,
    missing: Vec<Location>,
    repeated: Vec<Location>,
    no_evidence: [f64; 3],
    warnings: Vec<TrainWarning>,
    /// Iterations of the fits that did not converge.
    stopped: Vec<u64>,
}

/// The scores of a row's windows by a model that has not seen its fold.
struct HeldOutRow {
    row: usize,
    fold: usize,
    scores: Vec<[f64; 3]>,
}

/// What was chosen on held-out rows, and what it makes of them.
struct Judged {
    head: head::Head,
    out_of_fold: Vec<OutOfFold>,
    reference: Reference,
}

impl<'a> Ready<'a> {
    fn read(
        data: &'a [Dataset],
        params: &'a TrainParams,
        gazetteer: &'a Gazetteer,
        inputs: Inputs,
        progress: &(dyn Fn(Step) + Sync),
    ) -> Result<Self> {
        params.check()?;
        check_data(data)?;
        progress(Step::Features);
        let ReadRows { rows, missing, repeated } = read_rows(data, params, gazetteer, inputs)?;
        let no_evidence = label_shares(&missing);
        let missing: Vec<Location> = missing.into_iter().map(|(location, _)| location).collect();
        check_rows(data, &rows, params)?;
        let pairs: Vec<&LabelledPair> = rows.iter().map(|row| &data[row.origin.0].pairs[row.origin.1]).collect();
        let (fold_of, folds) = folds(&pairs, params.folds.min(MAX_FOLDS), params.seed);
        check_folds(&rows, &pairs, &fold_of, folds, params)?;
        let labels: Vec<Stance> = rows.iter().map(|row| row.label).collect();
        let mut warnings = questions::questions(&pairs, &labels);
        if folds < params.folds {
            warnings.push(TrainWarning::Folds { asked: params.folds, used: folds });
        }
        let stopped = Vec::new();
        Ok(Self { data, params, gazetteer, rows, fold_of, folds, missing, repeated, no_evidence, warnings, stopped })
    }

    fn pair(&self, row: usize) -> &'a LabelledPair {
        let (d, r) = self.rows[row].origin;
        &self.data[d].pairs[r]
    }

    /// Fits n-grams without a fold and scores the windows of its rows, which are given by their places.
    fn score_fold(&mut self, fold: usize) -> Result<Vec<(usize, Vec<[f64; 3]>)>> {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..self.rows.len()).partition(|&i| self.fold_of[i] == fold);
        let training: Vec<&Row> = outside.iter().map(|&i| &self.rows[i]).collect();
        let fitted = linear::fit(&training, self.params)?;
        self.stopped.extend((!fitted.model.converged()).then(|| fitted.model.n_iter()));
        Ok(inside.into_par_iter().map(|i| (i, fitted.scores(&self.rows[i]))).collect())
    }

    /// Fits n-grams to all rows.
    fn fit(&mut self) -> Result<LinearModel> {
        let fitted = linear::fit(&self.rows.iter().collect::<Vec<_>>(), self.params)?;
        self.stopped.extend((!fitted.model.converged()).then(|| fitted.model.n_iter()));
        Ok(fitted.into_model(self.params))
    }

    /// Chooses calibration and decision on held-out rows, of `folds` folds.
    fn judge(&mut self, held_out: &[HeldOutRow], folds: usize) -> Result<Judged> {
        // The rows whose probabilities should be right: those that answer the codebook's question, or all.
        let any = held_out.iter().any(|held| self.rows[held.row].calibrate);
        let scored = |held: &HeldOutRow| {
            let row = &self.rows[held.row];
            let logits = row.pooled(&held.scores, &self.params.pooling);
            HeldOut { logits, label: row.label, fold: held.fold, used: row.calibrate || !any }
        };
        let scored: Vec<HeldOut> = held_out.iter().map(scored).collect();
        let head = head::choose(&scored, folds)?;
        let rows = scored.iter().filter(|row| row.used).count();
        if head.is_flat {
            self.warnings.push(TrainWarning::NoSignal { rows });
        }
        if head.method != CalibrationMethod::VectorScaling {
            self.warnings.push(TrainWarning::Calibration { method: head.method, rows });
        }
        let out_of_fold = |(i, held): (usize, &HeldOutRow)| OutOfFold {
            row: self.rows[held.row].origin,
            fold: held.fold,
            label: self.rows[held.row].label,
            stance: head.stances[i],
            probabilities: head.probabilities[i],
        };
        let out_of_fold: Vec<OutOfFold> = held_out.iter().enumerate().map(out_of_fold).collect();
        let used = || out_of_fold.iter().zip(&scored).filter(|(_, row)| row.used).map(|(row, _)| row);
        let reference = Reference::new(
            &used().map(|row| row.label).collect::<Vec<_>>(),
            &used().map(|row| row.stance).collect::<Vec<_>>(),
            &used().map(|row| row.probabilities).collect::<Vec<_>>(),
        );
        Ok(Judged { head, out_of_fold, reference })
    }

    fn finish(mut self, evidence: Arc<dyn EvidenceModel>, judged: Judged) -> Training {
        if let Some(&n_iter) = self.stopped.iter().max() {
            self.warnings.push(TrainWarning::NotConverged { n_iter, fits: self.stopped.len() });
        }
        let Judged { head: head::Head { calibration, decision, .. }, out_of_fold, reference } = judged;
        let pooling = self.params.pooling.clone();
        let head = Head { pooling, calibration, decision, no_evidence: self.no_evidence };
        let mut manifest = manifest(self.data, self.params, self.gazetteer, &self.rows, self.missing.len());
        manifest.reference = Some(reference);
        manifest.seen = Seen::new(self.rows.iter().flat_map(|row| row.prints.iter().copied()).collect());
        manifest.warnings = self.warnings.iter().map(ToString::to_string).collect();
        let pipeline = Pipeline::new(Model { evidence, head }, manifest);
        let Self { missing, warnings, repeated, .. } = self;
        Training { pipeline, out_of_fold, missing, warnings, repeated }
    }
}

fn check_data(data: &[Dataset]) -> Result<()> {
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
    Ok(())
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
        reference: None,
        seen: Seen::default(),
    }
}
