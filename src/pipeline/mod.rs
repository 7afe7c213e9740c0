//! Text in, predictions out: the fitted whole.
//!
//! The score of a pair is a weighted sum over its evidence, and the score of a piece of evidence a sum over its
//! features, so every prediction can be taken apart exactly:
//!
//! ```text
//! zᵢ = W xᵢ + b                       xᵢ: TF-IDF row of evidence i; W, b: the classifier
//! z  = Σ αᵢ zᵢ                        αᵢ: share of evidence i, Σ αᵢ = 1 (see `Pooling`)
//! p  = softmax(s ∘ z + d)             s, d: the calibration
//! ```
//!
//! ```
//! use detente::{Article, Pipeline, Query, Stance};
//!
//! let pipeline = Pipeline::fast();
//! let article = Article::new("Estonia condemned Russia's attack and expelled two Russian diplomats.");
//! let query = Query::toward(["Russia"], pipeline.gazetteer())?;
//! let predictions = pipeline.predict(&article, &query);
//! assert_eq!(predictions[0].state.name, "Estonia");
//! assert_eq!(predictions[0].stance, Stance::Opposed);
//! # Ok::<(), detente::Error>(())
//! ```

mod assemble;
pub mod explain;
pub mod explanation;
mod plan;
mod records;
mod tiers;

use std::borrow::Cow;
use std::path::Path;

use crate::article::{Article, Part, Span};
use crate::document::{Document, Evidence, Party, clean};
use crate::error::{Error, Result};
use crate::gazetteer::{Asked, Entry, EntryId, Gazetteer};
use crate::input_file;
use crate::model::file::{self as model_file, Manifest};
use crate::model::reference::Reference;
use crate::model::seen::Seen;
use crate::model::{EvidenceWindow, Model};
use crate::output_file;
use crate::stance::Stance;
use assemble::score_pair;
use plan::Plan;

/// Which pairs to answer for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The actors; all that the article names when empty.
    pub actors: Vec<EntryId>,
    /// The states; all that the article names when empty.
    pub states: Vec<EntryId>,
    /// Whether states that the article names but never connects with the actor are reported too, as neutral and
    /// marked [`Prediction::no_evidence`]. Defaults to false.
    pub all_states: bool,
    /// How many pieces of evidence each prediction holds, those which count most; all of them count in any case. Defaults
    /// to `None`: all. A limit saves memory where a long article names two parties again and again.
    pub evidence_limit: Option<usize>,
}

impl Query {
    /// Every state toward the named actors.
    ///
    /// # Errors
    /// [`Error::UnknownEntity`] when the gazetteer lacks a name.
    pub fn toward<'n>(actors: impl IntoIterator<Item = &'n str>, gazetteer: &Gazetteer) -> Result<Self> {
        let actors = actors.into_iter().map(|name| find(gazetteer, name)).collect::<Result<_>>()?;
        Ok(Self { actors, ..Self::default() })
    }

    /// Whether an article that names these, ascending, can have anything that is asked for.
    fn is_about(&self, named: &[EntryId]) -> bool {
        let any = |asked: &[EntryId]| asked.is_empty() || asked.iter().any(|id| named.binary_search(id).is_ok());
        self.all_states || (any(&self.actors) && any(&self.states))
    }
}

/// The gazetteer's entry of that name, or an error that names the nearest ones.
///
/// # Errors
/// [`Error::UnknownEntity`].
pub fn find(gazetteer: &Gazetteer, name: &str) -> Result<EntryId> {
    gazetteer.find(name).ok_or_else(|| Error::UnknownEntity {
        location: None,
        name: name.into(),
        nearest: gazetteer.suggest(name).into_iter().map(String::from).collect(),
    })
}

/// The stance of one state toward one actor in one article.
#[derive(Debug, Clone)]
pub struct Prediction<'g> {
    /// Whose stance.
    pub state: &'g Entry,
    /// Toward whom.
    pub actor: &'g Entry,
    /// The class decided on; see [`Decision`](crate::model::head::Decision).
    pub stance: Stance,
    /// Probabilities of aligned, neutral, opposed; they sum to 1.
    pub probabilities: [f64; 3],
    /// How often the article names the state.
    pub mentions: usize,
    /// The evidence, that which counts most first.
    pub evidence: Vec<ScoredEvidence>,
    /// Whether the article never connects the two, so that neutral is said for want of evidence.
    pub no_evidence: bool,
}

