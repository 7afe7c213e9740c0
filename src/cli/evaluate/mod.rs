//! `detente evaluate`: how well a model does on labelled pairs.

mod tables;

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use detente::evaluate::behaviour;
use detente::evaluate::examine::{self, Sure};
use detente::evaluate::faithfulness::{self, Deletion};
use detente::evaluate::metrics::{Direction, METRICS, Metric};
use detente::evaluate::predictions;
use detente::evaluate::report::{self, Evaluation, ModelRecord, Scored};
use detente::evaluate::rows::rows;
use detente::model::file::Manifest;
use detente::report::{ERRORS, EvaluationNotes, write_evaluation};
use detente::source::{self, Source};
use detente::{EvaluateParams, LabelledPair, Pipeline};

use super::complaints::Complaints;
use super::models::ModelName;
use super::output::{Sink, command_line, table, today, write_json};
use super::predict::{parse_level, parse_probability};
use super::{Common, LabelArgs, Outcome, paths, say};

/// Score a model on labelled pairs, with 95 % intervals
///
/// Examples:
///   detente evaluate --data test.csv
///   detente evaluate --data test.csv --model accurate --model fast --model other-tool.csv
///   detente evaluate --behaviour --model my.detente
///   detente evaluate --data test.csv --model my.detente --json scores.json --predictions rows.csv --by actor
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled rows: CSV, JSONL or another table; may be given several times
    #[arg(long, required_unless_present = "behaviour", num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Try the model on turns of phrase: 25 kinds of cases that come with the program
    #[arg(long, conflicts_with_all = ["data", "predictions", "by", "min", "max", "compare"])]
    behaviour: bool,
    /// Take the strongest word of the evidence out of up to 300 of the rows, or another, and see what becomes of the answer
    #[arg(long, conflicts_with_all = ["behaviour", "predictions", "by", "min", "max", "compare", "coverage", "min_prob"])]
    faithfulness: bool,
    /// The model: `accurate`, `small`, `cascade`, `fast`, the path of a model file, or of a table of predictions (`id`,
    /// `stance`, and, if there are, `state`, `actor`, `p_aligned`, `p_neutral`, `p_opposed`). The first is compared with
    /// those that are given after it
    #[arg(long, short, value_name = "MODEL", default_value = "accurate")]
    model: Vec<ModelName>,
    #[command(flatten)]
    labels: LabelArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write the evaluation record there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page there, with charts, breakdowns, a map and the errors: one file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["behaviour", "faithfulness"])]
    html: Option<PathBuf>,
    /// Write every row's prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Break the score down by these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    by: Vec<String>,
    /// Exit with 1 where a score is below a bar, as `macro_f1=0.6`; may be given several times
    #[arg(long, value_name = "METRIC=BAR", value_parser = parse_min)]
    min: Vec<Bar>,
    /// Exit with 1 where a loss is above a bar, as `log_loss=0.7`; may be given several times
    #[arg(long, value_name = "METRIC=BAR", value_parser = parse_max)]
    max: Vec<Bar>,
    /// The same as a further --model
    #[arg(long, value_name = "MODEL")]
    compare: Vec<ModelName>,
    /// Say how many of the answers from this probability up are right
    #[arg(long, value_name = "P", value_parser = parse_probability, conflicts_with_all = ["coverage", "behaviour"])]
    min_prob: Option<f64>,
    /// Say how many of the answers are right that are as sure as this share of the rows that the model was measured by
    #[arg(long, value_name = "SHARE", value_parser = parse_probability, conflicts_with = "behaviour")]
    coverage: Option<f64>,
    /// How often, at least, the sets of stances of `predict --conformal` should hold the truth
    #[arg(long, value_name = "LEVEL", value_parser = parse_level, default_value_t = 0.9)]
    conformal: f64,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// A metric and the value that it must reach, or must not pass.
#[derive(Debug, Clone)]
struct Bar {
    metric: &'static Metric,
    value: f64,
}

fn parse_min(text: &str) -> Result<Bar, String> {
    parse_bar(text, Direction::HigherIsBetter, "--max")
}

fn parse_max(text: &str) -> Result<Bar, String> {
    parse_bar(text, Direction::LowerIsBetter, "--min")
}

