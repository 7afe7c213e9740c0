//! `detente data sample`: what to label next.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use rayon::prelude::*;

use detente::data::audit::Index;
use detente::review::sample::{SampleParams, Sampler, Strategy};
use detente::{Article, Pipeline};

use super::super::inputs::ReadArgs;
use super::super::models::{ModelArgs, ModelName};
use super::super::{Common, LabelArgs, Outcome, batches, progress};
use super::{paths, read_unlabelled, write_rows};

/// Choose pairs of unlabelled articles to label next
///
/// What is written is a labelled file with an empty label: fill it in, or hand it to `data export`. Without --uncertain,
/// --disagree or --diverse, pairs are drawn at random, which gives an unbiased picture.
///
/// Examples:
///   detente data sample archive.jsonl --uncertain --n 200 --output next.csv
///   detente data sample archive.jsonl --disagree fast mine.detente --against labelled.csv -o next.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Files, folders, or `-` for standard input, as for predict
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Where the model is least sure
    #[arg(long, group = "strategy")]
    uncertain: bool,
    /// Where two models differ most: `accurate`, `small`, `fast`, or paths of model files
    #[arg(long, group = "strategy", num_args = 2, value_names = ["MODEL", "MODEL"])]
    disagree: Option<Vec<ModelName>>,
    /// Where the words are unlike those already taken
    #[arg(long, group = "strategy")]
    diverse: bool,
    #[command(flatten)]
    model: ModelArgs,
    /// How many pairs
    #[arg(long, short, value_name = "N", default_value_t = 100)]
    n: usize,
    /// The most pairs of one article
    #[arg(long, value_name = "N", default_value_t = 2)]
    per_text: usize,
    /// Seed of what is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Labelled files, or samples drawn before; their texts, and those nearly the same, are left out
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// Where to write, CSV or (by its name) JSONL [default: CSV on standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    ensure!(args.n > 0 && args.per_text > 0, "--n and --per-text: expected at least 1");
    let (one, other) = match &args.disagree {
        Some(models) => (&models[0], Some(&models[1])),
        None => (args.model.name(), None),
    };
    let (inputs, complaints) = args.read.inputs(&args.paths, &[], common);
    let models = one.file().into_iter().chain(other.and_then(ModelName::file));
    let read = inputs.iter().map(|input| input.input.path()).chain(models).chain(common.files());
    let read = read.chain(args.against.iter().map(PathBuf::as_path));
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    let pipeline = one.load(common)?;
    let other: Option<Pipeline> = other.map(|model| model.load(common)).transpose()?;
    let strategy = match &other {
        Some(other) => Strategy::Disagree(other),
        None if args.uncertain => Strategy::Uncertain,
        None if args.diverse => Strategy::Diverse,
        None => Strategy::Random,
    };
    let mut known = Vec::new();
    for path in &args.against {
        let rows = read_unlabelled(path, &args.labels, common)?;
        known.extend(rows.into_iter().map(|pair| pair.article.text));
    }
    let known = Index::new(known.iter().map(String::as_str));
    let params = SampleParams { n: args.n, per_text: args.per_text, seed: args.seed };
    let mut sampler = Sampler::new(&pipeline, strategy, params);
    let bar = progress::articles(common);
    let mut left_out = 0;
    let (batches, reader) =
        batches::read(None, inputs, complaints, common.warn(), batches::Wanted { any_language: true });
    for batch in batches {
        bar.inc(batch.len() as u64);
        let all = batch.len();
        let new: Vec<Article> = batch.into_par_iter().filter(|article| known.find(&article.text).is_none()).collect();
        left_out += all - new.len();
        sampler.add(&new);
    }
    let mut read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bar.finish_and_clear();
    let failed = read.finish();
    ensure!(read.any, "nothing could be read");
    let pairs = sampler.finish();
    write_rows(args.output.as_deref(), &pairs)?;
    common.note(format_args!("{} pairs; {left_out} texts that are labelled already left out", pairs.len()));
    Ok(Outcome::failed_if(failed))
}
