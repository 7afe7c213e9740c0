//! Weighted sparse rows to stances: multinomial logistic regression, and the calibration of its scores.
//!
//! [`LogisticRegressionParams`] minimises, over a 3 × features matrix W and a constant b per class,
//!
//! ```text
//! ½‖W‖² + C Σᵢ sᵢ Σₖ tᵢₖ (−ln pᵢₖ),   pᵢ = softmax(W xᵢ + b)
//! ```
//!
//! where `t` is 1 for a row's label and 0 else (or a distribution over the classes, to learn from a teacher), and `s` is
//! the row's weight times its class's. That is scikit-learn's `LogisticRegression` with its `C`, and linfa-logistic's
//! `MultiLogisticRegression` with `alpha` = 1/C, whose penalty and rows are weighed the other way round. Unlike linfa's,
//! it takes sparse rows and row weights. It does not make features, and it does not read files.
//!
//! The files: [`params`](LogisticRegressionParams) what can be set, `design` the matrix by rows and by columns, `loss`
//! the objective and its derivatives, `solver` the descent, `logistic` fit and fitted model; [`tokenize`], [`ngrams`] and
//! [`tfidf`] make the rows, [`features`] holds what they share; `groups`, `lexicon`, `lookup`, `index`, `tally` and `scorer` find the
//! rows of many pairs at once.
//!
//! ```
//! use detente::Stance::{Aligned, Neutral, Opposed};
//! use detente::model::linear::{LogisticRegressionParams, SparseRecords};
//! use linfa::{DatasetBase, traits::{Fit, Predict}};
//! use ndarray::array;
//! use sprs::CsMat;
//!
//! // One feature per class.
//! let x = CsMat::new((3, 3), vec![0, 1, 2, 3], vec![0, 1, 2], vec![1.0; 3]);
//! let dataset = DatasetBase::new(SparseRecords(x), array![Aligned, Neutral, Opposed]);
//! let model = LogisticRegressionParams::new().c(10.0).fit(&dataset)?;
//! assert_eq!(model.predict(&dataset), array![Aligned, Neutral, Opposed]);
//! assert!(model.predict_proba(&[(0, 1.0)])[Aligned.index()] > 0.5);
//! # Ok::<(), detente::Error>(())
//! ```

mod block;
mod design;
pub mod features;
pub(crate) mod groups;
pub(crate) mod index;
pub(crate) mod lexicon;
mod logistic;
mod lookup;
mod loss;
pub(crate) mod model;
pub mod ngrams;
mod params;
mod plain;
mod scorer;
mod solver;
mod tally;
pub mod tfidf;
pub mod tokenize;
pub mod vocabulary;

pub use logistic::{ABSENT_LOGIT, LogisticRegression, SparseRecords, Targets};
pub use model::LinearModel;
pub use params::{ClassWeight, LogisticRegressionParams, LogisticRegressionValidParams};
