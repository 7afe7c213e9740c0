//! Stance over time as tables.

use std::io::Write;

use anyhow::Result;

use detente::report::number::{changed, is_clear, percent, signed};
use detente::trend::{Point, Series, Trend};
use detente::visible;

use super::super::output::{shorten, table, width};
use super::Args;

/// Series that are shown in full, period by period.
const IN_FULL: usize = 3;
/// States of the overview.
const SHOWN: usize = 25;

/// The series in full where they are few or were asked for by name, else the net stance of all.
pub fn table_of(found: &Trend, args: &Args, sink: &mut impl Write) -> Result<()> {
    if found.series.len() > IN_FULL && args.state.is_empty() {
        return overview(found, args, sink);
    }
    for (at, series) in found.series.iter().enumerate() {
        if at > 0 {
            writeln!(sink)?;
        }
        in_full(series, sink)?;
    }
    Ok(())
}

const COLUMNS: [&str; 18] = [
    "state",
    "state_code",
    "actor",
    "actor_code",
    "period",
    "articles",
    "sided",
    "aligned",
    "neutral",
    "opposed",
    "net",
    "net_low",
    "net_high",
    "smoothed",
    "change",
    "change_low",
    "change_high",
    "few",
];

/// A row for each state, actor and period.
pub fn csv_rows(found: &Trend, sink: &mut impl Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(sink);
    writer.write_record(COLUMNS)?;
    for series in &found.series {
        for p in &series.points {
            let change =
                p.change.map_or([const { String::new() }; 3], |c| [c.value, c.low, c.high].map(|v| v.to_string()));
            let numbers =
                [p.aligned, p.neutral, p.opposed, p.net, p.net_low, p.net_high, p.smoothed].map(|v| v.to_string());
            let Series { state, state_code, actor, actor_code, .. } = series;
            let whose = [state, state_code, actor, actor_code].into_iter().cloned();
            let counts = [p.period.to_string(), p.articles.to_string(), p.sided.to_string()];
            writer.write_record(whose.chain(counts).chain(numbers).chain(change).chain([p.few.to_string()]))?;
        }
    }
    writer.flush()?;
    Ok(())
}

fn in_full(series: &Series, sink: &mut impl Write) -> Result<()> {
    let Series { state, actor, .. } = series;
    writeln!(sink, "{} toward {}: {} articles", visible(state), visible(actor), series.articles())?;
    let mut rows = table(&["PERIOD", "ARTICLES", "ALIGNED", "NEUTRAL", "OPPOSED", "NET", "95 %", "SMOOTHED", "CHANGE"]);
    let mut any_clear = false;
    for p in &series.points {
        any_clear |= p.change.is_some_and(|c| is_clear(c.low, c.high));
        rows.add_row([
            p.period.to_string(),
            if p.few { format!("{} few", p.articles) } else { p.articles.to_string() },
            percent(p.aligned),
            percent(p.neutral),
            percent(p.opposed),
            signed(p.net),
            format!("{} to {}", signed(p.net_low), signed(p.net_high)),
            signed(p.smoothed),
            p.change.map(|c| changed(c.value, c.low, c.high)).unwrap_or_default(),
        ]);
    }
    writeln!(sink, "{}", rows.trim_fmt())?;
    if any_clear {
        writeln!(sink, "* the interval of the change is all on one side of 0")?;
    }
    for turn in &series.change_points {
        let (earliest, latest) = (visible(&turn.earliest), visible(&turn.latest));
        let between = if earliest == latest { String::new() } else { format!(", {earliest} to {latest}") };
        let (from, to) = (signed(turn.before), signed(turn.after));
        writeln!(
            sink,
            "turned on {}{between}: {from} before, {to} after (p = {:.3})",
            visible(&turn.date),
            turn.p_value
        )?;
        for report in &turn.reports {
            let head = format!("  {}  {}  {}  ", visible(&report.date), visible(&report.id), signed(report.net));
            let room = width().saturating_sub(head.chars().count()).max(20);
            writeln!(sink, "{head}{}", shorten(&report.evidence, room))?;
        }
    }
    Ok(())
}

/// The net stance of many states: the last periods that fit.
fn overview(found: &Trend, args: &Args, sink: &mut impl Write) -> Result<()> {
    let several = found.series.iter().any(|series| series.actor_code != found.series[0].actor_code);
    let name = |series: &Series| {
        let actor = if several { format!(" → {}", series.actor) } else { String::new() };
        shorten(&format!("{}{actor}", series.state), 32)
    };
    let shown: Vec<&Series> = found.series.iter().take(SHOWN).collect();
    let mut periods: Vec<_> = found.series.iter().flat_map(|s| s.points.iter().map(|p| p.period)).collect();
    periods.sort_unstable();
    periods.dedup();
    let cell = periods.first().map_or(0, |period| period.to_string().len()).max("(+0.00)".len()) + 2;
    let names = shown.iter().map(|series| name(series).chars().count()).max().unwrap_or(0).max("STATE".len());
    let room = width().saturating_sub(names + 2 + "ARTICLES".len() + 2) / cell;
    let first = periods.len().saturating_sub(room.max(1));
    let mut header = vec!["STATE".to_owned(), "ARTICLES".to_owned()];
    header.extend(periods[first..].iter().map(ToString::to_string));
    let mut rows = table(&header);
    for series in &shown {
        let at = |period: &_| series.points.iter().find(|point| point.period == *period);
        let net = |point: &Point| if point.few { format!("({})", signed(point.net)) } else { signed(point.net) };
        let cells = periods[first..].iter().map(|period| at(period).map_or("·".into(), net));
        rows.add_row([name(series), series.articles().to_string()].into_iter().chain(cells));
    }
    writeln!(sink, "{}", rows.trim_fmt())?;
    let toward =
        if args.actor.is_empty() { String::new() } else { format!(" toward {}", visible(&args.actor.join(", "))) };
    writeln!(
        sink,
        "net stance{toward}: share aligned less share opposed; ( ) fewer than {} articles",
        detente::trend::FEW
    )?;
    let (states, before) = (found.series.len() - shown.len(), first);
    if states + before > 0 {
        writeln!(
            sink,
            "{states} more rows and {before} earlier periods do not fit; --state shows one with intervals, --format csv all"
        )?;
    }
    Ok(())
}
