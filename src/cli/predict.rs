//! `detente predict`: articles in, stances out.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;

use detente::gazetteer::EntryId;
use detente::pipeline::Prediction;
use detente::{Article, Pipeline, Query, Record, visible};

use super::inputs::ReadArgs;
use super::models::{ModelArgs, ModelName};
use super::output::{Format, Sink, shorten, table, width};
use super::{Common, Outcome, batches, paths, progress};

/// Say which states stand with, apart from, or against an actor
///
/// Reads text, pages (HTML, MHTML), tables (CSV, TSV, Parquet, XLSX), JSON, JSONL and feeds (RSS, Atom), also packed by
/// gzip or zstd, folders of them, or standard input (`-`).
///
/// Examples:
///   detente predict article.txt --actor Russia
///   detente predict pages/ --actor China --actor EU --format jsonl --output stances.jsonl
///   zcat news.jsonl.gz | detente predict - --input-format jsonl --all-actors --format csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Files, folders, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Toward whom: a name, alias or code; may be given several times
    #[arg(long, value_name = "NAME", required_unless_present = "all_actors", conflicts_with = "all_actors")]
    actor: Vec<String>,
    /// Toward everybody that the article names; the table becomes a matrix of states and actors
    #[arg(long)]
    all_actors: bool,
    /// Whose stance; may be given several times [default: every state named]
    #[arg(long, value_name = "NAME")]
    state: Vec<String>,
    /// Report states that the article names but never connects with the actor, too
    #[arg(long)]
    all_states: bool,
    #[command(flatten)]
    model: ModelArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write there instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Pieces of evidence to show for each pair
    #[arg(long, value_name = "N", default_value_t = 1)]
    evidence: usize,
    /// Leave out pairs whose stance, as decided, is less probable than this
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = parse_probability)]
    min_prob: f64,
    #[command(flatten)]
    read: ReadArgs,
}

fn parse_probability(text: &str) -> Result<f64, String> {
    let p = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
    p.ok_or_else(|| "expected a probability, 0 to 1".into())
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let pipeline = args.model.load(common)?;
    let ids = |names: &[String]| -> Result<Vec<EntryId>> {
        names.iter().map(|n| Ok(detente::pipeline::find(pipeline.gazetteer(), n)?)).collect()
    };
    let query = Query {
        actors: ids(&args.actor)?,
        states: ids(&args.state)?,
        all_states: args.all_states,
        evidence_limit: Some(args.evidence),
    };
    let (inputs, complaints) = args.read.inputs(&args.paths, &[], common);
    let read = inputs.iter().map(|input| input.input.path()).chain(common.files()).chain(args.model.file());
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    let mut printer = Printer::new(args, inputs.len() > 1)?;
    let bar = progress::articles(common);
    let (batches, reader) = batches::read(inputs, complaints, common.warn());
    let mut pace = Pace { started: Instant::now(), answered: 0, told: *args.model.name() != ModelName::Accurate };
    for batch in batches {
        let mut left = batch.len();
        for some in batch.chunks(SHOWN_TOGETHER) {
            printer.print(&pipeline, &query, some)?;
            bar.inc(some.len() as u64);
            left -= some.len();
            pace.step(some.len(), left, common);
        }
    }
    let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bar.finish_and_clear();
    let failed = read.complaints.finish();
    anyhow::ensure!(read.any, "nothing could be read");
    printer.finish()?;
    Ok(Outcome::failed_if(failed))
}

/// A run over more articles than this is told how long it takes.
const MANY: usize = 200;
/// Articles that are answered before the next are looked at.
const SHOWN_TOGETHER: usize = 64;

/// How fast articles are answered.
struct Pace {
    started: Instant,
    answered: usize,
    /// Whether that has been said, or need not be.
    told: bool,
}

impl Pace {
    fn step(&mut self, answered: usize, left: usize, common: &Common) {
        self.answered += answered;
        if self.told || self.answered + left <= MANY {
            return;
        }
        self.told = true;
        let minutes = self.started.elapsed().as_secs_f64() / self.answered as f64 * 1000.0 / 60.0;
        common.note(format_args!(
            "1,000 articles like the first {} take {minutes:.1} minutes; `--model small` and `--model cascade` are several \
             times as fast, `--model fast` more than a hundred times",
            self.answered
        ));
    }
}

/// Articles that one thread hands to the model at once.
const SCORED_TOGETHER: usize = 8;

