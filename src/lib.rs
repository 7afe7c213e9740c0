//! Which states stand with, apart from, or against an actor, going by news articles.
//!
//! For every (state, actor) pair that an article connects, `detente` says **aligned**, **neutral** or **opposed**, with
//! a calibrated probability and the sentences that show it.
//!
//! ```
//! use detente::{Article, Pipeline, Query, Stance};
//!
//! let pipeline = Pipeline::default_model();
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
//! 1. [`source`] reads articles, or labelled pairs, from text, HTML, CSV and JSONL.
//! 2. [`text`] finds what is the article's own, its sentences and tokens, with offsets into the text as read.
//! 3. [`gazetteer`] finds the names of states and of bodies that act like one.
//! 4. [`evidence`] picks the sentences that connect a state with an actor.
//! 5. [`features`] masks the names, counts n-grams and weighs them by TF-IDF.
//! 6. [`classifier`] is a sparse multinomial logistic regression with calibrated probabilities.
//! 7. [`pipeline`] is the fitted whole; [`model_file`] saves it; [`explain`] takes a prediction apart.
//!
//! [`train()`] makes a pipeline from labelled pairs, [`evaluate()`] scores one, and [`audit`] finds texts that stand on
//! both sides of a split.

#![warn(missing_docs)]

mod article;
mod error;
mod record;
mod stance;
mod visible;

pub mod audit;
pub mod classifier;
pub mod data;
pub mod evaluate;
pub mod evidence;
pub mod explain;
pub mod features;
pub mod gazetteer;
pub mod input_file;
pub mod model_file;
pub mod output_file;
pub mod party;
pub mod pipeline;
pub mod source;
pub mod text;
pub mod train;

pub use article::{Article, Part, Span};
pub use error::{Error, Location, ModelProblem, Result};
pub use evaluate::{EvaluateParams, Evaluation, evaluate};
pub use evidence::{Evidence, Strength};
pub use gazetteer::Mention;
pub use pipeline::{Pipeline, Prediction, Query};
pub use record::{EvidenceRecord, Probabilities, Record};
pub use source::{LabelMap, LabelledPair, Warning};
pub use stance::{Stance, UnknownStance};
pub use train::{TrainParams, train};
pub use visible::{shortened, visible};
