//! What all models share once evidence has its scores: pooling over evidence, calibration, decision.

pub mod calibration;
mod decision;
mod pooling;

pub use calibration::{Calibration, CalibrationMethod};
pub use decision::Decision;
pub use pooling::Pooling;
