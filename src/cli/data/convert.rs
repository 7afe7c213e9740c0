//! `detente data convert`: the same rows in another format.

use std::path::PathBuf;

use anyhow::{Result, bail};

use detente::data;
use detente::source::Format;

use super::super::output::Sink;
use super::super::{Common, LabelArgs, Outcome};
use super::{paths, read_whole};

/// Write labelled rows in another format: CSV or JSONL, by the name of the output
///
/// The input is CSV, JSONL, or the directed-sentiment format (text with tabs, two pairs a line).
///
/// Examples:
///   detente data convert rows.jsonl rows.csv
///   detente data convert lines.txt rows.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// What to read
    input: PathBuf,
    /// What to write
    output: PathBuf,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let format = match Format::of(&args.output) {
        Some(format @ (Format::Csv | Format::Jsonl)) if args.output.extension().is_some_and(|e| e != "gz") => format,
        _ => bail!("{}: expected a name that ends in .csv or .jsonl", args.output.display()),
    };
    paths::check([args.input.as_path()].into_iter().chain(common.files()), [("the output", args.output.as_path())])?;
    let file = read_whole(&args.input, &args.labels, common)?;
    let mut sink = Sink::open(Some(&args.output))?;
    match format {
        Format::Csv => data::write_csv(&mut sink, &file.pairs)?,
        _ => data::write_jsonl(&mut sink, &file.pairs)?,
    }
    sink.finish()?;
    common.note(format_args!("{} rows", file.pairs.len()));
    if !file.unmarked.is_empty() {
        common.note(format_args!("{} lines left out, they do not mark two names", file.unmarked.len()));
    }
    Ok(Outcome::Done)
}
