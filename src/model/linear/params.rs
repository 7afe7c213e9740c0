//! What a user can set before fitting.

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Stance};

/// What the rows of each class weigh, times what each row weighs itself.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeight {
    /// Every class weighs 1.
    #[default]
    None,
    /// Class k weighs n / (classes · n_k), so that all classes weigh the same together; counts rows, not their weights,
    /// as scikit-learn does.
    Balanced,
    /// Aligned, neutral and opposed weigh this: numbers from 1e-9 to 1e9.
    Given([f64; Stance::COUNT]),
}

/// The parameters of [`LogisticRegression`](super::LogisticRegression), with scikit-learn's names.
///
/// ```
/// use detente::model::linear::{ClassWeight, LogisticRegressionParams};
/// let params = LogisticRegressionParams::new().c(16.0).class_weight(ClassWeight::Balanced);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogisticRegressionParams(LogisticRegressionValidParams);

/// Parameters that were checked, as linfa's [`ParamGuard`] has it; what fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegressionValidParams {
    pub(super) c: f64,
    pub(super) max_iter: u64,
    pub(super) tol: f64,
    pub(super) class_weight: ClassWeight,
    pub(super) fit_intercept: bool,
}

impl Default for LogisticRegressionValidParams {
    fn default() -> Self {
        Self { c: 1.0, max_iter: 200, tol: 1e-6, class_weight: ClassWeight::None, fit_intercept: true }
    }
}

impl LogisticRegressionParams {
    /// All parameters at their defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// [`c`](Self::c) times a factor, within its range.
    pub fn scale_c(mut self, factor: f64) -> Self {
        self.0.c = (self.0.c * factor).clamp(1e-9, 1e9);
        self
    }

    /// How much the rows count against the penalty ½‖W‖²: the inverse strength of regularisation, from 1e-9 to 1e9;
    /// defaults to 1.
    pub fn c(mut self, c: f64) -> Self {
        self.0.c = c;
        self
    }

    /// The most steps that the solver takes, at least 1; defaults to 200. A fit that stops there is still usable and
    /// says so in [`converged`](super::LogisticRegression::converged).
    pub fn max_iter(mut self, max_iter: u64) -> Self {
        self.0.max_iter = max_iter;
        self
    }

    /// The solver stops when no component of the gradient is larger than `tol · C · Σ weights`, above 0; defaults to
    /// 1e-6. That is scikit-learn's scale, whose default is 1e-4.
    pub fn tol(mut self, tol: f64) -> Self {
        self.0.tol = tol;
        self
    }

    /// What the classes weigh; defaults to [`ClassWeight::None`].
    pub fn class_weight(mut self, class_weight: ClassWeight) -> Self {
        self.0.class_weight = class_weight;
        self
    }

    /// Whether a constant is added to each class's score, which the penalty leaves out; defaults to `true`.
    pub fn fit_intercept(mut self, fit_intercept: bool) -> Self {
        self.0.fit_intercept = fit_intercept;
        self
    }
}

impl ParamGuard for LogisticRegressionParams {
    type Checked = LogisticRegressionValidParams;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        self.0.check_ranges()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl LogisticRegressionValidParams {
    fn check_ranges(&self) -> Result<()> {
        let positive = |name, value: f64| match (1e-9..=1e9).contains(&value) {
            true => Ok(()),
            false => Err(Error::Parameter { name, found: value.to_string(), expected: "a number from 1e-9 to 1e9" }),
        };
        positive("C", self.c)?;
        if !(self.tol > 0.0 && self.tol.is_finite()) {
            let found = self.tol.to_string();
            return Err(Error::Parameter { name: "tol", found, expected: "a positive, finite number" });
        }
        if self.max_iter == 0 {
            return Err(Error::Parameter { name: "max_iter", found: "0".into(), expected: "at least 1" });
        }
        if let ClassWeight::Given(weights) = self.class_weight {
            weights.into_iter().try_for_each(|weight| positive("class_weight", weight))?;
        }
        Ok(())
    }
}
