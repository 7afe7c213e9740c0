//! Predictions: that they can be taken apart, don't know who is who, and stay what they were.

mod asked;
mod explain;
mod golden;
mod name_invariance;
