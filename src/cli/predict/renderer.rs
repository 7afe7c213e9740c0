//! What is written of each article: a table for people, a record a pair for programs.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Result;
use rayon::prelude::*;
use unicode_width::UnicodeWidthStr;

use detente::model::reference::Reference;
use detente::pipeline::Prediction;
use detente::{Article, Pipeline, Query, Record, Stance, visible};

use super::super::models::is_fast;
use super::super::output::{Format, footnote, matrix, paint_decided, shorten, table, width};
use super::{Args, Sort};

/// Articles that one thread hands to the model at once.
const SCORED_TOGETHER: usize = 8;
/// The most of a model that needs little memory for each: what is the same for all of them is done less often.
const SCORED_TOGETHER_FAST: usize = 32;
/// As many parts as this has each thread at least, where there are so many articles: some take longer than others.
const PARTS: usize = 4;

/// What is held of an article while those before it are written: 64 KiB, a dozen times as much as most need. What is more is
/// answered again when its turn comes.
const HELD: usize = 64 << 10;

/// Memory that takes no more than `limit` bytes.
struct Limited<'m> {
    bytes: &'m mut Vec<u8>,
    limit: usize,
    full: bool,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > self.limit {
            self.full = true;
            return Err(io::Error::other("a full buffer"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Which pairs are shown, and whether with sets of stances.
#[derive(Clone, Copy)]
pub(super) struct Answers<'a> {
    pub min_prob: f64,
    pub conformal: Option<(f64, &'a Reference)>,
}

/// The column of the set of stances that holds the truth as often as was asked.
pub(super) const LABEL_SET: &str = "label_set";

/// Makes of articles what is written of them; it writes nothing itself, so that others can be answered meanwhile.
pub(super) struct Renderer<'a> {
    pub args: &'a Args,
    pub answers: Answers<'a>,
    /// Fields of rows that are carried through, and the set of stances.
    pub keep: Vec<String>,
    pub format: Format,
    /// How many articles have been answered.
    answered: AtomicUsize,
    is_over: AtomicBool,
}

/// What is written of an article.
pub(super) enum Rendered {
    /// The heading of its table, and all else.
    Text(String, Vec<u8>),
    Records(Vec<Record>),
}

/// What is written of an article, if it is held, and what a page is told of it, if there is one.
pub(super) type Answered = (Option<Rendered>, Option<Vec<Record>>);

impl<'a> Renderer<'a> {
    pub fn new(args: &'a Args, answers: Answers<'a>, format: Format) -> Self {
        let set = answers.conformal.map(|_| LABEL_SET.to_owned());
        let keep = args.keep.iter().cloned().chain(set).collect();
        Self { args, answers, keep, format, answered: AtomicUsize::new(0), is_over: AtomicBool::new(false) }
    }

    /// How many articles have been answered, those among them that are not written yet.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Has nothing more answered: nobody takes it.
    pub fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Answers for all of the articles, on all threads; for none after [`stop`](Self::stop).
    pub fn answer(&self, pipeline: &Pipeline, query: &Query, articles: &[Article]) -> Result<Vec<Answered>> {
        let most = if is_fast(pipeline) { SCORED_TOGETHER_FAST } else { SCORED_TOGETHER };
        let together = articles.len().div_ceil(PARTS * rayon::current_num_threads()).clamp(SCORED_TOGETHER, most);
        let rendered: Vec<Vec<Answered>> = articles
            .par_chunks(together)
            .map(|some| {
                if self.is_over.load(Ordering::Relaxed) {
                    return Ok(Vec::new());
                }
                let mut memory = Vec::new();
                let both = |(article, predictions): (&Article, Vec<Prediction<'_>>)| {
                    let records = self.args.html.is_some().then(|| owned(self.records(article, &predictions)));
                    Ok((self.held(article, &predictions, &mut memory)?, records))
                };
                let rendered = some.iter().zip(pipeline.predict_batch(some, query)).map(both).collect();
                self.answered.fetch_add(some.len(), Ordering::Relaxed);
                rendered
            })
            .collect::<Result<_>>()?;
        Ok(rendered.into_iter().flatten().collect())
    }

    /// What is written of an article; `None` where it is more than is held. It is put together in
    /// `memory`; held is a copy that is just as long.
    fn held(
        &self,
        article: &Article,
        predictions: &[Prediction<'_>],
        memory: &mut Vec<u8>,
    ) -> Result<Option<Rendered>> {
        if self.format == Format::Parquet {
            return Ok(Some(Rendered::Records(owned(self.records(article, predictions)))));
        }
        let limit = if self.args.sort == Some(Sort::Date) { usize::MAX } else { HELD };
        memory.clear();
        let mut out = Limited { bytes: memory, limit, full: false };
        match self.render(article, predictions, &mut out) {
            Err(_) if out.full => Ok(None),
            rendered => rendered.map(|()| Some(Rendered::Text(self.heading(article), memory.clone()))),
        }
    }

    /// What stands above the table of an article: its id, and date and title where they are known; nothing where there are
    /// no tables.
    pub fn heading(&self, article: &Article) -> String {
        if self.format != Format::Table {
            return String::new();
        }
        let id = visible(&article.id);
        let date = article.date.as_deref().map(|date| format!("  {}", shorten(date, 25))).unwrap_or_default();
        let room = width().saturating_sub(id.chars().count() + date.chars().count() + 2).max(20);
        let title = article.title.as_deref().map(|title| format!("  {}", shorten(title, room))).unwrap_or_default();
        format!("{id}{date}{title}")
    }

    /// The records of an article that are wanted, in order.
    fn records<'r>(&self, article: &'r Article, predictions: &'r [Prediction<'r>]) -> Vec<Record<&'r str>> {
        let kept = |record: &Record<&str>| {
            record.probability() >= self.answers.min_prob
                && (self.args.only.is_none() || record.stance != Stance::Neutral)
        };
        // A filter does not say how many it lets through.
        let mut records = Vec::with_capacity(predictions.len());
        records.extend(Record::lent(article, predictions).filter(kept));
        if let Some((level, reference)) = self.answers.conformal {
            for record in &mut records {
                let set = reference.label_set(level, &record.probabilities.to_array());
                let set: Vec<&str> = set.into_iter().map(Stance::as_str).collect();
                record.columns.insert(LABEL_SET.into(), set.join("|"));
            }
        }
        match self.args.sort {
            Some(Sort::Prob) => records.sort_by(|a, b| b.probability().total_cmp(&a.probability())),
            Some(Sort::State) => records.sort_by(|a, b| (&a.state, &a.actor).cmp(&(&b.state, &b.actor))),
            Some(Sort::Date) | None => {}
        }
        records
    }

    /// Writes the records of an article, or its table.
    pub fn render(&self, article: &Article, predictions: &[Prediction<'_>], out: &mut impl Write) -> Result<()> {
        let records = self.records(article, predictions);
        match self.format {
            Format::Jsonl | Format::Json => {
                let (before, after): (&[u8], &[u8]) =
                    if self.format == Format::Json { (b",\n", b"") } else { (b"", b"\n") };
                // A record in one piece, of 2 KiB or less most often; what it begins with is the same for all of an article.
                let mut line = Vec::with_capacity(1 << 11);
                line.extend_from_slice(before);
                if let Some(first) = records.first() {
                    first.write_article(&mut line)?;
                }
                let begun = line.len();
                for (at, record) in records.iter().enumerate() {
                    line.truncate(begun);
                    record.write_pair(&mut line)?;
                    line.extend_from_slice(after);
                    out.write_all(if at > 0 { &line } else { &line[before.len()..] })?;
                }
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                for record in owned(records) {
                    let kept = self.keep.iter().map(|name| record.columns.get(name).cloned().unwrap_or_default());
                    let cells = record.row()?.into_iter().chain(kept);
                    if self.args.excel {
                        writer.write_record(cells.map(without_formula))?;
                    } else {
                        writer.write_record(cells)?;
                    }
                }
                writer.flush()?;
            }
            Format::Table if records.is_empty() && !predictions.is_empty() => {
                writeln!(out, "no pair that was asked for")?
            }
            Format::Table if records.is_empty() => writeln!(out, "no state is connected with the actor")?,
            Format::Table if self.args.all_actors => matrix(out, &owned(records))?,
            Format::Table => list(out, &owned(records), self.args)?,
            Format::Parquet => {}
        }
        Ok(())
    }
}

fn owned(records: Vec<Record<&str>>) -> Vec<Record> {
    records.into_iter().map(Record::into_owned).collect()
}

/// A cell that no spreadsheet takes for a formula.
fn without_formula(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

fn list(out: &mut impl Write, records: &[Record], args: &Args) -> Result<()> {
    let several = args.actor.len() > 1;
    let mut header = vec!["STATE", "STANCE", "PROB", "EVIDENCE"];
    let sets = args.conformal.is_some();
    if sets {
        header.insert(3, "SET");
    }
    if several {
        header.insert(1, "ACTOR");
    }
    let mut rows = table(&header);
    let beside = if several { 40 } else { 22 } + if sets { 26 } else { 0 };
    // On a narrow terminal, name and evidence share what is left.
    let left = width().saturating_sub(beside).max(16);
    let names =
        records.iter().map(|r| visible(&r.state).width()).max().unwrap_or(0).min(left.saturating_sub(8).max(left / 2));
    let room = left.saturating_sub(names).max(8);
    for r in records {
        let mut evidence: Vec<String> = r.evidence.iter().map(|e| shorten(&e.text, room)).collect();
        if r.no_evidence {
            evidence.push("(no evidence)".into());
        }
        let mut row = vec![
            shorten(&r.state, names),
            paint_decided(r.stance, r.by_advantage()),
            format!("{:.2}", r.probability()),
            evidence.join("\n"),
        ];
        if sets {
            row.insert(3, r.columns.get(LABEL_SET).map(|set| set.replace('|', " ")).unwrap_or_default());
        }
        if several {
            row.insert(1, shorten(&r.actor, 17));
        }
        rows.add_row(row);
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    footnote(out, records)
}
