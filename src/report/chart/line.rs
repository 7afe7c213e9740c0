//! Net stance over time.

use askama::Template;

use super::path;
use crate::date::Date;
use crate::report::number::{is_clear, typeset};
use crate::report::plural;
use crate::stance::Stance;
use crate::trend::{Period, Point, Series};

/// The style of a chart that stands alone: light, whatever the reader's screen is.
const STYLE: &str = include_str!("../../../templates/chart/standalone.css");

/// As many periods are told apart below the chart.
const BOUNDS: usize = 60;
/// A label that is so near to the end of the axis is written from there.
const EDGE: f64 = 46.0;

struct Tick {
    at: f64,
    label: String,
    anchor: &'static str,
    is_zero: bool,
    /// Left out on a narrow screen.
    minor: bool,
}

struct Turn {
    at: f64,
    label: String,
    /// Labels that stand near each other are below each other.
    label_at: f64,
    /// Which side of its line the label is on.
    anchor: &'static str,
    shift: f64,
}

struct Dot {
    x: f64,
    y: f64,
    mark: String,
    class: &'static str,
    few: bool,
    label: String,
    target: String,
}

/// A line with its interval, a mark for each period, and the turns.
#[derive(Template)]
#[template(path = "chart/line.svg")]
pub struct LineChart {
    label: String,
    standalone: bool,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    y_ticks: Vec<Tick>,
    x_ticks: Vec<Tick>,
    /// Where periods begin.
    bounds: Vec<f64>,
    turns: Vec<Turn>,
    band: String,
    line: String,
    smoothed: String,
    dots: Vec<Dot>,
}

/// Which way a period leans: neither, where its interval holds 0.
pub(in crate::report) fn leaning(point: &Point) -> Stance {
    match is_clear(point.net_low, point.net_high) {
        false => Stance::Neutral,
        true if point.net > 0.0 => Stance::Aligned,
        true => Stance::Opposed,
    }
}

/// What a mark says: "2014-Q1: −0.31 (−0.50 to −0.12), 34 articles".
pub(in crate::report) fn said(point: &Point) -> String {
    let Point { period, net, net_low, net_high, articles, few, .. } = point;
    let few = if *few { ", few" } else { "" };
    let articles = plural(*articles, "article");
    format!("{period}: {} ({} to {}), {articles}{few}", typeset(*net), typeset(*net_low), typeset(*net_high))
}

/// Points without a gap between them: a period follows the one before.
fn runs<T>(points: &[Point], of: impl Fn(&Point) -> T) -> Vec<Vec<T>> {
    points.chunk_by(|a, b| a.period.next() == b.period).map(|run| run.iter().map(&of).collect()).collect()
}

/// Days since 1970 of the middle of a period.
fn middle(period: Period) -> f64 {
    f64::from(period.first().to_epoch_days() + period.next().first().to_epoch_days()) / 2.0
}

/// From days to a place between two others, which are the first and the last day of all periods.
fn scale(points: &[Point], left: f64, right: f64) -> impl Fn(f64) -> f64 {
    let from = points.first().map_or(0.0, |point| f64::from(point.period.first().to_epoch_days()));
    let to = points.last().map_or(1.0, |point| f64::from(point.period.next().first().to_epoch_days()));
    move |day| left + (day - from) / (to - from).max(1.0) * (right - left)
}

impl LineChart {
    /// Of some points of a series; marks lead to `#{id}-{number of the point}`.
    pub(in crate::report) fn new(series: &Series, points: &[Point], id: &str) -> Self {
        Self::of(series, points, id, false)
    }

    /// An SVG file of its own.
    pub fn standalone(series: &Series) -> Self {
        Self::of(series, &series.points, "", true)
    }

