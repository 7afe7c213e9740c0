//! `detente data join`: labels and the texts that they are about.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use detente::data::join::{self, TextLayout, Texts};
use detente::{data, input_file};

use super::super::output::Sink;
use super::super::{Common, LabelArgs, Outcome};
use super::paths;

/// Put labels that name their texts by id together with these texts
///
/// Labels are CSV with the columns id (or sentence), state, actor, label, and where it matters state_start, state_end,
/// actor_start, actor_end in characters. What is written is a labelled CSV for train and evaluate.
///
/// Examples:
///   detente data join labels.csv --texts articles.jsonl --output rows.csv
///   detente data join labels.csv --texts passages.jsonl --layout sentences --output rows.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The labels
    labels: PathBuf,
    /// The texts
    #[arg(long, value_name = "FILE")]
    texts: PathBuf,
    /// What an id of the labels stands for
    #[arg(long, value_enum, default_value_t = Layout::Articles)]
    layout: Layout,
    /// The SHA-256 that the file of texts should have
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    label_args: LabelArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Layout {
    /// An article of a CSV or JSONL file
    Articles,
    /// `ID-J`: sentence J, from 0, of an article; divided after . ! ?
    Sentences,
    /// `ID-J`: clause J, from 0, of an article; divided after . ; ! ?
    Clauses,
    /// `dse-train-N`: line N, from 0, of the directed-sentiment format
    DirectedSentiment,
}

impl From<Layout> for TextLayout {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Articles => Self::Articles,
            Layout::Sentences => Self::Sentences,
            Layout::Clauses => Self::Clauses,
            Layout::DirectedSentiment => Self::DirectedSentiment,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let read = [args.labels.as_path(), &args.texts].into_iter().chain(common.files());
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    if let Some(expected) = &args.sha256 {
        let found = input_file::sha256(&args.texts)?;
        ensure!(
            found.eq_ignore_ascii_case(expected),
            "{}: SHA-256 {found}, expected {expected}; offsets of labels fit one version of a file only",
            args.texts.display()
        );
    }
    let texts = Texts::read(&args.texts, args.layout.into(), &common.warn())?;
    let pairs = join::join(&args.labels, &texts, &args.label_args.label_map, &common.warn())?;
    let mut sink = Sink::open(args.output.as_deref())?;
    data::write_csv(&mut sink, &pairs)?;
    sink.finish()?;
    common.note(format_args!("{} rows, of {} texts in {}", pairs.len(), texts.len(), args.texts.display()));
    Ok(Outcome::Done)
}
