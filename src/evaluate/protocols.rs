//! Ways to hold rows out that answer a question: how does a model do on a state, an actor, an outlet, a part of the world or a
//! time that it has never seen, and how much would more rows help?
//!
//! | protocol | held out | not trained on |
//! |---|---|---|
//! | [`Protocol::LeaveOneOut`] of `state` | rows about the state's stance | rows that name the state on either side |
//! | of `actor` | rows about stances toward it | rows that name it on either side |
//! | of `region` | rows about stances of its states | rows with one of its states on either side |
//! | of another column | rows with the value | the same |
//! | [`Protocol::Temporal`] | rows after a month | those and rows without a date |
//! | [`Protocol::LearningCurve`] | one fifth of the groups | the same; and of the rest all but a share |
//!
//! Of a group or a text that has a row held out, no row is trained on, whatever it is about: the same story would be on both sides.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::LabelledPair;
use crate::data::split::{SplitParams, split};
use crate::gazetteer::Gazetteer;
use crate::train::Dataset;
use crate::{Error, Result, YearMonth};

/// How rows are held out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// Each value of a column in turn: `state`, `actor`, `region` (of the state), `source`, or another.
    LeaveOneOut(String),
    /// What is later than this month.
    Temporal(YearMonth),
    /// A fifth of the groups, with more and more of the rest to train on.
    LearningCurve,
}

/// Rows to train on, and rows to score.
#[derive(Debug, Clone)]
pub struct Split {
    /// What is held out, or how much is trained on.
    pub name: String,
    /// Rows to train on, file by file.
    pub training: Vec<Dataset>,
    /// Rows to score.
    pub test: Vec<LabelledPair>,
}

/// The splits of a protocol, made one at a time, since each holds its rows.
#[derive(Debug)]
pub struct Splits<'a> {
    data: &'a [Dataset],
    /// For each row of each file, in order, on which side of which split it is.
    kind: Kind,
    /// The names of the splits.
    pub names: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    /// The values that a row is tested for, and those that keep it out of training.
    Values(Vec<(String, Vec<String>)>),
    /// Whether a row is early, late, or neither.
    Times(Vec<Option<bool>>),
    /// Whether a row is held out, and from which share on it is trained on.
    Shares(Vec<(bool, usize)>),
}

/// Shares of the learning curve: a sixteenth, an eighth … all.
const STEPS: usize = 5;

impl<'a> Splits<'a> {
    /// The splits of `data`; of leaving out, those of the values with most rows, at least `least`, at most `most` of them.
    ///
    /// # Errors
    /// [`Error::Shape`] where no row has the column, none has a date or all are on one side, or there are too few groups.
    pub fn new(
        data: &'a [Dataset],
        protocol: &Protocol,
        gazetteer: &Gazetteer,
        (least, most): (usize, usize),
        seed: u64,
    ) -> Result<Self> {
        let pairs: Vec<&LabelledPair> = data.iter().flat_map(|dataset| &dataset.pairs).collect();
        let (kind, names) = match protocol {
            Protocol::LeaveOneOut(column) => {
                let values: Vec<(String, Vec<String>)> =
                    pairs.iter().map(|pair| values(pair, column, gazetteer)).collect();
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                values.iter().filter(|(value, _)| !value.is_empty()).for_each(|(value, _)| {
                    *counts.entry(value).or_default() += 1;
                });
                let mut counts: Vec<(&str, usize)> = counts.into_iter().filter(|(_, rows)| *rows >= least).collect();
                counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
                if values.iter().all(|(value, _)| value.is_empty()) || column == "label" {
                    let found = format!(
                        "`{column}`, which {}",
                        if column == "label" { "is what is learnt" } else { "no row has" }
                    );
                    return Err(shape(
                        "the column to leave out",
                        found,
                        "state, actor, region, or a column that rows have",
                    ));
                }
                let names: Vec<String> = counts.into_iter().take(most).map(|(name, _)| name.to_owned()).collect();
                if names.is_empty() {
                    let found = format!("none of {least} rows and more in `{column}`");
                    return Err(shape(
                        "values to leave out",
                        found,
                        "a column whose values have more rows; --least lowers the bar",
                    ));
                }
                (Kind::Values(values), names)
            }
            Protocol::Temporal(until) => {
                let late = |pair: &&LabelledPair| pair.article.month().map(|month| month > *until);
                let times: Vec<Option<bool>> = pairs.iter().map(late).collect();
                let count = |side| times.iter().filter(|late| **late == side).count();
                let (early, late, undated) = (count(Some(false)), count(Some(true)), count(None));
                if early == 0 || late == 0 {
                    let found =
                        format!("{early} rows until {until}, {late} later, {undated} without a date that can be read");
                    return Err(shape(
                        "rows on both sides of the month",
                        found,
                        "some on each; name another month, or add dates",
                    ));
                }
                (Kind::Times(times), vec![format!("after {until}")])
            }
            Protocol::LearningCurve => {
                let all: Vec<LabelledPair> = pairs.iter().map(|pair| (*pair).clone()).collect();
                // The test, and what each step adds.
                let shares = [1.0 / 16.0, 1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0, 1.0 / 2.0].map(|share| 0.8 * share);
                let ratios: Vec<f64> = std::iter::once(0.2).chain(shares).collect();
                let (parts, blocks) = split(&all, &SplitParams { ratios, seed, ..SplitParams::default() })?;
                if blocks < 2 * (STEPS + 1) {
                    let expected = "at least 12; name a column with more values by --group";
                    return Err(shape("groups for a learning curve", blocks.to_string(), expected));
                }
                let shares = parts.into_iter().map(|part| (part == 0, part.max(1))).collect();
                (Kind::Shares(shares), ["1/16", "1/8", "1/4", "1/2", "all"].map(str::to_owned).to_vec())
            }
        };
        Ok(Self { data, kind, names })
    }

