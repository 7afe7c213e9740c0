//! Labelled pairs as counted features, and whether a model can be fitted to them and judged.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::{Dataset, TrainParams};
use crate::article::Article;
use crate::data::LabelledPair;
use crate::data::audit::fingerprint;
use crate::document::{Document, Evidence, Party};
use crate::error::{Error, Location, Result};
use crate::gazetteer::Gazetteer;
use crate::model::EvidenceWindow;
use crate::model::encoder::EncoderInput;
use crate::model::head::Pooling;
use crate::model::linear::features::{Counts, WindowTokens};
use crate::model::linear::ngrams::Words;
use crate::model::linear::tokenize::{Token, Tokenizer};
use crate::pipeline::find;
use crate::stance::Stance;

/// A labelled pair as counted features.
pub(super) struct Row {
    pub origin: (usize, usize),
    pub evidence: Vec<(Counts, f64)>,
    pub label: Stance,
    pub weight: f64,
    pub calibrate: bool,
    /// Whether the text says anything beside the names.
    pub says_more: bool,
    /// The evidence as an encoder reads it, if that is [kept](Inputs::Kept).
    pub inputs: Vec<Option<EncoderInput>>,
    /// Fingerprints of its evidence.
    pub prints: Vec<u32>,
}

impl Row {
    /// The scores of its evidence as the model puts them together.
    pub(super) fn pooled(&self, scores: &[[f64; 3]], pooling: &Pooling) -> [f64; 3] {
        weighted(scores, &pooling.shares(self.evidence.iter().map(|(_, weight)| *weight), scores))
    }

    /// The mean of the scores of its evidence, weighted by kind.
    pub(super) fn mean(&self, scores: &[[f64; 3]]) -> [f64; 3] {
        let total: f64 = self.evidence.iter().map(|(_, w)| w).sum();
        weighted(scores, &self.evidence.iter().map(|(_, w)| w / total).collect::<Vec<_>>())
    }
}

fn weighted(scores: &[[f64; 3]], shares: &[f64]) -> [f64; 3] {
    std::array::from_fn(|k| scores.iter().zip(shares).map(|(z, share)| share * z[k]).sum())
}

/// Whether the text of evidence is kept for an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inputs {
    Kept,
    Left,
}

/// What reading the data gave.
pub(super) struct ReadRows {
    pub rows: Vec<Row>,
    /// Rows whose text does not connect the two, with their labels.
    pub missing: Vec<(Location, Stance)>,
    pub repeated: Vec<Location>,
}