fn parse_bar(text: &str, direction: Direction, other_flag: &str) -> Result<Bar, String> {
    let of_kind = || METRICS.iter().filter(|m| m.direction == direction);
    let names = || of_kind().map(|m| m.name).collect::<Vec<_>>().join(", ");
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("expected METRIC=BAR, METRIC one of {}", names()))?;
    let Some(metric) = of_kind().find(|m| m.name == name) else {
        return Err(match METRICS.iter().find(|m| m.name == name) {
            Some(other) => format!("of `{name}` {}; use {other_flag} {text}", other.direction),
            None => format!("no metric `{name}`; there are {}", names()),
        });
    };
    let [least, most] = metric.range;
    match value.parse::<f64>() {
        Ok(value) if value.is_finite() && (least..=most).contains(&value) => Ok(Bar { metric, value }),
        _ if most.is_finite() => {
            Err(format!("`{value}` is no value of {name}; expected a number from {least} to {most}"))
        }
        _ => Err(format!("`{value}` is no value of {name}; expected a number of at least {least}")),
    }
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let models: Vec<&ModelName> = args.model.iter().chain(&args.compare).collect();
    let read = args.data.iter().map(PathBuf::as_path).chain(common.files());
    let read = read.chain(models.iter().filter_map(|model| model.file()));
    let written = [("--json", &args.json), ("--predictions", &args.predictions), ("--html", &args.html)];
    paths::check(read, written.iter().filter_map(|(flag, path)| Some((*flag, path.as_deref()?))))?;
    if args.behaviour {
        anyhow::ensure!(models.len() == 1, "--behaviour tries one model");
        return try_behaviour(&models[0].load(common)?, args);
    }
    let (pairs, failed) = read_pairs(&args.data, args, common)?;
    if args.faithfulness {
        anyhow::ensure!(models.len() == 1, "--faithfulness tries one model");
        try_faithfulness(&models[0].load(common)?, &pairs, args)?;
        return Ok(Outcome::failed_if(failed));
    }
    let sure = args.min_prob.map(Sure::MinProb).or(args.coverage.map(Sure::Coverage));
    let params = EvaluateParams {
        by: args.by.clone(),
        seed: args.seed,
        sure,
        level: args.conformal,
        ..EvaluateParams::default()
    };
    check_columns(&args.by, &pairs)?;
    say_repeated(&pairs, common)?;
    let (scored, model, pipeline) = score(models[0], &pairs, args, common)?;
    let mut record = report::summarise(&scored, &params, model)?;
    match &pipeline {
        Some(pipeline) => examine::examine(&mut record, &scored, pipeline, &params)?,
        None => {
            let sure = scored.iter().all(|row| row.probabilities.is_some());
            anyhow::ensure!(args.coverage.is_none(), "--coverage asks a model; for predictions give --min-prob");
            anyhow::ensure!(sure || args.min_prob.is_none(), "--min-prob: the predictions have no probabilities");
        }
    }
    for other in &models[1..] {
        let (beside, model, pipeline) = score(other, &pairs, args, common)?;
        let mut comparison = report::compare(&scored, &beside, &params, model)?;
        comparison.leaks = pipeline.map(|pipeline| examine::leaks(&beside, &pipeline)).transpose()?.flatten();
        record.comparisons.push(comparison);
    }
    report::correct(&mut record.comparisons)?;
    say_gaps(&record, common);
    let metrics = serde_json::to_value(&record)?;
    let mut missed = false;
    for Bar { metric, value: bar } in args.min.iter().chain(&args.max) {
        match metrics[metric.name].as_f64() {
            Some(value) if metric.direction.reaches(value, *bar) => continue,
            Some(value) => say(format_args!("{} is {value:.4}, {} {bar}", metric.name, metric.direction.missed())),
            None => say(format_args!("{} is not known: the predictions have no probabilities", metric.name)),
        }
        missed = true;
    }
    if let Some(path) = &args.json {
        write_json(Some(path), &record)?;
    }
    if let Some(path) = &args.predictions {
        let mut sink = Sink::open(Some(path))?;
        write_predictions(&mut sink, &scored)?;
        sink.finish()?;
    }
    if let Some(path) = &args.html {
        let fast;
        let names = match &pipeline {
            Some(pipeline) => pipeline,
            None => {
                fast = ModelName::Fast.load(common)?;
                &fast
            }
        };
        let mut sink = Sink::open(Some(path))?;
        write_evaluation(&record, &rows(&scored, names, ERRORS), &notes(args, pipeline.as_ref(), &pairs), &mut sink)?;
        sink.finish()?;
    }
    match args.format {
        // A page is there instead.
        _ if args.html.as_deref().is_some_and(paths::is_stdout) => {}
        Format::Json => write_json(None, &record)?,
        Format::Table => {
            let mut out = Sink::open(None)?;
            tables::print(&mut out, &record)?;
            out.finish()?;
        }
    }
    Ok(Outcome::failed_if(failed || missed))
}

