//! Fitting, and the fitted model.

use linfa::dataset::Records;
use linfa::traits::{Fit, PredictInplace};
use linfa::{DatasetBase, Float, ParamGuard};
use ndarray::{Array1, Array2, ShapeBuilder};
use rayon::prelude::*;
use sprs::{CsMat, CsMatView};

use super::block::Block;
use super::design::Design;
use super::loss::Objective;
use super::params::{ClassWeight, LogisticRegressionParams, LogisticRegressionValidParams};
use super::solver::minimise;
use crate::model::softmax;
use crate::{Error, Result, Stance};

/// The score of a class that no training row had: its probability is zero, and all scores stay finite.
pub const ABSENT_LOGIT: f64 = -1000.0;

/// Sparse rows as the records of a linfa dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRecords<F: Float = f64>(pub CsMat<F>);

impl<F: Float> Records for SparseRecords<F> {
    type Elem = F;

    fn nsamples(&self) -> usize {
        self.0.rows()
    }

    fn nfeatures(&self) -> usize {
        self.0.cols()
    }
}

/// What each training row should be.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// One class a row.
    Labels(&'a [Stance]),
    /// A distribution over aligned, neutral, opposed a row: numbers of at least 0 that sum to 1 (to 1e-6).
    Distributions(&'a [[f64; Stance::COUNT]]),
}

impl Targets<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::Distributions(distributions) => distributions.len(),
        }
    }

    /// A distribution a row, one-hot for labels.
    fn distributions(&self) -> Result<Vec<Block>> {
        let distributions = match self {
            Self::Labels(labels) => {
                return Ok(labels.iter().map(|l| Stance::ALL.map(|k| f64::from(u8::from(k == *l)))).collect());
            }
            Self::Distributions(distributions) => distributions.to_vec(),
        };
        // Written so that NaN fails.
        let proper = |d: &Block| d.iter().all(|p| *p >= 0.0) && (d.iter().sum::<f64>() - 1.0).abs() <= 1e-6;
        match distributions.iter().position(|d| !proper(d)) {
            None => Ok(distributions),
            Some(row) => {
                let [a, n, o] = distributions[row];
                Err(Error::Shape {
                    what: "target distribution",
                    found: format!("{a}, {n}, {o} in row {row}"),
                    expected: "three numbers of at least 0 that sum to 1".into(),
                })
            }
        }
    }
}

impl LogisticRegressionParams {
    /// Checks the parameters, and fits as [`LogisticRegressionValidParams::fit_rows`] does.
    ///
    /// # Errors
    /// As there, and [`Error::Parameter`] for a parameter outside its range.
    pub fn fit_rows(
        &self,
        x: CsMatView<'_, f64>,
        y: Targets<'_>,
        sample_weight: Option<&[f64]>,
    ) -> Result<LogisticRegression> {
        self.check_ref()?.fit_rows(x, y, sample_weight)
    }
}

impl LogisticRegressionValidParams {
    /// Fits a model to the rows of `x`, `n × features`, with one target each and, if given, one weight each: finite
    /// numbers of at least 0, defaults to 1.
    ///
    /// linfa's [`Fit`] does the same on a dataset of [`SparseRecords`] with `Array1<Stance>` or, for distributions,
    /// `Array2<f64>` (n × 3) as targets; the weights are then the dataset's, in single precision.
    ///
    /// # Errors
    /// [`Error::Shape`] for no rows, lengths that differ, or a number that is not finite, [`Error::OneClass`] if fewer than
    /// two classes have any weight.
    pub fn fit_rows(
        &self,
        x: CsMatView<'_, f64>,
        y: Targets<'_>,
        sample_weight: Option<&[f64]>,
    ) -> Result<LogisticRegression> {
        let n = x.rows();
        let same_length = |what, found: usize| {
            if found == n {
                Ok(())
            } else {
                Err(Error::Shape { what, found: found.to_string(), expected: format!("{n}, one per row") })
            }
        };
        same_length("training targets", y.len())?;
        if let Some(weights) = sample_weight {
            same_length("sample weights", weights.len())?;
            if let Some(row) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
                return Err(Error::Shape {
                    what: "sample weight",
                    found: format!("{} in row {row}", weights[row]),
                    expected: "a finite number of at least 0".into(),
                });
            }
        }
        let design = Design::new(x)?;
        let mut targets = y.distributions()?;
        let class_weight = self.class_weights(&targets);
        for (row, target) in targets.iter_mut().enumerate() {
            let weight = sample_weight.map_or(1.0, |weights| weights[row]);
            *target = [0, 1, 2].map(|k| target[k] * class_weight[k] * weight);
        }

