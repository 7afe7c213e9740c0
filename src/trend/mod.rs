//! Prediction records to stance over time.
//!
//! For each state, actor and period: how many articles there are, which shares of them are aligned, neutral and opposed
//! ([`prevalence`]), the net stance (aligned − opposed, −1 to 1) with a bootstrap interval over articles, the same
//! smoothed, and the change from the period before. Reports of one event count once ([`TrendParams::dedup`]).
//!
//! ```
//! use detente::trend::{Granularity, TrendParams, trend};
//! use detente::{Article, Pipeline, Query, Record};
//!
//! let pipeline = Pipeline::fast();
//! let query = Query::toward(["Russia"], pipeline.gazetteer())?;
//! let mut records: Vec<Record> = Vec::new();
//! for (day, text) in [
//!     ("2013-05-02", "Ukraine praised Russia for the loan."),
//!     ("2014-03-20", "Ukraine condemned Russia's annexation of the peninsula."),
//! ] {
//!     let article = Article { date: Some(day.into()), ..Article::new(text).with_id(day) };
//!     records.extend(Record::all(&article, &pipeline.predict(&article, &query)));
//! }
//! let found = trend(&records, &TrendParams::new(Granularity::Year))?;
//! let points = &found.series[0].points;
//! assert_eq!(points[0].period.to_string(), "2013");
//! assert!(points[0].net > points[1].net);
//! # Ok::<(), detente::Error>(())
//! ```

mod change_points;
mod period;
pub mod prevalence;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Serialize;

pub use period::{Granularity, Period};
use prevalence::Prevalence;

use crate::data::audit::Index;
use crate::date::Date;
use crate::error::{Error, Result};
use crate::evaluate::bootstrap::{Bootstrap, Groups};
use crate::evaluate::metrics::quantile;
use crate::record::Record;
use crate::stance::Stance;

/// A period with fewer articles is marked: it shows what was reported, and no trend.
pub const FEW: usize = 10;

/// Reports of one event stand within so many days of each other.
const EVENT_DAYS: i64 = 3;

/// How stances are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendParams {
    by: Granularity,
    dedup: bool,
    prevalence: Option<Prevalence>,
    draws: usize,
    level: f64,
    seed: u64,
}

impl TrendParams {
    /// Periods of this length; all else at its default.
    pub fn new(by: Granularity) -> Self {
        Self { by, dedup: true, prevalence: None, draws: 1000, level: 0.95, seed: 0 }
    }

    /// Counts reports of one event once; defaults to `true`. Of records of one state and actor within three days whose
    /// evidence is the same or nearly (see [`audit`](crate::data::audit)), the first counts.
    pub fn dedup(mut self, dedup: bool) -> Self {
        self.dedup = dedup;
        self
    }

    /// Corrects the shares for the errors that the probabilities are known to have; defaults to `None`: the shares are the
    /// means of the probabilities.
    pub fn prevalence(mut self, prevalence: Option<Prevalence>) -> Self {
        self.prevalence = prevalence;
        self
    }

    /// Bootstrap draws, at least 1; defaults to 1000.
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// The share of draws within an interval, above 0 and below 1; defaults to 0.95.
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Seed of the draws; defaults to 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A value and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The stance of a state toward an actor in one period.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Point {
    /// When.
    pub period: Period,
    /// Articles that connect the two; of several reports of one event, one.
    pub articles: usize,
    /// Those of them that are decided to be aligned or opposed.
    pub sided: usize,
    /// Share of aligned articles, 0 to 1; with the next two 1.
    pub aligned: f64,
    /// Share of neutral articles.
    pub neutral: f64,
    /// Share of opposed articles.
    pub opposed: f64,
    /// Net stance: `aligned` − `opposed`.
    pub net: f64,
    /// Lower end of the interval of `net`; −1 to 1 of a single article.
    pub net_low: f64,
    /// Upper end.
    pub net_high: f64,
    /// `net`, smoothed over the periods: see [`Series::smoothing`].
    pub smoothed: f64,
    /// `net` less that of the period before; `None` where one of the two has [few](FEW) articles.
    pub change: Option<Estimate>,
    /// Whether there are fewer articles than [`FEW`].
    pub few: bool,
}

/// A turn: the articles before and after differ more than chance lets them.
///
/// Found among single articles by date, whatever the periods: see the module's source for the method.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChangePoint {
    /// The date of the first article after the turn, as its source writes it.
    pub date: String,
    /// That of the first article which it may as well be, at 95 %.
    pub earliest: String,
    /// That of the last.
    pub latest: String,
    /// Mean of p(aligned) − p(opposed) from the turn before, or the first article, up to this one.
    pub before: f64,
    /// The same from here to the next turn, or the last article.
    pub after: f64,
    /// The share of random orders of the articles that turn as clearly; at most 0.01.
    pub p_value: f64,
    /// Of the articles after it, the first ones that differ most from those before.
    pub reports: Vec<Report>,
}