/// Reads the document of a pair, and hands it on with the two parties.
pub(super) fn visit<T>(
    pair: &LabelledPair,
    gazetteer: &Gazetteer,
    with: impl FnOnce(&Document<'_>, (Party, Party)) -> T,
) -> Result<T> {
    let article: &Article = &pair.article;
    if let (Some(state), Some(actor)) = (&pair.state_span, &pair.actor_span) {
        let document = Document::read_marked(article, gazetteer, state, actor);
        return Ok(with(&document, (Party::State, Party::Actor)));
    }
    let party = |name: &str| find(gazetteer, name).map(Party::Entry).map_err(|e| e.at(&pair.location));
    let parties = (party(&pair.state)?, party(&pair.actor)?);
    Ok(with(&Document::read(article, gazetteer), parties))
}

/// A labelled pair with what was read of each piece of its evidence.
pub(super) struct Found<T> {
    /// The file, as an index into the data, and the row in it.
    pub origin: (usize, usize),
    pub label: Stance,
    /// At least one.
    pub evidence: Vec<T>,
}

/// The labelled pairs of all files, by what came of them.
pub(super) struct ReadEvidence<T> {
    pub found: Vec<Found<T>>,
    /// Rows whose text does not connect the two, with their labels.
    pub missing: Vec<(Location, Stance)>,
    pub repeated: Vec<Location>,
}

/// Reads every piece of evidence of every labelled pair; what trains a model of any kind sees the same rows.
pub(super) fn read_evidence<T: Send>(
    data: &[Dataset],
    gazetteer: &Gazetteer,
    read: impl Fn(&Document<'_>, &Evidence, (Party, Party)) -> T + Sync,
) -> Result<ReadEvidence<T>> {
    let mut all = ReadEvidence { found: Vec::new(), missing: Vec::new(), repeated: Vec::new() };
    for (d, dataset) in data.iter().enumerate() {
        let evidence = |pair: &LabelledPair| -> Result<Option<(Stance, Vec<T>)>> {
            let Some(label) = pair.label else { return Ok(None) };
            let evidence = visit(pair, gazetteer, |document, parties| {
                let evidence = document.evidence(parties.0, parties.1);
                evidence.iter().map(|evidence| read(document, evidence, parties)).collect()
            })?;
            Ok(Some((label, evidence)))
        };
        // The first error in the order of the rows, whichever thread meets one first.
        let rows: Vec<Option<(Stance, Vec<T>)>> =
            dataset.pairs.par_iter().map(evidence).collect::<Vec<_>>().into_iter().collect::<Result<_>>()?;
        // A row that is there twice is one judgement; counted twice it would also distort the shares of the labels.
        let mut seen = FxHashSet::default();
        for (r, (row, pair)) in rows.into_iter().zip(&dataset.pairs).enumerate() {
            let Some((label, evidence)) = row else { continue };
            if !seen.insert(pair.identity(gazetteer)) {
                all.repeated.push(pair.location.clone());
            } else if evidence.is_empty() {
                all.missing.push((pair.location.clone(), label));
            } else {
                all.found.push(Found { origin: (d, r), label, evidence });
            }
        }
    }
    Ok(all)
}

/// What is read of a piece of evidence: counts, weight, whether there is more than names, what an encoder reads, and its
/// fingerprint.
type Piece = (Counts, f64, bool, Option<Option<EncoderInput>>, Option<u32>);

/// The fingerprints of the evidence of a pair.
///
/// # Errors
/// [`Error::UnknownEntity`].
pub(crate) fn fingerprints(pair: &LabelledPair, gazetteer: &Gazetteer) -> Result<Vec<u32>> {
    visit(pair, gazetteer, |document, parties| {
        let evidence = document.evidence(parties.0, parties.1);
        evidence.iter().filter_map(|e| fingerprint(&document.article.part(e.part)[e.span.clone()])).collect()
    })
}

pub(super) fn read_rows(
    data: &[Dataset],
    params: &TrainParams,
    gazetteer: &Gazetteer,
    inputs: Inputs,
) -> Result<ReadRows> {
    let tokenizer = Tokenizer::default();
    let count = |document: &Document<'_>, evidence: &Evidence, pair: (Party, Party)| {
        let mut counts = Counts::default();
        let WindowTokens { tokens, marks, .. } = WindowTokens::read(document, evidence.sentences, &tokenizer);
        let is_word = |t: &Token| t.mark.is_none() && t.word.contains(char::is_alphanumeric);
        counts.count(&params.ngrams, &Words::new(&tokens, &marks, params.ngrams.mask_names), pair, evidence.strength);
        let Evidence { part, sentences, strength, .. } = *evidence;
        let print = fingerprint(&document.article.part(part)[evidence.span.clone()]);
        let input = (inputs == Inputs::Kept)
            .then(|| EncoderInput::new(&EvidenceWindow { document, sentences, strength, pair }));
        (counts, params.pooling.weight(part, strength), tokens.iter().any(is_word), input, print)
    };
    let ReadEvidence { found, missing, repeated } = read_evidence(data, gazetteer, count)?;
    let row = |Found { origin, label, evidence }: Found<Piece>| {
        let Dataset { weight, calibrate, .. } = data[origin.0];
        let says_more = evidence.iter().any(|(_, _, says_more, ..)| *says_more);
        let prints = evidence.iter().filter_map(|(.., print)| *print).collect();
        let inputs = evidence.iter().filter_map(|(.., input, _)| input.clone()).collect();
        let evidence = evidence.into_iter().map(|(counts, weight, ..)| (counts, weight)).collect();
        Row { origin, evidence, label, weight, calibrate, says_more, inputs, prints }
    };
    Ok(ReadRows { rows: found.into_iter().map(row).collect(), missing, repeated })
}

/// How often each label is given to pairs that the text does not connect, drawn toward 2, 16 and 2 of 20.
pub(super) fn label_shares(missing: &[(Location, Stance)]) -> [f64; 3] {
    let mut counts = [2.0, 16.0, 2.0];
    for (_, label) in missing {
        counts[label.index()] += 1.0;
    }
    let total: f64 = counts.iter().sum();
    counts.map(|c| c / total)
}

/// What keeps any model from being fitted.
pub(super) fn check_rows(data: &[Dataset], rows: &[Row], params: &TrainParams) -> Result<()> {
    let path = || data.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(first) = rows.first() else {
        return Err(Error::Empty { path: path(), what: "labelled row whose text names both state and actor" });
    };
    if rows.iter().all(|r| r.label == first.label) {
        return Err(Error::OneClass { rows: rows.len(), label: first.label.to_string() });
    }
    if !rows.iter().any(|row| row.says_more) {
        return Err(Error::Empty { path: path(), what: "labelled row whose text says anything beside the two names" });
    }
    let evidence: usize = rows.iter().map(|row| row.evidence.len()).sum();
    if evidence < params.tfidf.least_rows() {
        return Err(Error::Shape {
            what: "sentences to train on",
            found: evidence.to_string(),
            expected: format!("at least {}, which is min_df; add rows or lower min_df", params.tfidf.least_rows()),
        });
    }
    Ok(())
}

/// What keeps a model from being fitted without one of the folds, and so from being judged.
pub(super) fn check_folds(
    rows: &[Row],
    pairs: &[&LabelledPair],
    fold_of: &[usize],
    folds: usize,
    params: &TrainParams,
) -> Result<()> {
    let wrong = |what, found, expected: &str| Err(Error::Shape { what, found, expected: expected.into() });
    if folds < 2 {
        let groups: BTreeSet<&str> = pairs.iter().map(|pair| pair.group_key()).collect();
        let of = match (groups.len(), groups.first()) {
            (1, Some(group)) => format!("one group, `{group}`"),
            _ => "groups that share a text".into(),
        };
        let found = format!("all {} rows in {of}", rows.len());
        return wrong("groups for the folds", found, "at least two; name a column with more values by --group");
    }
    for fold in 0..folds {
        let outside = || (0..rows.len()).filter(|&i| fold_of[i] != fold);
        let labels: BTreeSet<Stance> = outside().map(|i| rows[i].label).collect();
        if labels.len() < 2 {
            // The other labels stand in the groups of this fold alone.
            let inside = (0..rows.len()).find(|&i| fold_of[i] == fold && !labels.contains(&rows[i].label));
            let found = inside.map_or_else(String::new, |i| {
                format!("all rows labelled {} in one, with `{}`", rows[i].label, pairs[i].group_key())
            });
            return wrong(
                "groups for the folds",
                found,
                "rows of each label in at least two; add some, or regroup by --group",
            );
        }
        let evidence: usize = outside().map(|i| rows[i].evidence.len()).sum();
        if evidence < params.tfidf.least_rows() {
            let found = format!("{evidence} outside fold {} of {folds}", fold + 1);
            let expected = format!("at least {}, which is min_df; add rows or lower min_df", params.tfidf.least_rows());
            return wrong("sentences to train on", found, &expected);
        }
    }
    Ok(())
}
