//! The command line: one file a subcommand, `output.rs` for tables, JSON and CSV.

mod batches;
mod closed;
mod complaints;
mod data;
mod drift;
mod evaluate;
mod explain;
mod gazetteer;
mod inputs;
mod inspect;
mod manual;
mod mentions;
mod models;
mod output;
mod parquet;
mod paths;
mod predict;
mod progress;
mod resume;
mod serve;
mod train;
mod trend;
mod validate;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use colorchoice::ColorChoice;

use detente::LabelMap;
use detente::data::{self as labelled_data, LabelledOptions};
use detente::gazetteer::{EntryId, Gazetteer};
use detente::source::{self, Source};

/// Which states stand with, apart from, or against an actor, going by news articles.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

const AFTER_HELP: &str = "\
Examples:
  detente predict article.txt --actor Russia       who stands where toward Russia
  detente predict saved-pages/ --all-actors        every pair, in every article of a folder
  detente train --data rows.csv --output my.detente
  detente evaluate --data test.csv --model my.detente

Exit codes: 0 done; 1 some input failed, a bar was missed or a check found something;
2 wrong usage, or nothing could run.";

/// What every command takes.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Threads to work with; 0 means one for each core
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// CSV of names to add to the gazetteer, or to take away (columns code,name,kind,region,alias,how)
    #[arg(long, global = true, value_name = "FILE")]
    gazetteer: Option<PathBuf>,
    /// Whether results are coloured
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    color: Colour,
    #[command(flatten)]
    fields: inputs::FieldArgs,
}

/// `--color`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Predict(predict::Args),
    Evaluate(evaluate::Args),
    Train(train::Args),
    Validate(validate::Args),
    Explain(explain::Args),
    Mentions(mentions::Args),
    Inspect(inspect::Args),
    Data(data::Args),
    Drift(drift::Args),
    Trend(trend::Args),
    Serve(serve::Args),
    Gazetteer(gazetteer::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

/// Parses the command line; what it asks for is printed, and what is wrong with it is said.
pub fn parse() -> std::result::Result<Args, ExitCode> {
    Args::try_parse().map_err(|error| {
        if error.use_stderr() {
            // What was typed is shown as it is, but for what a terminal would obey.
            say(format_args!("{}", error.render().to_string().trim_end()));
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        let closed = closed::stdout_was_closed();
        let printed = if closed { Err(io::Error::other("it is closed")) } else { error.print() };
        let printed = printed.and_then(|()| io::Write::flush(&mut io::stdout()));
        match printed {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                say(format_args!("error: cannot write to standard output: {e}"));
                ExitCode::from(2)
            }
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        }
    })
}

/// Lets a signal that ends the program remove what is half written first.
#[cfg(unix)]
fn clean_up_at_signals() {
    use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};
    // Those that are ignored, as by `nohup`, stay ignored. Without a handler the files stay, which stops no work.
    let ignored = ignored_signals();
    let ending = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU];
    let caught = ending.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let Ok(mut signals) = signal_hook::iterator::Signals::new(caught) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            detente::output_file::remove_unfinished();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// A bit for each signal that the program was started to ignore, the lowest for signal 1; 0 where that is not known.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
fn clean_up_at_signals() {}

/// Runs a command and says how it ended.
pub fn run(args: Args) -> ExitCode {
    // The server ends by itself.
    if !matches!(args.command, Command::Serve(_)) {
        clean_up_at_signals();
    }
    // A second call in one process keeps the pool of the first, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(args.common.threads()).build_global();
    match args.common.color {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::AlwaysAnsi,
        Colour::Never => ColorChoice::Never,
    }
    .write_global();
    let outcome = match args.command {
        Command::Predict(a) => predict::run(&a, &args.common),
        Command::Evaluate(a) => evaluate::run(&a, &args.common),
        Command::Train(a) => train::run(&a, &args.common),
        Command::Validate(a) => validate::run(&a, &args.common),
        Command::Explain(a) => explain::run(&a, &args.common),
        Command::Mentions(a) => mentions::run(&a, &args.common),
        Command::Inspect(a) => inspect::run(&a, &args.common),
        Command::Data(a) => data::run(&a, &args.common),
        Command::Drift(a) => drift::run(&a, &args.common),
        Command::Trend(a) => trend::run(&a, &args.common),
        Command::Serve(a) => serve::run(&a, &args.common),
        Command::Gazetteer(a) => gazetteer::run(&a, &args.common),
        Command::Completions(a) => manual::completions(&a),
        Command::Man(a) => manual::man(&a),
    };
    let outcome = outcome.and_then(|outcome| {
        io::Write::flush(&mut io::stdout()).context("cannot write to standard output")?;
        Ok(outcome)
    });
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("error: {}", describe(&error)));
            ExitCode::from(2)
        }
    }
}

