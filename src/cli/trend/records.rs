//! What `trend` counts: records that `predict` wrote, and the answers to articles.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use detente::gazetteer::{EntryId, Gazetteer};
use detente::source::{self, Format, Input, ReadOptions, Source, Warn};
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
    /// Looks at the first row of each file, of those in folders too, and of standard input; rows are read by these options.
    ///
    /// # Errors
    /// Where there are answers of `predict` that are no JSONL, or some beside articles in one folder.
    pub fn new<'p>(paths: impl Iterator<Item = &'p Path>, options: &Arc<ReadOptions>) -> Result<Self> {
        let mut given = Self::default();
        for path in paths {
            let files = if path.is_dir() { tables_in(path) } else { vec![path.to_owned()] };
            let (mut recorded, mut others) = (Vec::new(), Vec::new());
            for file in files {
                let source =
                    looked_at(&file).filter(|source| source::holds_answers(&source.clone().with_options(options)));
                ensure!(source.as_ref().is_none_or(|source| are_lines(&source.input)), no_jsonl(&file));
                if source.is_some() { &mut recorded } else { &mut others }.push(file);
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

/// What can be looked at without taking it from who reads it then: files, and as much of standard input as comes at once. Whoever
/// reads articles elsewhere refuses answers.
fn looked_at(path: &Path) -> Option<Source> {
    const LOOKED_AT: usize = 64 << 10;
    if path != Path::new("-") {
        return std::fs::metadata(path).is_ok_and(|found| found.is_file()).then(|| Source::file(path));
    }
    let bytes = io::stdin().lock().fill_buf().ok()?.to_vec();
    // A block of zstd shows nothing until it is there as a whole.
    let beginning = source::beginning(&Input::Bytes("-".into(), bytes.into()), LOOKED_AT).ok()?;
    Some(Source::bytes("-", beginning))
}

/// Whether an input is JSONL, if it is JSON or a table.
pub fn are_lines(input: &Input) -> bool {
    const LOOKED_AT: usize = 256;
    source::beginning(input, LOOKED_AT).is_ok_and(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
    })
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
