//! How good the predictions are, and how sure that is.

pub mod behaviour;
pub mod bootstrap;
pub mod compare;
pub mod drift;
pub mod examine;
pub mod faithfulness;
pub mod metrics;
pub mod predictions;
pub mod protocols;
pub(crate) mod random;
pub mod report;
pub mod rows;
pub mod selective;

pub use report::{EvaluateParams, Evaluation, evaluate, predict_labelled};