    /// Whether a row of a file, both by their places, is scored in a split.
    pub fn is_tested(&self, (file, row): (usize, usize), at: usize) -> bool {
        let before: usize = self.data[..file].iter().map(|dataset| dataset.pairs.len()).sum();
        self.sides(before + row, at).1
    }

    /// The rows of a split, by its place.
    pub fn split(&self, at: usize) -> Split {
        let pairs = || self.data.iter().flat_map(|dataset| &dataset.pairs);
        let tested = || (0..).zip(pairs()).filter(|(row, _)| self.sides(*row, at).1).map(|(_, pair)| pair);
        let groups: BTreeSet<&str> = tested().map(LabelledPair::group_key).collect();
        let texts: BTreeSet<&str> = tested().map(|pair| pair.article.text.as_str()).collect();
        let is_apart =
            |pair: &LabelledPair| !groups.contains(pair.group_key()) && !texts.contains(pair.article.text.as_str());
        let mut place = 0..;
        let mut test = Vec::new();
        let mut part = |dataset: &Dataset| {
            let mut pairs = Vec::new();
            for pair in &dataset.pairs {
                let row = place.next().unwrap_or_default();
                let (trained, tested) = self.sides(row, at);
                if trained && is_apart(pair) {
                    pairs.push(pair.clone());
                }
                if tested {
                    test.push(pair.clone());
                }
            }
            Dataset { pairs, ..dataset.clone() }
        };
        let training = self.data.iter().map(&mut part).collect();
        Split { name: self.names[at].clone(), training, test }
    }

    /// Whether a row is trained on and whether it is scored.
    fn sides(&self, row: usize, at: usize) -> (bool, bool) {
        match &self.kind {
            Kind::Values(values) => {
                let (own, all) = &values[row];
                let name = &self.names[at];
                (!all.contains(name), own == name)
            }
            Kind::Times(late) => (late[row] == Some(false), late[row] == Some(true)),
            Kind::Shares(shares) => {
                let (held_out, from) = shares[row];
                (!held_out && from <= at + 1, held_out)
            }
        }
    }
}

fn shape(what: &'static str, found: String, expected: &str) -> Error {
    Error::Shape { what, found, expected: expected.into() }
}

