//! Stance over time as a page.

use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;

use super::chart::line::{LineChart, Spark, leaning, said};
use super::map::Shade;
use super::number::{self, changed, percent, typeset};
use super::page::{Frame, Page};
use super::switch::{State, Switch};
use crate::date::Date;
use crate::trend::change_points::ENOUGH;
use crate::trend::{ChangePoint, FEW, Period, Point, Report, Series, Trend};

/// Series that are shown in full.
const IN_FULL: usize = 12;
/// Periods of a series that are shown in full, and of the map: the last.
const PERIODS: usize = 260;
const MAPS: usize = 104;
/// Series that turned, of which the reports are shown.
const TURNED: usize = 40;
/// Seconds of a year: where a turn may lie further apart, no day is named.
const YEAR: i64 = 366 * 24 * 3600;
/// The net stance, either way, from which a report shows a turn.
const CLEARLY: f64 = 0.15;
/// Series that are shown small.
const SMALL: usize = 60;

/// What the figures do not say themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrendNotes {
    /// Where the page stands.
    pub frame: Frame,
    /// Whether the shares are corrected for what is known of the model's errors.
    pub corrected: bool,
    /// Whether several reports of one event count once.
    pub deduplicated: bool,
    /// What was left out, a sentence each.
    pub left_out: Vec<String>,
}

#[derive(Template)]
#[template(path = "trend.html")]
struct TrendPage<'t> {
    page: Page,
    notes: &'t TrendNotes,
    /// First and last period.
    between: String,
    articles: usize,
    few: usize,
    map: Option<MapOverTime>,
    full: Vec<Full<'t>>,
    small: Vec<Small<'t>>,
    /// Series that are shown neither in full nor small.
    unseen: usize,
    turned: Vec<(&'t Series, Vec<TurnCard<'t>>)>,
    /// Those that turned and are not shown, and all that have articles enough to turn.
    more_turned: usize,
    tested: usize,
    /// Whether some series has more periods than are shown.
    cut: bool,
    one_period: bool,
}

/// A turn as it is told.
struct TurnCard<'t> {
    turn: &'t ChangePoint,
    /// Whether the day is known to a year.
    sure: bool,
    /// Those of its reports that clearly go its way.
    reports: Vec<&'t Report>,
}

struct Full<'t> {
    id: String,
    series: &'t Series,
    chart: LineChart,
    rows: Vec<Row<'t>>,
}

struct Row<'t> {
    id: String,
    point: &'t Point,
    shares: [String; 3],
    net: String,
    interval: String,
    change: String,
    class: &'static str,
}

struct Small<'t> {
    series: &'t Series,
    spark: Spark,
    /// Where it is shown in full.
    full: Option<String>,
    last: String,
}

/// A map for each period, and its table.
struct MapOverTime {
    actor: String,
    switch: Switch,
    table: Vec<(String, Vec<String>)>,
}

/// Writes the page of `found`.
///
/// # Errors
/// Those of `to`.
pub fn write_trend(found: &Trend, notes: &TrendNotes, to: &mut impl Write) -> io::Result<()> {
    let mut periods: Vec<Period> = found.series.iter().flat_map(|s| s.points.iter().map(|p| p.period)).collect();
    periods.sort_unstable();
    periods.dedup();
    let mut actors: Vec<&str> = Vec::new();
    for series in &found.series {
        if !actors.contains(&series.actor.as_str()) {
            actors.push(&series.actor);
        }
    }
    let toward = match actors.as_slice() {
        [] => "anybody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] if actors.len() <= 4 => format!("{} and {last}", first.join(", ")),
        more => format!("{} actors", more.len()),
    };
    let one_state = found.series.iter().all(|series| series.state_code == found.series[0].state_code);
    let whose = match found.series.first() {
        Some(series) if one_state => format!("{} toward {toward}", series.state),
        _ => format!("Stance toward {toward}"),
    };
    let between = match (periods.first(), periods.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (Some(only), _) => only.to_string(),
        _ => String::new(),
    };
    let id = |number: usize| format!("s{number}");
    // Of few articles a chart would show next to nothing; the map and the tables name them.
    let told: Vec<&Series> = found.series.iter().filter(|series| series.articles() >= FEW).collect();
    let told = if told.is_empty() { found.series.iter().collect() } else { told };
    let turned: Vec<&Series> = found.series.iter().filter(|series| !series.change_points.is_empty()).collect();
    let shown = told.iter().take(IN_FULL).enumerate();
    let several = actors.len() > 1;
    let page = TrendPage {
        page: Page { title: format!("{whose}, {between}"), frame: notes.frame.clone() },
        notes,
        articles: found.series.iter().map(Series::articles).sum(),
        few: FEW,
        map: (!several).then(|| MapOverTime::new(found, &periods)).flatten(),
        full: shown.map(|(number, series)| full(series, id(number))).collect(),
        small: told
            .iter()
            .take(SMALL)
            .enumerate()
            .map(|(number, series)| small(series, (number < IN_FULL).then(|| id(number))))
            .collect(),
        unseen: found.series.len() - told.len().min(SMALL),
        more_turned: turned.len().saturating_sub(TURNED),
        turned: turned.into_iter().take(TURNED).map(|series| (series, turns(series))).collect(),
        tested: found.series.iter().filter(|series| series.articles() >= ENOUGH).count(),
        cut: told.iter().take(IN_FULL).any(|series| series.points.len() > PERIODS) || periods.len() > MAPS,
        one_period: periods.len() == 1,
        between,
    };
    page.write_into(to)
}

