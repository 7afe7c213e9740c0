//! `detente predict`: articles in, stances out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;
use rayon::prelude::*;
use unicode_width::UnicodeWidthStr;

use detente::evaluate::examine::{Sure, no_reference};
use detente::model::reference::Reference;
use detente::pipeline::Prediction;
use detente::{Article, Date, Pipeline, Query, Record, Stance, visible};

use super::inputs::{ArticleArgs, ReadArgs};
use super::models::{ModelArgs, ModelName};
use super::output::{Format, Sink, shorten, table, width};
use super::parquet::RecordFile;
use super::resume::Resumable;
use super::{Common, Outcome, batches, paths, progress};

/// Say which states stand with, apart from, or against an actor
///
/// Reads text, pages (HTML, MHTML), tables (CSV, TSV, Parquet, XLSX), JSON, JSONL and feeds (RSS,
/// Atom), also packed by gzip or zstd, folders of them, or standard input (`-`).
///
/// Examples:
///   detente predict article.txt --actor Russia
///   detente predict --text "Chad cut ties with France." --all-actors
///   detente predict pages/ --actor China --actor EU --output stances.jsonl
///   zcat news.jsonl.gz | detente predict - --all-actors --format csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, group(clap::ArgGroup::new("toward").required(true).args(["actor", "all_actors"])))]
pub struct Args {
    #[command(flatten)]
    articles: ArticleArgs,
    /// Toward whom: a name, alias or code; may be given several times
    #[arg(long, value_name = "NAME")]
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
    /// How to print [default: by the name of the output, else table]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write there instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Keep what is written when the run is stopped, and go on from there when it is started again; give it from the start
    #[arg(long, requires = "output")]
    resume: bool,
    /// Pieces of evidence to show for each pair
    #[arg(long, value_name = "N", default_value_t = 1)]
    evidence: usize,
    /// Leave out pairs whose stance, as decided, is less probable than this
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = parse_probability)]
    min_prob: f64,
    /// Leave out pairs of which the model is less sure than of this share of the rows that it was measured by
    #[arg(long, value_name = "SHARE", value_parser = parse_probability, conflicts_with = "min_prob")]
    coverage: Option<f64>,
    /// Add the set of stances that holds the truth at least this often, 0.5 to 0.995, to each pair (`label_set`)
    #[arg(long, value_name = "LEVEL", value_parser = parse_level, num_args = 0..=1, default_missing_value = "0.9")]
    conformal: Option<f64>,
    /// Leave out some pairs
    #[arg(long, value_enum, value_name = "WHICH")]
    only: Option<Only>,
    /// Order of the pairs of an article, or of the articles
    #[arg(long, value_enum, value_name = "BY")]
    sort: Option<Sort>,
    /// Fields of the rows to carry through, divided by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    keep: Vec<String>,
    /// Go on with articles that are not in English, which the models read
    #[arg(long)]
    any_language: bool,
    /// In CSV, begin with an apostrophe what a spreadsheet would take for a formula
    #[arg(long)]
    excel: bool,
    #[command(flatten)]
    read: ReadArgs,
}

/// `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Aligned and opposed
    Sided,
}

/// `--sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Pairs by the probability of their stance, the surest first
    Prob,
    /// Pairs by the name of the state
    State,
    /// Articles by date, those without one last
    Date,
}

/// A level of `--conformal`.
pub fn parse_level(text: &str) -> Result<f64, String> {
    let level = text.parse().ok().filter(|level| (0.5..=0.995).contains(level));
    level.ok_or_else(|| "expected a number, 0.5 to 0.995".into())
}