/// What a page says beside the record.
fn notes(args: &Args, pipeline: Option<&Pipeline>, pairs: &[LabelledPair]) -> EvaluationNotes {
    let name = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let groups = pairs.iter().map(LabelledPair::group_key).collect::<HashSet<_>>().len();
    EvaluationNotes {
        command: command_line(),
        date: today(),
        data: args.data.iter().map(name).collect(),
        by_model: pipeline.is_some(),
        card: pipeline.map(|pipeline| card(pipeline.manifest())).unwrap_or_default(),
        audit: vec![format!(
            "They are of {groups} groups; rows of one group (a story, a document, a text) are drawn together for the intervals."
        )],
    }
}

/// What a model file says of itself.
fn card(manifest: &Manifest) -> Vec<(String, String)> {
    let [aligned, neutral, opposed] = manifest.labels;
    let row = |name: &str, value: String| (name.to_owned(), value);
    let mut card = vec![
        row("Trained by", format!("detente {}, seed {}", manifest.detente_version, manifest.seed)),
        row("Names by", format!("gazetteer {}", manifest.gazetteer_version)),
        row("Rows", format!("{} ({aligned} aligned, {neutral} neutral, {opposed} opposed)", manifest.rows)),
    ];
    card.extend(
        manifest
            .data
            .iter()
            .map(|data| row("Data", format!("{} ({} rows, weight {})", data.name, data.rows, data.weight))),
    );
    card.extend(manifest.warnings.iter().map(|warning| row("Warning", warning.clone())));
    let metrics = manifest.metrics.as_object().into_iter().flatten();
    card.extend(
        metrics
            .filter_map(|(name, value)| Some(row(&format!("{name}, out of fold"), format!("{:.4}", value.as_f64()?)))),
    );
    card
}

/// How many rows repeat others: each counts.
fn say_repeated(pairs: &[LabelledPair], common: &Common) -> Result<()> {
    let gazetteer = common.load_gazetteer()?;
    let different = pairs.iter().map(|pair| pair.identity(&gazetteer)).collect::<HashSet<_>>().len();
    if different < pairs.len() {
        common.note(format_args!(
            "warning: {} rows repeat another (the same text, state and actor), and count each time; leave them out, or let `detente data check` name them",
            pairs.len() - different
        ));
    }
    Ok(())
}

/// What the rows cannot show, and what to do about it.
fn say_gaps(record: &Evaluation, common: &Common) {
    for (class, _) in record.per_class.iter().filter(|(_, scores)| scores.support == 0) {
        common.note(format_args!(
            "warning: no row is {class}: macro-F1 leaves it out, or counts it as 0 where an answer says so; add rows that are, or go by the scores of the other classes"
        ));
    }
    if record.ci95.is_empty() {
        common.note(format_args!(
            "warning: all rows are of one group or text, so there is no interval; add rows of others, or a column `group` that tells stories apart"
        ));
    }
}

/// What a model, or a file of predictions, says of the pairs.
fn score<'d>(
    model: &ModelName,
    pairs: &'d [LabelledPair],
    args: &Args,
    common: &Common,
) -> Result<(Vec<Scored<'d>>, ModelRecord, Option<Pipeline>)> {
    let name = model.to_string();
    if let Some(path) = model.file().filter(|path| source::Format::of(path).is_some_and(source::Format::is_rows)) {
        let gazetteer = common.load_gazetteer()?;
        let read = predictions::read(&Source::file(path), pairs, &args.labels.label_map, &gazetteer, &common.warn())?;
        let sha256 = detente::input_file::sha256(path)?;
        return Ok((read, ModelRecord { name, sha256, version: String::new() }, None));
    }
    let pipeline = model.load(common)?;
    Ok((report::score(&pipeline, pairs)?, ModelRecord::of(&pipeline, &name), Some(pipeline)))
}

