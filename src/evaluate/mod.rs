//! How good the predictions are, and how sure that is.

pub mod behaviour;
pub mod bootstrap;
pub mod compare;
pub mod metrics;
mod random;
pub mod report;

pub use report::{EvaluateParams, Evaluation, evaluate, predict_labelled};