fn turns(series: &Series) -> Vec<TurnCard<'_>> {
    let mut cards = Vec::with_capacity(series.change_points.len());
    for turn in &series.change_points {
        let [earliest, latest] = [&turn.earliest, &turn.latest].map(|date| Date::parse(date).map(Date::seconds));
        let sure = earliest.zip(latest).is_none_or(|(earliest, latest)| latest - earliest <= YEAR);
        let direction = (turn.after - turn.before).signum();
        let reports = turn.reports.iter().filter(|report| report.net * direction >= CLEARLY).collect();
        cards.push(TurnCard { turn, sure, reports });
    }
    cards
}

fn full(series: &Series, id: String) -> Full<'_> {
    let points = &series.points[series.points.len().saturating_sub(PERIODS)..];
    let mut rows = Vec::with_capacity(points.len());
    for (number, point) in points.iter().enumerate() {
        rows.push(Row {
            id: format!("{id}-{number}"),
            shares: [point.aligned, point.neutral, point.opposed].map(percent),
            net: typeset(point.net),
            interval: format!("{} to {}", typeset(point.net_low), typeset(point.net_high)),
            change: point.change.map(|c| changed(c.value, c.low, c.high).replace('-', "−")).unwrap_or_default(),
            class: leaning(point).as_str(),
            point,
        });
    }
    Full { chart: LineChart::new(series, points, &id), series, rows, id }
}

fn small(series: &Series, full: Option<String>) -> Small<'_> {
    let last = series
        .points
        .last()
        .map(|point| format!("{} in {}{}", typeset(point.net), point.period, if point.few { " (few)" } else { "" }));
    Small { series, spark: Spark::new(series), full, last: last.unwrap_or_default() }
}

fn point_of<'s>(series: &'s Series, period: &Period) -> Option<&'s Point> {
    let at = series.points.binary_search_by_key(period, |point| point.period).ok()?;
    Some(&series.points[at])
}

impl MapOverTime {
    fn new(found: &Trend, periods: &[Period]) -> Option<Self> {
        let periods = &periods[periods.len().saturating_sub(MAPS)..];
        let (actor, last) = (found.series.first()?, periods.len().checked_sub(1)?);
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        for series in &found.series {
            let cell = |period: &Period| {
                let point = point_of(series, period)?;
                let shade = Shade { net: point.net, few: point.few };
                Some([shade.class(), format!("{}, {}", series.state, said(point))])
            };
            states.insert(series.state_code.clone(), State::new(&series.state, periods.iter().map(cell).collect()));
        }
        let itself = periods.iter().map(|_| State::itself(&actor.actor)).collect();
        states.insert(actor.actor_code.clone(), State::new(&actor.actor, itself));
        let net = |series: &Series, period: &Period| match point_of(series, period) {
            None => String::new(),
            Some(point) if point.few => format!("({})", typeset(point.net)),
            Some(point) => typeset(point.net),
        };
        let table = found.series.iter().take(SMALL);
        let table =
            table.map(|series| (series.state.clone(), periods.iter().map(|p| net(series, p)).collect())).collect();
        let label = format!("Stance of each state toward {}", actor.actor);
        let caption = format!("Pale: fewer than {FEW} articles, which show what was reported and no trend.");
        let switch = Switch::new(label, caption, periods.iter().map(Period::to_string).collect(), last, &states);
        Some(Self { actor: actor.actor.clone(), switch, table })
    }
}
