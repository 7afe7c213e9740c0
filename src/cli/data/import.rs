//! `detente data import`: from annotation tools.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;

use detente::data::LabelledOptions;
use detente::data::exchange::{self, ExchangeFormat};

use super::super::complaints::Complaints;
use super::super::{Common, LabelArgs, Outcome};
use super::{paths, read_whole, write_rows};

/// Make labelled rows of what an annotation tool exported
///
/// Read are choices of a stance about a text whose data name `state` and `actor`, or mark both, and relations called as a
/// stance from the state to the actor. Tasks that nobody labelled are counted and left out. Offsets may count
/// characters, UTF-16 units or bytes: which, is found out and said.
///
/// Examples:
///   detente data import project-7.json --format label-studio --output rows.csv
///   detente data import all.jsonl --format doccano --label-map support=aligned,against=opposed -o rows.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// What the tool exported
    file: PathBuf,
    /// Which tool's file it is
    #[arg(long, value_enum)]
    format: Tool,
    /// Where to write, CSV or (by its name) JSONL [default: CSV on standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
}

/// `--format` of import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// JSON of Label Studio
    LabelStudio,
    /// JSONL of doccano
    Doccano,
    /// JSONL of Prodigy (`prodigy db-out`)
    Prodigy,
    /// Lines `sentence with [p] and [q] TAB p TAB q TAB 0 to 4`
    DirectedSentiment,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    paths::check(
        [args.file.as_path()].into_iter().chain(common.files()),
        args.output.as_deref().map(|path| ("--output", path)),
    )?;
    let format = match args.format {
        Tool::LabelStudio => Some(ExchangeFormat::LabelStudio),
        Tool::Doccano => Some(ExchangeFormat::Doccano),
        Tool::Prodigy => Some(ExchangeFormat::Prodigy),
        Tool::DirectedSentiment => None,
    };
    let (pairs, left_out, failed) = match format {
        Some(format) => {
            let options = LabelledOptions { labels: args.labels.label_map.clone(), ..LabelledOptions::default() };
            let imported = exchange::read(&args.file, format, &options, &common.warn())?;
            let mut complaints = Complaints::default();
            imported.errors.iter().for_each(|error| complaints.add(error));
            (imported.pairs, format!("{} tasks without a label left out", imported.unlabelled), complaints.finish())
        }
        None => {
            let file = read_whole(&args.file, &args.labels, common)?;
            (file.pairs, format!("{} lines left out, they do not mark two names", file.unmarked.len()), false)
        }
    };
    if pairs.is_empty() {
        bail!("{}: no labelled pair, {left_out}", args.file.display());
    }
    write_rows(args.output.as_deref(), &pairs)?;
    common.note(format_args!("{} rows, {left_out}", pairs.len()));
    Ok(Outcome::failed_if(failed))
}