/// Tries the model on the cases that come with the program.
fn try_behaviour(pipeline: &detente::Pipeline, args: &Args) -> Result<Outcome> {
    let record = behaviour::behaviour(pipeline)?;
    if let Some(path) = &args.json {
        write_json(Some(path), &record)?;
    }
    match args.format {
        Format::Json => write_json(None, &record)?,
        Format::Table => {
            let mut rows = table(&["KIND", "CASES", "RIGHT", "RATE", "95 % INTERVAL", "CONTRASTS", "ALL RIGHT"]);
            for (kind, r) in record.kinds.iter().chain([(&"all".to_owned(), &record.all)]) {
                let [low, high] = r.ci95;
                rows.add_row(vec![
                    kind.clone(),
                    r.n.to_string(),
                    r.right.to_string(),
                    format!("{:.2}", r.rate),
                    format!("{low:.2} to {high:.2}"),
                    r.groups.to_string(),
                    r.groups_right.to_string(),
                ]);
            }
            let mut out = Sink::open(None)?;
            writeln!(out, "{}", rows.trim_fmt())?;
            out.finish()?;
        }
    }
    Ok(Outcome::Done)
}

/// Takes words out of the rows' texts.
fn try_faithfulness(pipeline: &Pipeline, pairs: &[LabelledPair], args: &Args) -> Result<()> {
    const MOST: usize = 300;
    let record = faithfulness::faithfulness(pipeline, pairs, MOST, args.seed)?;
    if let Some(path) = &args.json {
        write_json(Some(path), &record)?;
    }
    if let Format::Json = args.format {
        return write_json(None, &record);
    }
    let mut rows = table(&["WITHOUT", "PROBABILITY FALLS", "BY, IN THE MEAN", "STANCE TURNS"]);
    for (name, deletion) in [("the strongest word", record.strongest), ("another word", record.random)] {
        let Deletion { falls, mean_fall, turns } = deletion;
        let shares = [format!("{:.1} %", 100.0 * falls), format!("{mean_fall:.3}"), format!("{:.1} %", 100.0 * turns)];
        rows.add_row([name.to_owned()].into_iter().chain(shares));
    }
    let mut out = Sink::open(None)?;
    writeln!(out, "{} pairs\n\n{}", record.pairs, rows.trim_fmt())?;
    out.finish()
}

/// Refuses a column that no row has.
fn check_columns(columns: &[String], pairs: &[LabelledPair]) -> Result<()> {
    for column in columns {
        let dated = column == "year" && pairs.iter().any(|pair| pair.article.month().is_some());
        if !pairs.is_empty() && !dated && pairs.iter().all(|pair| pair.column(column).is_none()) {
            let mut known: BTreeSet<&str> = ["state", "actor", "label"].into();
            known.extend(pairs.iter().flat_map(|pair| pair.columns.keys().map(String::as_str)));
            known.extend(
                ["group", "title", "date", "url", "source", "language"]
                    .into_iter()
                    .filter(|name| pairs.iter().any(|pair| pair.column(name).is_some())),
            );
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            anyhow::bail!("--by {column}: no such column; there are {known}");
        }
    }
    Ok(())
}

/// Reads labelled files; a bad row is reported and the rest are used.
fn read_pairs(paths: &[PathBuf], args: &Args, common: &Common) -> Result<(Vec<LabelledPair>, bool)> {
    let (mut pairs, mut complaints) = (Vec::new(), Complaints::default());
    for path in paths {
        let rows = match common.labelled(path, &args.labels) {
            Ok(rows) => rows,
            Err(error) => {
                complaints.add(&error);
                continue;
            }
        };
        for pair in rows {
            match pair {
                Ok(pair) => pairs.push(pair),
                Err(error) => complaints.add(&error),
            }
        }
    }
    let failed = complaints.finish();
    anyhow::ensure!(!pairs.is_empty(), "nothing to score: no labelled row could be read");
    Ok((pairs, failed))
}

fn write_predictions(out: impl Write, scored: &[Scored<'_>]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(predictions::COLUMNS)?;
    for s in scored {
        writer.write_record(predictions::row(s.pair, s.label, s.stance, s.probabilities))?;
    }
    writer.flush()?;
    Ok(())
}
