//! `detente predict`: articles in, stances out.

mod printer;
mod renderer;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, TryRecvError, sync_channel};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum;
use indicatif::ProgressBar;

use detente::evaluate::examine::{Sure, no_reference};
use detente::{Article, Pipeline, Query, visible};

use super::inputs::{ArticleArgs, ReadArgs};
use super::models::{ModelArgs, ModelName, is_fast};
use super::output::{Format, check_page};
use super::resume::Resumable;
use super::{Common, Outcome, batches, paths, progress};
use printer::Printer;
use renderer::{Answered, Answers, LABEL_SET, Renderer};

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
    /// Write a page, with a map, a matrix and the evidence of each article: one file. All else is printed only with --format or
    /// --output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "conformal"])]
    html: Option<PathBuf>,
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
    check_page(args.html.as_deref(), args.format.is_some() && args.output.is_none())?;
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
    let written = [("--output", &args.output), ("--html", &args.html)];
    paths::check(read, written.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?))))?;
    let resumable = match (args.resume, args.output.as_deref()) {
        (true, Some(path)) => Some(resumable(args, path, format, &pipeline, common)?),
        _ => None,
    };
    let renderer = Renderer::new(args, Answers { min_prob, conformal }, format);
    let printer = Printer::new(&renderer, inputs.len() > 1, resumable.as_ref())?;
    let pace = Pace { started: Instant::now(), answered: 0, bytes: 0, told: *args.model.name() != ModelName::Accurate };
    let (bar, far) = (progress::articles(common), progress::Far::new(&inputs));
    let given = args.articles.given();
    let wanted = batches::Wanted { any_language: args.any_language };
    let (batches, reader) = batches::read(given, inputs, complaints, common.warn(), wanted);
    let mut writer =
        Writer { pipeline: &pipeline, query: &query, renderer: &renderer, printer, resumable, bar, far, pace, common };
    let together = if is_fast(&pipeline) { SHOWN_TOGETHER_FAST } else { SHOWN_TOGETHER };
    rayon::in_place_scope(|scope| {
        let written = writer.write_all(&batches, together, |articles, left| {
            let articles = Arc::new(articles);
            let (sender, answered) = sync_channel(1);
            let asked = Asked { articles: articles.clone(), answered, left };
            let (renderer, pipeline, query) = (&renderer, &pipeline, &query);
            // Nobody takes the answer where what came before could not be written.
            scope.spawn(move |_| drop(sender.send(renderer.answer(pipeline, query, &articles))));
            asked
        });
        renderer.stop();
        written
    })?;
    let Writer { printer, resumable, bar, pace, .. } = writer;
    let mut read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    bar.finish_and_clear();
    let failed = read.finish();
    let answered = resumable.as_ref().map_or(pace.answered, Resumable::articles);
    let is_nothing = failed && answered == 0 && (args.output.is_some() || args.html.is_some());
    if is_nothing || !read.any {
        if let Some(resumable) = resumable {
            resumable.give_up();
        }
        anyhow::ensure!(read.any, "nothing could be read");
        common.note(format_args!("no article could be read; nothing is written"));
        return Ok(Outcome::SomeFailed);
    }
    printer.finish(common)?;
    if let Some(resumable) = resumable {
        resumable.finish()?;
    }
    Ok(Outcome::failed_if(failed))
}

/// Articles that are being answered, what comes of them, and how many more have been read.
struct Asked {
    articles: Arc<Vec<Article>>,
    answered: Receiver<Result<Vec<Answered>>>,
    left: usize,
}

/// Writes what is answered, and takes note of how far it is.
struct Writer<'a> {
    pipeline: &'a Pipeline,
    query: &'a Query,
    renderer: &'a Renderer<'a>,
    printer: Printer<'a>,
    resumable: Option<Resumable>,
    bar: ProgressBar,
    far: progress::Far,
    pace: Pace,
    common: &'a Common,
}

