//! `detente data agreement`: two readings of the same rows.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use detente::data::agreement::{self, Agreement};

use super::super::output::write_json;
use super::super::output::{stdout, table};
use super::super::{Common, LabelArgs, Outcome};
use super::Format;

/// Compare two readings: raw agreement, Cohen's kappa, Krippendorff's alpha, confusion matrix
///
/// Rows are matched by id, state and actor, whether named or by code; texts are not needed. One file alone is compared
/// within: its columns `first` and `second`, where both are filled in.
///
/// Examples:
///   detente data agreement first.csv second.csv
///   detente data agreement datasets/stance/labels/events.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The first reading, CSV or JSONL
    a: PathBuf,
    /// The second reading [default: the columns `first` and `second` of the one file]
    b: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    labels: LabelArgs,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let gazetteer = common.load_gazetteer()?;
    let (map, warn) = (&args.labels.label_map, common.warn());
    let [first, second] = match &args.b {
        Some(b) => [&args.a, b].map(|path| agreement::read(path, map, &gazetteer, &warn)),
        None => agreement::read_columns(&args.a, map, &gazetteer, &warn)?.map(Ok),
    };
    let agreement = agreement::compare(&first?, &second?);
    ensure!(
        agreement.n > 0,
        "{} and {} have no row in common; rows are matched by id, state and actor",
        args.a.display(),
        args.b.as_deref().unwrap_or(&args.a).display()
    );
    match args.format {
        Format::Json => write_json(None, &agreement)?,
        Format::Table => print(&agreement)?,
    }
    Ok(Outcome::Done)
}

fn print(agreement: &Agreement) -> Result<()> {
    let mut out = stdout()?;
    let number = |value: Option<f64>| value.map_or_else(|| "undefined (one label only)".into(), |v| format!("{v:.4}"));
    let mut rows = table(&["", "VALUE"]);
    rows.add_row(["rows in both".to_string(), agreement.n.to_string()]);
    rows.add_row(["only in the first".to_string(), agreement.only_a.to_string()]);
    rows.add_row(["only in the second".to_string(), agreement.only_b.to_string()]);
    rows.add_row(["raw agreement".to_string(), number(agreement.raw)]);
    rows.add_row(["Cohen's kappa".to_string(), number(agreement.cohen_kappa)]);
    rows.add_row(["Krippendorff's alpha".to_string(), number(agreement.krippendorff_alpha)]);
    writeln!(out, "{}\n", rows.trim_fmt())?;
    let mut header = vec!["FIRST \\ SECOND".into()];
    header.extend(agreement.labels.iter().map(|label| detente::visible(label)));
    let mut matrix = table(&header);
    for (label, counts) in agreement.labels.iter().zip(&agreement.confusion) {
        matrix
            .add_row(std::iter::once(detente::visible(label).into_owned()).chain(counts.iter().map(usize::to_string)));
    }
    writeln!(out, "{}", matrix.trim_fmt())?;
    Ok(())
}
