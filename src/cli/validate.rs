//! `detente validate`: how models of these rows do on what they have never seen.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use detente::evaluate::bootstrap::Bootstrap;
use detente::evaluate::protocols::{Protocol, Splits};
use detente::evaluate::report::{self, SMALL, macro_f1_interval};
use detente::evaluate::{metrics, predictions};
use detente::train::recipe::{RecipeData, RecipeRows};
use detente::train::{self, Recipe, adapt};
use detente::{Pipeline, Stance, YearMonth};

use super::models::ModelName;
use super::output::{Sink, table, write_json};
use super::train::parse_start;
use super::{Common, LabelArgs, Outcome, paths, progress};

/// Train again and again with rows held out: a state, an actor, an outlet, later years; or more and more rows
///
/// Examples:
///   detente validate --data rows.csv --leave-out state
///   detente validate --data rows.csv --leave-out source --predictions held-out.csv
///   detente validate --data rows.csv --until 2022-12
///   detente validate --data rows.csv --learning-curve --start-from small
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, group(clap::ArgGroup::new("protocol").required(true).args(["leave_out", "until", "learning_curve"])))]
pub struct Args {
    /// Labelled rows: CSV, JSONL or another table; may be given several times
    #[arg(long, num_args = 1.., value_name = "FILE", required_unless_present = "config")]
    data: Vec<PathBuf>,
    /// A recipe: parameters, and data with weights
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Hold each value out in turn: `state`, `actor`, `region` (of the state), `source`, or another column. What names the
    /// state or actor on either side is not trained on
    #[arg(long, value_name = "COLUMN")]
    leave_out: Option<String>,
    /// Train on what is dated up to this month, and score what is later
    #[arg(long, value_name = "YEAR-MONTH", value_parser = parse_month)]
    until: Option<YearMonth>,
    /// Score a fifth of the groups, with a sixteenth of the rest to train on, an eighth, and so on
    #[arg(long)]
    learning_curve: bool,
    /// Continue from a model that reads, as `train --start-from` does
    #[arg(long, value_name = "MODEL", value_parser = parse_start)]
    start_from: Option<ModelName>,
    #[command(flatten)]
    labels: LabelArgs,
    /// The column whose equal values stay together [default: group, or else the text]
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// The fewest rows of a value that is left out
    #[arg(long, value_name = "N", default_value_t = 30)]
    least: usize,
    /// The most values that are left out, those with most rows
    #[arg(long, value_name = "N", default_value_t = 20)]
    most: usize,
    /// Write every held-out row's prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Write the scores there, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seed of what is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

fn parse_month(text: &str) -> Result<YearMonth, String> {
    YearMonth::parse(text).ok_or_else(|| "expected a month, such as 2022-12".into())
}

/// The score of a split.
#[derive(Debug, serde::Serialize)]
struct Score {
    held_out: String,
    trained_on: usize,
    rows: usize,
    macro_f1: f64,
    ci95: Option<[f64; 2]>,
    /// Macro-F1 of the same rows where other rows of the kind were trained on: on the folds of ordinary cross-validation.
    macro_f1_known: Option<f64>,
    accuracy: f64,
    /// What the label that training rows have most often would get.
    accuracy_of_usual: f64,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let mut recipe = args.config.as_deref().map(Recipe::read).transpose()?.unwrap_or_default();
    recipe.data.extend(args.data.iter().map(RecipeData::file));
    let written = [("--predictions", args.predictions.as_deref()), ("--json", args.json.as_deref())];
    let read = recipe.files().chain(common.files()).chain(args.config.as_deref());
    paths::check(read, written.into_iter().filter_map(|(flag, path)| Some((flag, path?))))?;
    let RecipeRows { data, .. } = recipe.rows(&args.labels.label_map, args.group.as_deref(), &common.warn())?;
    let gazetteer = common.load_gazetteer()?;
    let protocol = match (&args.leave_out, args.until) {
        (Some(column), _) => Protocol::LeaveOneOut(column.clone()),
        (None, Some(until)) => Protocol::Temporal(until),
        (None, None) => Protocol::LearningCurve,
    };
    let base = match &args.start_from {
        None => None,
        Some(name) => Some(name.load(common)?),
    };
    if let Some(base) = &base {
        let known = &base.manifest().seen;
        let prints = train::seen(&data, &gazetteer)?;
        let rows = prints.prints().iter().filter(|print| known.has_most(&[**print])).count();
        if rows > 0 {
            common.note(format_args!(
                "warning: the model to start from has learnt from {rows} of {} sentences of these rows: what is held out is known to it",
                prints.prints().len()
            ));
        }
    }
    let splits = Splits::new(&data, &protocol, &gazetteer, (args.least.max(1), args.most.max(1)), args.seed)?;
    let mut sink = args.predictions.as_ref().map(|path| Sink::open(Some(path))).transpose()?;
    let mut writer = sink.as_mut().map(csv::Writer::from_writer);
    if let Some(writer) = &mut writer {
        writer.write_record(predictions::COLUMNS.into_iter().chain(["held_out"]))?;
    }
    let bar = progress::spinner(common);
    // What the novelty costs: the same rows where others of the kind are known.
    let known = match (&protocol, &base) {
        (Protocol::LearningCurve, _) => None,
        (_, None) => Some(detente::train(&data, &recipe.params, &gazetteer, &|_| {})?.out_of_fold),
        (_, Some(base)) => Some(adapt(base, &data, &recipe.params, &gazetteer, &|_| {})?.out_of_fold),
    };
    let (mut scores, mut failed) = (Vec::new(), false);
    let (mut all_labels, mut all_stances) = (Vec::new(), Vec::new());
    for (at, name) in splits.names.iter().enumerate() {
        bar.set_message(format!("{} ({} of {})", detente::visible(name), at + 1, splits.names.len()));
        let split = splits.split(at);
        let trained = match &base {
            None => detente::train(&split.training, &recipe.params, &gazetteer, &|_| {}),
            Some(base) => adapt(base, &split.training, &recipe.params, &gazetteer, &|_| {}),
        };
        let pipeline: Pipeline = match trained {
            Ok(trained) => trained.pipeline.with_gazetteer(gazetteer.clone()),
            Err(error) => {
                failed = true;
                bar.suspend(|| super::say(format_args!("error: {}: {error}", detente::visible(name))));
                continue;
            }
        };
        let scored = report::score(&pipeline, &split.test)?;
        if let Some(writer) = &mut writer {
            for row in &scored {
                let cells = predictions::row(row.pair, row.label, row.stance, row.probabilities);
                writer.write_record(cells.iter().chain([name]))?;
            }
        }
        let (y, p): (Vec<Stance>, Vec<Stance>) = scored.iter().map(|s| (s.label, s.stance)).unzip();
        let keys: Vec<&str> = scored.iter().map(|s| s.pair.group_key()).collect();
        let ci95 = macro_f1_interval(&Bootstrap::new().draws(1_000).seed(args.seed), &keys, &y, &p)?;
        let trained: Vec<Stance> = split.training.iter().flat_map(|d| &d.pairs).filter_map(|pair| pair.label).collect();
        let count = |label: &Stance| trained.iter().filter(|of| *of == label).count();
        let usual = Stance::ALL.into_iter().max_by_key(count).unwrap_or(Stance::Neutral);
        scores.push(Score {
            held_out: name.clone(),
            trained_on: trained.len(),
            rows: y.len(),
            macro_f1: metrics::f1_macro_score(&y, &p)?,
            macro_f1_known: known.as_ref().and_then(|rows| {
                let rows = rows.iter().filter(|row| splits.is_tested(row.row, at));
                let (y, p): (Vec<Stance>, Vec<Stance>) = rows.map(|row| (row.label, row.stance)).unzip();
                metrics::f1_macro_score(&y, &p).ok()
            }),
            ci95,
            accuracy: metrics::accuracy_score(&y, &p)?,
            accuracy_of_usual: y.iter().filter(|label| **label == usual).count() as f64 / y.len() as f64,
        });
        all_labels.extend(y);
        all_stances.extend(p);
    }
    bar.finish_and_clear();
    anyhow::ensure!(!scores.is_empty(), "no model could be trained");
    drop(writer);
    sink.map(Sink::finish).transpose()?;
    if let Some(path) = &args.json {
        write_json(Some(path), &scores)?;
    }
    print(&scores, &protocol, &all_labels, &all_stances)?;
    Ok(Outcome::failed_if(failed))
}

fn print(scores: &[Score], protocol: &Protocol, labels: &[Stance], stances: &[Stance]) -> Result<()> {
    let curve = *protocol == Protocol::LearningCurve;
    let first = if curve { "SHARE" } else { "HELD OUT" };
    let mut header = vec![first, "TRAINED ON", "ROWS", "MACRO F1", "95 % INTERVAL", "RIGHT", "USUAL LABEL"];
    if !curve {
        header.insert(5, "KNOWN");
    }
    let mut rows = table(&header);
    for s in scores {
        let small = if s.rows < SMALL { "~" } else { "" };
        let mut row = vec![
            detente::visible(&s.held_out).into_owned(),
            s.trained_on.to_string(),
            s.rows.to_string(),
            format!("{small}{:.3}", s.macro_f1),
            s.ci95.map_or(String::new(), |[low, high]| format!("{low:.3} to {high:.3}")),
            format!("{:.3}", s.accuracy),
            format!("{:.3}", s.accuracy_of_usual),
        ];
        if !curve {
            row.insert(5, s.macro_f1_known.map_or("–".into(), |f1| format!("{f1:.3}")));
        }
        rows.add_row(row);
    }
    let mut out = Sink::open(None)?;
    writeln!(out, "{}", rows.trim_fmt())?;
    if scores.len() > 1 && !curve {
        let macro_f1 = metrics::f1_macro_score(labels, stances)?;
        writeln!(out, "all {} held-out rows together: macro-F1 {macro_f1:.3}", labels.len())?;
    }
    if !curve {
        writeln!(
            out,
            "KNOWN: macro-F1 of the same rows in ordinary cross-validation, where others of the kind are trained on"
        )?;
    }
    out.finish()
}
