//! What a model does with each turn of phrase: cases written by hand, in the manner of CheckList (Ribeiro, Wu, Guestrin and
//! Singh, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", ACL 2020).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::metrics::wilson;
use super::report::{ModelRecord, Scored, score};
use crate::article::Article;
use crate::data::LabelledPair;
use crate::error::{Error, Location, Result};
use crate::pipeline::Pipeline;

const CASES: &str = include_str!("../../datasets/behaviour/cases.csv");

/// How a model does on the cases, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BehaviourRecord {
    /// The model.
    pub model: ModelRecord,
    /// All cases.
    pub all: KindRecord,
    /// Those of each kind: `negation`, `passive`, `vote` and so on.
    pub kinds: BTreeMap<String, KindRecord>,
}

/// How a model does on some cases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KindRecord {
    /// Cases.
    pub n: usize,
    /// Of these, those that got their label.
    pub right: usize,
    /// The share, with its 95 % interval (Wilson).
    pub rate: f64,
    /// The interval.
    pub ci95: [f64; 2],
    /// Contrasts: cases that differ by what the kind is about, or must stay the same whatever changes.
    pub groups: usize,
    /// Of these, those of which every case is right.
    pub groups_right: usize,
}

/// The cases as labelled pairs, each with its `kind` as a column.
///
/// # Errors
/// None that the embedded file can bring about.
pub fn cases() -> Result<Vec<LabelledPair>> {
    let wrong = |found: String| Error::format(Location::file("cases.csv"), found, "a case");
    let mut pairs = Vec::new();
    for record in csv::Reader::from_reader(CASES.as_bytes()).records() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let field = |at: usize| record.get(at).unwrap_or("").to_owned();
        let line = record.position().map_or(0, csv::Position::line);
        pairs.push(LabelledPair {
            article: Article::new(field(2)).with_id(field(0)),
            state: field(3),
            actor: field(4),
            label: Some(field(5).parse().map_err(|_| wrong(format!("the label `{}`", field(5))))?),
            state_span: None,
            actor_span: None,
            group: Some(field(6)).filter(|group| !group.is_empty()),
            columns: [("kind".to_owned(), field(1))].into(),
            location: Location::line("cases.csv", line),
        });
    }
    Ok(pairs)
}

/// How a model does on the cases.
///
/// # Errors
/// As [`score`].
pub fn behaviour(pipeline: &Pipeline) -> Result<BehaviourRecord> {
    let cases = cases()?;
    let scored = score(pipeline, &cases)?;
    let mut kinds: BTreeMap<&str, Vec<&Scored<'_>>> = BTreeMap::new();
    for row in &scored {
        kinds.entry(row.pair.column("kind").unwrap_or("")).or_default().push(row);
    }
    let all = record(&scored.iter().collect::<Vec<_>>());
    let kinds = kinds.into_iter().map(|(kind, rows)| (kind.to_owned(), record(&rows))).collect();
    Ok(BehaviourRecord { model: ModelRecord::of(pipeline, ""), all, kinds })
}

fn record(rows: &[&Scored<'_>]) -> KindRecord {
    let is_right = |row: &Scored<'_>| row.stance == row.label;
    let right = rows.iter().filter(|row| is_right(row)).count();
    let mut groups: BTreeMap<&str, bool> = BTreeMap::new();
    for row in rows {
        if let Some(group) = &row.pair.group {
            *groups.entry(group).or_insert(true) &= is_right(row);
        }
    }
    KindRecord {
        n: rows.len(),
        right,
        rate: right as f64 / rows.len().max(1) as f64,
        ci95: wilson(right, rows.len()),
        groups: groups.len(),
        groups_right: groups.values().filter(|right| **right).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_cases_of_every_kind_and_no_label_wins_them() {
        let cases = cases().expect("the embedded file");
        let mut kinds: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for case in &cases {
            let label = case.label.expect("it has one");
            kinds.entry(case.column("kind").expect("it has one")).or_default()[label.index()] += 1;
        }
        assert!(kinds.len() >= 25, "{} kinds", kinds.len());
        for (kind, labels) in kinds {
            let all: usize = labels.iter().sum();
            assert!(all >= 20 && labels.iter().all(|n| n * 100 <= all * 60), "{kind}: {labels:?}");
        }
    }

    #[test]
    fn exchanged_names_change_no_stance() {
        let cases: Vec<LabelledPair> = cases()
            .expect("the embedded file")
            .into_iter()
            .filter(|case| case.column("kind") == Some("name-swap"))
            .collect();
        let scored = score(Pipeline::fast(), &cases).expect("known names");
        let mut groups: BTreeMap<&str, Vec<&Scored<'_>>> = BTreeMap::new();
        for row in &scored {
            groups.entry(row.pair.group.as_deref().expect("each has one")).or_default().push(row);
        }
        assert!(groups.len() >= 10);
        for (group, rows) in groups {
            assert!(rows.iter().all(|row| row.stance == rows[0].stance), "{group}");
        }
    }
}