/// An article that moved a stance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Its id.
    pub id: String,
    /// The file that it is from.
    pub path: String,
    /// Its date, as its source writes it.
    pub date: String,
    /// p(aligned) − p(opposed).
    pub net: f64,
    /// The sentence that says most.
    pub evidence: String,
}

/// The stance of a state toward an actor, period by period.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Series {
    /// Whose stance.
    pub state: String,
    /// Its code.
    pub state_code: String,
    /// Toward whom.
    pub actor: String,
    /// Its code.
    pub actor_code: String,
    /// The weight of the newest period in the smoothed stance, 0.1 to 1: that under which the smoothed stance foretells the next
    /// period with the least squared error.
    pub smoothing: f64,
    /// Periods that have articles, in order.
    pub points: Vec<Point>,
    /// When it turned, in order.
    pub change_points: Vec<ChangePoint>,
}

impl Series {
    /// Articles of all periods.
    pub fn articles(&self) -> usize {
        self.points.iter().map(|point| point.articles).sum()
    }
}

/// Stance over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trend {
    /// Those with most articles first.
    pub series: Vec<Series>,
    /// Records that repeat another report of the same event, and are left out.
    pub repeated: usize,
    /// Records without a date that names their period, left out, by the file that they are from.
    pub undated: BTreeMap<String, usize>,
    /// The first and the last day that records are of.
    #[serde(skip)]
    pub dates: Option<(Date, Date)>,
}

/// One article's answer, as far as counting needs it.
struct Observation<'r> {
    record: &'r Record,
    date: Date,
    period: Period,
}

