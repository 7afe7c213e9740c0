//! Records to the dated articles of each pair, reports of one event once.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::Span;
use crate::data::audit::Index;
use crate::date::Date;
use crate::record::Record;

/// Reports of one event stand within so many days of each other.
const EVENT_DAYS: i64 = 3;

/// One article's answer, as far as counting needs it.
#[derive(Clone, Copy)]
pub(super) struct Observation<'r> {
    pub record: &'r Record,
    pub date: Date,
}

impl Observation<'_> {
    /// p(aligned) − p(opposed).
    pub fn net(&self) -> f64 {
        self.record.probabilities.aligned - self.record.probabilities.opposed
    }
}

/// A state or an actor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub code: String,
    pub name: String,
}

/// The articles that connect a state with an actor, by date.
pub(super) struct Pair<'r> {
    pub state: Name,
    pub actor: Name,
    pub observations: Vec<Observation<'r>>,
}

impl<'r> Pair<'r> {
    /// The articles of a span of time.
    pub fn within(&self, span: Span) -> Vec<Observation<'r>> {
        self.observations.iter().filter(|o| span.holds(o.date) == Some(true)).copied().collect()
    }
}

/// All pairs, by their codes.
pub(super) struct Observations<'r> {
    pub pairs: Vec<Pair<'r>>,
    /// Records left out as they repeat another report of the same event.
    pub repeated: usize,
    /// Records left out for want of a date, by the file that they are from.
    pub undated: BTreeMap<String, usize>,
    /// The first and the last day.
    pub dates: Option<(Date, Date)>,
}

impl<'r> Observations<'r> {
    /// Those of records whose date is `known` closely enough. One that says nothing ([`Record::no_evidence`]) is no article
    /// about the two, and is passed over.
    pub fn of(records: &'r [Record], dedup: bool, known: impl Fn(Date) -> bool) -> Self {
        let mut undated: BTreeMap<String, usize> = BTreeMap::new();
        let mut pairs: BTreeMap<(&str, &str), Vec<Observation<'_>>> = BTreeMap::new();
        let mut dates: Option<(Date, Date)> = None;
        for record in records.iter().filter(|record| !record.no_evidence) {
            let Some(date) = Date::parse(&record.date).filter(|date| known(*date)) else {
                *undated.entry(record.path.clone()).or_default() += 1;
                continue;
            };
            dates = Some(dates.map_or((date, date), |(first, last)| (first.min(date), last.max(date))));
            pairs.entry((&record.state_code, &record.actor_code)).or_default().push(Observation { record, date });
        }
        let mut repeated = 0;
        let pair = |mut observations: Vec<Observation<'r>>| {
            // Stable, so that of one day the order of the records counts.
            observations.sort_by_key(|observation| observation.date);
            let before = observations.len();
            if dedup {
                observations = first_reports(observations);
            }
            repeated += before - observations.len();
            let record = observations.first()?.record;
            let state = Name { code: record.state_code.clone(), name: record.state.clone() };
            let actor = Name { code: record.actor_code.clone(), name: record.actor.clone() };
            Some(Pair { state, actor, observations })
        };
        let pairs = pairs.into_values().filter_map(pair).collect();
        Self { pairs, repeated, undated, dates }
    }
}

/// Without those that repeat an earlier one of the last days.
fn first_reports(observations: Vec<Observation<'_>>) -> Vec<Observation<'_>> {
    fn said<'r>(observation: &Observation<'r>) -> &'r str {
        observation.record.evidence.first().map_or("", |evidence| evidence.text.as_str())
    }
    let index = Index::new(observations.iter().map(said));
    let mut repeats = vec![false; observations.len()];
    // The last that counted, of those that say the same word for word: the index knows only the first of all.
    let mut same: FxHashMap<&str, usize> = FxHashMap::default();
    for (at, observation) in observations.iter().enumerate() {
        let text = said(observation);
        if text.is_empty() {
            continue;
        }
        let is_earlier = |other: usize| {
            let seconds = observation.date.seconds() - observations[other].date.seconds();
            other < at && seconds <= EVENT_DAYS * 24 * 3600 && !repeats[other]
        };
        let near = || index.find_first(text).into_iter().any(|leak| is_earlier(leak.text));
        repeats[at] = same.get(text).is_some_and(|&other| is_earlier(other)) || near();
        if !repeats[at] {
            same.insert(text, at);
        }
    }
    observations.into_iter().zip(repeats).filter(|(_, repeats)| !repeats).map(|(observation, _)| observation).collect()
}
