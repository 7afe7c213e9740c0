//! Whether what an explanation names is what decided: the strongest word is taken out of the text, or another at random, and the
//! pair is asked about again.
//!
//! The measure is that of "comprehensiveness" (DeYoung, Jain, Rajani, Lehman, Xiong, Socher and Wallace 2020, "ERASER"), of one
//! word: how far the probability of the stance falls.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::random::Random;
use crate::article::{Article, Part, Span};
use crate::data::LabelledPair;
use crate::error::Result;
use crate::gazetteer::EntryId;
use crate::pipeline::explain::explain;
use crate::pipeline::explanation::by_word;
use crate::pipeline::{Pipeline, find};

/// What becomes of answers when a word is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaithfulnessRecord {
    /// The pairs that were asked about: those with a side or not, whose evidence has at least two words.
    pub pairs: usize,
    /// Without the word that the explanation puts first.
    pub strongest: Deletion,
    /// Without another word of the same evidence, drawn at random.
    pub random: Deletion,
}

/// What becomes of answers without some word.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Deletion {
    /// The share of the answers whose probability falls.
    pub falls: f64,
    /// How far it falls in the mean, −1 to 1.
    pub mean_fall: f64,
    /// The share of the answers that become another stance.
    pub turns: f64,
}

/// One pair: how far the probability falls, and whether the stance turns, without the strongest word and without another.
type Trial = [(f64, bool); 2];

/// Takes words out of up to `most` of the pairs, every so manieth.
///
/// # Errors
/// [`Error::UnknownEntity`](crate::Error::UnknownEntity).
pub fn faithfulness(pipeline: &Pipeline, pairs: &[LabelledPair], most: usize, seed: u64) -> Result<FaithfulnessRecord> {
    let every = pairs.len().div_ceil(most.max(1)).max(1);
    let chosen: Vec<(usize, &LabelledPair)> = pairs.iter().enumerate().step_by(every).collect();
    let trial = |(at, pair): &(usize, &LabelledPair)| -> Result<Option<Trial>> {
        let entry = |name: &str| find(pipeline.gazetteer(), name).map_err(|e| e.at(&pair.location));
        Ok(take_out(pipeline, &pair.article, (entry(&pair.state)?, entry(&pair.actor)?), Random::new(seed, *at)))
    };
    let trials: Vec<Option<Trial>> =
        chosen.par_iter().map(trial).collect::<Vec<_>>().into_iter().collect::<Result<_>>()?;
    let trials: Vec<Trial> = trials.into_iter().flatten().collect();
    let n = trials.len().max(1) as f64;
    let of = |which: usize| {
        let of = || trials.iter().map(|trial| trial[which]);
        Deletion {
            falls: of().filter(|(fall, _)| *fall > 0.0).count() as f64 / n,
            mean_fall: of().map(|(fall, _)| fall).sum::<f64>() / n,
            turns: of().filter(|(_, turns)| *turns).count() as f64 / n,
        }
    };
    Ok(FaithfulnessRecord { pairs: trials.len(), strongest: of(0), random: of(1) })
}

fn take_out(
    pipeline: &Pipeline,
    article: &Article,
    (state, actor): (EntryId, EntryId),
    mut random: Random,
) -> Option<Trial> {
    let before = explain(pipeline, article, state, actor)?;
    let k = before.stance.index();
    let evidence = before.evidence.first()?;
    let lead = |c: &[f64; 3]| c[k] - c.iter().sum::<f64>() / 3.0;
    let mut words = by_word(article, &evidence.features);
    // Names of the pair, and of others, are no words that a stance is made of; without them nobody is asked about.
    let marks = [Part::Title, Part::Text].map(|part| {
        let spans = pipeline.gazetteer().scan(article.month()).mentions(article.part(part));
        spans.into_iter().map(|mention| mention.start..mention.end).collect::<Vec<Span>>()
    });
    words.retain(|(part, span, _)| {
        let text = &article.part(*part)[span.clone()];
        let named = marks[usize::from(*part == Part::Text)].iter().any(|m| m.start < span.end && span.start < m.end);
        text.chars().any(char::is_alphanumeric) && !text.contains(char::is_whitespace) && !named
    });
    words.sort_by(|a, b| lead(&b.2).total_cmp(&lead(&a.2)));
    let (strongest, others) = words.split_first()?;
    let other = others.get(random.below(others.len().max(1)))?;
    let p = before.probabilities[k];
    let without = |(part, span, _): &(Part, Span, [f64; 3])| {
        let mut article = article.clone();
        let text = match part {
            Part::Title => article.title.get_or_insert_default(),
            Part::Text => &mut article.text,
        };
        text.replace_range(span.clone(), "");
        let scored = pipeline.predict_pair(&article, state, actor)?;
        Some((p - scored.probabilities[k], scored.stance != before.stance))
    };
    Some([without(strongest)?, without(other)?])
}
