//! `detente trend`: how stances move over time.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use rayon::prelude::*;

use detente::trend::prevalence::Prevalence;
use detente::trend::{Granularity, Point, Series, Trend, TrendParams, trend};
use detente::{Pipeline, Query, Record, visible};

use super::inputs::{ArticleArgs, ReadArgs};
use super::models::ModelName;
use super::output::{Sink, shorten, table, width};
use super::{Common, Outcome, batches, paths, progress};

/// Show how stances toward an actor move over time
///
/// Reads dated articles, as `predict` does, or the records that `predict` wrote (JSONL). For each state and period: articles,
/// shares aligned, neutral and opposed, net stance (aligned less opposed, -1 to 1) with its interval, and the change
/// from the period before. Reports of one event within three days count once. Of fewer than 10 articles no change is claimed.
/// Where the articles divide more clearly than chance lets them (p of at most 0.01), the day and three reports are named; these figures
/// are means of single articles, without the correction. Shares of few articles lean toward those of the rows that the model was
/// calibrated on. SMOOTHED is a weighted mean of the periods so far, of the weights that foretell the next one best.
///
/// Examples:
///   detente trend archive.jsonl --actor Russia --by year
///   detente trend archive.jsonl --actor Russia --state Turkey --by quarter
///   detente trend stances.jsonl --actor China --by month --format csv --output trend.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, group(clap::ArgGroup::new("toward").required(true).args(["actor", "all_actors"])))]
pub struct Args {
    #[command(flatten)]
    articles: ArticleArgs,
    /// Toward whom: a name, alias or code; may be given several times
    #[arg(long, value_name = "NAME")]
    actor: Vec<String>,
    /// Toward everybody
    #[arg(long)]
    all_actors: bool,
    /// Whose stance; may be given several times [default: every state named]
    #[arg(long, value_name = "NAME")]
    state: Vec<String>,
    /// Length of a period
    #[arg(long, value_enum, default_value_t = By::Year)]
    by: By,
    /// Count every report of an event
    #[arg(long)]
    no_dedup: bool,
    /// The model that answers, or whose answers the records are [default: fast, for articles]
    #[arg(long, short, value_name = "MODEL")]
    model: Option<ModelName>,
    /// Take the probabilities as they are, without correcting the shares for what is known of the model
    #[arg(long)]
    no_correction: bool,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How to print [default: by the name of the output, else table]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write there instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Go on with articles that are not in English, which the models read
    #[arg(long)]
    any_language: bool,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// `--by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Year,
    Quarter,
    Month,
    Week,
}