impl Writer<'_> {
    /// Leaves out the articles that an earlier run has answered.
    fn pass_over(&mut self, articles: &mut Vec<Article>) -> Result<()> {
        if let Some(resumable) = &mut self.resumable {
            let done = articles.len() - resumable.rest(articles)?.len();
            articles.drain(..done);
        }
        Ok(())
    }

    /// Writes what is answered for all batches, in their order. `ask` has so many articles answered on other threads, and is
    /// told how many more of a batch there are: while those before are written here, the threads go on with the next.
    fn write_all(
        &mut self,
        batches: &Receiver<Vec<Article>>,
        together: usize,
        ask: impl Fn(Vec<Article>, usize) -> Asked,
    ) -> Result<()> {
        let mut asked: VecDeque<Asked> = VecDeque::new();
        loop {
            let mut batch = match batches.try_recv() {
                Ok(batch) => batch,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => match asked.pop_front() {
                    // What comes slowly is written at once all the same.
                    Some(first) => {
                        self.write(first)?;
                        continue;
                    }
                    None => match batches.recv() {
                        Ok(batch) => batch,
                        Err(RecvError) => break,
                    },
                },
            };
            self.pass_over(&mut batch)?;
            while !batch.is_empty() {
                let rest = batch.split_off(together.min(batch.len()));
                let left = rest.len();
                asked.push_back(ask(std::mem::replace(&mut batch, rest), left));
                if asked.len() > AHEAD {
                    asked.pop_front().map_or(Ok(()), |first| self.write(first))?;
                }
            }
        }
        asked.into_iter().try_for_each(|asked| self.write(asked))
    }

    fn write(&mut self, Asked { articles, answered, left }: Asked) -> Result<()> {
        let answered = answered.recv().context("a thread ended without an answer")??;
        self.printer.print(self.pipeline, self.query, &articles, answered)?;
        if let Some(resumable) = &mut self.resumable
            && resumable.answered(&articles)?
        {
            self.printer.flush()?;
            resumable.save()?;
        }
        self.bar.inc(articles.len() as u64);
        self.pace.bytes += articles.iter().map(|article| article.text.len()).sum::<usize>();
        let elapsed = self.pace.started.elapsed();
        let speed = self.pace.bytes as f64 / 1e6 / elapsed.as_secs_f64();
        self.bar.set_message(format!("{speed:.1} MB/s, {}", self.far.left(elapsed)));
        self.pace.step(articles.len(), left, self.renderer.answered(), self.common);
        Ok(())
    }
}

/// What `--resume` needs: records that stand for themselves, in the order of the articles.
fn resumable(args: &Args, path: &Path, format: Format, pipeline: &Pipeline, common: &Common) -> Result<Resumable> {
    anyhow::ensure!(
        matches!(format, Format::Jsonl | Format::Csv) && args.sort != Some(Sort::Date) && !paths::is_stdout(path),
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

/// A run over more articles than this is told how long it takes; fewer than a batch has, so that it is told after the first lot.
const MANY: usize = 100;
/// Articles that are answered before the next are looked at.
const SHOWN_TOGETHER: usize = 64;
/// The same of a model that answers them in no time: threads seldom wait for one another.
const SHOWN_TOGETHER_FAST: usize = 128;
/// How many such lots are asked for before the first of them is written.
const AHEAD: usize = 2;

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
    /// Takes note of so many more that are written, of those left of their batch, and of all that the threads have answered.
    fn step(&mut self, written: usize, left: usize, answered: usize, common: &Common) {
        self.answered += written;
        if self.told || self.answered + left <= MANY {
            return;
        }
        self.told = true;
        let answered = answered.max(self.answered);
        let minutes = self.started.elapsed().as_secs_f64() / answered as f64 * 1000.0 / 60.0;
        common.note(format_args!(
            "1,000 articles like the first {answered} take {minutes:.1} minutes; `--model small` and `--model cascade` are several \
             times as fast, `--model fast` more than a hundred times"
        ));
    }
}
