//! `detente data split`: training, development and test rows.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use detente::data::{self, split::SplitParams};
use detente::{LabelledPair, Stance};

use super::super::output::{Sink, table};
use super::super::{Common, LabelArgs, Outcome};
use super::{paths, read_whole};

/// Divide labelled rows into train.csv, dev.csv and test.csv
///
/// Rows of one group, of one text, or of texts that are nearly the same stay together.
///
/// Examples:
///   detente data split rows.csv --output-dir parts
///   detente data split rows.csv --group story --ratios 0.7,0.3 --seed 1 --output-dir parts
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled CSV, JSONL or directed-sentiment lines
    file: PathBuf,
    /// The column whose equal values stay together
    #[arg(long, value_name = "COLUMN", default_value = "group")]
    group: String,
    /// The column whose values are spread evenly
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    stratify: String,
    /// Shares of train, dev and test, or of train and test
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "0.8,0.1,0.1")]
    ratios: Vec<f64>,
    /// Seed of the order in which groups are dealt out
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The folder to write to; made if it is not there
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let names: &[&str] = match args.ratios.len() {
        2 => &["train", "test"],
        3 => &["train", "dev", "test"],
        n => anyhow::bail!("--ratios has {n} shares; expected two (train, test) or three (train, dev, test)"),
    };
    let outputs: Vec<PathBuf> = names.iter().map(|name| args.output_dir.join(format!("{name}.csv"))).collect();
    let read = [args.file.as_path()].into_iter().chain(common.files());
    let written = || outputs.iter().map(|path| ("--output-dir", path.as_path()));
    // The folder may not be there yet.
    paths::check_names(read, written())?;
    let file = read_whole(&args.file, &args.labels, common)?;
    for (column, flag) in [(&args.group, "--group"), (&args.stratify, "--stratify")] {
        let optional = column == "group" || column == "label";
        let known = optional || file.pairs.iter().any(|pair| pair.column(column).is_some());
        ensure!(known, "{}: no column `{column}`, which {flag} names", file.path);
    }
    let params = SplitParams {
        group: args.group.clone(),
        stratify: args.stratify.clone(),
        ratios: args.ratios.clone(),
        seed: args.seed,
    };
    let (parts, blocks) = data::split::split(&file.pairs, &params)?;
    std::fs::create_dir_all(&args.output_dir).with_context(|| format!("--output-dir {}", args.output_dir.display()))?;
    paths::check_writable(written())?;
    let mut summary = table(&["PART", "ROWS", "SHARE", "ALIGNED", "NEUTRAL", "OPPOSED"]);
    let mut sinks = Vec::new();
    for (part, output) in outputs.iter().enumerate() {
        let rows: Vec<&LabelledPair> =
            file.pairs.iter().zip(&parts).filter(|(_, p)| **p == part).map(|(pair, _)| pair).collect();
        let mut sink = Sink::open(Some(output))?;
        data::write_csv(&mut sink, rows.iter().copied())?;
        sinks.push(sink);
        let mut cells = vec![names[part].to_string(), rows.len().to_string()];
        cells.push(format!("{:.3}", rows.len() as f64 / file.pairs.len().max(1) as f64));
        cells.extend(Stance::ALL.map(|s| rows.iter().filter(|row| row.label == Some(s)).count().to_string()));
        summary.add_row(cells);
    }
    sinks.into_iter().try_for_each(Sink::finish)?;
    common.note(format_args!("{} rows in {blocks} blocks that stay together", file.pairs.len()));
    common.note(format_args!("{}", summary.trim_fmt()));
    Ok(Outcome::Done)
}