impl By {
    fn granularity(self) -> Granularity {
        match self {
            Self::Year => Granularity::Year,
            Self::Quarter => Granularity::Quarter,
            Self::Month => Granularity::Month,
            Self::Week => Granularity::Week,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let (recorded, written): (Vec<&Path>, Vec<&Path>) = args.articles.paths().partition(|path| holds_records(path));
    if let Some(path) = written.iter().find(|path| looks_like_records(path)) {
        let shown = visible(&path.to_string_lossy()).into_owned();
        anyhow::bail!(
            "{shown}: these are answers of `predict`, no articles; trend reads them as JSONL: predict --format jsonl"
        );
    }
    let pipeline = match (&args.model, written.is_empty() && args.articles.given().is_none()) {
        (Some(model), _) => Some(model.load(common)?),
        (None, false) => Some(ModelName::Fast.load(common)?),
        (None, true) => None,
    };
    let gazetteer = common.load_gazetteer()?;
    let query = Query {
        actors: common.find(&gazetteer, &args.actor)?,
        states: common.find(&gazetteer, &args.state)?,
        all_states: false,
        evidence_limit: Some(1),
    };
    let inputs = args.articles.paths().chain(common.files()).chain(args.model.iter().filter_map(ModelName::file));
    paths::check(inputs, args.output.as_deref().map(|path| ("--output", path)))?;

    let code = |id: &detente::gazetteer::EntryId| gazetteer.get(*id).code.as_str();
    let (actors, states): (Vec<&str>, Vec<&str>) =
        (query.actors.iter().map(code).collect(), query.states.iter().map(code).collect());
    let wanted = |record: &Record| {
        (actors.is_empty() || actors.contains(&record.actor_code.as_str()))
            && (states.is_empty() || states.contains(&record.state_code.as_str()))
    };
    let mut records: Vec<Record> = Vec::new();
    for path in &recorded {
        read_records(path, |record| records.extend(Some(record).filter(wanted)))?;
    }
    let mut failed = false;
    if let Some(pipeline) = pipeline.as_ref().filter(|_| !written.is_empty() || args.articles.given().is_some()) {
        failed = answer(args, &written, pipeline, &query, common, &mut records)?;
    }

    let prevalence = match &pipeline {
        _ if args.no_correction => None,
        Some(pipeline) => calibrated(pipeline),
        None => None,
    };
    if prevalence.is_none() && !args.no_correction {
        common.note(format_args!(
            "the shares are means of probabilities: which model the records are of is not known; --model says it"
        ));
    }
    let params = TrendParams::new(args.by.granularity()).dedup(!args.no_dedup).prevalence(prevalence).seed(args.seed);
    let found = trend(&records, &params)?;
    complain(&found, &records, args, common)?;
    print(&found, args)?;
    Ok(Outcome::failed_if(failed))
}

/// Whether a file holds the records of `predict`.
fn holds_records(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut line = String::new();
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    is_file && BufReader::new(file).read_line(&mut line).is_ok() && serde_json::from_str::<Record>(&line).is_ok()
}

/// Whether a file that is no JSONL of records has their columns: read as articles, they would give figures of something else.
fn looks_like_records(path: &Path) -> bool {
    const LOOKED_AT: u64 = 4 << 10;
    let Ok(file) = File::open(path) else { return false };
    let Some(length) = file.metadata().ok().filter(Metadata::is_file).map(|found| found.len()) else { return false };
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let read = (&file).take(LOOKED_AT).read_to_end(&mut first);
    let read = read.and_then(|_| (&file).seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT))));
    let has = |bytes: &[u8], name: &str| memchr::memmem::find(bytes, name.as_bytes()).is_some();
    let is_parquet = first.starts_with(b"PAR1");
    if is_parquet && read.and_then(|_| (&file).take(LOOKED_AT).read_to_end(&mut last)).is_err() {
        return false;
    }
    let bytes = if is_parquet { &last } else { &first };
    has(bytes, "state_code") && has(bytes, "actor_code") && (has(bytes, "p_aligned") || has(bytes, "probabilities"))
}

fn read_records(path: &Path, mut with: impl FnMut(Record)) -> Result<()> {
    let shown = || visible(&path.to_string_lossy()).into_owned();
    for (number, line) in BufReader::new(File::open(path).with_context(shown)?).lines().enumerate() {
        let line = line.with_context(shown)?;
        if line.trim().is_empty() {
            continue;
        }
        let record = serde_json::from_str(&line);
        with(record.with_context(|| format!("{}:{}: expected a record of `detente predict`", shown(), number + 1))?);
    }
    Ok(())
}

/// Answers articles, and appends their records; gives whether some failed.
fn answer(
    args: &Args,
    written: &[&Path],
    pipeline: &Pipeline,
    query: &Query,
    common: &Common,
    records: &mut Vec<Record>,
) -> Result<bool> {
    const TOGETHER: usize = 8;
    let written: Vec<PathBuf> = written.iter().map(|path| path.to_path_buf()).collect();
    let (inputs, complaints) = args.read.inputs(&written, &[], common);
    let bar = progress::articles(common);
    let wanted = batches::Wanted { any_language: args.any_language };
    let (batches, reader) = batches::read(args.articles.given(), inputs, complaints, common.warn(), wanted);
    for batch in batches {
        let of = |some: &[detente::Article]| -> Vec<Record> {
            let answered = some.iter().zip(pipeline.predict_batch(some, query));
            answered.flat_map(|(article, predictions)| Record::all(article, &predictions).collect::<Vec<_>>()).collect()
        };
        let found: Vec<Vec<Record>> = batch.par_chunks(TOGETHER).map(of).collect();
        records.extend(found.into_iter().flatten());
        bar.inc(batch.len() as u64);
    }
    let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bar.finish_and_clear();
    let failed = read.finish();
    ensure!(read.any, "nothing could be read");
    Ok(failed)
}

