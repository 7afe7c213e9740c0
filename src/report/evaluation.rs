//! The evaluation record as a page.

use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;

use super::chart::plane::Plane;
use super::map::{SCORES, WorldMap, score_class};
use super::marked::{Piece, pieces};
use super::page::Page;
use crate::evaluate::metrics::METRICS;
use crate::evaluate::report::{Evaluation, GroupRecord, SMALL};
use crate::evaluate::rows::EvaluatedRow;
use crate::stance::Stance;

/// Errors that are shown; the rows must hold the passages of so many.
pub const ERRORS: usize = 300;
/// Values of a column that are shown.
const VALUES: usize = 25;
/// Bins of the reliability diagram.
const BINS: usize = 10;
/// Points of a curve, and every how many are marked where there are several.
const POINTS: usize = 60;
const MARKED: usize = 15;

/// What the record does not say itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvaluationNotes {
    /// The command that made it; empty where it is not known.
    pub command: String,
    /// The day of it, as `2026-03-02`; empty where it is not known.
    pub date: String,
    /// The files that the rows are from.
    pub data: Vec<String>,
    /// What is known of the model, by name.
    pub card: Vec<(String, String)>,
    /// Whether the answers are a model's, which counts rows that do not name both as answered neutral.
    pub by_model: bool,
    /// What else is known of the rows, a sentence each.
    pub audit: Vec<String>,
}

#[derive(Template)]
#[template(path = "evaluation.html")]
struct EvaluationPage<'e> {
    page: Page,
    record: &'e Evaluation,
    notes: &'e EvaluationNotes,
    headline: Vec<[String; 3]>,
    classes: Vec<ClassRow>,
    reliability: Option<(Plane, Vec<[String; 4]>)>,
    risk: Option<(Plane, Vec<[String; 4]>)>,
    precision: Option<(Plane, Vec<[String; 3]>)>,
    breakdowns: Vec<Breakdown>,
    map: Option<WorldMap>,
    beside: Vec<String>,
    errors: Vec<ErrorRow<'e>>,
    wrong: usize,
    comparisons: Vec<String>,
}

struct ClassRow {
    stance: Stance,
    scores: [String; 5],
    support: usize,
    /// Count, share of the row, and the class of the cell.
    cells: Vec<(usize, String, String)>,
}

struct Breakdown {
    column: String,
    values: Vec<ValueRow>,
    more: usize,
}

struct ValueRow {
    value: String,
    n: usize,
    small: bool,
    f1: String,
    accuracy: String,
    interval: String,
    /// Places on a scale of 200.
    at: f64,
    ends: Option<[f64; 2]>,
}

struct ErrorRow<'e> {
    row: &'e EvaluatedRow,
    sureness: f64,
    probability: String,
    pieces: Vec<Piece>,
}

/// Writes the page of `record`; `rows` are those that it is of.
///
/// # Errors
/// Those of `to`.
pub fn write_evaluation(
    record: &Evaluation,
    rows: &[EvaluatedRow],
    notes: &EvaluationNotes,
    to: &mut impl Write,
) -> io::Result<()> {
    let values = serde_json::to_value(record)?;
    let line = |name: &str| -> Option<[String; 3]> {
        let value = values[name].as_f64()?;
        let interval = record.ci95.get(name).map_or(String::new(), |[low, high]| format!("{low:.3} to {high:.3}"));
        Some([name.to_owned(), format!("{value:.3}"), interval])
    };
    // As of one who is asked "how sure are you?": the probability of the answer, and whether it was right.
    let answers: Option<Vec<(f64, bool)>> =
        rows.iter().map(|row| Some((row.probabilities?[row.stance.index()], row.stance == row.label))).collect();
    let answers = answers.filter(|answers| !answers.is_empty());
    let model = if record.model.name.is_empty() { "the model" } else { &record.model.name };
    let mut wrong: Vec<ErrorRow<'_>> = rows.iter().filter(|row| row.stance != row.label).map(error_row).collect();
    wrong.sort_by(|a, b| b.sureness.total_cmp(&a.sureness));
    let states = by_state(rows);
    let map = (!states.is_empty()).then(|| map(&states));
    let beside = states.iter().filter(|(code, _)| map.as_ref().is_some_and(|map| !map.has(code)));
    let page = EvaluationPage {
        page: Page {
            title: format!("How well {model} does on {}", super::plural(record.n, "row")),
            frame: notes.command.as_str().into(),
        },
        record,
        notes,
        headline: METRICS.iter().filter_map(|metric| line(metric.name)).collect(),
        classes: Stance::ALL.into_iter().map(|stance| class_row(record, stance)).collect(),
        reliability: answers.as_deref().map(reliability),
        risk: answers.as_deref().map(|answers| risk(answers, record)),
        precision: rows.iter().all(|row| row.probabilities.is_some()).then(|| precision(rows)),
        breakdowns: record.by.iter().map(|(column, values)| breakdown(column, values)).collect(),
        beside: beside.map(|(_, state)| state.said()).collect(),
        map,
        wrong: wrong.len(),
        errors: wrong.into_iter().filter(|error| error.row.passage.is_some()).take(ERRORS).collect(),
        comparisons: record.comparisons.iter().map(|other| other.sentence(model)).collect(),
    };
    page.write_into(to)
}

