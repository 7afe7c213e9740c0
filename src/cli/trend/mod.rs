//! `detente trend`: how stances move over time.

mod blocs;
mod ranking;
pub mod records;
mod tables;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;

use detente::gazetteer::{EntryId, Gazetteer};
use detente::report::chart::line::LineChart;
use detente::report::{TrendNotes, write_trend};
use detente::source::Source;
use detente::trend::prevalence::Prevalence;
use detente::trend::{Granularity, Span, Trend, TrendParams, trend};
use detente::trend::{blocs as clusters, rank};
use detente::{Pipeline, Query, Record, visible};

use self::records::Given;
use super::inputs::{ArticleArgs, ReadArgs};
use super::models::ModelName;
use super::output::{self, Sink, command_line};
use super::{Common, Outcome, paths};

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
///   detente trend archive.jsonl --actor Russia --rank 2013 2015..2016
///   detente trend archive.jsonl --actor Russia --actor China --actor "United States" --blocs 2015
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
    /// Say instead who moved most from one span of time to another: periods, or FROM..TO
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], conflicts_with = "by")]
    rank: Option<Vec<Span>>,
    /// Say instead who stands with whom in a span of time: a period, or FROM..TO
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["by", "rank"])]
    blocs: Option<Span>,
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
    /// Write a page, with charts, a map and the reports behind each figure: one file. Tables are printed only with --format or --output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rank", "blocs"])]
    html: Option<PathBuf>,
    /// Write a chart too, of one state toward one actor: --state and --actor say which
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rank", "blocs"])]
    svg: Option<PathBuf>,
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
pub enum By {
    Year,
    Quarter,
    Month,
    Week,
}

impl By {
    /// The length that it names.
    pub fn granularity(self) -> Granularity {
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
    format(args)?;
    let to_stdout = args.format.is_some() && args.output.is_none();
    output::check_page(args.html.as_deref(), to_stdout)?;
    let ranked = args.rank.as_deref().and_then(|spans| <[Span; 2]>::try_from(spans).ok());
    if let Some([from, to]) = ranked {
        ensure!(!from.overlaps(to), "--rank: {from} and {to} share days");
        ensure!(from.is_before(to), "--rank: {from} is after {to}; the earlier comes first");
    }
    let Given { recorded, written } = Given::new(args.articles.paths(), &common.fields.options(&[]))?;
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
    let outputs = [("--output", &args.output), ("--html", &args.html), ("--svg", &args.svg)];
    paths::check(inputs, outputs.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?))))?;

    let wanted = records::asked(&query, &gazetteer);
    let mut records: Vec<Record> = Vec::new();
    for path in &recorded {
        records::read(&Source::named(path).input, &common.warn(), |record| {
            records.extend(Some(record).filter(&wanted));
        })?;
    }
    let mut failed = false;
    if let Some(pipeline) = pipeline.as_ref().filter(|_| !written.is_empty() || args.articles.given().is_some()) {
        failed = records::answer(args, &written, pipeline, &query, common, &mut records)?;
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
    let corrected = prevalence.is_some();
    let params = TrendParams::new(args.by.granularity()).dedup(!args.no_dedup).prevalence(prevalence).seed(args.seed);
    absent(&records, &query.states, &gazetteer, common);
    if let Some([from, to]) = ranked {
        let ranking = rank::rank(&records, from, to, &params)?;
        complain(&ranking.undated, ranking.repeated, &records, args, common)?;
        print(args, &ranking, ranking::table_of, ranking::csv_rows)?;
    } else if let Some(span) = args.blocs {
        let found = clusters::blocs(&records, span, &params)?;
        complain(&found.undated, found.repeated, &records, args, common)?;
        print(args, &found, blocs::table_of, blocs::csv_rows)?;
    } else {
        /// Reports that a page shows of each period.
        const REPORTS: usize = 3;
        let found = trend(&records, &params.reports(if args.html.is_some() { REPORTS } else { 0 }))?;
        complain(&found.undated, found.repeated, &records, args, common)?;
        complain_of_dates(&found, args, common);
        if let Some(path) = &args.svg {
            let [series] = found.series.as_slice() else {
                bail!(
                    "--svg: a chart is of one state toward one actor, and there are {} of these; --state and --actor say which",
                    found.series.len()
                )
            };
            let mut sink = Sink::open(Some(path))?;
            writeln!(sink, "{}", LineChart::standalone(series))?;
            sink.finish()?;
        }
        if let Some(path) = &args.html {
            let mut sink = Sink::open(Some(path))?;
            write_trend(&found, &notes(&found, &records, args, corrected), &mut sink)?;
            sink.finish()?;
            if args.output.is_none() && args.format.is_none() {
                return Ok(Outcome::failed_if(failed));
            }
        }
        print(args, &found, |found, sink| tables::table_of(found, args, sink), tables::csv_rows)?;
    }
    Ok(Outcome::failed_if(failed))
}

/// The format that was asked for, or that the name of the output says.
fn format(args: &Args) -> Result<Format> {
    let asked = args.format.map(|format| match format {
        Format::Table => output::Format::Table,
        Format::Csv => output::Format::Csv,
        Format::Json => output::Format::Json,
    });
    match output::Format::resolve(asked, args.output.as_deref())? {
        output::Format::Table => Ok(Format::Table),
        output::Format::Csv => Ok(Format::Csv),
        output::Format::Json => Ok(Format::Json),
        output::Format::Jsonl | output::Format::Parquet => bail!("--output: trend writes .csv and .json"),
    }
}