/// A piece of evidence with what it says by itself and what it adds.
#[derive(Debug, Clone)]
pub struct ScoredEvidence {
    /// Where it stands.
    pub evidence: Evidence,
    /// Whether the model read a part of it only, around the pair, as it is too long.
    pub is_cut: bool,
    /// The class that this evidence alone would give.
    pub stance: Stance,
    /// The probabilities that this evidence alone would give.
    pub probabilities: [f64; 3],
    /// Its share αᵢ in the score.
    pub share: f64,
    /// What it adds to the calibrated logits; with the logits of a sentence without known words these add up.
    pub contribution: [f64; 3],
}

/// A fitted pipeline: a gazetteer and a model.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub(crate) gazetteer: Cow<'static, Gazetteer>,
    pub(crate) model: Model,
    pub(crate) manifest: Manifest,
}

impl Pipeline {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] when the file is not a whole, undamaged model of a known version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = input_file::read(path, input_file::MAX_MODEL)?;
        Self::read(&bytes, &path.display().to_string())
    }

    /// Reads a model from memory.
    ///
    /// # Errors
    /// [`Error::Model`] as in [`load`](Self::load).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, "<bytes>")
    }

    fn read(bytes: &[u8], path: &str) -> Result<Self> {
        let (model, manifest) =
            model_file::read(bytes).map_err(|problem| Error::Model { path: path.into(), problem })?;
        Ok(Self::new(model, manifest))
    }

    /// A pipeline with the embedded gazetteer.
    pub fn new(model: Model, manifest: Manifest) -> Self {
        Self { gazetteer: Cow::Borrowed(Gazetteer::embedded()), model, manifest }
    }

    /// Writes the model under a temporary name, then renames it: the file is whole or not there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        output_file::write(path.as_ref(), &self.to_bytes())
    }

    /// The model as the bytes that [`save`](Self::save) writes.
    pub fn to_bytes(&self) -> Vec<u8> {
        model_file::to_bytes(&self.model, &self.manifest)
    }

    /// The same pipeline with another gazetteer, say one with a user's own entries.
    pub fn with_gazetteer(mut self, gazetteer: Gazetteer) -> Self {
        self.gazetteer = Cow::Owned(gazetteer);
        self
    }

    /// Begins to build what the first article needs beside the model, names and word lists, on threads of their own. Nobody
    /// needs to call it: what is not built by then is built with the first article.
    pub fn warm_up() {
        let _ = std::thread::Builder::new().spawn(Gazetteer::embedded);
        let _ = std::thread::Builder::new().spawn(clean::build_word_lists);
    }

    /// The names that this pipeline knows.
    pub fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// How this model was made.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Records scores in the manifest, to be saved with the model.
    pub fn set_metrics(&mut self, metrics: serde_json::Value) {
        self.manifest.metrics = metrics;
    }

    /// Records how the model did on rows that it had not seen, and the sentences that it has, to be saved with it.
    pub fn set_reference(&mut self, reference: Reference, seen: Seen) {
        self.manifest.reference = Some(reference);
        self.manifest.seen = seen;
    }

    /// What scores evidence, and what makes stances of the scores.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The stance of every state toward every actor that the query asks for and the article connects.
    ///
    /// Predictions come in the order of the query's actors (or of first mention), and for each actor in the order in
    /// which the article first names the states.
    pub fn predict(&self, article: &Article, query: &Query) -> Vec<Prediction<'_>> {
        self.predict_batch(std::slice::from_ref(article), query).pop().unwrap_or_default()
    }

    /// What [`predict`](Self::predict) gives for each of the articles. The model scores them all together, which is what
    /// it is fastest with; all predictions are held at once, so give it as many articles as there is room for.
    pub fn predict_batch(&self, articles: &[Article], query: &Query) -> Vec<Vec<Prediction<'_>>> {
        let asked = self.asked(articles, query);
        let may_be_in = |asked: &Asked, article: &Article| {
            [Part::Text, Part::Title].into_iter().any(|part| asked.may_be_in(article.part(part)))
        };
        let read = |article| match &asked {
            Some(asked) if !may_be_in(asked, article) => Document::empty(article),
            _ => Document::read_where(article, &self.gazetteer, |named| query.is_about(named)),
        };
        let documents: Vec<Document<'_>> = articles.iter().map(read).collect();
        let mut windows = Vec::new();
        let plans: Vec<Plan> = documents.iter().map(|document| plan::plan(document, query, &mut windows)).collect();
        let scores = self.model.evidence.score(&windows);
        let assemble = |(document, plan): (&Document<'_>, Plan)| {
            let (windows, scores) = (&windows[plan.windows.clone()], &scores[plan.windows.clone()]);
            self.assemble(document, &plan, query, windows, scores)
        };
        documents.iter().zip(plans).map(assemble).collect()
    }

    /// How names begin without which an article has nothing that is asked for; `None` where there are none, or where it would
    /// take longer to collect them than to read the article.
    fn asked(&self, articles: &[Article], query: &Query) -> Option<Asked> {
        let needed = [&query.actors, &query.states].into_iter().find(|asked| !asked.is_empty())?;
        (articles.len() > 1 && !query.all_states).then(|| Asked::new(&self.gazetteer, needed))
    }

    /// The stance toward each other of two spans of the text, which may name anybody.
    ///
    /// `state` and `actor` are byte ranges of [`Article::text`], on character boundaries.
    pub fn predict_marked(&self, article: &Article, state: &Span, actor: &Span) -> ScoredPair {
        let who = Who::Marked(state.clone(), actor.clone());
        let scored = self.predict_pairs(&[Ask { article, who }]).pop().flatten();
        scored.unwrap_or_else(|| score_pair(&self.model, &[], &[], None))
    }

    /// The stance of one entry toward another, or `None` where the article does not name both.
    pub fn predict_pair(&self, article: &Article, state: EntryId, actor: EntryId) -> Option<ScoredPair> {
        self.predict_pairs(&[Ask { article, who: Who::Entries(state, actor) }]).pop().flatten()
    }

    /// The stance of each of these pairs, or `None` where the article does not name both. The model scores them all together,
    /// which is what it is fastest with.
    pub fn predict_pairs(&self, asked: &[Ask<'_>]) -> Vec<Option<ScoredPair>> {
        let documents: Vec<Option<Document<'_>>> = asked.iter().map(|ask| self.read_ask(ask)).collect();
        let of = |(document, ask)| document_windows(document, ask);
        let windows: Vec<Option<Vec<EvidenceWindow<'_>>>> = documents.iter().zip(asked).map(of).collect();
        let all: Vec<EvidenceWindow<'_>> = windows.iter().flatten().flatten().copied().collect();
        let scores = self.model.evidence.score(&all);
        let mut rest = &scores[..];
        let mut score = |windows: Vec<EvidenceWindow<'_>>| {
            let (these, others) = rest.split_at(windows.len());
            rest = others;
            score_pair(&self.model, &windows, these, None)
        };
        windows.into_iter().map(|windows| windows.map(&mut score)).collect()
    }

    /// The document that is asked about, if it names both.
    fn read_ask<'a>(&self, ask: &'a Ask<'_>) -> Option<Document<'a>> {
        if let Who::Marked(state, actor) = &ask.who {
            return Some(Document::read_marked(ask.article, &self.gazetteer, state, actor));
        }
        let document = Document::read(ask.article, &self.gazetteer);
        let (state, actor) = ask.who.pair();
        (document.mentions(state) > 0 && document.mentions(actor) > 0).then_some(document)
    }
}

