//! `detente data export`: to annotation tools.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use detente::Stance;
use detente::data::exchange::{self, ExchangeFormat, LABEL_STUDIO_CONFIG, Task};
use detente::evaluate::predict_labelled;
use detente::pipeline::ScoredPair;

use super::super::models::ModelArgs;
use super::super::output::Sink;
use super::super::{Common, LabelArgs, Outcome};
use super::{paths, read_unlabelled};

/// Make tasks for an annotation tool of rows, labelled or not
///
/// Each row is a task: its text with the state and the actor marked where the row says where they stand, and a choice
/// of aligned, neutral, opposed. What is labelled is written as an annotation; with --predict, the model's stance
/// is written as a proposal, too.
///
/// Examples:
///   detente data export rows.csv --format label-studio --output tasks.json
///   detente data export rows.csv --format prodigy --predict --output tasks.jsonl
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// CSV or JSONL with the columns text, state, actor, and label where it is known
    file: PathBuf,
    /// For which tool
    #[arg(long, value_enum)]
    format: Tool,
    /// Propose the stance that the model gives
    #[arg(long)]
    predict: bool,
    #[command(flatten)]
    model: ModelArgs,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
}

/// `--format` of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// JSON of Label Studio
    LabelStudio,
    /// JSONL of doccano, a text classification
    Doccano,
    /// JSONL of Prodigy, for its choice interface
    Prodigy,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let read = [args.file.as_path()].into_iter().chain(common.files()).chain(args.model.file());
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    let format = match args.format {
        Tool::LabelStudio => ExchangeFormat::LabelStudio,
        Tool::Doccano => ExchangeFormat::Doccano,
        Tool::Prodigy => ExchangeFormat::Prodigy,
    };
    let pairs = read_unlabelled(&args.file, &args.labels, common)?;
    let proposals: Vec<Option<(Stance, f64)>> = if args.predict {
        let pipeline = args.model.load(common)?;
        let scored = predict_labelled(&pipeline, &pairs.iter().collect::<Vec<_>>())?;
        let proposal = |scored: ScoredPair| (scored.stance, scored.probabilities[scored.stance.index()]);
        scored.into_iter().map(|scored| scored.map(proposal)).collect()
    } else {
        vec![None; pairs.len()]
    };
    let tasks: Vec<Task<'_>> = pairs.iter().zip(proposals).map(|(pair, proposal)| Task { pair, proposal }).collect();
    let mut sink = Sink::open(args.output.as_deref())?;
    exchange::write(&mut sink, format, &tasks)?;
    sink.finish()?;
    common.note(format_args!("{} tasks", tasks.len()));
    if format == ExchangeFormat::Doccano && args.predict {
        common.note(format_args!("doccano keeps proposals as labels: import only what somebody has looked at"));
    }
    if format == ExchangeFormat::LabelStudio {
        common.note(format_args!("labelling interface of the project:\n{LABEL_STUDIO_CONFIG}"));
    }
    Ok(Outcome::Done)
}
