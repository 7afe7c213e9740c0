//! `detente gazetteer`: what names the program knows.

use std::io::Write;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use detente::gazetteer::{EntryId, Gazetteer};

use super::output::{stdout, table};
use super::{Common, Outcome};

/// List or look up the states, bodies and names that detente knows
///
/// Examples:
///   detente gazetteer find Kremlin
///   detente gazetteer list --format csv > names.csv
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
