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
//! let pipeline = Pipeline::default_model();
//! let article = Article::new("Estonia condemned Russia's attack and expelled two Russian diplomats.");
//! let query = Query::toward(["Russia"], pipeline.gazetteer())?;
//! let predictions = pipeline.predict(&article, &query);
//! assert_eq!(predictions[0].state.name, "Estonia");
//! assert_eq!(predictions[0].stance, Stance::Opposed);
//! # Ok::<(), detente::Error>(())
//! ```

pub mod explain;

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::article::{Article, Span};
use crate::document::party::{Mark, Party};
use crate::document::{Document, Evidence, Strength};
use crate::error::{Error, Result};
use crate::gazetteer::{Entry, EntryId, Gazetteer};
use crate::input_file;
use crate::model::Parts;
use crate::model::file::{self as model_file, Manifest};
use crate::model::head::Calibration;
use crate::model::head::Decision;
use crate::model::linear::features::{self, Counts};
use crate::model::linear::tokenize::Token;
use crate::output_file;
use crate::stance::Stance;

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
    /// The class decided on; see [`Decision`].
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
    /// The class that this evidence alone would give.
    pub stance: Stance,
    /// The probabilities that this evidence alone would give.
    pub probabilities: [f64; 3],
    /// Its share αᵢ in the score.
    pub share: f64,
    /// What it adds to the calibrated logits; with the logits of a sentence without known words these add up.
    pub contribution: [f64; 3],
}

/// A fitted pipeline: gazetteer, tokeniser, features, classifier, calibration.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub(crate) gazetteer: Cow<'static, Gazetteer>,
    pub(crate) parts: Parts,
    pub(crate) manifest: Manifest,
}

static DEFAULT_MODEL: &[u8] = include_bytes!("../../models/default.detente");