        let masses = class_masses(&targets);
        let total: f64 = masses.iter().sum();
        let classes: Vec<Stance> = Stance::ALL.into_iter().filter(|k| masses[k.index()] > 0.0).collect();
        if classes.len() < 2 || !total.is_finite() {
            let label = classes.first().map_or("with weight 0", |k| k.as_str()).into();
            return Err(Error::OneClass { rows: n, label });
        }

        // From W = 0 and the constants that are best for it.
        let constant = Stance::ALL.map(|k| match (masses[k.index()] > 0.0, self.fit_intercept) {
            (false, _) => ABSENT_LOGIT,
            (true, true) => masses[k.index()].ln(),
            (true, false) => 0.0,
        });
        let mut w = vec![Block::default(); design.n_columns()];
        w.push(constant);

        let objective = Objective { design: &design, targets: &targets, c: self.c, fit_intercept: self.fit_intercept };
        let mut solution = minimise(&objective, w, self.tol * self.c * total, self.max_iter);
        for block in &mut solution.w {
            centre(block, &classes);
        }
        let value = objective.value(&solution.w, &mut vec![Block::default(); n]);
        if !value.is_finite() {
            return Err(Error::Solver(format!("the objective became {value}")));
        }
        let intercept = Array1::from(solution.w[design.n_columns()].to_vec());
        let coef = Array2::from_shape_vec((Stance::COUNT, x.cols()).f(), design.unmerged(&solution.w))
            .expect("three weights per feature");
        let (n_iter, converged) = (solution.n_iter, solution.converged);
        Ok(LogisticRegression { coef, intercept, classes, n_iter, converged, objective: value })
    }

    fn class_weights(&self, targets: &[Block]) -> Block {
        match self.class_weight {
            ClassWeight::None => [1.0; 3],
            ClassWeight::Given(weights) => weights,
            ClassWeight::Balanced => {
                let counts = class_masses(targets);
                let n_classes = counts.iter().filter(|n| **n > 0.0).count() as f64;
                counts.map(|count| if count > 0.0 { targets.len() as f64 / (n_classes * count) } else { 1.0 })
            }
        }
    }
}

/// Takes the mean over `classes` from what these classes have. Adding one number to all scores changes no probability,
/// so the constants are determined only up to one, and the weights at the minimum sum to zero.
fn centre(block: &mut Block, classes: &[Stance]) {
    let mean = classes.iter().map(|k| block[k.index()]).sum::<f64>() / classes.len() as f64;
    classes.iter().for_each(|k| block[k.index()] -= mean);
}

fn class_masses(targets: &[Block]) -> Block {
    targets.iter().fold(Block::default(), |sum, t| [0, 1, 2].map(|k| sum[k] + t[k]))
}

impl Fit<SparseRecords, Array1<Stance>, Error> for LogisticRegressionValidParams {
    type Object = LogisticRegression;

    fn fit(&self, dataset: &DatasetBase<SparseRecords, Array1<Stance>>) -> Result<Self::Object> {
        let weights = dataset_weights(dataset);
        self.fit_rows(dataset.records.0.view(), Targets::Labels(&dataset.targets.to_vec()), weights.as_deref())
    }
}

impl Fit<SparseRecords, Array2<f64>, Error> for LogisticRegressionValidParams {
    type Object = LogisticRegression;

    fn fit(&self, dataset: &DatasetBase<SparseRecords, Array2<f64>>) -> Result<Self::Object> {
        let targets = &dataset.targets;
        if targets.ncols() != Stance::COUNT {
            return Err(Error::Shape {
                what: "columns of the target distributions",
                found: targets.ncols().to_string(),
                expected: "3: aligned, neutral, opposed".into(),
            });
        }
        let targets: Vec<Block> = targets.rows().into_iter().map(|row| [row[0], row[1], row[2]]).collect();
        let weights = dataset_weights(dataset);
        self.fit_rows(dataset.records.0.view(), Targets::Distributions(&targets), weights.as_deref())
    }
}

fn dataset_weights<T>(dataset: &DatasetBase<SparseRecords, T>) -> Option<Vec<f64>> {
    dataset.weights().map(|weights| weights.iter().map(|&w| f64::from(w)).collect())
}

/// A fitted multinomial logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    coef: Array2<f64>,
    intercept: Array1<f64>,
    classes: Vec<Stance>,
    n_iter: u64,
    converged: bool,
    objective: f64,
}