fn error_row(row: &EvaluatedRow) -> ErrorRow<'_> {
    let sureness = row.probabilities.map_or(0.0, |p| p[row.stance.index()]);
    let pieces = row.passage.as_ref().map_or_else(Vec::new, |passage| {
        let marks = [(&passage.state, "state"), (&passage.actor, "actor")];
        let marks: Vec<_> = marks.into_iter().filter_map(|(span, class)| Some((span.clone()?, class))).collect();
        pieces(&passage.text, &marks)
    });
    let probability = row.probabilities.map_or(String::new(), |_| format!("{sureness:.2}"));
    ErrorRow { row, sureness, probability, pieces }
}

fn class_row(record: &Evaluation, stance: Stance) -> ClassRow {
    let class = &record.per_class[&stance];
    let known = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
    let [precision, recall, f1] = [class.precision, class.recall, class.f1].map(|v| format!("{v:.3}"));
    let counts = record.confusion[stance.index()];
    let total = counts.iter().sum::<usize>().max(1);
    let cell = |count: usize| {
        let share = count as f64 / total as f64;
        (count, super::number::percent(share), format!("heat{}", (share * 4.999) as usize))
    };
    ClassRow {
        stance,
        scores: [precision, recall, f1, known(class.roc_auc), known(class.average_precision)],
        support: class.support,
        cells: counts.map(cell).into(),
    }
}

/// How often answers of some probability are right; bins of equally many answers.
fn reliability(answers: &[(f64, bool)]) -> (Plane, Vec<[String; 4]>) {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut points, mut said, mut table) = (Vec::new(), Vec::new(), Vec::new());
    // A bin ends where the probability changes, so that the order of the rows does not count.
    let end = |bin: usize| {
        let end = bin * sorted.len() / BINS;
        let ties = sorted[end..].iter().take_while(|(p, _)| end > 0 && *p == sorted[end - 1].0);
        end + ties.count()
    };
    for bin in 0..BINS {
        let part = &sorted[end(bin)..end(bin + 1)];
        let [Some(first), Some(last)] = [part.first(), part.last()] else { continue };
        let n = part.len() as f64;
        let sure = part.iter().map(|(p, _)| p).sum::<f64>() / n;
        let right = part.iter().filter(|(_, right)| *right).count() as f64 / n;
        points.push((sure, right));
        said.push(format!("{} answers of {sure:.2}: {right:.2} right", part.len()));
        let between = format!("{:.2} to {:.2}", first.0, last.0);
        table.push([between, part.len().to_string(), format!("{sure:.3}"), format!("{right:.3}")]);
    }
    let plane = Plane::new(
        "Reliability: probability of the answer against the share that is right".into(),
        ["probability of the answer", "share right"],
        1.0,
    );
    (plane.diagonal().with(Stance::Neutral, &points, &said), table)
}

/// How many answers are wrong among the surest.
fn risk(answers: &[(f64, bool)], record: &Evaluation) -> (Plane, Vec<[String; 4]>) {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let every = sorted.len().div_ceil(POINTS);
    let (mut wrong, mut curve, mut drawn) = (0, Vec::new(), 0);
    for (at, (sure, right)) in sorted.iter().enumerate() {
        wrong += usize::from(!right);
        let answered = at + 1;
        // Those that are equally sure are answered together; the first few answers say next to nothing.
        let tied = sorted.get(answered).is_some_and(|(next, _)| next == sure);
        if !tied && (answered == sorted.len() || answered >= 20 && answered - drawn >= every) {
            curve.push((answered as f64 / sorted.len() as f64, wrong as f64 / answered as f64));
            drawn = answered;
        }
    }
    let most = curve.iter().map(|(_, risk)| *risk).fold(0.1, f64::max);
    let most = (most * 10.0).ceil() / 10.0;
    let plane = Plane::new(
        "Risk and coverage: share answered against the share of answers that is wrong".into(),
        ["share of rows answered, the surest first", "share wrong"],
        most,
    );
    let row = |s: &crate::evaluate::selective::SelectiveRecord| {
        [
            format!("{:.0} %", 100.0 * s.coverage),
            format!("{:.2}", s.min_prob),
            format!("{:.3}", s.accuracy),
            format!("{:.3}", s.macro_f1),
        ]
    };
    (plane.with(Stance::Neutral, &curve, &[]), record.selective.iter().map(row).collect())
}

