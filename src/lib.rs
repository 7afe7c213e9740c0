//! Which states stand with, apart from, or against an actor, going by news articles.
//!
//! For every (state, actor) pair that an article connects, `detente` says **aligned**, **neutral** or **opposed**, with
//! a calibrated probability and the sentences that show it.
//!
//! ```
//! use detente::{Article, Pipeline, Query, Stance};
//!
//! let pipeline = Pipeline::fast();
//! let article = Article::new("Estonia condemned the attack and expelled two Russian diplomats.");
//! let query = Query::toward(["Russia"], pipeline.gazetteer())?;
//! let estonia = &pipeline.predict(&article, &query)[0];
//! assert_eq!((estonia.state.name.as_str(), estonia.stance), ("Estonia", Stance::Opposed));
//! assert!(!estonia.evidence.is_empty());
//! # Ok::<(), detente::Error>(())
//! ```
//!
//! An article flows one way, and each step is a module:
//!
//! 1. [`source`] reads articles from text, pages, tables, JSON and feeds.
//! 2. [`gazetteer`] finds the names of states and of bodies that act like one.
//! 3. [`document`] keeps what is the article's own, divides it into sentences, and picks those that connect a state with
//!    an actor.
//! 4. [`model`] scores each of these, puts the scores together, calibrates them and decides.
//! 5. [`pipeline`] does all this for an article; a [`Record`] is what it says.
//!
//! [`data`] reads labelled pairs, [`train()`] makes a pipeline from them, [`evaluate()`] scores one, [`review`] says what a
//! person should read next.

#![warn(missing_docs)]

mod article;
mod date;
mod error;
mod record;
mod stance;
mod swar;
mod visible;

pub mod characters;
pub mod data;
pub mod document;
pub mod evaluate;
pub mod gazetteer;
pub mod hash;
pub mod input_file;
pub mod language;
pub mod model;
pub mod output_file;
pub mod pipeline;
pub mod report;
pub mod review;
pub mod source;
pub mod train;
pub mod trend;

pub use article::{Article, Part, Span};
pub use data::{LabelMap, LabelledPair};
pub use date::{Date, YearMonth};
pub use document::{Evidence, Strength};
pub use error::{Error, Location, ModelProblem, Result};
pub use evaluate::{EvaluateParams, Evaluation, evaluate};
pub use gazetteer::Mention;
pub use pipeline::{Pipeline, Prediction, Query};
pub use record::{EvidenceRecord, Probabilities, Record};
pub use source::Warning;
pub use stance::{Stance, UnknownStance};
pub use train::{TrainParams, train};
pub use visible::{shortened, visible};
