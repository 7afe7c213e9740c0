//! `detente gazetteer`: what names the program knows.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use detente::gazetteer::{EntryId, Gazetteer};
use detente::input_file;

use super::output::{stdout, table};
use super::{Common, Outcome};

/// List or look up the states, bodies and names that detente knows
///
/// Examples:
///   detente gazetteer find Kremlin
///   detente gazetteer list --format csv > names.csv
///   detente gazetteer check my-names.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every entry
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Show the entry that a name, alias or code stands for, with all its names
    Find {
        /// A name, alias or code
        name: String,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Say what may surprise about names of one's own: repeated, moved, shadowed by longer ones, ambiguous
    ///
    /// Exits with 1 if there is anything to say.
    #[command(verbatim_doc_comment)]
    Check {
        /// A file for --gazetteer
        file: PathBuf,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Csv,
    Jsonl,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let gazetteer = common.load_gazetteer()?;
    match &args.action {
        Action::List { format } => list(&gazetteer, *format)?,
        Action::Find { name, format } => {
            let id = detente::pipeline::find(&gazetteer, name)?;
            show(&gazetteer, id, *format)?;
        }
        Action::Check { file, format } => return check(&gazetteer, file, *format),
    }
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct EntryRow<'g> {
    code: &'g str,
    name: &'g str,
    kind: String,
    region: &'g str,
    aliases: usize,
}

fn list(gazetteer: &Gazetteer, format: Format) -> Result<()> {
    let rows: Vec<EntryRow<'_>> = gazetteer
        .entries()
        .iter()
        .zip(0..)
        .map(|(entry, id)| {
            let id = EntryId(id);
            EntryRow {
                code: &entry.code,
                name: &entry.name,
                kind: entry.kind.to_string(),
                region: &entry.region,
                aliases: gazetteer.aliases(id).count(),
            }
        })
        .collect();
    print(format, &rows, &["CODE", "NAME", "KIND", "REGION", "ALIASES"], |r| {
        vec![r.code.into(), r.name.into(), r.kind.clone(), r.region.into(), r.aliases.to_string()]
    })
}

#[derive(Serialize)]
struct AliasRow<'g> {
    code: &'g str,
    name: &'g str,
    alias: &'g str,
    how: String,
    from: &'g str,
    until: &'g str,
}

fn show(gazetteer: &Gazetteer, id: EntryId, format: Format) -> Result<()> {
    let entry = gazetteer.get(id);
    let rows: Vec<AliasRow<'_>> = gazetteer
        .aliases(id)
        .map(|alias| AliasRow {
            code: &entry.code,
            name: &entry.name,
            alias: alias.text,
            how: alias.how.to_string(),
            from: alias.from,
            until: alias.until,
        })
        .collect();
    print(format, &rows, &["CODE", "NAME", "ALIAS", "HOW", "FROM", "UNTIL"], |r| {
        vec![r.code.into(), r.name.into(), r.alias.into(), r.how.clone(), r.from.into(), r.until.into()]
    })
}

#[derive(Serialize)]
struct FindingRow<'f> {
    line: u64,
    code: &'f str,
    alias: &'f str,
    finding: String,
}

fn check(gazetteer: &Gazetteer, file: &Path, format: Format) -> Result<Outcome> {
    let names = input_file::read(file, input_file::MAX_NAMES)?;
    let findings = gazetteer.check_overrides(&names, &file.display().to_string())?;
    if findings.is_empty() && matches!(format, Format::Table) {
        writeln!(stdout()?, "nothing to say")?;
        return Ok(Outcome::Done);
    }
    let rows: Vec<FindingRow<'_>> = findings
        .iter()
        .map(|f| FindingRow { line: f.line, code: &f.code, alias: &f.alias, finding: f.problem.to_string() })
        .collect();
    print(format, &rows, &["LINE", "CODE", "ALIAS", "FINDING"], |r| {
        vec![r.line.to_string(), r.code.into(), r.alias.into(), r.finding.clone()]
    })?;
    Ok(Outcome::failed_if(!findings.is_empty()))
}

fn print<R: Serialize>(format: Format, rows: &[R], header: &[&str], cells: impl Fn(&R) -> Vec<String>) -> Result<()> {
    let mut out = stdout()?;
    match format {
        Format::Table => {
            let mut table = table(header);
            table.add_rows(
                rows.iter().map(|row| cells(row).iter().map(|c| detente::visible(c).into_owned()).collect::<Vec<_>>()),
            );
            writeln!(out, "{}", table.trim_fmt())?;
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(out);
            for row in rows {
                writer.serialize(row)?;
            }
            writer.flush()?;
        }
        Format::Jsonl => {
            for row in rows {
                serde_json::to_writer(&mut out, row)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}