impl Pipeline {
    /// The model that comes with the program.
    pub fn default_model() -> &'static Self {
        static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
        PIPELINE.get_or_init(|| {
            let (parts, manifest) =
                model_file::read_trusted(DEFAULT_MODEL).expect("the embedded model is whole: a test reads it");
            Self::from_parts(parts, manifest)
        })
    }

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
        let (parts, manifest) =
            model_file::read(bytes).map_err(|problem| Error::Model { path: path.into(), problem })?;
        Ok(Self::from_parts(parts, manifest))
    }

    pub(crate) fn from_parts(parts: Parts, manifest: Manifest) -> Self {
        Self { gazetteer: Cow::Borrowed(Gazetteer::embedded()), parts, manifest }
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
        model_file::to_bytes(&self.parts, &self.manifest)
    }

    /// The same pipeline with another gazetteer, say one with a user's own entries.
    pub fn with_gazetteer(mut self, gazetteer: Gazetteer) -> Self {
        self.gazetteer = Cow::Owned(gazetteer);
        self
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

    /// How a stance is decided from probabilities.
    pub fn decision(&self) -> &Decision {
        &self.parts.decision
    }

    /// The calibration of the scores.
    pub fn calibration(&self) -> &Calibration {
        &self.parts.calibration
    }

    /// The probabilities of a pair without evidence: how often such pairs had each label in training.
    pub fn no_evidence(&self) -> [f64; 3] {
        self.parts.no_evidence
    }

    /// How many features the classifier weighs.
    pub fn n_features(&self) -> usize {
        self.parts.coef.len()
    }

    /// The features with the largest weight for a class, strongest first: name and weight.
    pub fn strongest_features(&self, stance: Stance, count: usize) -> Vec<(&str, f32)> {
        let k = stance.index();
        // A class weight alone is free up to a constant over the classes; its lead over their mean is not.
        let lead = |w: &[f32; 3]| w[k] - (w[0] + w[1] + w[2]) / 3.0;
        let mut columns: Vec<usize> = (0..self.parts.coef.len()).collect();
        columns.sort_by(|&a, &b| lead(&self.parts.coef[b]).total_cmp(&lead(&self.parts.coef[a])).then(a.cmp(&b)));
        columns.into_iter().take(count).map(|c| (self.parts.names.get(c), lead(&self.parts.coef[c]))).collect()
    }

    /// The stance of every state toward every actor that the query asks for and the article connects.
    ///
    /// Predictions come in the order of the query's actors (or of first mention), and for each actor in the order in
    /// which the article first names the states.
    pub fn predict(&self, article: &Article, query: &Query) -> Vec<Prediction<'_>> {
        let document = Document::read(article, &self.gazetteer);
        let wanted = |asked: &[EntryId]| -> Vec<Party> {
            if asked.is_empty() {
                document.parties().to_vec()
            } else {
                let mut seen = FxHashSet::default();
                asked.iter().copied().filter(|id| seen.insert(*id)).map(Party::Entry).collect()
            }
        };
        let (states, actors) = (wanted(&query.states), wanted(&query.actors));
        let asked_for =
            |asked: &[EntryId], party| matches!(party, Party::Entry(id) if asked.is_empty() || asked.contains(&id));
        // Window by window, so that the tokens of one are held at a time, however many pairs it is evidence for.
        let mut scorer = Scorer::new(self);
        let mut scored: FxHashMap<(Party, Party), Vec<ScoredWindow>> = FxHashMap::default();
        for window in document.windows() {
            let wanted = |(s, a): &&(Party, Party)| asked_for(&query.states, *s) && asked_for(&query.actors, *a);
            let mut pairs = window.pairs.iter().filter(wanted).peekable();
            if pairs.peek().is_none() {
                continue;
            }
            let (tokens, marks) = features::window(&document, window.sentences, &self.parts.tokenizer);
            for &pair in pairs {
                let score = scorer.score(&tokens, &marks, pair, window.strength);
                scored.entry(pair).or_default().push(ScoredWindow::new(window.sentences, window.strength, score));
            }
        }
        let pairs: Vec<(Party, Party)> = if query.all_states {
            let named = |party: &Party| document.mentions(*party) > 0;
            actors.iter().flat_map(|a| states.iter().filter(|s| named(s)).map(move |s| (*s, *a))).collect()
        } else {
            let places = |parties: &[Party]| -> FxHashMap<Party, usize> { parties.iter().copied().zip(0..).collect() };
            let (states, actors) = (places(&states), places(&actors));
            let mut connected: Vec<(Party, Party)> = scored.keys().copied().collect();
            connected.sort_unstable_by_key(|(state, actor)| (actors.get(actor), states.get(state)));
            connected
        };
        let mut predictions = Vec::with_capacity(pairs.len());
        for (state, actor) in pairs {
            let (Party::Entry(state_id), Party::Entry(actor_id)) = (state, actor) else { continue };
            if state == actor {
                continue;
            }
            let evidence = scored.remove(&(state, actor)).unwrap_or_default();
            let pair = scorer.pool(&document, (state, actor), &evidence, query.evidence_limit);
            predictions.push(Prediction {
                state: self.gazetteer.get(state_id),
                actor: self.gazetteer.get(actor_id),
                stance: pair.stance,
                probabilities: pair.probabilities,
                mentions: document.mentions(state),
                no_evidence: evidence.is_empty(),
                evidence: pair.evidence,
            });
        }
        predictions
    }

    /// The stance toward each other of two spans of the text, which may name anybody.
    ///
    /// `state` and `actor` are byte ranges of [`Article::text`], on character boundaries.
    pub fn predict_marked(&self, article: &Article, state: &Span, actor: &Span) -> ScoredPair {
        let document = Document::read_marked(article, &self.gazetteer, state, actor);
        let evidence = document.evidence(Party::State, Party::Actor);
        Scorer::new(self).pair(&document, evidence, (Party::State, Party::Actor))
    }

    /// The stance of one entry toward another, or `None` where the article does not name both.
    pub fn predict_pair(&self, article: &Article, state: EntryId, actor: EntryId) -> Option<ScoredPair> {
        let document = Document::read(article, &self.gazetteer);
        let pair = (Party::Entry(state), Party::Entry(actor));
        if document.mentions(pair.0) == 0 || document.mentions(pair.1) == 0 {
            return None;
        }
        Some(Scorer::new(self).pair(&document, document.evidence(pair.0, pair.1), pair))
    }
}

/// The score of a pair.
#[derive(Debug, Clone)]
pub struct ScoredPair {
    /// The class decided on; see [`Decision`].
    pub stance: Stance,
    /// Logits before calibration.
    pub scores: [f64; 3],
    /// Probabilities of aligned, neutral, opposed; those of [`Pipeline::no_evidence`] where there is none.
    pub probabilities: [f64; 3],
    /// The evidence, that which counts most first.
    pub evidence: Vec<ScoredEvidence>,
}

/// Where evidence stands, with its score W x + b: as little as can be kept of it, since there may be very many.
struct ScoredWindow {
    first: u32,
    last: u32,
    strength: Strength,
    score: [f64; 3],
}

