//! `detente drift`: whether articles are still like those that a model was measured on.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use detente::evaluate::drift::{DriftRecord, Profile, drift};
use detente::source::{self, Source};
use detente::{Article, Pipeline, Stance};

use super::complaints::Complaints;
use super::inputs::ReadArgs;
use super::models::ModelArgs;
use super::output::{Sink, table, write_json};
use super::{Common, Outcome, progress};

/// Compare articles with earlier ones: words, lengths, stances, and how sure they are
///
/// Exits with 1 where a distribution differs by more than the bar.
///
/// Example:
///   detente drift --reference 2024/ --data 2026/ --model fast
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Articles to compare with: files or folders, as `predict` reads them
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    reference: Vec<PathBuf>,
    /// Articles that may be different
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// The bar: the population stability index that no distribution may pass by, beyond twice what chance does in so few
    /// articles; 0.1 is some change, 0.25 much
    #[arg(long, value_name = "PSI", default_value_t = 0.25)]
    max_psi: f64,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    anyhow::ensure!(args.max_psi >= 0.0, "--max-psi: expected a number of at least 0");
    let pipeline = args.model.load(common)?;
    let mut failed = false;
    let mut profile = |paths: &[PathBuf]| -> Result<Profile> {
        let (inputs, mut complaints) = args.read.inputs(paths, &[], common);
        failed |= complaints.finish();
        let (profile, some_failed) = read(&pipeline, inputs, common);
        failed |= some_failed;
        Ok(profile)
    };
    let (reference, data) = (profile(&args.reference)?, profile(&args.data)?);
    let record = drift(&reference, &data)?;
    match args.format {
        Format::Json => write_json(None, &record)?,
        Format::Table => print(&record)?,
    }
    let above = record.above(args.max_psi);
    for (name, psi) in &above {
        super::say(format_args!("{name}: {psi:.3}, above {}", args.max_psi));
    }
    if !above.is_empty() && args.format == Format::Table {
        common.note(format_args!(
            "label some of these articles, and see by `detente evaluate` what the model makes of them"
        ));
    }
    Ok(Outcome::failed_if(failed || !above.is_empty()))
}

/// What the articles of some inputs are like, and whether any could not be read.
fn read(pipeline: &Pipeline, inputs: Vec<Source>, common: &Common) -> (Profile, bool) {
    const TOGETHER: usize = 256;
    let bar = progress::articles(common);
    let mut complaints = Complaints::default();
    let (mut profile, mut held): (Profile, Vec<Article>) = (Profile::default(), Vec::new());
    let mut take = |held: &mut Vec<Article>| {
        bar.inc(held.len() as u64);
        profile.read(pipeline, std::mem::take(held));
    };
    for article in source::read_all(inputs, &common.warn()) {
        match article {
            Ok(article) => held.push(article),
            Err(error) => complaints.add(&error),
        }
        if held.len() == TOGETHER {
            take(&mut held);
        }
    }
    take(&mut held);
    bar.finish_and_clear();
    (profile, complaints.finish())
}

fn print(record: &DriftRecord) -> Result<()> {
    let mut out = Sink::open(None)?;
    let mut rows = table(&["", "REFERENCE", "DATA"]);
    let mut add = |name: &str, values: [String; 2]| {
        let [a, b] = values;
        rows.add_row(vec![name.to_owned(), a, b]);
    };
    add("articles", record.articles.map(|n| n.to_string()));
    add("connected pairs", record.pairs.map(|n| n.to_string()));
    for stance in Stance::ALL {
        add(stance.as_str(), record.shares(stance).map(|share| format!("{:.1} %", 100.0 * share)));
    }
    add("mean probability of the stance", record.confidence.map(|p| format!("{p:.3}")));
    add("words that no (other) reference article has", record.unknown_words.map(|p| format!("{:.1} %", 100.0 * p)));
    writeln!(out, "{}\n", rows.trim_fmt())?;
    let mut rows = table(&["DISTRIBUTION", "PSI", "BY CHANCE"]);
    for (name, psi) in &record.psi {
        let chance = record.expected.get(name).map_or(String::new(), |chance| format!("{chance:.3}"));
        rows.add_row(vec![name.clone(), format!("{psi:.3}"), chance]);
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    out.finish()
}