fn document_windows<'d>(document: &'d Option<Document<'d>>, ask: &Ask<'_>) -> Option<Vec<EvidenceWindow<'d>>> {
    Some(windows(document.as_ref()?, ask.who.pair()))
}

/// An article and the pair that is asked about.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The article.
    pub article: &'a Article,
    /// Whose stance toward whom.
    pub who: Who,
}

/// A state and an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Two entries of the gazetteer.
    Entries(EntryId, EntryId),
    /// Two spans of the text, which may name anybody: bytes of [`Article::text`], on character boundaries.
    Marked(Span, Span),
}

impl Who {
    fn pair(&self) -> (Party, Party) {
        match self {
            Self::Entries(state, actor) => (Party::Entry(*state), Party::Entry(*actor)),
            Self::Marked(..) => (Party::State, Party::Actor),
        }
    }
}

/// All evidence of one pair of a document.
fn windows<'d>(document: &'d Document<'d>, pair: (Party, Party)) -> Vec<EvidenceWindow<'d>> {
    let window = |e: Evidence| EvidenceWindow { document, sentences: e.sentences, strength: e.strength, pair };
    document.evidence(pair.0, pair.1).into_iter().map(window).collect()
}

/// The score of a pair.
#[derive(Debug, Clone)]
pub struct ScoredPair {
    /// The class decided on; see [`Decision`](crate::model::head::Decision).
    pub stance: Stance,
    /// Logits before calibration.
    pub scores: [f64; 3],
    /// Probabilities of aligned, neutral, opposed; those of [`Head::no_evidence`](crate::model::Head::no_evidence) where
    /// there is no evidence.
    pub probabilities: [f64; 3],
    /// The evidence, that which counts most first.
    pub evidence: Vec<ScoredEvidence>,
}
