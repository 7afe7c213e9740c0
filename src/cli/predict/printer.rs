//! How the answers of `detente predict` are written: a table for people, a record a pair for programs.

use std::io::{self, Write};

use anyhow::Result;
use rayon::prelude::*;
use unicode_width::UnicodeWidthStr;

use detente::model::reference::Reference;
use detente::pipeline::Prediction;
use detente::report::PredictionPage;
use detente::{Article, Date, Pipeline, Query, Record, Stance, visible};

use super::super::Common;
use super::super::output::{Format, Sink, command_line, shorten, table, width};
use super::super::parquet::RecordFile;
use super::super::resume::Resumable;
use super::{Args, Sort};

/// Articles that one thread hands to the model at once.
const SCORED_TOGETHER: usize = 8;

/// What of an article a batch may hold at once: 256 KiB.
const HELD: usize = 256 << 10;

/// A buffer that takes no more than `limit` bytes.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Write for Limited {
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

/// Writes predictions in the order of the articles, or of their dates.
pub(super) struct Printer<'a> {
    args: &'a Args,
    answers: Answers<'a>,
    /// Fields of rows that are carried through, and the set of stances.
    keep: Vec<String>,
    format: Format,
    sink: Output,
    /// Whether each article's table has a heading: where there are several inputs, or one of several articles.
    headed: bool,
    articles: usize,
    /// The table of the first article, while it is not known whether another follows.
    first: Option<(String, Vec<u8>)>,
    /// What waits to be put in the order of the dates.
    dated: Vec<(Option<Date>, Rendered)>,
    undated: usize,
    /// A page, and where it goes.
    page: Option<(PredictionPage, Sink)>,
}

/// Where predictions go.
enum Output {
    Text(Sink),
    Parquet(Box<RecordFile>),
}

/// What is written for an article.
enum Rendered {
    /// The heading of its table, and all else.
    Text(String, Vec<u8>),
    Records(Vec<Record>),
}

/// What is written for an article, if it is held, and what a page is told of it, if there is one.
type Answered = (Option<Rendered>, Option<Vec<Record>>);

impl<'a> Printer<'a> {
    pub fn new(
        args: &'a Args,
        answers: Answers<'a>,
        format: Format,
        headed: bool,
        resumable: Option<&Resumable>,
    ) -> Result<Self> {
        let set = answers.conformal.map(|_| LABEL_SET.to_owned());
        let keep: Vec<String> = args.keep.iter().cloned().chain(set).collect();
        let mut sink = match (resumable, args.output.as_deref()) {
            (Some(resumable), Some(path)) => Sink::Kept(io::BufWriter::new(resumable.file()?), path.to_path_buf()),
            // Who asks for a page and no more is not shown the table of each article.
            (_, None) if args.html.is_some() && args.format.is_none() => Sink::Nowhere,
            (_, path) => Sink::open(path)?,
        };
        if format == Format::Csv && !resumable.is_some_and(Resumable::has_begun) {
            let header = Record::COLUMNS.into_iter().map(str::to_owned).chain(kept_columns(&keep));
            csv::Writer::from_writer(&mut sink).write_record(header)?;
        }
        let sink = if format == Format::Parquet {
            Output::Parquet(Box::new(RecordFile::new(sink, &keep, kept_columns(&keep))?))
        } else {
            Output::Text(sink)
        };
        // Opened now: that it cannot be written is known before an article is answered.
        let open = |path| -> Result<_> { Ok((PredictionPage::new(command_line()), Sink::open(Some(path))?)) };
        let page = args.html.as_deref().map(open).transpose()?;
        let (articles, first, dated, undated) = (0, None, Vec::new(), 0);
        Ok(Self { args, answers, keep, format, sink, headed, articles, first, dated, undated, page })
    }

    pub fn print(&mut self, pipeline: &Pipeline, query: &Query, articles: &[Article]) -> Result<()> {
        let render = |(article, predictions): (&Article, Vec<Prediction<'_>>)| -> Result<Option<Rendered>> {
            if self.format == Format::Parquet {
                return Ok(Some(Rendered::Records(self.records(article, &predictions))));
            }
            let limit = if self.args.sort == Some(Sort::Date) { usize::MAX } else { HELD };
            let mut out = Limited { bytes: Vec::new(), limit, full: false };
            match self.render(article, &predictions, &mut out) {
                Err(_) if out.full => Ok(None),
                rendered => rendered.map(|()| Some(Rendered::Text(heading(article), out.bytes))),
            }
        };
        let both = |(article, predictions): (&Article, Vec<Prediction<'_>>)| {
            let records = self.page.as_ref().map(|_| self.records(article, &predictions));
            Ok((render((article, predictions))?, records))
        };
        let rendered: Vec<Vec<Answered>> = articles
            .par_chunks(SCORED_TOGETHER)
            .map(|some| some.iter().zip(pipeline.predict_batch(some, query)).map(both).collect())
            .collect::<Result<_>>()?;
        for (article, (rendered, records)) in articles.iter().zip(rendered.into_iter().flatten()) {
            if let Some(((page, _), records)) = self.page.as_mut().zip(records) {
                page.add_article(article, records);
            }
            match rendered {
                Some(rendered) if self.args.sort == Some(Sort::Date) => {
                    self.undated += usize::from(article.when().is_none());
                    self.dated.push((article.when(), rendered));
                }
                Some(rendered) => self.write(rendered)?,
                None => {
                    // More than is held for each article of a batch: once more, and right to where it goes.
                    self.write(Rendered::Text(heading(article), Vec::new()))?;
                    let mut sink = std::mem::replace(&mut self.sink, Output::Text(Sink::Nowhere));
                    let predictions = pipeline.predict(article, query);
                    let written = match &mut sink {
                        Output::Text(sink) => self.write_at_once(article, &predictions, sink),
                        Output::Parquet(_) => Ok(()),
                    };
                    self.sink = sink;
                    written?;
                }
            }
        }
        Ok(())
    }