/// The error and its causes, but those that it has said already.
fn describe(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !said.ends_with(&cause) {
            said = if said.is_empty() { cause } else { format!("{said}: {cause}") };
        }
    }
    said
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Done,
    /// Some input failed and was reported, or a bar was missed; the rest is done.
    SomeFailed,
}

impl Outcome {
    fn failed_if(failed: bool) -> Self {
        if failed { Self::SomeFailed } else { Self::Done }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let csv = cause.downcast_ref::<csv::Error>().and_then(|e| match e.kind() {
            csv::ErrorKind::Io(e) => Some(e.kind()),
            _ => None,
        });
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        [io, csv, json].contains(&Some(io::ErrorKind::BrokenPipe))
    })
}

/// A line on stderr. Standard error that is closed is nobody's loss.
pub fn say(message: std::fmt::Arguments<'_>) {
    use io::Write;
    // Whatever comes from a file, no escape sequence reaches the terminal; lines are the program's own.
    let message = message.to_string();
    let lines: Vec<_> = message.split('\n').map(detente::visible).collect();
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

impl Common {
    /// The threads to work with: no more than there are processors.
    fn threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if self.threads > processors {
            self.note(format_args!("{processors} threads in place of {}: there are no more processors", self.threads));
        }
        self.threads.min(processors)
    }

    /// A line on stderr, unless `--quiet`.
    pub fn note(&self, message: std::fmt::Arguments<'_>) {
        if !self.quiet {
            say(message);
        }
    }

    /// What prints the warnings of a reader.
    pub fn warn(&self) -> source::Warn {
        let quiet = self.quiet;
        Arc::new(move |warning| {
            if !quiet {
                say(format_args!("warning: {warning}"));
            }
        })
    }

    /// Whether only results and errors are said.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The files that every command reads.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.gazetteer.as_deref().into_iter()
    }

    /// Reads a labelled file.
    pub fn labelled(&self, path: &Path, labels: &LabelArgs) -> detente::Result<labelled_data::LabelledPairs> {
        let options = LabelledOptions { labels: labels.label_map.clone(), ..LabelledOptions::default() };
        let source = Source::named(path).with_options(&self.fields.options(&[]));
        labelled_data::labelled(&source, &options, &self.warn())
    }

    /// The entries of these names; says so where one of several was taken.
    pub fn find(&self, gazetteer: &Gazetteer, names: &[String]) -> Result<Vec<EntryId>> {
        let find = |name: &String| -> Result<EntryId> {
            let (found, note) = find(gazetteer, name)?;
            if let Some(note) = note {
                self.note(format_args!("{note}"));
            }
            Ok(found)
        };
        names.iter().map(find).collect()
    }

    /// The gazetteer, with the user's own entries.
    pub fn load_gazetteer(&self) -> Result<Gazetteer> {
        let embedded = Gazetteer::embedded();
        match &self.gazetteer {
            Some(path) => Ok(embedded.with_override_file(path)?),
            None => Ok(embedded.clone()),
        }
    }
}

/// The entry of a name; where it is one of several, what it is read as.
pub fn find(gazetteer: &Gazetteer, name: &str) -> detente::Result<(EntryId, Option<String>)> {
    let found = detente::pipeline::find(gazetteer, name)?;
    let named = |other: EntryId| format!("{} ({})", gazetteer.get(other).name, gazetteer.get(other).code);
    let others: Vec<String> = gazetteer.others(name).into_iter().map(named).collect();
    let read = || format!("{} is read as {}", detente::visible(name), gazetteer.get(found).name);
    let note = (!others.is_empty()).then(|| format!("{}; the other is {}", read(), others.join(", ")));
    Ok((found, note))
}

/// `--label-map pro=aligned,con=opposed`.
#[derive(Debug, clap::Args)]
pub struct LabelArgs {
    /// Other spellings of the labels, as `theirs=ours`, separated by commas
    #[arg(long, value_name = "MAP", value_parser = parse_label_map, default_value = "")]
    pub label_map: LabelMap,
}

fn parse_label_map(map: &str) -> Result<LabelMap, detente::Error> {
    map.parse()
}