impl LogisticRegression {
    /// A model from its parts, as a model file keeps them: `coef` is 3 × features, `intercept` has 3 numbers,
    /// `classes` are those that the training rows had.
    ///
    /// # Errors
    /// [`Error::Shape`] for another shape or a number that is not finite.
    pub fn from_parts(coef: Array2<f64>, intercept: [f64; Stance::COUNT], classes: Vec<Stance>) -> Result<Self> {
        let shape = |what, found: String, expected: &str| Err(Error::Shape { what, found, expected: expected.into() });
        if coef.nrows() != Stance::COUNT {
            return shape("rows of coef", coef.nrows().to_string(), "3: aligned, neutral, opposed");
        }
        if let Some(value) = coef.iter().chain(&intercept).find(|value| !value.is_finite()) {
            return shape("weight of the classifier", value.to_string(), "a finite number");
        }
        // Class by class within a feature: what a row needs of a feature lies together.
        let coef = if coef.t().is_standard_layout() {
            coef
        } else {
            let mut by_feature = Array2::zeros(coef.raw_dim().f());
            by_feature.assign(&coef);
            by_feature
        };
        let intercept = Array1::from(intercept.to_vec());
        Ok(Self { coef, intercept, classes, n_iter: 0, converged: true, objective: f64::NAN })
    }

    /// The weights, 3 × features, in the order aligned, neutral, opposed; column-major in memory.
    pub fn coef(&self) -> &Array2<f64> {
        &self.coef
    }

    /// The constant of each class; [`ABSENT_LOGIT`] for a class that no training row had.
    pub fn intercept(&self) -> [f64; Stance::COUNT] {
        [self.intercept[0], self.intercept[1], self.intercept[2]]
    }

    /// The classes that the training rows had, in their fixed order.
    pub fn classes(&self) -> &[Stance] {
        &self.classes
    }

    /// How many features a row may have.
    pub fn n_features(&self) -> usize {
        self.coef.ncols()
    }

    /// How many steps the solver took; 0 for a model from its parts.
    pub fn n_iter(&self) -> u64 {
        self.n_iter
    }

    /// Whether the solver reached its tolerance before `max_iter`.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The value that was minimised, ½‖W‖² + C Σ losses; NaN for a model from its parts.
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// The scores (logits) of a row of `(column, value)`: W x + b. Columns that the model does not have count nothing.
    pub fn decision_function(&self, row: &[(u32, f64)]) -> [f64; Stance::COUNT] {
        self.scores(row.iter().map(|&(column, value)| (column as usize, value)))
    }

    /// The scores of all rows of `x`, in parallel.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has another number of features than the model.
    pub fn decision_function_rows(&self, x: CsMatView<'_, f64>) -> Result<Vec<[f64; Stance::COUNT]>> {
        if x.cols() != self.n_features() {
            return Err(Error::Shape {
                what: "features of the rows",
                found: x.cols().to_string(),
                expected: format!("{}, as in training", self.n_features()),
            });
        }
        let by_row = if x.is_csr() { None } else { Some(x.to_csr()) };
        let x = by_row.as_ref().map_or(x, |x| x.view());
        let rows: Vec<_> = x.outer_iterator().collect();
        Ok(rows.par_iter().map(|row| self.scores(row.iter().map(|(column, &value)| (column, value)))).collect())
    }

    /// The probabilities of aligned, neutral, opposed for a row of `(column, value)`: the softmax of its scores.
    pub fn predict_proba(&self, row: &[(u32, f64)]) -> [f64; Stance::COUNT] {
        softmax(self.decision_function(row))
    }

    fn scores(&self, row: impl Iterator<Item = (usize, f64)>) -> Block {
        let weights = self.coef.as_slice_memory_order().expect("coef is whole and column-major");
        let (weights, _) = weights.as_chunks::<{ Stance::COUNT }>();
        let mut scores = self.intercept();
        for (column, value) in row {
            if let Some(w) = weights.get(column) {
                for k in 0..scores.len() {
                    scores[k] += value * w[k];
                }
            }
        }
        scores
    }
}

/// linfa's `Predict` follows from this.
impl PredictInplace<SparseRecords, Array1<Stance>> for LogisticRegression {
    /// The likeliest class of each row.
    ///
    /// # Panics
    /// As linfa's own models do, if `y` has another length than `x` or `x` other features than the model;
    /// [`LogisticRegression::decision_function_rows`] gives an error instead.
    fn predict_inplace<'a>(&'a self, x: &'a SparseRecords, y: &mut Array1<Stance>) {
        assert_eq!(x.nsamples(), y.len(), "one target per row");
        let scores = self.decision_function_rows(x.0.view()).unwrap_or_else(|e| panic!("{e}"));
        y.iter_mut().zip(&scores).for_each(|(y, scores)| *y = Stance::argmax(scores));
    }

    fn default_target(&self, x: &SparseRecords) -> Array1<Stance> {
        Array1::from_elem(x.nsamples(), Stance::Neutral)
    }
}

#[cfg(test)]
mod tests;
