//! What `trend` counts: records that `predict` wrote, and the answers to articles.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use detente::gazetteer::{EntryId, Gazetteer};
use detente::source::{self, Format, Input, Source, Warn};
use detente::{Pipeline, Query, Record, visible};

use super::super::{Common, batches, progress};
use super::Args;

/// Bytes in which the names of columns are looked for.
const LOOKED_AT: usize = 4 << 10;

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
            if path == Path::new("-") {
                let beginning = beginning_of_stdin();
                let are_records = are_jsonl(&beginning);
                ensure!(are_records || !look_like(&beginning), no_jsonl(path));
                if are_records { &mut given.recorded } else { &mut given.written }.push(path.to_owned());
                continue;
            }
            let files = if path.is_dir() { tables_in(path) } else { vec![path.to_owned()] };
            let (recorded, others): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|file| holds(file));
            if let Some(file) = others.iter().find(|file| look_alike(file)) {
                bail!(no_jsonl(file));
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

fn no_jsonl(file: &Path) -> String {
    let file = shown(file);
    format!("{file}: these are answers of `predict`, no articles; trend reads them as JSONL: predict --format jsonl")
}

/// The beginning of standard input, as much as comes at once, unpacked; it is not taken from who reads it then. A block of zstd
/// shows nothing until it is there as a whole; whoever reads articles there refuses answers.
fn beginning_of_stdin() -> Vec<u8> {
    let bytes = io::stdin().lock().fill_buf().map(<[u8]>::to_vec).unwrap_or_default();
    source::beginning(&Input::Bytes("-".into(), bytes.into()), LOOKED_AT).unwrap_or_default()
}

/// Whether what begins so is JSONL of `predict`.
fn are_jsonl(beginning: &[u8]) -> bool {
    beginning.starts_with(b"{") && look_like(beginning)
}

/// Whether an input holds the records of `predict`.
pub fn are(input: &Input) -> bool {
    source::beginning(input, LOOKED_AT).is_ok_and(|beginning| are_jsonl(&beginning))
}

/// Whether a file holds them.
fn holds(path: &Path) -> bool {
    is_file(path) && are(&Input::Path(path.into()))
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file())
}

/// Whether a file that is no JSONL of records has their columns.
fn look_alike(path: &Path) -> bool {
    is_file(path) && (columns_of_parquet(path).is_some_and(|end| look_like(&end)) || may_be(&Input::Path(path.into())))
}

/// Whether the columns of records stand where those of an input do.
pub fn may_be(input: &Input) -> bool {
    source::beginning(input, LOOKED_AT).is_ok_and(|beginning| look_like(&beginning))
}

/// The end of a Parquet file, where it says what its columns are; `None` of any other.
fn columns_of_parquet(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let (mut mark, mut end) = ([0; 4], Vec::new());
    file.read_exact(&mut mark).ok().filter(|()| mark == *b"PAR1")?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT as u64))).ok()?;
    file.read_to_end(&mut end).ok()?;
    Some(end)
}

/// Whether the names of records' columns are among these bytes.
fn look_like(bytes: &[u8]) -> bool {
    let has = |name: &str| memchr::memmem::find(bytes, name.as_bytes()).is_some();
    has("state_code") && has("actor_code") && (has("p_aligned") || has("probabilities"))
}

/// Reads the records of an input.
pub fn read(input: &Input, warn: &Warn, mut with: impl FnMut(Record)) -> Result<()> {
    for (number, line) in source::text_lines(input, warn)?.enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let record = serde_json::from_str(&line);
        let place = || format!("{}:{}", visible(&input.name()), number + 1);
        with(record.with_context(|| format!("{}: expected a record of `detente predict`", place()))?);
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
