//! Which pairs of unlabelled articles to label next.
//!
//! Every connected pair of an article is a candidate; those with the highest score are taken, at most
//! [`SampleParams::per_text`] of one article. Articles without a text are passed over.
//!
//! | strategy | score |
//! |---|---|
//! | [`Strategy::Random`] | a number drawn for the pair: an unbiased picture |
//! | [`Strategy::Uncertain`] | the entropy −Σ pₖ ln pₖ of the model's probabilities, 0 to ln 3 |
//! | [`Strategy::Disagree`] | the Jensen–Shannon divergence of two models' probabilities, 0 to ln 2 |
//! | [`Strategy::Diverse`] | how unlike the evidence is to all that was taken before: farthest-first by the share of words in common, estimated from 32 minima of hashes, among 20,000 random candidates |
//!
//! Ties are broken, and numbers drawn, by a hash of the seed, the article's id and the two parties, so the order of the
//! articles matters for nothing.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::article::{Article, Part};
use crate::data::LabelledPair;
use crate::error::Location;
use crate::pipeline::{Pipeline, Prediction, Query};

/// How candidates are scored.
#[derive(Debug, Clone, Copy)]
pub enum Strategy<'m> {
    /// At random.
    Random,
    /// Where the model is least sure.
    Uncertain,
    /// Where another model says something else.
    Disagree(&'m Pipeline),
    /// Where the words are unlike those already taken.
    Diverse,
}

/// How much is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleParams {
    /// How many pairs. Defaults to 100.
    pub n: usize,
    /// The most pairs of one article, 1 or more. Defaults to 2.
    pub per_text: usize,
    /// Seed of what is drawn. Defaults to 0.
    pub seed: u64,
}

impl Default for SampleParams {
    fn default() -> Self {
        Self { n: 100, per_text: 2, seed: 0 }
    }
}

/// The pool that [`Strategy::Diverse`] chooses from.
const POOL: usize = 20_000;
/// Minima of hashes that stand for the words of a piece of evidence.
const MINIMA: usize = 32;

/// A pair that may be taken.
#[derive(Debug, Clone)]
struct Candidate {
    score: f64,
    draw: u64,
    pair: LabelledPair,
    minima: [u64; MINIMA],
}

impl Candidate {
    fn rank(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.draw.cmp(&other.draw))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.rank(other).is_eq()
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    /// The worst is the greatest, so that a heap gives it away first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank(self)
    }
}

/// Takes articles and keeps the best candidates among their pairs; memory grows with what is kept.
#[derive(Debug)]
pub struct Sampler<'m> {
    pipeline: &'m Pipeline,
    strategy: Strategy<'m>,
    params: SampleParams,
    best: BinaryHeap<Candidate>,
}

impl<'m> Sampler<'m> {
    /// A sampler of the pairs that `pipeline` connects.
    pub fn new(pipeline: &'m Pipeline, strategy: Strategy<'m>, params: SampleParams) -> Self {
        Self { pipeline, strategy, params, best: BinaryHeap::new() }
    }

    fn room(&self) -> usize {
        if matches!(self.strategy, Strategy::Diverse) { self.params.n.max(POOL) } else { self.params.n }
    }

    /// Looks at articles; articles whose text is labelled already are the caller's to leave out.
    pub fn add(&mut self, articles: &[Article]) {
        let found: Vec<Vec<Candidate>> = articles.par_iter().map(|article| self.candidates(article)).collect();
        let room = self.room();
        for candidate in found.into_iter().flatten() {
            self.best.push(candidate);
            if self.best.len() > room {
                self.best.pop();
            }
        }
    }

    /// The best candidates of one article.
    fn candidates(&self, article: &Article) -> Vec<Candidate> {
        let query = Query { evidence_limit: Some(1), ..Query::default() };
        let predictions = self.pipeline.predict(article, &query);
        let other = match self.strategy {
            Strategy::Disagree(other) => other.predict(article, &query),
            _ => Vec::new(),
        };
        if article.text.trim().is_empty() {
            // A labelled row needs a text.
            return Vec::new();
        }
        let text = xxh3_64_with_seed(article.text.as_bytes(), self.params.seed).to_string();
        let rank = |(i, prediction): (usize, &Prediction<'_>)| {
            let key = [&article.id, &text, &*prediction.state.code, &*prediction.actor.code].join("\0");
            let draw = xxh3_64_with_seed(key.as_bytes(), self.params.seed);
            let score = match self.strategy {
                Strategy::Random | Strategy::Diverse => 0.0,
                Strategy::Uncertain => entropy(&prediction.probabilities),
                // Both see the same names in the same order.
                Strategy::Disagree(_) => divergence(&prediction.probabilities, &other.get(i)?.probabilities),
            };
            Some((score, draw, i))
        };
        // Ranked before anything is copied: a roll call has tens of thousands of pairs.
        let mut ranked: Vec<(f64, u64, usize)> = predictions.iter().enumerate().filter_map(rank).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        ranked.truncate(self.params.per_text);
        let candidate = |(score, draw, i)| self.candidate(article, &predictions[i], score, draw);
        ranked.into_iter().filter_map(candidate).collect()
    }

