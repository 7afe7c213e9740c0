//! Which states stand with, apart from, or against an actor.

#![warn(missing_docs)]

mod article;
mod error;
mod stance;

pub mod gazetteer;

pub use article::{Article, Part, Span};
pub use error::{Error, Location, ModelProblem, Result};
pub use stance::{Stance, UnknownStance};
