//! `detente data check`: what is wrong with labelled files.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use detente::data::check::{self, Balance, FileReport, Leaks, Repeat, Report};
use detente::visible;

use super::super::output::write_json;
use super::super::output::{stdout, table};
use super::super::{Common, LabelArgs, Outcome};
use super::{paths, read_quietly};

/// Find bad rows, contradictory labels, and texts that stand in more than one file
///
/// Exits with 1 where rows cannot be read, labels contradict each other, or a text of one file stands in another.
///
/// Examples:
///   detente data check rows.csv
///   detente data check train.csv dev.csv --against test.csv --json findings.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled CSV, JSONL or directed-sentiment lines; each is compared with each other
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Files that must share no text with them
    #[arg(long, num_args = 1.., value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Write all findings there; what is printed is cut to ten of a kind
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
}

/// How many findings of a kind are printed.
const SHOWN: usize = 10;

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let read = args.files.iter().chain(&args.against).map(PathBuf::as_path).chain(common.files());
    paths::check(read, args.json.as_deref().map(|path| ("--json", path)))?;
    let gazetteer = common.load_gazetteer()?;
    let read = |paths: &[PathBuf]| {
        paths.iter().map(|path| read_quietly(path, &args.labels, common)).collect::<Result<Vec<_>>>()
    };
    let (files, against) = (read(&args.files)?, read(&args.against)?);
    let report = check::check(&files, &against, &gazetteer);
    if let Some(json) = &args.json {
        write_json(Some(json), &report)?;
    }
    print(&mut stdout()?, &report)?;
    Ok(Outcome::failed_if(!report.is_clean()))
}

fn print(out: &mut impl Write, report: &Report) -> Result<()> {
    for file in &report.files {
        print_file(out, file)?;
    }
    for leaks in &report.leaks {
        print_leaks(out, leaks)?;
    }
    writeln!(out, "{}", if report.is_clean() { "no errors, no leaks" } else { "errors or leaks found" })?;
    Ok(())
}

fn print_file(out: &mut impl Write, file: &FileReport) -> Result<()> {
    writeln!(out, "{}: {} rows, {} texts", visible(&file.path), file.rows, file.texts)?;
    list(out, "rows that cannot be read", &file.errors, String::clone)?;
    list(out, "pairs labelled differently in equal texts", &file.conflicts, |conflict| {
        let rows: Vec<String> = conflict.rows.iter().map(|(line, label)| format!("{label} in line {line}")).collect();
        format!("{} toward {}: {}", conflict.state, conflict.actor, rows.join(", "))
    })?;
    list(out, "pairs that repeat an earlier one", &file.repeated, |r| {
        format!("line {} repeats line {}", r.line, r.of)
    })?;
    list(out, "texts that are nearly the same as an earlier one", &file.near, |r| {
        format!("line {} and line {} ({:.2})", r.line, r.of, r.overlap)
    })?;
    list(out, "ids of different texts", &file.shared_ids, |id| format!("`{}` in lines {}", id.id, lines(&id.lines)))?;
    list(out, "names that the gazetteer lacks", &file.unknown, |unknown| {
        let nearest = match unknown.nearest.as_slice() {
            [] => String::new(),
            names => format!("; did you mean {}?", names.join(", ")),
        };
        format!("`{}` in {}{nearest}", unknown.name, lines(&unknown.lines))
    })?;
    if !file.not_found.is_empty() {
        let n = file.not_found.len();
        writeln!(out, "  rows whose two names are not found: {n} (lines {})", lines(&file.not_found))?;
    }
    if !file.byte_offsets.is_empty() {
        let n = file.byte_offsets.len();
        let where_ = lines(&file.byte_offsets);
        writeln!(out, "  rows whose offsets seem to count bytes, not characters: {n} (lines {where_})")?;
    }
    for (what, balance) in [("STATE", &file.states), ("ACTOR", &file.actors)] {
        if !balance.is_empty() {
            print_balance(out, what, balance, file.states.iter().map(|b| b.rows).sum())?;
        }
    }
    writeln!(out)?;
    Ok(())
}

/// The first lines of many.
fn lines(lines: &[u64]) -> String {
    let mut text = lines.iter().take(SHOWN).map(u64::to_string).collect::<Vec<_>>().join(", ");
    if lines.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

fn list<T>(out: &mut impl Write, what: &str, findings: &[T], show: impl Fn(&T) -> String) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {what}: {}", findings.len())?;
    for finding in findings.iter().take(SHOWN) {
        writeln!(out, "    {}", detente::shortened(&show(finding)))?;
    }
    if findings.len() > SHOWN {
        writeln!(out, "    …")?;
    }
    Ok(())
}

fn print_balance(out: &mut impl Write, what: &str, balance: &[Balance], rows: usize) -> Result<()> {
    let mut cells = table(&[what, "ROWS", "SHARE", "ALIGNED", "NEUTRAL", "OPPOSED"]);
    for b in balance.iter().take(SHOWN) {
        let mut row =
            vec![visible(&b.name).into_owned(), b.rows.to_string(), format!("{:.3}", b.rows as f64 / rows as f64)];
        row.extend(b.labels.map(|n| n.to_string()));
        cells.add_row(row);
    }
    writeln!(out, "\n{}", cells.trim_fmt())?;
    Ok(())
}

fn print_leaks(out: &mut impl Write, leaks: &Leaks) -> Result<()> {
    let Leaks { path, within, rows, exact, near } = leaks;
    let (path, within) = (visible(path), visible(within));
    writeln!(
        out,
        "of {rows} rows of {path}, {} stand word for word in {within}, {} more nearly",
        exact.len(),
        near.len()
    )?;
    let show = |r: &Repeat| format!("{path}:{} is {within}:{} ({:.2})", r.line, r.of, r.overlap);
    for repeat in exact.iter().take(SHOWN / 2).chain(near.iter().take(SHOWN / 2)) {
        writeln!(out, "    {}", visible(&show(repeat)))?;
    }
    writeln!(out)?;
    Ok(())
}