    fn candidate(&self, article: &Article, prediction: &Prediction<'_>, score: f64, draw: u64) -> Option<Candidate> {
        let evidence = &prediction.evidence.first()?.evidence;
        let marked = evidence.part == Part::Text && evidence.in_title.is_none();
        let span = |span: &crate::Span| marked.then(|| span.clone());
        let (state_span, actor_span) = (span(&evidence.state), span(&evidence.actor));
        let strategy = match self.strategy {
            Strategy::Random => "random",
            Strategy::Uncertain => "uncertain",
            Strategy::Disagree(_) => "disagree",
            Strategy::Diverse => "diverse",
        };
        let pair = LabelledPair {
            article: article.clone(),
            state: prediction.state.name.to_string(),
            actor: prediction.actor.name.to_string(),
            label: None,
            state_span,
            actor_span,
            group: Some(article.id.clone()),
            columns: [("sample".to_owned(), strategy.to_owned())].into(),
            location: Location::file(article.id.clone()),
        };
        let words = &article.part(evidence.part)[evidence.span.clone()];
        let minima = if matches!(self.strategy, Strategy::Diverse) { minima(words) } else { [0; MINIMA] };
        Some(Candidate { score, draw, pair, minima })
    }

    /// The pairs that were taken, the best first, without labels.
    pub fn finish(self) -> Vec<LabelledPair> {
        let n = self.params.n;
        let mut best = self.best.into_sorted_vec();
        if matches!(self.strategy, Strategy::Diverse) {
            best = farthest_first(best, n);
        }
        best.into_iter().take(n).map(|candidate| candidate.pair).collect()
    }
}

/// −Σ pₖ ln pₖ.
fn entropy(p: &[f64; 3]) -> f64 {
    -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

/// The Jensen–Shannon divergence: entropy of the mean less the mean entropy.
fn divergence(p: &[f64; 3], q: &[f64; 3]) -> f64 {
    let mean = std::array::from_fn(|k| (p[k] + q[k]) / 2.0);
    entropy(&mean) - (entropy(p) + entropy(q)) / 2.0
}

/// For each of several hashes the least of the words' values; two texts share about as many as they share words.
fn minima(text: &str) -> [u64; MINIMA] {
    let mut minima = [u64::MAX; MINIMA];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        for (seed, least) in (0..).zip(&mut minima) {
            *least = (*least).min(xxh3_64_with_seed(word.as_bytes(), seed));
        }
    }
    minima
}

/// `n` of the candidates, each as unlike as can be to those before it.
fn farthest_first(mut pool: Vec<Candidate>, n: usize) -> Vec<Candidate> {
    let mut taken: Vec<Candidate> = Vec::new();
    // The greatest share of minima that each has in common with one taken.
    let mut common = vec![0; pool.len()];
    while taken.len() < n && !pool.is_empty() {
        let place = (0..pool.len()).min_by_key(|&i| common[i]).unwrap_or(0);
        let next = pool.swap_remove(place);
        common.swap_remove(place);
        common.par_iter_mut().zip(&pool).with_min_len(1024).for_each(|(common, candidate)| {
            let equal = candidate.minima.iter().zip(&next.minima).filter(|(a, b)| a == b).count();
            *common = (*common).max(equal);
        });
        taken.push(next);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn articles() -> Vec<Article> {
        let texts = [
            "Peru thanked Chile for its help.",
            "Peru thanked Chile for its help again.",
            "Norway condemned Sweden's attack on Finland.",
            "Ministers of Kenya and Ghana met in Togo.",
            "Japan may or may not back Fiji, whose leaders Tonga accused.",
        ];
        (0..).zip(texts).map(|(i, text): (usize, _)| Article::new(text).with_id(i.to_string())).collect()
    }

    fn taken(strategy: Strategy<'_>, n: usize, articles: &[Article]) -> Vec<(String, String, String)> {
        let params = SampleParams { n, per_text: 1, seed: 1 };
        let mut sampler = Sampler::new(Pipeline::fast(), strategy, params);
        articles.chunks(2).for_each(|some| sampler.add(some));
        sampler.finish().into_iter().map(|p| (p.article.id, p.state, p.actor)).collect()
    }

    #[test]
    fn the_order_of_the_articles_matters_for_nothing() {
        let (forward, mut backward) = (articles(), articles());
        backward.reverse();
        for strategy in [Strategy::Random, Strategy::Uncertain, Strategy::Diverse] {
            assert_eq!(taken(strategy, 3, &forward), taken(strategy, 3, &backward), "{strategy:?}");
        }
    }

    #[test]
    fn one_pair_of_a_text_and_the_least_sure_first() {
        let all = taken(Strategy::Uncertain, 10, &articles());
        assert_eq!(all.len(), 5);
        let pipeline = Pipeline::fast();
        let sure = |(id, state, actor): &(String, String, String)| {
            let article = &articles()[id.parse::<usize>().expect("a number")];
            let all = pipeline.predict(article, &Query::default());
            let one = all.iter().find(|p| p.state.name == *state && p.actor.name == *actor).expect("it was taken");
            entropy(&one.probabilities)
        };
        assert!(all.windows(2).all(|w| sure(&w[0]) >= sure(&w[1])));
    }

    #[test]
    fn a_model_agrees_with_itself() {
        assert_eq!(divergence(&[0.2, 0.5, 0.3], &[0.2, 0.5, 0.3]), 0.0);
        assert!((divergence(&[1.0, 0.0, 0.0], &[0.0, 0.0, 1.0]) - 2f64.ln()).abs() < 1e-15);
        assert!((entropy(&[1.0 / 3.0; 3]) - 3f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn what_is_alike_comes_last_when_variety_is_asked_for() {
        let ids: Vec<String> = taken(Strategy::Diverse, 5, &articles()).into_iter().map(|t| t.0).collect();
        let place = |id: &str| ids.iter().position(|i| i == id).expect("all five are taken");
        assert_eq!(place("0").max(place("1")), 4, "{ids:?}");
    }
}
