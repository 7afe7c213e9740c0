//! What `trend` counts: records that `predict` wrote, and the answers to articles.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use detente::gazetteer::{EntryId, Gazetteer};
use detente::source::{self, Format, Source};
use detente::{Pipeline, Query, Record, visible};

use super::super::{Common, batches, progress};
use super::Args;

/// What `trend` counts, told apart.
#[derive(Debug, Default)]
pub struct Given {
    /// Files of records, and `-` where standard input has some.
    pub recorded: Vec<PathBuf>,
    /// What holds articles.
    pub written: Vec<PathBuf>,
}

impl Given {
    /// Looks at the beginning of each file, of those in folders too, and of standard input.
    ///
    /// # Errors
    /// Where answers of `predict` would be read as articles, and give figures of something else.
    pub fn new<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self> {
        let mut given = Self::default();
        for path in paths {
            let files = if path.is_dir() { tables_in(path) } else { vec![path.to_owned()] };
            let (recorded, others): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|file| holds(file));
            if let Some(file) = others.iter().find(|file| look_alike(file)) {
                bail!(
                    "{}: these are answers of `predict`, no articles; trend reads them as JSONL: predict --format jsonl",
                    shown(file)
                );
            }
            if recorded.is_empty() {
                given.written.push(path.to_owned());
            } else {
                let other = others.first().map(|other| shown(other)).unwrap_or_default();
                ensure!(
                    others.is_empty(),
                    "{}: answers of `predict` lie beside articles, as {other}; name the files of the one or the other",
                    shown(path)
                );
                given.recorded.extend(recorded);
            }
        }
        Ok(given)
    }
}

/// The files of a folder that can be answers of `predict`.
fn tables_in(folder: &Path) -> Vec<PathBuf> {
    let is_table = |source: &Source| {
        matches!(source.format, Format::Jsonl | Format::Json | Format::Csv | Format::Tsv | Format::Parquet)
    };
    let sources = source::inputs(&[folder], None).sources.into_iter().flatten();
    sources.filter(is_table).map(|source| source.input.path().to_owned()).collect()
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

/// The beginning of standard input, as much as comes at once; it is not taken from who reads it then.
fn beginning() -> Vec<u8> {
    io::stdin().lock().fill_buf().map(<[u8]>::to_vec).unwrap_or_default()
}

/// Whether a file holds the records of `predict`.
fn holds(path: &Path) -> bool {
    if path == Path::new("-") {
        let beginning = beginning();
        return beginning.starts_with(b"{") && look_like(&beginning);
    }
    let Ok(file) = File::open(path) else { return false };
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    is_file && are(BufReader::new(file))
}

/// Whether the first line is a record of `predict`.
pub fn are(mut lines: impl BufRead) -> bool {
    let mut line = String::new();
    lines.read_line(&mut line).is_ok() && serde_json::from_str::<Record>(&line).is_ok()
}

/// Whether a file that is no JSONL of records has their columns.
fn look_alike(path: &Path) -> bool {
    const LOOKED_AT: u64 = 4 << 10;
    if path == Path::new("-") {
        return look_like(&beginning());
    }
    let Ok(file) = File::open(path) else { return false };
    let Some(length) = file.metadata().ok().filter(Metadata::is_file).map(|found| found.len()) else { return false };
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let read = (&file).take(LOOKED_AT).read_to_end(&mut first);
    let read = read.and_then(|_| (&file).seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT))));
    let is_parquet = first.starts_with(b"PAR1");
    if is_parquet && read.and_then(|_| (&file).take(LOOKED_AT).read_to_end(&mut last)).is_err() {
        return false;
    }
    look_like(if is_parquet { &last } else { &first })
}

/// Whether the names of records' columns stand where those of a file do.
pub fn look_like(bytes: &[u8]) -> bool {
    let has = |name: &str| memchr::memmem::find(bytes, name.as_bytes()).is_some();
    has("state_code") && has("actor_code") && (has("p_aligned") || has("probabilities"))
}

pub fn read(path: &Path, with: impl FnMut(Record)) -> Result<()> {
    let name = path.to_string_lossy();
    if path == Path::new("-") {
        return parse(io::stdin().lock(), &name, with);
    }
    parse(BufReader::new(File::open(path).with_context(|| shown(path))?), &name, with)
}

/// Reads records from what is called `name`.
pub fn parse(lines: impl BufRead, name: &str, mut with: impl FnMut(Record)) -> Result<()> {
    let shown = || visible(name).into_owned();
    for (number, line) in lines.lines().enumerate() {
        let line = line.with_context(shown)?;
        if line.trim().is_empty() {
            continue;
        }
        let record = serde_json::from_str(&line);
        with(record.with_context(|| format!("{}:{}: expected a record of `detente predict`", shown(), number + 1))?);
    }
    Ok(())
}

/// Whether a record is of the states and actors that were asked for.
pub fn asked<'q>(query: &'q Query, gazetteer: &'q Gazetteer) -> impl Fn(&Record) -> bool + 'q {
    let named = |ids: &[EntryId], code: &str| ids.is_empty() || ids.iter().any(|id| gazetteer.get(*id).code == code);
    move |record| named(&query.actors, &record.actor_code) && named(&query.states, &record.state_code)
}

/// Answers articles, and appends their records; gives whether some failed.
pub fn answer(
    args: &Args,
    written: &[PathBuf],
    pipeline: &Pipeline,
    query: &Query,
    common: &Common,
    records: &mut Vec<Record>,
) -> Result<bool> {
    /// Articles that one thread hands to the model at once; fewer, where threads would have nothing to do.
    const TOGETHER: usize = 8;
    let (inputs, complaints) = args.read.inputs(written, &[], common);
    let bar = progress::articles(common);
    let wanted = batches::Wanted { any_language: args.any_language };
    let (batches, reader) = batches::read(args.articles.given(), inputs, complaints, common.warn(), wanted);
    for batch in batches {
        let of = |some: &[detente::Article]| -> Vec<Record> {
            let answered = some.iter().zip(pipeline.predict_batch(some, query));
            answered.flat_map(|(article, predictions)| Record::all(article, &predictions).collect::<Vec<_>>()).collect()
        };
        let together = batch.len().div_ceil(rayon::current_num_threads()).clamp(1, TOGETHER);
        let found: Vec<Vec<Record>> = batch.par_chunks(together).map(of).collect();
        records.extend(found.into_iter().flatten());
        bar.inc(batch.len() as u64);
    }
    let mut read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bar.finish_and_clear();
    let failed = read.finish();
    ensure!(read.any, "nothing could be read");
    Ok(failed)
}