impl ScoredWindow {
    fn new((first, last): (usize, usize), strength: Strength, score: [f64; 3]) -> Self {
        // A text has at most 32 MiB, and so fewer sentences than 2^32; one beyond that would only be shown elsewhere.
        Self { first: first as u32, last: last as u32, strength, score }
    }

    fn sentences(&self) -> (usize, usize) {
        (self.first as usize, self.last as usize)
    }
}

/// Scores pairs, in buffers that are used again.
pub(crate) struct Scorer<'p> {
    pipeline: &'p Pipeline,
    counts: Counts,
    row: Vec<(u32, f64)>,
}

impl<'p> Scorer<'p> {
    pub fn new(pipeline: &'p Pipeline) -> Self {
        Self { pipeline, counts: Counts::default(), row: Vec::new() }
    }

    /// W x + b for one window as evidence for a pair.
    fn score(&mut self, tokens: &[Token], marks: &[Mark], pair: (Party, Party), strength: Strength) -> [f64; 3] {
        let parts = &self.pipeline.parts;
        self.counts.count(&parts.ngrams, tokens, marks, pair, strength);
        parts.tfidf.transform_into(self.counts.as_slice(), &mut self.row);
        let mut z = parts.intercept;
        for &(column, value) in &self.row {
            for (z, w) in z.iter_mut().zip(parts.coef[column as usize]) {
                *z += value * f64::from(w);
            }
        }
        z
    }

    /// Scores all evidence of one pair.
    pub fn pair(&mut self, document: &Document<'_>, evidence: Vec<Evidence>, pair: (Party, Party)) -> ScoredPair {
        let score = |evidence: &Evidence| {
            let (tokens, marks) = features::window(document, evidence.sentences, &self.pipeline.parts.tokenizer);
            let score = self.score(&tokens, &marks, pair, evidence.strength);
            ScoredWindow::new(evidence.sentences, evidence.strength, score)
        };
        let scored: Vec<ScoredWindow> = evidence.iter().map(score).collect();
        self.pool(document, pair, &scored, None)
    }

    /// Puts the scores of a pair's evidence together, and shows what counts most, as far as `limit`.
    fn pool(
        &self,
        document: &Document<'_>,
        pair: (Party, Party),
        scored: &[ScoredWindow],
        limit: Option<usize>,
    ) -> ScoredPair {
        let parts = &self.pipeline.parts;
        if scored.is_empty() {
            let probabilities = parts.no_evidence;
            let stance = Stance::argmax(&probabilities);
            return ScoredPair { stance, scores: probabilities.map(f64::ln), probabilities, evidence: Vec::new() };
        }
        let weight = |w: &ScoredWindow| parts.pooling.weight(document.sentences[w.sentences().0].part, w.strength);
        let weights: Vec<f64> = scored.iter().map(weight).collect();
        let scores: Vec<[f64; 3]> = scored.iter().map(|w| w.score).collect();
        let shares = parts.pooling.shares(&weights, &scores);
        let mut pooled = [0.0; 3];
        for (z, share) in scores.iter().zip(&shares) {
            for k in 0..3 {
                pooled[k] += share * z[k];
            }
        }
        let calibration = &parts.calibration;
        let probabilities = calibration.probabilities(pooled);
        let stance = parts.decision.stance(&probabilities);
        let base = calibration.apply(parts.intercept);
        let contribution = |i: usize| -> [f64; 3] {
            let logits = calibration.apply(scores[i]);
            std::array::from_fn(|k| shares[i] * (logits[k] - base[k]))
        };
        let lead = |i: usize| {
            let contribution = contribution(i);
            contribution[stance.index()] - contribution.iter().sum::<f64>() / 3.0
        };
        let mut order: Vec<(f64, usize)> = (0..scored.len()).map(|i| (lead(i), i)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let shown = order.into_iter().take(limit.unwrap_or(usize::MAX));
        let evidence = shown.filter_map(|(_, i)| {
            let alone = calibration.probabilities(scores[i]);
            Some(ScoredEvidence {
                evidence: document.piece(scored[i].sentences(), pair, scored[i].strength)?,
                stance: parts.decision.stance(&alone),
                probabilities: alone,
                share: shares[i],
                contribution: contribution(i),
            })
        });
        ScoredPair { stance, scores: pooled, probabilities, evidence: evidence.collect() }
    }
}