/// What is known of a model's probabilities.
fn calibrated(pipeline: &Pipeline) -> Option<Prevalence> {
    let shares = pipeline.manifest().reference.as_ref()?.label_shares();
    shares.iter().all(|share| *share > 0.0).then_some(Prevalence { calibrated_on: shares, shrinkage: 1.0 })
}

/// Says what was left out, and what cannot be told.
fn complain(found: &Trend, records: &[Record], args: &Args, common: &Common) -> Result<()> {
    let undated: usize = found.undated.values().sum();
    if undated > 0 {
        let mut files: Vec<String> =
            found.undated.iter().take(5).map(|(path, count)| format!("{} ({count})", visible(path))).collect();
        if found.undated.len() > files.len() {
            files.push(format!("{} more", found.undated.len() - files.len()));
        }
        let what = format!(
            "{undated} records have no date, or none that can be read without guessing (03/04 may be March or April){}, in {}",
            if args.by == By::Week { " or tells no day" } else { "" },
            files.join(", ")
        );
        ensure!(!found.series.is_empty(), "{what}; --date-field names the field, 2026-03-02 is a date");
        common.note(format_args!("{what}; they are left out"));
    }
    let whom = if args.actor.is_empty() { "one another".into() } else { args.actor.join(" or ") };
    let whose = if args.state.is_empty() { "a state".into() } else { args.state.join(" or ") };
    ensure!(!records.is_empty(), "no article connects {} with {}", visible(&whose), visible(&whom));
    if found.repeated > 0 {
        common.note(format_args!(
            "{} of {} records repeat a report of the three days before, and are left out; --no-dedup counts them",
            found.repeated,
            records.len()
        ));
    }
    if let Some((first, last)) = found.dates {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(i64::MAX, |now| now.as_secs() as i64);
        if last.seconds() > now + 24 * 3600 {
            common.note(format_args!("some dates are of the future, the last of {}", last.month()));
        }
        let mut periods = found.series.iter().flat_map(|series| &series.points).map(|point| point.period);
        let one = periods.next();
        if periods.all(|period| Some(period) == one) {
            common.note(format_args!(
                "all is of one period ({}), so nothing can be said of changes; try a shorter --by",
                first.month()
            ));
        }
    }
    Ok(())
}

/// Series that are shown in full, period by period.
const IN_FULL: usize = 3;
/// States of the overview.
const SHOWN: usize = 25;

fn print(found: &Trend, args: &Args) -> Result<()> {
    let mut sink = Sink::open(args.output.as_deref())?;
    let ending = args.output.as_deref().and_then(Path::extension).map(|ending| ending.to_string_lossy().to_lowercase());
    let named = match ending.as_deref() {
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        _ => Format::Table,
    };
    match args.format.unwrap_or(named) {
        Format::Json => {
            serde_json::to_writer_pretty(&mut sink, found)?;
            writeln!(sink)?;
        }
        Format::Csv => csv_rows(found, &mut sink)?,
        Format::Table if found.series.len() <= IN_FULL || !args.state.is_empty() => {
            for (at, series) in found.series.iter().enumerate() {
                if at > 0 {
                    writeln!(sink)?;
                }
                in_full(series, &mut sink)?;
            }
        }
        Format::Table => overview(found, args, &mut sink)?,
    }
    sink.finish()
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

fn csv_rows(found: &Trend, sink: &mut impl Write) -> Result<()> {
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

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// With a sign, but for 0.
fn signed(value: f64) -> String {
    let text = format!("{value:+.2}");
    if matches!(text.as_str(), "+0.00" | "-0.00") { "0.00".into() } else { text }
}

fn is_clear(low: f64, high: f64) -> bool {
    low > 0.0 || high < 0.0
}

fn changed(value: f64, low: f64, high: f64) -> String {
    format!("{}{} ({} to {})", signed(value), if is_clear(low, high) { "*" } else { "" }, signed(low), signed(high))
}