/// Writes an answer as it was asked for.
fn print<T: Serialize>(
    args: &Args,
    found: &T,
    table: impl Fn(&T, &mut Sink) -> Result<()>,
    csv: impl Fn(&T, &mut Sink) -> Result<()>,
) -> Result<()> {
    let mut sink = Sink::open(args.output.as_deref())?;
    match format(args)? {
        Format::Json => {
            serde_json::to_writer_pretty(&mut sink, found)?;
            writeln!(sink)?;
        }
        Format::Csv => csv(found, &mut sink)?,
        Format::Table => table(found, &mut sink)?,
    }
    sink.finish()
}

/// What a page says beside the figures.
fn notes(found: &Trend, records: &[Record], args: &Args, corrected: bool) -> TrendNotes {
    let undated: usize = found.undated.values().sum();
    let mut left_out = Vec::new();
    if found.repeated > 0 {
        left_out.push(format!(
            "{} of {} answers repeat a report of the three days before, and are left out.",
            found.repeated,
            records.len()
        ));
    }
    if undated > 0 {
        left_out.push(format!(
            "{undated} answers are of articles without a date that can be read without guessing, and are left out."
        ));
    }
    TrendNotes { frame: command_line().into(), corrected, deduplicated: !args.no_dedup, left_out }
}

/// Says which of the states that were asked for no article tells of.
fn absent(records: &[Record], states: &[EntryId], gazetteer: &Gazetteer, common: &Common) {
    let told = |state: &&EntryId| {
        let code = &gazetteer.get(**state).code;
        records.iter().any(|record| record.state_code == *code && !record.no_evidence)
    };
    let (told, absent): (Vec<&EntryId>, Vec<&EntryId>) = states.iter().partition(told);
    if !told.is_empty() && !absent.is_empty() {
        let names: Vec<&str> = absent.iter().map(|state| gazetteer.get(**state).name.as_str()).collect();
        common.note(format_args!("no article tells the stance of {}", names.join(", ")));
    }
}

/// What is known of a model's probabilities.
pub fn calibrated(pipeline: &Pipeline) -> Option<Prevalence> {
    let shares = pipeline.manifest().reference.as_ref()?.label_shares();
    shares.iter().all(|share| *share > 0.0).then_some(Prevalence { calibrated_on: shares, shrinkage: 1.0 })
}

/// Says what was left out.
fn complain(
    undated: &BTreeMap<String, usize>,
    repeated: usize,
    records: &[Record],
    args: &Args,
    common: &Common,
) -> Result<()> {
    let left_out = LeftOut { undated, repeated, by: args.by.granularity() };
    for (note, hint) in left_out.said(records, &args.actor, &args.state)? {
        common.note(format_args!("{note}{hint}"));
    }
    Ok(())
}

/// What was left out of an answer.
pub struct LeftOut<'a> {
    /// Records without a date, by file.
    pub undated: &'a BTreeMap<String, usize>,
    /// Records that repeat a report.
    pub repeated: usize,
    pub by: Granularity,
}

impl LeftOut<'_> {
    /// In sentences, each with what to do about it on a command line.
    ///
    /// # Errors
    /// Where nothing is left.
    pub fn said(
        &self,
        records: &[Record],
        actors: &[String],
        states: &[String],
    ) -> Result<Vec<(String, &'static str)>> {
        let mut said = Vec::new();
        let count: usize = self.undated.values().sum();
        if count > 0 {
            let mut files: Vec<String> =
                self.undated.iter().take(5).map(|(path, count)| format!("{} ({count})", visible(path))).collect();
            if self.undated.len() > files.len() {
                files.push(format!("{} more", self.undated.len() - files.len()));
            }
            let what = format!(
                "{count} records have no date, or none that can be read without guessing (03/04 may be March or April){}, in {}",
                if self.by == Granularity::Week { " or tells no day" } else { "" },
                files.join(", ")
            );
            let dated = records.iter().filter(|record| !record.no_evidence).count() - count;
            ensure!(dated > 0, "{what}; --date-field names the field, 2026-03-02 is a date");
            said.push((format!("{what}; they are left out"), ""));
        }
        let whom = if actors.is_empty() { "one another".into() } else { actors.join(" or ") };
        let whose = if states.is_empty() { "a state".into() } else { states.join(" or ") };
        ensure!(!records.is_empty(), "no article connects {} with {}", visible(&whose), visible(&whom));
        if self.repeated > 0 {
            let count = records.len();
            let repeated = self.repeated;
            said.push((
                format!("{repeated} of {count} records repeat a report of the three days before, and are left out"),
                "; --no-dedup counts them",
            ));
        }
        Ok(said)
    }
}

/// Says what cannot be told of such dates.
fn complain_of_dates(found: &Trend, args: &Args, common: &Common) {
    let Some((first, last)) = found.dates else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(i64::MAX, |now| now.as_secs() as i64);
    if last.seconds() > now + 24 * 3600 {
        common.note(format_args!("some dates are of the future, the last of {}", last.month()));
    }
    let mut periods = found.series.iter().flat_map(|series| &series.points).map(|point| point.period);
    let Some(one) = periods.next() else { return };
    if periods.all(|period| period == one) {
        let shorter = if args.by == By::Week || first == last { "" } else { "; try a shorter --by" };
        common.note(format_args!("all is of one period ({one}), so nothing can be said of changes{shorter}"));
    }
}
