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

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::article::{Article, Part, Span};
use crate::classifier::Calibration;
use crate::error::{Error, Result};
use crate::evidence::{Document, Evidence, Strength};
use crate::features::ngrams::NgramParams;
use crate::features::tfidf::Tfidf;
use crate::features::{self, Counts};
use crate::gazetteer::{Entry, EntryId, Gazetteer};
use crate::input_file;
use crate::model_file::{self, Manifest};
use crate::party::{Mark, Party};
use crate::stance::Stance;
use crate::text::tokenize::{Token, Tokenizer};

/// How much each piece of evidence counts in the score of a pair.
///
/// αᵢ ∝ wᵢ · exp(sharpness · cᵢ), where wᵢ is the weight of the evidence's kind and cᵢ = max(zₐ, zₒ) − zₙ how far its
/// own score is from neutral, limited to ±4. With sharpness 0 it is the weighted mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pooling {
    /// Weight of a title against 1 for a sentence of the text. Defaults to 1.
    pub title: f64,
    /// Weight of neighbouring sentences against 1 for a sentence that names both. Defaults to 0.3.
    pub neighbour: f64,
    /// How much more evidence counts that takes a side. Defaults to 0.5.
    pub sharpness: f64,
}

impl Default for Pooling {
    fn default() -> Self {
        Self { title: 1.0, neighbour: 0.3, sharpness: 0.5 }
    }
}

impl Pooling {
    /// Refuses weights that are not above 0, and a sharpness below 0 or beyond all reason.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        for (name, found) in [("pooling.title", self.title), ("pooling.neighbour", self.neighbour)] {
            if !(1e-6..=1e6).contains(&found) {
                let expected = "a number above 0, from 1e-6 to 1e6";
                return Err(Error::Parameter { name, found: found.to_string(), expected });
            }
        }
        if !(0.0..=10.0).contains(&self.sharpness) {
            let found = self.sharpness.to_string();
            return Err(Error::Parameter { name: "pooling.sharpness", found, expected: "a number from 0 to 10" });
        }
        Ok(())
    }

    /// The weight of a kind of evidence.
    pub(crate) fn weight(&self, part: Part, strength: Strength) -> f64 {
        let part = if part == Part::Title { self.title } else { 1.0 };
        let strength = if strength == Strength::Neighbour { self.neighbour } else { 1.0 };
        part * strength
    }

    /// The shares of pieces of evidence with these weights and scores; they sum to 1.
    pub(crate) fn shares(&self, weights: &[f64], scores: &[[f64; 3]]) -> Vec<f64> {
        const LIMIT: f64 = 4.0;
        let lean = |z: &[f64; 3]| (z[0].max(z[2]) - z[1]).clamp(-LIMIT, LIMIT);
        let mut shares: Vec<f64> =
            weights.iter().zip(scores).map(|(w, z)| w * (self.sharpness * lean(z)).exp()).collect();
        let total: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= total;
        }
        shares
    }
}

/// How a stance is decided from probabilities.
///
/// The most probable class is the best guess for accuracy, but where most pairs are neutral it hardly ever says
/// anything else. So a class with a side is decided on when its probability, times e to the power of its advantage, is
/// the greatest; training chooses the advantages that give the best macro-F1 on held-out folds, if that gain is there on
/// other folds too. The least probable class is never decided on. Probabilities stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decision {
    /// Advantage of aligned over neutral, in logits. Defaults to 0.
    pub aligned: f64,
    /// Advantage of opposed over neutral, in logits. Defaults to 0.
    pub opposed: f64,
}

impl Decision {
    /// The stance decided on.
    pub fn stance(&self, probabilities: &[f64; 3]) -> Stance {
        let [aligned, neutral, opposed] = *probabilities;
        let weighed = [aligned * self.aligned.exp(), neutral, opposed * self.opposed.exp()];
        let least = aligned.min(neutral).min(opposed);
        let candidates = [0, 1, 2].map(|k| if probabilities[k] > least { weighed[k] } else { -1.0 });
        if candidates == [-1.0; 3] { Stance::argmax(&weighed) } else { Stance::argmax(&candidates) }
    }

    /// The advantage of a stance; 0 for neutral.
    pub fn advantage(&self, stance: Stance) -> f64 {
        match stance {
            Stance::Aligned => self.aligned,
            Stance::Neutral => 0.0,
            Stance::Opposed => self.opposed,
        }
    }

    /// Whether an advantage decides: another class is more probable than the stance.
    pub fn decides(&self, probabilities: &[f64; 3]) -> bool {
        probabilities[self.stance(probabilities).index()] < probabilities[Stance::argmax(probabilities).index()]
    }

    /// Refuses advantages that are not from 0 to 10.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        for (name, found) in [("decision.aligned", self.aligned), ("decision.opposed", self.opposed)] {
            if !(0.0..=10.0).contains(&found) {
                return Err(Error::Parameter { name, found: found.to_string(), expected: "a number from 0 to 10" });
            }
        }
        Ok(())
    }
}

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

/// What is fitted, and saved with a model.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub tokenizer: Tokenizer,
    pub ngrams: NgramParams,
    pub tfidf: Tfidf,
    /// The name of each column's feature.
    pub names: features::Names,
    /// A row of three weights for each column.
    pub coef: Vec<[f32; 3]>,
    pub intercept: [f64; 3],
    pub calibration: Calibration,
    pub pooling: Pooling,
    /// Probabilities for a pair that the text names but does not connect.
    pub no_evidence: [f64; 3],
    pub decision: Decision,
}

static DEFAULT_MODEL: &[u8] = include_bytes!("../models/default.detente");

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
        model_file::write_atomically(path.as_ref(), &self.to_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_least_probable_class_is_never_decided_on(
            p in proptest::array::uniform3(0.0..1.0f64),
            aligned in 0.0..3.0f64,
            opposed in 0.0..3.0f64,
        ) {
            let total: f64 = p.iter().sum();
            let p = p.map(|p| p / total.max(1e-9));
            let stance = Decision { aligned, opposed }.stance(&p);
            let least = p.iter().copied().fold(1.0, f64::min);
            proptest::prop_assert!(p[stance.index()] > least || p.iter().all(|q| *q == least));
            proptest::prop_assert_eq!(Decision::default().stance(&p), Stance::argmax(&p));
        }
    }

    #[test]
    fn an_advantage_decides_between_near_probabilities() {
        let decision = Decision { aligned: 0.0, opposed: 0.7 };
        assert_eq!(decision.stance(&[0.1, 0.55, 0.35]), Stance::Opposed);
        assert!(decision.decides(&[0.1, 0.55, 0.35]) && !decision.decides(&[0.1, 0.35, 0.55]));
        // Least probable, whatever its advantage.
        assert_eq!(Decision { aligned: 0.0, opposed: 3.0 }.stance(&[0.35, 0.35, 0.3]), Stance::Aligned);
        assert_eq!(Decision { aligned: 0.0, opposed: 3.0 }.stance(&[0.25, 0.5, 0.25]), Stance::Neutral);
    }
}
