//! The model that reads sentences: what an encoder is given.
//!
//! [`input`] turns a window of evidence into text in which no feature can tell who the pair is.

pub mod input;

pub use input::EncoderInput;