/// The value that a row is tested for, and all that keep it out of training.
fn values(pair: &LabelledPair, column: &str, gazetteer: &Gazetteer) -> (String, Vec<String>) {
    let entry = |name: &str| gazetteer.find(name).map(|id| gazetteer.get(id));
    let known = |name: &str| entry(name).map_or_else(|| name.to_owned(), |entry| entry.name.clone());
    let region = |name: &str| entry(name).map_or_else(String::new, |entry| entry.region.clone());
    let both = |of: &dyn Fn(&str) -> String| [of(&pair.state), of(&pair.actor)];
    match column {
        "state" | "actor" => {
            let [state, actor] = both(&known);
            let own = if column == "state" { state.clone() } else { actor.clone() };
            (own, vec![state, actor])
        }
        "region" => {
            let [state, actor] = both(&region);
            (state.clone(), vec![state, actor])
        }
        _ => {
            let value = pair.column(column).unwrap_or_default().to_owned();
            (value.clone(), vec![value])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stance::Neutral;
    use crate::data::example;

    fn data() -> Vec<Dataset> {
        let pair = |i: u64, state: &str, actor: &str, date: &str| {
            let mut pair = example(&format!("Text {i}."), state, actor, Neutral, i);
            pair.article.date = (!date.is_empty()).then(|| date.to_owned());
            pair
        };
        let rows = [
            ("Peru", "Chile", "2020-01-02"),
            ("Chile", "Peru", "2021-01-02"),
            ("Oman", "Chile", "2022-01-02"),
            ("Oman", "Iran", ""),
        ];
        let pairs = (0..).zip(rows).map(|(i, (state, actor, date))| pair(i, state, actor, date)).collect();
        let (name, sha256) = ("rows.csv".to_owned(), String::new());
        vec![Dataset { name, sha256, texts: None, weight: 1.0, calibrate: true, pairs }]
    }

    fn ids(pairs: &[LabelledPair]) -> Vec<&str> {
        pairs.iter().map(|pair| pair.article.id.as_str()).collect()
    }

    #[test]
    fn what_is_left_out_is_on_no_side_of_a_training_row() {
        let data = data();
        let splits = |protocol: &Protocol| Splits::new(&data, protocol, Gazetteer::embedded(), (1, 9), 0);
        let by_state = splits(&Protocol::LeaveOneOut("state".into())).expect("states");
        assert_eq!(by_state.names, ["Oman", "Chile", "Peru"]);
        let peru = by_state.split(2);
        assert_eq!((ids(&peru.test), ids(&peru.training[0].pairs)), (vec!["0"], vec!["2", "3"]));
        assert!(by_state.is_tested((0, 0), 2) && !by_state.is_tested((0, 1), 2));
        // A story that is held out is not trained on, whoever its other rows are about.
        let mut grouped = data.clone();
        grouped[0].pairs[0].group = Some("story".into());
        grouped[0].pairs[3].group = Some("story".into());
        let by_state = Splits::new(&grouped, &Protocol::LeaveOneOut("state".into()), Gazetteer::embedded(), (1, 9), 0);
        assert_eq!(ids(&by_state.expect("states").split(2).training[0].pairs), ["2"]);
        let by_region = splits(&Protocol::LeaveOneOut("region".into())).expect("regions");
        // Oman's row toward Chile is neither of the region nor free of it.
        assert_eq!(by_region.names, ["Americas", "Asia"]);
        let of = by_region.split(0);
        assert_eq!((ids(&of.test), ids(&of.training[0].pairs)), (vec!["0", "1"], vec!["3"]));
        let time = splits(&Protocol::Temporal(YearMonth::new(2020, 12).expect("a month"))).expect("dates").split(0);
        assert_eq!((ids(&time.test), ids(&time.training[0].pairs)), (vec!["1", "2"], vec!["0"]));
        for (protocol, expected) in [
            (
                Protocol::Temporal(YearMonth::new(2030, 1).expect("a month")),
                "3 rows until 2030-01, 0 later, 1 without a date",
            ),
            (Protocol::LeaveOneOut("outlet".into()), "the column to leave out: found `outlet`, which no row has"),
            (Protocol::LearningCurve, "groups for a learning curve"),
        ] {
            let said = splits(&protocol).expect_err(expected).to_string();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn a_learning_curve_grows_and_is_tested_on_the_same() {
        let mut data = data();
        data[0].pairs =
            (0..200).map(|i| example(&format!("Text number {i} of them."), "Peru", "Chile", Neutral, i)).collect();
        let splits = Splits::new(&data, &Protocol::LearningCurve, Gazetteer::embedded(), (1, 9), 0).expect("groups");
        let splits: Vec<Split> = (0..splits.names.len()).map(|at| splits.split(at)).collect();
        let sizes: Vec<usize> = splits.iter().map(|split| split.training[0].pairs.len()).collect();
        assert!(sizes.is_sorted() && sizes[4] == 160 && (8..=12).contains(&sizes[0]), "{sizes:?}");
        assert!(splits.iter().all(|split| split.test == splits[0].test && split.test.len() == 40));
    }
}