/// Of each class: the share found against the share of what is found that is right.
fn precision(rows: &[EvaluatedRow]) -> (Plane, Vec<[String; 3]>) {
    let mut table = Vec::new();
    let mut plane = Plane::new("Precision and recall of each stance".into(), ["recall", "precision"], 1.0);
    for stance in Stance::ALL {
        let of = |row: &EvaluatedRow| Some((row.probabilities?[stance.index()], row.label == stance));
        let mut scored: Vec<(f64, bool)> = rows.iter().filter_map(of).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all = scored.iter().filter(|(_, is)| *is).count();
        let every = all.div_ceil(POINTS).max(1);
        let (mut found, mut curve, mut drawn) = (0, Vec::new(), 0);
        for (at, (score, is)) in scored.iter().enumerate() {
            found += usize::from(*is);
            let tied = scored.get(at + 1).is_some_and(|(next, _)| next == score);
            if !tied && found > drawn && (found - drawn >= every || found == all) {
                curve.push((found as f64 / all as f64, found as f64 / (at + 1) as f64));
                drawn = found;
            }
        }
        let said = |(at, (recall, precision)): (usize, &(f64, f64))| match at % MARKED {
            0 => format!("{stance}: recall {recall:.2}, precision {precision:.2}"),
            _ => String::new(),
        };
        let said: Vec<String> = curve.iter().enumerate().map(said).collect();
        let marked = curve.iter().step_by(MARKED);
        table.extend(
            marked.map(|(recall, precision)| [stance.to_string(), format!("{recall:.2}"), format!("{precision:.2}")]),
        );
        plane = plane.with(stance, &curve, &said);
    }
    (plane, table)
}

fn breakdown(column: &str, values: &BTreeMap<String, GroupRecord>) -> Breakdown {
    let mut sorted: Vec<(&String, &GroupRecord)> = values.iter().collect();
    // The worst first, of those that say something.
    sorted
        .sort_by(|a, b| a.1.small.cmp(&b.1.small).then(a.1.macro_f1.total_cmp(&b.1.macro_f1)).then(b.1.n.cmp(&a.1.n)));
    let row = |(value, group): (&String, &GroupRecord)| ValueRow {
        value: crate::shortened(value).into_owned(),
        n: group.n,
        small: group.small,
        f1: format!("{:.3}", group.macro_f1),
        accuracy: format!("{:.3}", group.accuracy),
        interval: group.ci95.map_or(String::new(), |[low, high]| format!("{low:.2} to {high:.2}")),
        at: 200.0 * group.macro_f1,
        ends: group.ci95.map(|ends| ends.map(|end| 200.0 * end)),
    };
    let more = sorted.len().saturating_sub(VALUES);
    Breakdown { column: column.to_owned(), values: sorted.into_iter().take(VALUES).map(row).collect(), more }
}

/// Rows of a state.
struct OfState {
    name: String,
    n: usize,
    right: usize,
}

impl OfState {
    fn share(&self) -> f64 {
        self.right as f64 / self.n as f64
    }

    fn said(&self) -> String {
        let few = if self.n < SMALL { ", few" } else { "" };
        format!("{}: {:.2} right of {} rows{few}", self.name, self.share(), self.n)
    }
}

fn by_state(rows: &[EvaluatedRow]) -> BTreeMap<&str, OfState> {
    let mut states: BTreeMap<&str, OfState> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.state_code.is_empty()) {
        let new = || OfState { name: row.state.clone(), n: 0, right: 0 };
        let state = states.entry(&row.state_code).or_insert_with(new);
        state.n += 1;
        state.right += usize::from(row.stance == row.label);
    }
    states
}

fn map(states: &BTreeMap<&str, OfState>) -> WorldMap {
    let told = |code: &str| {
        let state = states.get(code)?;
        Some((score_class(state.share(), state.n < SMALL), state.said()))
    };
    WorldMap::new("The share of right answers by state".into(), &SCORES, told)
}