    /// Hands all that is written to the file.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.sink {
            Output::Text(sink) => Ok(sink.flush()?),
            Output::Parquet(_) => Ok(()),
        }
    }

    /// The records of an article that are wanted, in order.
    fn records(&self, article: &Article, predictions: &[Prediction<'_>]) -> Vec<Record> {
        let kept = |record: &Record| {
            record.probability() >= self.answers.min_prob
                && (self.args.only.is_none() || record.stance != Stance::Neutral)
        };
        let mut records: Vec<Record> = Record::all(article, predictions).filter(kept).collect();
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

    fn write_at_once(&mut self, article: &Article, predictions: &[Prediction<'_>], sink: &mut Sink) -> Result<()> {
        if self.format == Format::Json {
            sink.write_all(between(self.articles))?;
            self.articles += 1;
        }
        self.render(article, predictions, sink)
    }

    fn write(&mut self, rendered: Rendered) -> Result<()> {
        let (heading, bytes) = match (rendered, &mut self.sink) {
            (Rendered::Records(records), Output::Parquet(file)) => return file.write(records),
            (Rendered::Text(heading, bytes), Output::Text(_)) => (heading, bytes),
            _ => return Ok(()),
        };
        let Output::Text(sink) = &mut self.sink else { return Ok(()) };
        if self.format == Format::Json {
            // An article without pairs leaves no mark.
            if !bytes.is_empty() {
                sink.write_all(between(self.articles))?;
                self.articles += 1;
                sink.write_all(&bytes)?;
            }
            return Ok(());
        }
        let first = self.articles == 0;
        self.articles += 1;
        if self.format != Format::Table {
            sink.write_all(&bytes)?;
        } else if first && !self.headed && !bytes.is_empty() {
            self.first = Some((heading, bytes));
        } else {
            if let Some((heading, bytes)) = self.first.take() {
                writeln!(sink, "{heading}")?;
                sink.write_all(&bytes)?;
            }
            let blank = if first { "" } else { "\n" };
            writeln!(sink, "{blank}{heading}")?;
            sink.write_all(&bytes)?;
        }
        Ok(())
    }

    fn render(&self, article: &Article, predictions: &[Prediction<'_>], out: &mut impl Write) -> Result<()> {
        let records = self.records(article, predictions);
        match self.format {
            Format::Jsonl => {
                for record in records {
                    serde_json::to_writer(&mut *out, &record)?;
                    out.write_all(b"\n")?;
                }
            }
            Format::Json => {
                for (at, record) in records.iter().enumerate() {
                    out.write_all(if at > 0 { b",\n" } else { b"" })?;
                    serde_json::to_writer(&mut *out, record)?;
                }
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                for record in records {
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
            Format::Table if self.args.all_actors => super::super::output::matrix(out, &records)?,
            Format::Table => list(out, &records, self.args)?,
            Format::Parquet => {}
        }
        Ok(())
    }

    pub fn finish(mut self, common: &Common) -> Result<()> {
        if let Some((page, mut sink)) = self.page.take() {
            page.write(&mut sink)?;
            sink.finish()?;
        }
        if self.undated > 0 {
            common.note(format_args!(
                "{} articles come last: they have no date, or none that can be read without guessing",
                self.undated
            ));
        }
        let mut dated = std::mem::take(&mut self.dated);
        // Those without a date come last.
        dated.sort_by_key(|(date, _)| (date.is_none(), *date));
        for (_, rendered) in dated {
            self.write(rendered)?;
        }
        let mut sink = match self.sink {
            Output::Parquet(file) => return file.finish()?.finish(),
            Output::Text(sink) => sink,
        };
        if let Some((_, bytes)) = self.first.take() {
            sink.write_all(&bytes)?;
        }
        if self.format == Format::Json {
            sink.write_all(if self.articles > 0 { b"\n]\n" } else { b"[]\n" })?;
        }
        sink.finish()
    }
}

/// What stands in a JSON array before what comes after so many.
fn between(before: usize) -> &'static [u8] {
    if before > 0 { b",\n" } else { b"[\n" }
}

/// The names of kept columns, apart from those of records.
fn kept_columns(keep: &[String]) -> impl Iterator<Item = String> + '_ {
    keep.iter().map(|name| if Record::COLUMNS.contains(&name.as_str()) { format!("kept_{name}") } else { name.clone() })
}

/// A cell that no spreadsheet takes for a formula.
fn without_formula(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// What stands above the table of an article: its id, and date and title where they are known.
fn heading(article: &Article) -> String {
    let id = visible(&article.id);
    let date = article.date.as_deref().map(|date| format!("  {}", shorten(date, 25))).unwrap_or_default();
    let room = width().saturating_sub(id.chars().count() + date.chars().count() + 2).max(20);
    let title = article.title.as_deref().map(|title| format!("  {}", shorten(title, room))).unwrap_or_default();
    format!("{id}{date}{title}")
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
            super::super::output::paint_decided(r.stance, r.by_advantage()),
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
    super::super::output::footnote(out, records)
}
