//! `detente data windows`: training rows for an encoder.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use detente::train::recipe::RecipeRows;
use detente::train::{Recipe, window_rows};

use super::super::output::Sink;
use super::super::{Common, LabelArgs, Outcome};
use super::paths;

/// Write the rows of a recipe as an encoder reads them
///
/// One JSON object a line: data (the file), id, label, weight, calibrate, fold, state, actor, and the windows of evidence with the two names masked and their
/// places in characters. What trains an encoder outside this program reads these, so that both see the same.
///
/// Example:
///   detente data windows --config models/fast.toml --output windows.jsonl
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The recipe, as for train
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let recipe = Recipe::read(&args.config)?;
    let read = [args.config.as_path()].into_iter().chain(recipe.files()).chain(common.files());
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    let RecipeRows { data, .. } = recipe.rows(&args.labels.label_map, None, &common.warn())?;
    let rows = window_rows(&data, &recipe.params, &common.load_gazetteer()?)?;
    let mut sink = Sink::open(args.output.as_deref())?;
    for row in &rows {
        serde_json::to_writer(&mut sink, row)?;
        writeln!(sink)?;
    }
    sink.finish()?;
    common.note(format_args!(
        "{} rows, {} windows",
        rows.len(),
        rows.iter().map(|row| row.windows.len()).sum::<usize>()
    ));
    Ok(Outcome::Done)
}
