//! Stance over time as a page.

use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;
use serde::Serialize;

use super::chart::line::{LineChart, Spark, leaning, said};
use super::for_script;
use super::map::{STANCES, Shade, WorldMap};
use super::number::{self, changed, percent, typeset};
use super::page::Page;
use crate::trend::{FEW, Period, Point, Series, Trend};

/// Series that are shown in full.
const IN_FULL: usize = 12;
/// Series that are shown small.
const SMALL: usize = 60;

/// States and bodies beside the map that are shown at once.
const BESIDE: usize = 60;

/// What the figures do not say themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrendNotes {
    /// The command that made them; empty where it is not known.
    pub command: String,
    /// Whether the shares are corrected for what is known of the model's errors.
    pub corrected: bool,
    /// The first day of today's period is not known to a library: what was left out, a sentence each.
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
    turned: Vec<&'t Series>,
    one_period: bool,
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

/// A map for each period.
struct MapOverTime {
    actor: String,
    map: WorldMap,
    /// The last period, which the page begins with.
    last: String,
    most: usize,
    /// States without a shape, in the last period.
    beside: Vec<(String, Option<String>)>,
    /// Whether these are few enough to be shown at once.
    open: bool,
    /// The table of all periods.
    periods: Vec<String>,
    table: Vec<(String, Vec<String>)>,
    /// What the script needs: `</` is written so that no script can end within.
    data: String,
}

/// What the script reads.
#[derive(Serialize)]
struct MapData {
    periods: Vec<String>,
    /// For each code, and each period: class and title.
    states: BTreeMap<String, State>,
}

#[derive(Serialize)]
struct State {
    name: String,
    cells: Vec<Option<[String; 2]>>,
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
    let shown = told.iter().take(IN_FULL).enumerate();
    let several = actors.len() > 1;
    let page = TrendPage {
        page: Page { title: format!("{whose}, {between}"), command: notes.command.clone() },
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
        turned: found.series.iter().filter(|series| !series.change_points.is_empty()).collect(),
        one_period: periods.len() == 1,
        between,
    };
    page.write_into(to)
}

fn full(series: &Series, id: String) -> Full<'_> {
    let row = |(number, point): (usize, &'_ Point)| Row {
        id: format!("{id}-{number}"),
        shares: [point.aligned, point.neutral, point.opposed].map(percent),
        net: typeset(point.net),
        interval: format!("{} to {}", typeset(point.net_low), typeset(point.net_high)),
        change: point.change.map(|c| changed(c.value, c.low, c.high).replace('-', "−")).unwrap_or_default(),
        class: leaning(point).as_str(),
        // The lifetime is that of the series, which the closure's own would hide.
        point: &series.points[number],
    };
    let rows = series.points.iter().enumerate().map(row).collect();
    Full { chart: LineChart::new(series, &id), series, rows, id }
}

fn small(series: &Series, full: Option<String>) -> Small<'_> {
    let last = series.points.last().map(|point| format!("{} in {}", typeset(point.net), point.period));
    Small { series, spark: Spark::new(series), full, last: last.unwrap_or_default() }
}

impl MapOverTime {
    fn new(found: &Trend, periods: &[Period]) -> Option<Self> {
        let (actor, last) = (found.series.first()?, periods.len().checked_sub(1)?);
        let cell = |series: &Series, period: &Period| {
            let point = series.points.iter().find(|point| point.period == *period)?;
            let class = Shade { net: point.net, few: point.few }.class();
            Some([class, format!("{}, {}", series.state, said(point))])
        };
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        for series in &found.series {
            let cells = periods.iter().map(|period| cell(series, period)).collect();
            states.insert(series.state_code.clone(), State { name: series.state.clone(), cells });
        }
        let itself = || Some(["self".to_owned(), format!("{}: the actor itself", actor.actor)]);
        let cells = periods.iter().map(|_| itself()).collect();
        states.insert(actor.actor_code.clone(), State { name: actor.actor.clone(), cells });
        let told = |code: &str| {
            let state = states.get(code)?;
            let [class, title] =
                state.cells[last].clone().unwrap_or_else(|| [String::new(), format!("{}: not mentioned", state.name)]);
            Some((class, title))
        };
        let map = WorldMap::new(format!("Stance of each state toward {}", actor.actor), &STANCES, told);
        let outside = found.series.iter().filter(|series| !map.has(&series.state_code));
        let beside =
            outside.map(|series| (series.state_code.clone(), cell(series, &periods[last]).map(|[_, said]| said)));
        let net = |series: &Series, period: &Period| {
            let point = series.points.iter().find(|point| point.period == *period);
            point.map_or_else(String::new, |p| if p.few { format!("({})", typeset(p.net)) } else { typeset(p.net) })
        };
        let table = found.series.iter().take(SMALL);
        let table =
            table.map(|series| (series.state.clone(), periods.iter().map(|p| net(series, p)).collect())).collect();
        let names: Vec<String> = periods.iter().map(Period::to_string).collect();
        let beside: Vec<(String, Option<String>)> = beside.collect();
        Some(Self {
            actor: actor.actor.clone(),
            open: beside.len() <= BESIDE,
            beside,
            last: names[last].clone(),
            most: last,
            table,
            data: for_script(&MapData { periods: names.clone(), states }),
            periods: names,
            map,
        })
    }
}