/// A buffer that takes no more than 256 KiB: what a batch of articles may hold at once.
struct Limited {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > 256 << 10 {
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

/// Writes predictions in the order of the articles.
struct Printer<'a> {
    args: &'a Args,
    sink: Sink,
    /// Whether each article's table has a heading: where there are several inputs, or one of several articles.
    headed: bool,
    articles: usize,
    /// The table of the first article, while it is not known whether another follows.
    first: Option<(String, Vec<u8>)>,
}

impl<'a> Printer<'a> {
    fn new(args: &'a Args, headed: bool) -> Result<Self> {
        let mut sink = Sink::open(args.output.as_deref())?;
        if args.format == Format::Csv {
            csv::Writer::from_writer(&mut sink).write_record(Record::COLUMNS)?;
        }
        Ok(Self { args, sink, headed, articles: 0, first: None })
    }

    fn print(&mut self, pipeline: &Pipeline, query: &Query, articles: &[Article]) -> Result<()> {
        let render = |(article, predictions): (&Article, Vec<Prediction<'_>>)| -> Result<Option<Vec<u8>>> {
            let mut out = Limited { bytes: Vec::new(), full: false };
            match self.render(article, &predictions, &mut out) {
                Err(_) if out.full => Ok(None),
                rendered => rendered.map(|()| Some(out.bytes)),
            }
        };
        let rendered: Vec<Vec<Option<Vec<u8>>>> = articles
            .par_chunks(SCORED_TOGETHER)
            .map(|some| some.iter().zip(pipeline.predict_batch(some, query)).map(render).collect())
            .collect::<Result<_>>()?;
        for (article, bytes) in articles.iter().zip(rendered.into_iter().flatten()) {
            match bytes {
                Some(bytes) => self.write(&article.id, bytes)?,
                None => {
                    // More than is held for each article of a batch: once more, and right to where it goes.
                    self.write(&article.id, Vec::new())?;
                    let mut sink = std::mem::replace(&mut self.sink, Sink::Nowhere);
                    let written = self.render(article, &pipeline.predict(article, query), &mut sink);
                    self.sink = sink;
                    written?;
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, id: &str, bytes: Vec<u8>) -> Result<()> {
        let first = self.articles == 0;
        self.articles += 1;
        if self.args.format != Format::Table {
            self.sink.write_all(&bytes)?;
        } else if first && !self.headed && !bytes.is_empty() {
            self.first = Some((id.to_owned(), bytes));
        } else {
            if let Some((id, bytes)) = self.first.take() {
                writeln!(self.sink, "{}", detente::visible(&id))?;
                self.sink.write_all(&bytes)?;
            }
            let blank = if first { "" } else { "\n" };
            writeln!(self.sink, "{blank}{}", detente::visible(id))?;
            self.sink.write_all(&bytes)?;
        }
        Ok(())
    }

    fn render(&self, article: &Article, predictions: &[Prediction<'_>], out: &mut impl Write) -> Result<()> {
        let kept = |record: &Record| record.probability() >= self.args.min_prob;
        let mut records = Record::all(article, predictions).filter(kept);
        match self.args.format {
            Format::Jsonl => {
                for record in records {
                    serde_json::to_writer(&mut *out, &record)?;
                    out.write_all(b"\n")?;
                }
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                for record in records {
                    writer.write_record(record.row()?)?;
                }
                writer.flush()?;
            }
            Format::Table => match records.next() {
                None => writeln!(out, "no state is connected with the actor")?,
                Some(first) => {
                    let records: Vec<Record> = std::iter::once(first).chain(records).collect();
                    if self.args.all_actors {
                        super::output::matrix(out, &records)?;
                    } else {
                        list(out, &records, self.args)?;
                    }
                }
            },
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if let Some((_, bytes)) = self.first.take() {
            self.sink.write_all(&bytes)?;
        }
        self.sink.finish()
    }
}

fn list(out: &mut impl Write, records: &[Record], args: &Args) -> Result<()> {
    let several = args.actor.len() > 1;
    let mut header = vec!["STATE", "STANCE", "PROB", "EVIDENCE"];
    if several {
        header.insert(1, "ACTOR");
    }
    let mut rows = table(&header);
    let names = records.iter().map(|r| r.state.chars().count()).max().unwrap_or(0);
    let room = width().saturating_sub(names + if several { 40 } else { 22 }).max(20);
    for r in records {
        let mut evidence: Vec<String> = r.evidence.iter().map(|e| shorten(&e.text, room)).collect();
        if r.no_evidence {
            evidence.push("(no evidence)".into());
        }
        let mut row = vec![
            visible(&r.state).into_owned(),
            super::output::paint_decided(r.stance, r.by_advantage()),
            format!("{:.2}", r.probability()),
            evidence.join("\n"),
        ];
        if several {
            row.insert(1, visible(&r.actor).into_owned());
        }
        rows.add_row(row);
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    super::output::footnote(out, records)
}
