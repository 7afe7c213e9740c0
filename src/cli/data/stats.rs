//! `detente data stats`: how much there is of what.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use detente::data::stats::Stats;
use detente::visible;

use super::super::output::write_json;
use super::super::output::{stdout, table};
use super::super::{Common, LabelArgs, Outcome};
use super::{Format, read};

/// Count rows, texts, groups, labels, states and actors
///
/// Example:
///   detente data stats train.csv dev.csv test.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled CSV, JSONL or directed-sentiment lines
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let gazetteer = common.load_gazetteer()?;
    let files = args.files.iter().map(|path| read(path, &args.labels, common)).collect::<Result<Vec<_>>>()?;
    let mut stats: Vec<Stats> = files.iter().map(|file| Stats::new(&file.path, &file.pairs, &gazetteer)).collect();
    if files.len() > 1 {
        stats.push(Stats::new("all", files.iter().flat_map(|file| &file.pairs), &gazetteer));
    }
    match args.format {
        Format::Json => write_json(None, &stats)?,
        Format::Table => print(&stats)?,
    }
    Ok(Outcome::failed_if(files.iter().any(|file| !file.errors.is_empty())))
}

fn print(stats: &[Stats]) -> Result<()> {
    let mut header = vec!["".into()];
    header.extend(stats.iter().map(|s| visible(&s.path)));
    let mut rows = table(&header);
    let mut add = |name: &str, value: &dyn Fn(&Stats) -> String| {
        rows.add_row(std::iter::once(name.to_string()).chain(stats.iter().map(value)));
    };
    add("rows", &|s| s.rows.to_string());
    add("texts", &|s| s.texts.to_string());
    add("groups", &|s| s.groups.to_string());
    for stance in detente::Stance::ALL {
        add(stance.as_str(), &|s| {
            let n = s.labels[&stance];
            format!("{n} ({:.1} %)", 100.0 * n as f64 / s.rows.max(1) as f64)
        });
    }
    add("states", &|s| s.states.to_string());
    add("actors", &|s| s.actors.to_string());
    add("most frequent state", &|s| {
        s.top_state
            .as_ref()
            .map_or_else(String::new, |name| format!("{} ({:.1} %)", visible(name), 100.0 * s.top_state_share))
    });
    add("words per text", &|s| format!("{:.1}", s.words_per_text));
    writeln!(stdout()?, "{}", rows.trim_fmt())?;
    Ok(())
}