    fn of(series: &Series, points: &[Point], id: &str, standalone: bool) -> Self {
        /// So many labels fit below, and so many characters of them.
        const LABELS: usize = 12;
        const CHARACTERS: usize = 48;
        let (width, height, left, right) = (720.0, 264.0, 62.0, 712.0);
        let (top, bottom) = (if standalone { 28.0 } else { 10.0 }, 232.0);
        let x = scale(points, left, right);
        let y = |net: f64| bottom - (net + 1.0) / 2.0 * (bottom - top);
        let at = |point: &Point| x(middle(point.period));
        let longest = points.iter().map(|point| point.period.to_string().len()).max().unwrap_or(4);
        let every = points.len().div_ceil(LABELS.min(CHARACTERS / longest)).max(1);
        // Periods stand side by side where there is room to see it.
        let bounds = points
            .iter()
            .filter(|_| points.len() <= BOUNDS)
            .map(|point| x(f64::from(point.period.first().to_epoch_days())));
        let x_ticks = points.iter().enumerate().step_by(every).map(|(number, point)| Tick {
            at: at(point),
            label: point.period.to_string(),
            anchor: match at(point) {
                x if x < left + EDGE => "start",
                x if x > right - EDGE => "end",
                _ => "middle",
            },
            is_zero: false,
            minor: !(number / every).is_multiple_of(3),
        });
        let y_ticks = [("+1", 1.0), ("+0.5", 0.5), ("0", 0.0), ("−0.5", -0.5), ("−1", -1.0)];
        let turn = |(number, turn): (usize, &crate::trend::ChangePoint)| {
            let (day, _) = Date::parse(&turn.date)?.days()?;
            let at = x(f64::from(day.to_epoch_days()));
            // It may be of a period that is not shown.
            let at = (left..=right).contains(&at).then_some(at)?;
            let before = at > (left + right) / 2.0;
            let (anchor, shift) = if before { ("end", -4.0) } else { ("start", 4.0) };
            Some(Turn {
                at,
                label: turn.date.clone(),
                label_at: top + 14.0 + 22.0 * (number % 5) as f64,
                anchor,
                shift,
            })
        };
        let dot = |(number, point): (usize, &Point)| {
            let stance = leaning(point);
            Dot {
                x: at(point),
                y: y(point.net),
                mark: path::mark(stance, at(point), y(point.net)),
                class: stance.as_str(),
                few: point.few,
                label: said(point),
                target: format!("{id}-{number}"),
            }
        };
        Self {
            label: format!("Net stance of {} toward {}", series.state, series.actor),
            standalone,
            width,
            height,
            left,
            right,
            top,
            bottom,
            y_ticks: y_ticks
                .map(|(label, net)| Tick {
                    at: y(net),
                    label: label.to_owned(),
                    anchor: "end",
                    is_zero: net == 0.0,
                    minor: false,
                })
                .into(),
            x_ticks: x_ticks.collect(),
            bounds: bounds.collect(),
            turns: series.change_points.iter().enumerate().filter_map(turn).collect(),
            band: path::band(&runs(points, |point| (at(point), y(point.net_low), y(point.net_high)))),
            line: path::line(&runs(points, |point| (at(point), y(point.net)))),
            smoothed: path::line(&[points.iter().map(|point| (at(point), y(point.smoothed))).collect()]),
            dots: points.iter().enumerate().map(dot).collect(),
        }
    }

    fn style(&self) -> &'static str {
        STYLE
    }
}

/// The line and its interval alone, small.
#[derive(Template)]
#[template(path = "chart/spark.svg")]
pub(in crate::report) struct Spark {
    label: String,
    width: f64,
    height: f64,
    middle: f64,
    band: String,
    line: String,
}

impl Spark {
    /// Of a series.
    pub fn new(series: &Series) -> Self {
        let (width, height) = (160.0, 56.0);
        let points = &series.points;
        let x = scale(points, 0.0, width);
        let y = |net: f64| (1.0 - net) / 2.0 * height;
        let at = |point: &Point| x(middle(point.period));
        Self {
            label: format!("Net stance of {} toward {}", series.state, series.actor),
            width,
            height,
            middle: height / 2.0,
            band: path::band(&runs(points, |point| (at(point), y(point.net_low), y(point.net_high)))),
            line: path::line(&runs(points, |point| (at(point), y(point.net)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chart that stands alone has the colours of the pages by day.
    #[test]
    fn there_is_one_set_of_colours() {
        let pages = include_str!("../../../templates/style.css");
        let (light, _) = pages.split_once("@media").expect("the dark colours come after");
        let colours = STYLE.split('#').skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_hexdigit()).next());
        for colour in colours.flatten() {
            assert!(light.contains(&format!("#{colour};")), "{colour}");
        }
    }
}
