//! Where the answers of `detente predict` go, in the order of the articles or of their dates.

use std::io::{self, Write};

use anyhow::Result;

use detente::pipeline::Prediction;
use detente::report::PredictionPage;
use detente::{Article, Date, Pipeline, Query, Record};

use super::super::Common;
use super::super::output::{BUFFER, Format, Sink, command_line};
use super::super::parquet::RecordFile;
use super::super::resume::Resumable;
use super::Sort;
use super::renderer::{Answered, Rendered, Renderer};

/// Writes predictions in the order of the articles, or of their dates.
pub(super) struct Printer<'a> {
    /// What is written of each article.
    renderer: &'a Renderer<'a>,
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

impl<'a> Printer<'a> {
    pub fn new(renderer: &'a Renderer<'a>, headed: bool, resumable: Option<&Resumable>) -> Result<Self> {
        let Renderer { args, keep, format, .. } = renderer;
        let mut sink = match (resumable, args.output.as_deref()) {
            (Some(resumable), Some(path)) => {
                Sink::Kept(io::BufWriter::with_capacity(BUFFER, resumable.file()?), path.to_path_buf())
            }
            // Who asks for a page and no more is not shown the table of each article.
            (_, None) if args.html.is_some() && args.format.is_none() => Sink::Nowhere,
            (_, path) => Sink::open(path)?,
        };
        if *format == Format::Csv && !resumable.is_some_and(Resumable::has_begun) {
            let header = Record::COLUMNS.into_iter().map(str::to_owned).chain(kept_columns(keep));
            csv::Writer::from_writer(&mut sink).write_record(header)?;
        }
        let sink = if *format == Format::Parquet {
            Output::Parquet(Box::new(RecordFile::new(sink, keep, kept_columns(keep))?))
        } else {
            Output::Text(sink)
        };
        // Opened now: that it cannot be written is known before an article is answered.
        let open = |path| -> Result<_> { Ok((PredictionPage::new(command_line()), Sink::open(Some(path))?)) };
        let page = args.html.as_deref().map(open).transpose()?;
        let (articles, first, dated, undated) = (0, None, Vec::new(), 0);
        Ok(Self { renderer, sink, headed, articles, first, dated, undated, page })
    }

    /// Writes what was answered for the articles.
    pub fn print(
        &mut self,
        pipeline: &Pipeline,
        query: &Query,
        articles: &[Article],
        answered: Vec<Answered>,
    ) -> Result<()> {
        let by_date = self.renderer.args.sort == Some(Sort::Date);
        for (article, (rendered, records)) in articles.iter().zip(answered) {
            if let Some(((page, _), records)) = self.page.as_mut().zip(records) {
                page.add_article(article, records);
            }
            match rendered {
                Some(rendered) if by_date => {
                    self.undated += usize::from(article.when().is_none());
                    self.dated.push((article.when(), rendered));
                }
                Some(rendered) => self.write(rendered)?,
                None => {
                    // More than is held for each article of a batch: once more, and right to where it goes.
                    self.write(Rendered::Text(self.renderer.heading(article), Vec::new()))?;
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

    fn write_at_once(&mut self, article: &Article, predictions: &[Prediction<'_>], sink: &mut Sink) -> Result<()> {
        if self.renderer.format == Format::Json {
            sink.write_all(between(self.articles))?;
            self.articles += 1;
        }
        self.renderer.render(article, predictions, sink)
    }

    fn write(&mut self, rendered: Rendered) -> Result<()> {
        let (heading, bytes) = match (rendered, &mut self.sink) {
            (Rendered::Records(records), Output::Parquet(file)) => return file.write(records),
            (Rendered::Text(heading, bytes), Output::Text(_)) => (heading, bytes),
            _ => return Ok(()),
        };
        let Output::Text(sink) = &mut self.sink else { return Ok(()) };
        if self.renderer.format == Format::Json {
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
        if self.renderer.format != Format::Table {
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
        if self.renderer.format == Format::Json {
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
