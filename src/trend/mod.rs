//! Prediction records to stance over time.
//!
//! For each state, actor and period: how many articles there are, which shares of them are aligned, neutral and opposed
//! ([`prevalence`]), the net stance (aligned − opposed, −1 to 1) with a bootstrap interval over articles, the same
//! smoothed, and the change from the period before. Reports of one event count once ([`TrendParams::dedup`]).
//! [`rank`] says who moved most between two spans of time, [`blocs`] who stands with whom in one.
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

pub mod blocs;
pub(crate) mod change_points;
mod measure;
mod observations;
mod period;
pub mod prevalence;
pub mod rank;

use std::collections::BTreeMap;

use serde::Serialize;

pub use measure::Estimate;
use measure::{Measured, measure};
use observations::{Observation, Observations, Pair};
pub use period::{Granularity, Period, Span};
use prevalence::Prevalence;

use crate::date::Date;
use crate::error::Result;
use crate::record::Record;
use crate::stance::Stance;

/// A period with fewer articles is marked: it shows what was reported, and no trend.
pub const FEW: usize = 10;

/// How stances are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendParams {
    by: Granularity,
    dedup: bool,
    prevalence: Option<Prevalence>,
    draws: usize,
    level: f64,
    seed: u64,
    reports: usize,
}

