//! `detente evaluate`: how well a model does on labelled pairs.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use detente::evaluate::report::{self, Evaluation, ModelRecord, Scored};
use detente::{EvaluateParams, LabelledPair, Stance};

use super::output::{Sink, table};
use super::{Common, LabelArgs, ModelArgs, Outcome, say};

/// Score a model on labelled pairs, with 95 % intervals
///
/// Examples:
///   detente evaluate --data test.csv
///   detente evaluate --data test.csv --model my.detente --json scores.json --predictions rows.csv --by actor
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled CSV or JSONL; may be given several times
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    labels: LabelArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write the evaluation record there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write every row's prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Break the score down by these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    by: Vec<String>,
    /// Exit with 1 where a metric is below a bar, as `macro_f1=0.6`; may be given several times
    #[arg(long, value_name = "METRIC=BAR", value_parser = parse_bar)]
    min: Vec<(String, f64)>,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

fn parse_bar(text: &str) -> Result<(String, f64), String> {
    let (metric, bar) = text.split_once('=').ok_or("expected METRIC=BAR, such as macro_f1=0.6")?;
    let bar = bar.parse().map_err(|_| format!("`{bar}` is not a number"))?;
    Ok((metric.into(), bar))
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let pipeline = args.model.load(common)?;
    let (pairs, failed) = read_pairs(&args.data, args, common)?;
    let params = EvaluateParams { by: args.by.clone(), seed: args.seed, ..EvaluateParams::default() };
    let scored = report::score(&pipeline, &pairs)?;
    let record = report::summarise(&scored, &params, ModelRecord::of(&pipeline))?;
    let metrics = serde_json::to_value(&record)?;
    let mut missed = false;
    for (metric, bar) in &args.min {
        let Some(value) = metrics[metric].as_f64() else {
            anyhow::bail!(
                "no metric `{metric}`; there are macro_f1, f_avg, accuracy, balanced_accuracy, mcc, cohen_kappa"
            );
        };
        if value < *bar {
            missed = true;
            say(format_args!("{metric} is {value:.4}, below {bar}"));
        }
    }
    if let Some(path) = &args.json {
        let mut sink = Sink::open(Some(path))?;
        serde_json::to_writer_pretty(&mut sink, &record)?;
        writeln!(sink)?;
        sink.finish()?;
    }
    if let Some(path) = &args.predictions {
        let mut sink = Sink::open(Some(path))?;
        write_predictions(&mut sink, &scored)?;
        sink.finish()?;
    }
    let mut out = Sink::open(None)?;
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &record)?;
            writeln!(out)?;
        }
        Format::Table => print(&mut out, &record)?,
    }
    out.finish()?;
    Ok(Outcome::failed_if(failed || missed))
}

/// Reads labelled files; a bad row is reported and the rest are used.
fn read_pairs(paths: &[PathBuf], args: &Args, common: &Common) -> Result<(Vec<LabelledPair>, bool)> {
    let (mut pairs, mut failed) = (Vec::new(), false);
    for path in paths {
        for pair in common.labelled(path, &args.labels)? {
            match pair {
                Ok(pair) => pairs.push(pair),
                Err(error) => {
                    failed = true;
                    say(format_args!("error: {error}"));
                }
            }
        }
    }
    Ok((pairs, failed))
}

fn write_predictions(out: impl Write, scored: &[Scored<'_>]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["id", "state", "actor", "label", "stance", "p_aligned", "p_neutral", "p_opposed"])?;
    for s in scored {
        let [aligned, neutral, opposed] = s.probabilities.map(|p| p.to_string());
        let (label, stance) = (s.label.to_string(), s.stance.to_string());
        let article = &s.pair.article;
        writer.write_record([
            &article.id,
            &s.pair.state,
            &s.pair.actor,
            &label,
            &stance,
            &aligned,
            &neutral,
            &opposed,
        ])?;
    }
    writer.flush()?;
    Ok(())
}

fn print(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    let mut headline = table(&["METRIC", "VALUE", "95 % INTERVAL"]);
    let values = serde_json::to_value(record)?;
    for metric in
        ["macro_f1", "f_avg", "accuracy", "balanced_accuracy", "mcc", "cohen_kappa", "log_loss", "brier", "ece"]
    {
        let interval = record.ci95.get(metric).map_or(String::new(), |[lo, hi]| format!("{lo:.3} to {hi:.3}"));
        headline.add_row(vec![metric.into(), format!("{:.3}", values[metric].as_f64().unwrap_or(f64::NAN)), interval]);
    }
    writeln!(out, "{} rows, {} of them without both names in the text\n", record.n, record.missing)?;
    writeln!(out, "{}\n", headline.trim_fmt())?;
    let mut classes = table(&["CLASS", "PRECISION", "RECALL", "F1", "SUPPORT", "→ aligned", "neutral", "opposed"]);
    for stance in Stance::ALL {
        let class = &record.per_class[&stance];
        let confusion = record.confusion[stance.index()];
        let mut row = vec![stance.to_string()];
        row.extend([class.precision, class.recall, class.f1].map(|v| format!("{v:.3}")));
        row.push(class.support.to_string());
        row.extend(confusion.map(|n| n.to_string()));
        classes.add_row(row);
    }
    writeln!(out, "{}", classes.trim_fmt())?;
    for (column, values) in &record.by {
        let mut rows = table(&[column.to_uppercase().as_str(), "N", "MACRO F1"]);
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort_by(|a, b| b.1.n.cmp(&a.1.n).then(a.0.cmp(b.0)));
        rows.add_rows(sorted.into_iter().map(|(v, g)| vec![v.clone(), g.n.to_string(), format!("{:.3}", g.macro_f1)]));
        writeln!(out, "\n{}", rows.trim_fmt())?;
    }
    Ok(())
}
