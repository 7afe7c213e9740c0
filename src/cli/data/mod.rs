//! `detente data`: labelled files joined, counted, checked, divided, compared; what to label and what to read again.

mod agreement;
mod check;
mod convert;
mod export;
mod import;
mod join;
mod sample;
mod split;
mod stats;
mod suspects;
mod windows;

use std::path::Path;

use anyhow::{Result, ensure};
use clap::{Subcommand, ValueEnum};

use detente::data::LabelledOptions;
use detente::data::{self, DataFile};
use detente::{LabelledPair, source};

use super::complaints::Complaints;
use super::output::Sink;
use super::{Common, LabelArgs, Outcome, paths};

/// Make, check, count, divide and compare labelled data
///
/// Examples:
///   detente data check train.csv --against test.csv
///   detente data sample archive.jsonl --uncertain --n 200 --output next.csv
///   detente data import project.json --format label-studio --output rows.csv
///   detente data agreement first.csv second.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Check(check::Args),
    Stats(stats::Args),
    Split(split::Args),
    Join(join::Args),
    Agreement(agreement::Args),
    Convert(convert::Args),
    Import(import::Args),
    Export(export::Args),
    Sample(sample::Args),
    Suspects(suspects::Args),
    Windows(windows::Args),
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    match &args.action {
        Action::Check(a) => check::run(a, common),
        Action::Stats(a) => stats::run(a, common),
        Action::Split(a) => split::run(a, common),
        Action::Join(a) => join::run(a, common),
        Action::Agreement(a) => agreement::run(a, common),
        Action::Convert(a) => convert::run(a, common),
        Action::Import(a) => import::run(a, common),
        Action::Export(a) => export::run(a, common),
        Action::Sample(a) => sample::run(a, common),
        Action::Suspects(a) => suspects::run(a, common),
        Action::Windows(a) => windows::run(a, common),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// For programs
    Json,
}

/// `--format` of a list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Listing {
    /// Columns for people
    Table,
    /// With a header
    Csv,
    /// An object a line
    Jsonl,
}

/// Reads a file; its bad rows are left to the caller.
fn read_quietly(path: &Path, labels: &LabelArgs, common: &Common) -> Result<DataFile> {
    let options = LabelledOptions { labels: labels.label_map.clone(), ..LabelledOptions::default() };
    Ok(data::read(path, &options, &common.warn())?)
}

/// Reads a file and reports its bad rows.
fn read(path: &Path, labels: &LabelArgs, common: &Common) -> Result<DataFile> {
    let file = read_quietly(path, labels, common)?;
    report(&file);
    Ok(file)
}

fn report(file: &DataFile) {
    let mut complaints = Complaints::default();
    file.errors.iter().for_each(|error| complaints.add(error));
    complaints.finish();
}

/// Reads a file of which every row must be good, before anything is written.
fn read_whole(path: &Path, labels: &LabelArgs, common: &Common) -> Result<DataFile> {
    whole(read_quietly(path, labels, common)?)
}

/// The file, reported and refused if any row of it is bad.
fn whole(file: DataFile) -> Result<DataFile> {
    report(&file);
    ensure!(file.errors.is_empty(), "{}: nothing was written, for rows that cannot be read", file.path);
    Ok(file)
}

/// Reads rows that may lack a label, every one of them good.
fn read_unlabelled(path: &Path, labels: &LabelArgs, common: &Common) -> Result<Vec<LabelledPair>> {
    let options = LabelledOptions { labels: labels.label_map.clone(), label_required: false };
    Ok(whole(data::read(path, &options, &common.warn())?)?.pairs)
}

/// Writes rows as CSV, or as JSONL where the file's name says so.
fn write_rows(path: Option<&Path>, pairs: &[LabelledPair]) -> Result<()> {
    let jsonl = path.is_some_and(|path| source::Format::of(path) == Some(source::Format::Jsonl));
    let mut sink = Sink::open(path)?;
    if jsonl {
        data::write_jsonl(&mut sink, pairs)?;
    } else {
        data::write_csv(&mut sink, pairs)?;
    }
    sink.finish()
}