/// Counts records. One that says nothing ([`Record::no_evidence`]) is no article about the two, and is passed over.
///
/// # Errors
/// [`Error::Parameter`] for parameters outside their range.
pub fn trend(records: &[Record], params: &TrendParams) -> Result<Trend> {
    let mut undated: BTreeMap<String, usize> = BTreeMap::new();
    let mut pairs: BTreeMap<(&str, &str), Vec<Observation<'_>>> = BTreeMap::new();
    let mut dates: Option<(Date, Date)> = None;
    for record in records.iter().filter(|record| !record.no_evidence) {
        let date = Date::parse(&record.date);
        let Some((date, period)) = date.and_then(|date| Some((date, Period::of(date, params.by)?))) else {
            *undated.entry(record.path.clone()).or_default() += 1;
            continue;
        };
        dates = Some(dates.map_or((date, date), |(first, last)| (first.min(date), last.max(date))));
        let of_pair = pairs.entry((&record.state_code, &record.actor_code)).or_default();
        of_pair.push(Observation { record, date, period });
    }
    let (mut series, mut repeated) = (Vec::new(), 0);
    for mut observations in pairs.into_values() {
        // Stable, so that of one day the order of the records counts.
        observations.sort_by_key(|observation| observation.date);
        if params.dedup {
            let before = observations.len();
            observations = first_reports(observations);
            repeated += before - observations.len();
        }
        series.push(one_series(&observations, params)?);
    }
    series.sort_by(|a, b| b.articles().cmp(&a.articles()).then_with(|| a.state_code.cmp(&b.state_code)));
    Ok(Trend { series, repeated, undated, dates })
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

fn one_series(observations: &[Observation<'_>], params: &TrendParams) -> Result<Series> {
    let mut points: Vec<Point> = Vec::new();
    let mut before: Option<Vec<f64>> = None;
    for same in observations.chunk_by(|a, b| a.period == b.period) {
        let probabilities: Vec<[f64; 3]> = same.iter().map(|o| o.record.probabilities.to_array()).collect();
        let shares = |weights: &[f64]| match &params.prevalence {
            Some(prevalence) => prevalence.of(&probabilities, weights),
            None => prevalence::mean(&probabilities, weights),
        };
        let net = |shares: [f64; 3]| shares[Stance::Aligned.index()] - shares[Stance::Opposed.index()];
        let [aligned, neutral, opposed] = shares(&vec![1.0; same.len()]);
        let period = same[0].period;
        // Each period has draws of its own, so that those of two can be put side by side.
        let seed = params.seed ^ (period.first().to_epoch_days() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bootstrap = Bootstrap::new().draws(params.draws).level(params.level).seed(seed);
        // One article says nothing of how others would differ.
        let draws = match same.len() {
            1 => Vec::new(),
            articles => {
                let groups = Groups::of_single_rows(articles)?;
                let draws = bootstrap.measure_draws(&groups, |weights| Ok([net(shares(weights))]))?;
                draws.into_iter().map(|[net]| net).collect::<Vec<f64>>()
            }
        };
        let value = net([aligned, neutral, opposed]);
        let interval = |draws: &[f64]| {
            let mut sorted = draws.to_vec();
            sorted.sort_by(f64::total_cmp);
            let outside = (1.0 - params.level) / 2.0;
            (quantile(&sorted, outside), quantile(&sorted, 1.0 - outside))
        };
        let (low, high) = if draws.is_empty() { (-1.0, 1.0) } else { interval(&draws) };
        let follows = points.last().filter(|last| last.period.next() == period).zip(before.as_ref());
        let few = same.len() < FEW;
        let change = follows.filter(|(last, _)| !few && !last.few).map(|(last, before)| {
            let changes: Vec<f64> = draws.iter().zip(before).map(|(now, then)| now - then).collect();
            let (low, high) = interval(&changes);
            Estimate { value: value - last.net, low, high }
        });
        let sided = same.iter().filter(|o| o.record.stance != Stance::Neutral).count();
        points.push(Point {
            period,
            articles: same.len(),
            sided,
            aligned,
            neutral,
            opposed,
            net: value,
            net_low: low,
            net_high: high,
            smoothed: value,
            change,
            few,
        });
        before = Some(draws);
    }
    let smoothing = smooth(&mut points);
    let Some(Observation { record, .. }) = observations.first() else {
        return Err(Error::Shape { what: "articles of a pair", found: "none".into(), expected: "at least one".into() });
    };
    Ok(Series {
        state: record.state.clone(),
        state_code: record.state_code.clone(),
        actor: record.actor.clone(),
        actor_code: record.actor_code.clone(),
        smoothing,
        points,
        change_points: turns(observations, params),
    })
}

/// Reports that are named for each turn, and how many articles after it are looked at for them.
const REPORTS: usize = 3;
const LOOKED_AT: usize = 20;

fn turns(observations: &[Observation<'_>], params: &TrendParams) -> Vec<ChangePoint> {
    let net = |record: &Record| record.probabilities.aligned - record.probabilities.opposed;
    let values: Vec<f64> = observations.iter().map(|o| net(o.record)).collect();
    let date = |at: usize| observations[at].record.date.clone();
    let turn = |division: change_points::Division| {
        let (before, after) = division.means;
        let moved = |record: &Record| (net(record) - before) * (after - before).signum();
        let mut first: Vec<&Record> =
            observations[division.parts.1.clone()].iter().take(LOOKED_AT).map(|o| o.record).collect();
        first.sort_by(|a, b| moved(b).total_cmp(&moved(a)));
        first.truncate(REPORTS);
        first.sort_by_key(|record| Date::parse(&record.date));
        let report = |record: &Record| Report {
            id: record.id.clone(),
            path: record.path.clone(),
            date: record.date.clone(),
            net: net(record),
            evidence: record.evidence.first().map(|evidence| evidence.text.clone()).unwrap_or_default(),
        };
        ChangePoint {
            date: date(division.at),
            earliest: date(division.between.0),
            latest: date(division.between.1.min(observations.len() - 1)),
            before,
            after,
            p_value: division.p_value,
            reports: first.into_iter().map(report).collect(),
        }
    };
    change_points::divisions(&values, params.seed).into_iter().map(turn).collect()
}

/// The weights of the newest period that are tried.
const SMOOTHING: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Smooths the net stance: an exponentially weighted mean, in which a period of few articles weighs less, of the weight
/// under which it foretells the next period best. Gives that weight.
fn smooth(points: &mut [Point]) -> f64 {
    // What a period of n articles weighs: as much as it is sure.
    let certainty = |point: &Point| point.articles as f64 / (point.articles as f64 + FEW as f64);
    let levels = |weight: f64| {
        let mut level = points.first().map_or(0.0, |point| point.net);
        let each = points.iter().map(|point| {
            let foretold = level;
            level += weight * certainty(point) * (point.net - level);
            (foretold, level)
        });
        each.collect::<Vec<(f64, f64)>>()
    };
    let error = |weight: f64| {
        let each = levels(weight).into_iter().zip(points.iter()).skip(1);
        each.map(|((foretold, _), point)| certainty(point) * (point.net - foretold).powi(2)).sum::<f64>()
    };
    // Of equal ones the smoother.
    let best = SMOOTHING.into_iter().min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(1.0);
    let smoothed = levels(best);
    for (point, (_, level)) in points.iter_mut().zip(smoothed) {
        point.smoothed = level;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Article, Pipeline, Query};

    /// A record of Estonia toward Russia with these probabilities.
    fn record(date: &str, probabilities: [f64; 3], said: &str) -> Record {
        let pipeline = Pipeline::fast();
        let article = Article { date: Some(date.into()), ..Article::new("Estonia condemned Russia.").with_id(date) };
        let query = Query::toward(["Russia"], pipeline.gazetteer()).unwrap();
        let mut record = Record::all(&article, &pipeline.predict(&article, &query)).next().unwrap();
        let [aligned, neutral, opposed] = probabilities;
        record.probabilities = crate::Probabilities { aligned, neutral, opposed };
        record.stance = Stance::argmax(&probabilities);
        record.evidence[0].text = said.into();
        record
    }

    const EVENT: &str = "Estonia condemned the attack by Russia on the port and called for talks at once.";

    #[test]
    fn shares_and_changes_by_hand() {
        let records = [
            record("2014-01-05", [0.8, 0.2, 0.0], "a"),
            record("2014-11-05", [0.4, 0.4, 0.2], "b"),
            record("2015-03-01", [0.0, 0.1, 0.9], "c"),
            record("2015-03-02", [0.0, 0.1, 0.9], "d"),
            record("2017-03-01", [0.0, 1.0, 0.0], "e"),
        ];
        let found = trend(&records, &TrendParams::new(Granularity::Year)).unwrap();
        assert_eq!(found.series.len(), 1);
        let points = &found.series[0].points;
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert_eq!(
            points.iter().map(|p| (p.articles, p.sided, p.few)).collect::<Vec<_>>(),
            [(2, 2, true), (2, 2, true), (1, 0, true)]
        );
        // Of the second record aligned and neutral are as probable, and the first of the two counts.
        assert!(near(points[0].aligned, 0.6) && near(points[0].opposed, 0.1) && near(points[0].net, 0.5));
        assert!(near(points[1].net, -0.9) && near(points[2].net, 0.0));
        // Draws of two: 0.2, 0.5 and 0.8.
        assert!(near(points[0].net_low, 0.2) && near(points[0].net_high, 0.8));
        assert_eq!((points[2].net_low, points[2].net_high), (-1.0, 1.0));
        // Of so few articles no change is told.
        assert!(points.iter().all(|point| point.change.is_none()));
    }

    #[test]
    fn a_report_counts_once() {
        let again = "“Estonia condemned the attack by Russia on the port and called for talks at once,” it said.";
        let records = [
            record("2014-01-05", [0.0, 0.0, 1.0], EVENT),
            record("2014-01-07", [0.0, 1.0, 0.0], again),
            record("2014-01-08", [0.0, 1.0, 0.0], EVENT),
            record("2014-06-08", [1.0, 0.0, 0.0], EVENT),
            record("2014-06-09", [0.0, 1.0, 0.0], "Estonia thanked Russia."),
        ];
        let params = TrendParams::new(Granularity::Year);
        let found = trend(&records, &params).unwrap();
        assert_eq!((found.repeated, found.series[0].points[0].articles), (2, 3));
        let all = trend(&records, &params.dedup(false)).unwrap();
        assert_eq!((all.repeated, all.series[0].points[0].articles), (0, 5));
    }

    #[test]
    fn what_has_no_date_is_counted_by_file() {
        let mut undated = record("03/04/2014", [1.0, 0.0, 0.0], "a");
        undated.path = "b.jsonl".into();
        let records = [record("2014-01-05", [1.0, 0.0, 0.0], "a"), undated];
        let found = trend(&records, &TrendParams::new(Granularity::Week)).unwrap();
        assert_eq!(found.undated, BTreeMap::from([("b.jsonl".to_owned(), 1)]));
        assert!(trend(&[], &TrendParams::new(Granularity::Week)).unwrap().series.is_empty());
    }

    #[test]
    fn steady_stances_are_smoothed_and_turns_are_followed() {
        let many = |date: &str, net: f64| -> Vec<Record> {
            let p = [(1.0 + net) / 2.0, 0.0, (1.0 - net) / 2.0];
            (0..30).map(|i| record(date, p, &i.to_string())).collect()
        };
        let series = |nets: [f64; 6]| {
            let years = nets.iter().zip(2010..).flat_map(|(net, year)| many(&format!("{year}-05-05"), *net));
            let records: Vec<Record> = years.collect();
            trend(&records, &TrendParams::new(Granularity::Year)).unwrap().series.remove(0)
        };
        let (noisy, turned) = (series([0.3, -0.3, 0.3, -0.3, 0.3, -0.3]), series([0.8, 0.8, 0.8, -0.8, -0.8, -0.8]));
        assert!(noisy.smoothing < 0.5 && turned.smoothing == 1.0, "{} {}", noisy.smoothing, turned.smoothing);
        let change = turned.points[3].change.unwrap();
        assert!((change.value + 1.6).abs() < 1e-12 && (change.low + 1.6).abs() < 1e-12);
        let last = |series: &Series| series.points[5].smoothed;
        assert!(last(&turned) < -0.6 && last(&noisy).abs() < 0.3, "{} {}", last(&turned), last(&noisy));
    }
}