impl TrendParams {
    /// Periods of this length; all else at its default.
    pub fn new(by: Granularity) -> Self {
        Self { by, dedup: true, prevalence: None, draws: 1000, level: 0.95, seed: 0, reports: 0 }
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

    /// Bootstrap draws, at least 2; defaults to 1000.
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

    /// How many articles are named for each period; defaults to 0.
    pub fn reports(mut self, reports: usize) -> Self {
        self.reports = reports;
        self
    }
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
    /// The articles that say most clearly which way the period leans, by date: see [`TrendParams::reports`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<Report>,
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

impl Report {
    fn of(observation: &Observation<'_>) -> Self {
        let record = observation.record;
        Self {
            id: record.id.clone(),
            path: record.path.clone(),
            date: record.date.clone(),
            net: observation.net(),
            evidence: record.evidence.first().map(|evidence| evidence.text.clone()).unwrap_or_default(),
        }
    }
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

/// Counts records. One that says nothing ([`Record::no_evidence`]) is no article about the two, and is passed over.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for parameters outside their range.
pub fn trend(records: &[Record], params: &TrendParams) -> Result<Trend> {
    let Observations { pairs, repeated, undated, dates } =
        Observations::of(records, params.dedup, |date| Period::of(date, params.by).is_some());
    let mut series = pairs.iter().map(|pair| one_series(pair, params)).collect::<Result<Vec<Series>>>()?;
    series.sort_by(|a, b| b.articles().cmp(&a.articles()).then_with(|| a.state_code.cmp(&b.state_code)));
    Ok(Trend { series, repeated, undated, dates })
}

fn one_series(pair: &Pair<'_>, params: &TrendParams) -> Result<Series> {
    let mut points: Vec<Point> = Vec::new();
    let mut before: Option<Measured> = None;
    let period = |observation: &Observation<'_>| Period::of(observation.date, params.by);
    for same in pair.observations.chunk_by(|a, b| period(a) == period(b)) {
        // Observations whose date names no period were left out.
        let Some(period) = period(&same[0]) else { continue };
        // Each period has draws of its own, so that those of two can be put side by side.
        let measured = measure(same, period.first().to_epoch_days() as u64, params)?;
        let few = same.len() < FEW;
        let follows = points.last().filter(|last| last.period.next() == period).zip(before.as_ref());
        let change = follows.filter(|(last, _)| !few && !last.few).map(|(_, before)| measured.less(before, params));
        let [aligned, neutral, opposed] = measured.shares;
        points.push(Point {
            period,
            articles: same.len(),
            sided: same.iter().filter(|o| o.record.stance != Stance::Neutral).count(),
            aligned,
            neutral,
            opposed,
            net: measured.net.value,
            net_low: measured.net.low,
            net_high: measured.net.high,
            smoothed: measured.net.value,
            change,
            few,
            reports: said_most(same, params.reports),
        });
        before = Some(measured);
    }
    let smoothing = smooth(&mut points);
    let Pair { state, actor, observations } = pair;
    Ok(Series {
        state: state.name.clone(),
        state_code: state.code.clone(),
        actor: actor.name.clone(),
        actor_code: actor.code.clone(),
        smoothing,
        points,
        change_points: turns(observations, params),
    })
}

/// Of some articles those that say most clearly what they show together, by date.
fn said_most(observations: &[Observation<'_>], most: usize) -> Vec<Report> {
    let mean = observations.iter().map(Observation::net).sum::<f64>() / observations.len().max(1) as f64;
    let mut clearest: Vec<&Observation<'_>> = observations.iter().collect();
    clearest.sort_by(|a, b| (b.net() * mean.signum()).total_cmp(&(a.net() * mean.signum())));
    clearest.truncate(most);
    clearest.sort_by_key(|observation| observation.date);
    clearest.into_iter().map(Report::of).collect()
}

/// Reports that are named for each turn, and how many articles after it are looked at for them.
const REPORTS: usize = 3;
const LOOKED_AT: usize = 20;

fn turns(observations: &[Observation<'_>], params: &TrendParams) -> Vec<ChangePoint> {
    let values: Vec<f64> = observations.iter().map(Observation::net).collect();
    let date = |at: usize| observations[at].record.date.clone();
    let turn = |division: change_points::Division| {
        let (before, after) = division.means;
        let moved = |observation: &Observation<'_>| (observation.net() - before) * (after - before).signum();
        let mut first: Vec<&Observation<'_>> = observations[division.parts.1.clone()].iter().take(LOOKED_AT).collect();
        first.sort_by(|a, b| moved(b).total_cmp(&moved(a)));
        first.truncate(REPORTS);
        first.sort_by_key(|observation| observation.date);
        ChangePoint {
            date: date(division.at),
            earliest: date(division.between.0),
            latest: date(division.between.1.min(observations.len() - 1)),
            before,
            after,
            p_value: division.p_value,
            reports: first.into_iter().map(Report::of).collect(),
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

    /// So many records of one day and one net stance.
    pub(super) fn many(articles: usize, date: &str, net: f64) -> Vec<Record> {
        let one = record(date, [(1.0 + net) / 2.0, 0.0, (1.0 - net) / 2.0], "");
        vec![one; articles]
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
        // 0.8, 0.2, +1, 0 and −1 differ from their mean by a sum of squares of 2.48: the standard error is √2.48 / 5.
        let (low, high) = (0.5 - 1.96 * 0.315, 1.0);
        assert!((points[0].net_low - low).abs() < 0.06 && (points[0].net_high - high).abs() < 0.06, "{:?}", points[0]);
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
        let series = |nets: [f64; 6]| {
            let years = nets.iter().zip(2010..).flat_map(|(net, year)| many(30, &format!("{year}-05-05"), *net));
            let records: Vec<Record> = years.collect();
            trend(&records, &TrendParams::new(Granularity::Year)).unwrap().series.remove(0)
        };
        let (noisy, turned) = (series([0.3, -0.3, 0.3, -0.3, 0.3, -0.3]), series([0.8, 0.8, 0.8, -0.8, -0.8, -0.8]));
        assert!(noisy.smoothing < 0.5 && turned.smoothing == 1.0, "{} {}", noisy.smoothing, turned.smoothing);
        let change = turned.points[3].change.unwrap();
        // Each mean of thirty has a standard error of 0.0586.
        let half = 1.96 * 0.0586 * 2_f64.sqrt();
        assert!((change.value + 1.6).abs() < 1e-12);
        assert!((change.low + 1.6 + half).abs() < 0.02 && (change.high + 1.6 - half).abs() < 0.02, "{change:?}");
        let last = |series: &Series| series.points[5].smoothed;
        assert!(last(&turned) < -0.6 && last(&noisy).abs() < 0.3, "{} {}", last(&turned), last(&noisy));
    }
}
