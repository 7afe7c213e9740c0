//! `detente data suspects`: labels to look at again.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use detente::review::suspects::{Suspect, suspects};
use detente::train::recipe::{RecipeData, RecipeRows};
use detente::train::{Dataset, Recipe};

use super::super::output::{Sink, shorten, table, width};
use super::super::{Common, LabelArgs, Outcome, progress};
use super::{Listing, paths};

/// Find labels that are likely wrong
///
/// A model is trained as `train` would, and every row judged by one that has not seen its group. Rows are listed whose
/// label such a model finds less likely than another by far, the worst first. They deserve a second reading, no more.
///
/// Examples:
///   detente data suspects rows.csv
///   detente data suspects --config models/fast.toml --top 500 --format csv --output suspects.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled files
    #[arg(required_unless_present = "config", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A recipe, as for train
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The column whose equal values stay in one fold [default: group, or else the text]
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// How many to list
    #[arg(long, value_name = "N", default_value_t = 50)]
    top: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    format: Listing,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let mut recipe = args.config.as_deref().map(Recipe::read).transpose()?.unwrap_or_default();
    recipe.data.extend(args.files.iter().map(RecipeData::file));
    let read = args.config.iter().map(PathBuf::as_path).chain(recipe.files()).chain(common.files());
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    let RecipeRows { data, .. } = recipe.rows(&args.labels.label_map, args.group.as_deref(), &common.warn())?;
    let gazetteer = common.load_gazetteer()?;
    let bar = progress::spinner(common);
    bar.set_message("cross-validating");
    let trained = detente::train(&data, &recipe.params, &gazetteer, &|_| {})?;
    bar.finish_and_clear();
    let found = suspects(&trained.out_of_fold);
    let mut sink = Sink::open(args.output.as_deref())?;
    write(&mut sink, &data, &found[..args.top.min(found.len())], args.format)?;
    sink.finish()?;
    common.note(format_args!("{} suspects among {} labels", found.len(), trained.out_of_fold.len()));
    Ok(Outcome::Done)
}

fn write(out: &mut impl Write, data: &[Dataset], found: &[Suspect], format: Listing) -> Result<()> {
    let header = ["file", "line", "id", "state", "actor", "label", "suggested", "margin", "text"];
    let row = |suspect: &Suspect| {
        let dataset = &data[suspect.row.0];
        let pair = &dataset.pairs[suspect.row.1];
        let line = pair.location.line.map_or_else(String::new, |line| line.to_string());
        let [id, state, actor] = [&pair.article.id, &pair.state, &pair.actor].map(String::clone);
        let (label, suggested) = (suspect.label.to_string(), suspect.suggested.to_string());
        let margin = format!("{:.3}", suspect.margin);
        [dataset.name.clone(), line, id, state, actor, label, suggested, margin, pair.article.text.clone()]
    };
    match format {
        Listing::Csv => {
            let mut writer = csv::Writer::from_writer(out);
            writer.write_record(header)?;
            for suspect in found {
                writer.write_record(row(suspect))?;
            }
            writer.flush()?;
        }
        Listing::Jsonl => {
            for suspect in found {
                let mut object: serde_json::Map<String, serde_json::Value> =
                    header.iter().map(|name| (*name).to_owned()).zip(row(suspect).map(Into::into)).collect();
                object.insert("line".into(), data[suspect.row.0].pairs[suspect.row.1].location.line.into());
                object.insert("margin".into(), suspect.margin.into());
                serde_json::to_writer(&mut *out, &object)?;
                writeln!(out)?;
            }
        }
        Listing::Table => {
            let mut rows = table(&["MARGIN", "ROW", "STATE", "ACTOR", "LABEL", "SUGGESTED", "TEXT"]);
            for suspect in found {
                let [file, line, _, state, actor, label, suggested, margin, text] = row(suspect);
                let cells = [margin, format!("{file}:{line}"), state, actor, label, suggested];
                let room = width().saturating_sub(cells.iter().map(|c| c.chars().count() + 2).sum()).max(30);
                rows.add_row(
                    cells.into_iter().chain([shorten(&text, room)]).map(|cell| detente::visible(&cell).into_owned()),
                );
            }
            writeln!(out, "{}", rows.trim_fmt())?;
        }
    }
    Ok(())
}