/// A probability.
pub fn parse_probability(text: &str) -> Result<f64, String> {
    let p = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
    p.ok_or_else(|| "expected a probability, 0 to 1".into())
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let format = Format::resolve(args.format, args.output.as_deref())?;
    for (at, name) in args.keep.iter().enumerate() {
        anyhow::ensure!(!name.trim().is_empty(), "--keep: a field without a name");
        anyhow::ensure!(!args.keep[..at].contains(name), "--keep: the field `{}` twice", visible(name));
        anyhow::ensure!(
            name != LABEL_SET || args.conformal.is_none(),
            "--keep: `{LABEL_SET}` is what --conformal adds"
        );
    }
    let pipeline = args.model.load(common)?;
    let reference = pipeline.manifest().reference.as_ref();
    let min_prob = match args.coverage {
        Some(coverage) => {
            let min_prob = Sure::Coverage(coverage).min_prob(reference)?;
            common.note(format_args!("pairs from a probability of {min_prob:.3} up are shown"));
            min_prob
        }
        None => args.min_prob,
    };
    if args.conformal.is_some() && args.all_actors && format == Format::Table {
        common.note(format_args!("the matrix has no room for sets of stances; --format csv and jsonl have them"));
    }
    let conformal = match (args.conformal, reference) {
        (None, _) => None,
        (Some(level), Some(reference)) => Some((level, reference)),
        (Some(_), None) => return Err(no_reference().into()),
    };
    let query = Query {
        actors: common.find(pipeline.gazetteer(), &args.actor)?,
        states: common.find(pipeline.gazetteer(), &args.state)?,
        all_states: args.all_states,
        evidence_limit: Some(args.evidence),
    };
    let (inputs, complaints) = args.articles.inputs(&args.read, &args.keep, common);
    let read = inputs.iter().map(|input| input.input.path()).chain(common.files()).chain(args.model.file());
    paths::check(read, args.output.as_deref().map(|path| ("--output", path)))?;
    let mut resumable = match (args.resume, args.output.as_deref()) {
        (true, Some(path)) => Some(resumable(args, path, format, &pipeline, common)?),
        _ => None,
    };
    let mut printer =
        Printer::new(args, Answers { min_prob, conformal }, format, inputs.len() > 1, resumable.as_ref())?;
    let bar = progress::articles(common);
    let far = progress::Far::new(&inputs);
    let given = args.articles.given();
    let wanted = batches::Wanted { any_language: args.any_language };
    let (batches, reader) = batches::read(given, inputs, complaints, common.warn(), wanted);
    let mut pace =
        Pace { started: Instant::now(), answered: 0, bytes: 0, told: *args.model.name() != ModelName::Accurate };
    let together = if *args.model.name() == ModelName::Fast { SHOWN_TOGETHER_FAST } else { SHOWN_TOGETHER };
    for batch in batches {
        let batch = match &mut resumable {
            Some(resumable) => resumable.rest(&batch)?,
            None => &batch,
        };
        let mut left = batch.len();
        for some in batch.chunks(together) {
            printer.print(&pipeline, &query, some)?;
            if let Some(resumable) = &mut resumable
                && resumable.answered(some)?
            {
                printer.flush()?;
                resumable.save()?;
            }
            bar.inc(some.len() as u64);
            pace.bytes += some.iter().map(|article| article.text.len()).sum::<usize>();
            let elapsed = pace.started.elapsed();
            let speed = pace.bytes as f64 / 1e6 / elapsed.as_secs_f64();
            bar.set_message(format!("{speed:.1} MB/s, {}", far.left(elapsed)));
            left -= some.len();
            pace.step(some.len(), left, common);
        }
    }
    let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bar.finish_and_clear();
    let failed = read.finish();
    anyhow::ensure!(read.any, "nothing could be read");
    let answered = resumable.as_ref().map_or(pace.answered, Resumable::articles);
    if failed && answered == 0 && args.output.is_some() {
        common.note(format_args!("no article could be read; nothing is written"));
        return Ok(Outcome::SomeFailed);
    }
    printer.finish(common)?;
    if let Some(resumable) = resumable {
        resumable.finish()?;
    }
    Ok(Outcome::failed_if(failed))
}

/// What `--resume` needs: records that stand for themselves, in the order of the articles.
fn resumable(args: &Args, path: &Path, format: Format, pipeline: &Pipeline, common: &Common) -> Result<Resumable> {
    anyhow::ensure!(
        matches!(format, Format::Jsonl | Format::Csv) && args.sort != Some(Sort::Date) && path != Path::new("-"),
        "--resume needs an --output in .jsonl or .csv, and no --sort date"
    );
    let names: Vec<String> = common.files().map(detente::input_file::sha256).collect::<detente::Result<_>>()?;
    // All that the records depend on, beside the articles.
    let Args {
        actor, all_actors, state, all_states, evidence, min_prob, coverage, conformal, only, sort, keep, ..
    } = args;
    let options = format!(
        "{actor:?} {all_actors} {state:?} {all_states} {evidence} {min_prob} {coverage:?} {conformal:?} {only:?} {sort:?} \
         {keep:?} {} {} {format:?}",
        args.any_language, args.excel
    );
    let manifest = serde_json::to_string(pipeline.manifest())?;
    let run =
        [env!("CARGO_PKG_VERSION"), detente::gazetteer::VERSION, &names.join(" "), &options, &manifest].join("\n");
    Resumable::open(path, detente::hash::sha256(run.as_bytes()), common)
}

/// A run over more articles than this is told how long it takes.
const MANY: usize = 200;
/// Articles that are answered before the next are looked at.
const SHOWN_TOGETHER: usize = 64;
/// The same of a model that answers them in no time: threads seldom wait for one another.
const SHOWN_TOGETHER_FAST: usize = 256;

/// How fast articles are answered.
struct Pace {
    started: Instant,
    answered: usize,
    /// Of their texts.
    bytes: usize,
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
struct Answers<'a> {
    min_prob: f64,
    conformal: Option<(f64, &'a Reference)>,
}

/// The column of the set of stances that holds the truth as often as was asked.
const LABEL_SET: &str = "label_set";

/// Writes predictions in the order of the articles, or of their dates.
struct Printer<'a> {
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

impl<'a> Printer<'a> {
    fn new(
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
        Ok(Self { args, answers, keep, format, sink, headed, articles: 0, first: None, dated: Vec::new(), undated: 0 })
    }

    fn print(&mut self, pipeline: &Pipeline, query: &Query, articles: &[Article]) -> Result<()> {
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
        let rendered: Vec<Vec<Option<Rendered>>> = articles
            .par_chunks(SCORED_TOGETHER)
            .map(|some| some.iter().zip(pipeline.predict_batch(some, query)).map(render).collect())
            .collect::<Result<_>>()?;
        for (article, rendered) in articles.iter().zip(rendered.into_iter().flatten()) {
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
    fn flush(&mut self) -> Result<()> {
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
            Format::Table if self.args.all_actors => super::output::matrix(out, &records)?,
            Format::Table => list(out, &records, self.args)?,
            Format::Parquet => {}
        }
        Ok(())
    }

    fn finish(mut self, common: &Common) -> Result<()> {
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
            super::output::paint_decided(r.stance, r.by_advantage()),
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
    super::output::footnote(out, records)
}
