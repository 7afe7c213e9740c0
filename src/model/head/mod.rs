//! What all models share once evidence has its scores: pooling over evidence, calibration, decision.

pub mod calibration;
mod decision;
mod pooling;

pub use calibration::{Calibration, CalibrationMethod};
pub use decision::Decision;
pub use pooling::Pooling;
pub(crate) use pooling::Shares;

/// What makes stances of the scores of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// How the evidence of a pair is put together.
    pub pooling: Pooling,
    /// From scores to probabilities.
    pub calibration: Calibration,
    /// From probabilities to a stance.
    pub decision: Decision,
    /// Probabilities of aligned, neutral, opposed for a pair that the text names but does not connect.
    pub no_evidence: [f64; 3],
}
