//! How results are printed: tables for people, JSON and CSV for programs.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use detente::output_file::OutputFile;
use detente::pipeline::ScoredEvidence;
use detente::text::characters::Characters;
use detente::{Article, Part, Prediction, Stance, Strength};

/// `--format` of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One row a pair
    Csv,
    /// One JSON object a pair
    Jsonl,
}

/// A table without lines, as wide as its content.
pub fn table(header: &[impl AsRef<str>]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().map(AsRef::as_ref));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The width of the terminal, or 100 where there is none.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    columns.unwrap_or_else(|| usize::from(Table::new().width().unwrap_or(100))).max(40)
}

/// Whether stdout may have colours: a terminal, and no `NO_COLOR`.
pub fn colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// A text cut to `width` characters, with an ellipsis where something is missing.
pub fn shorten(text: &str, width: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = detente::visible(&text);
    if text.chars().count() <= width {
        return text.into_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Standard output, for results.
///
/// # Errors
/// If the program was started without one.
pub fn stdout() -> Result<io::StdoutLock<'static>> {
    anyhow::ensure!(!super::closed::stdout_was_closed(), "cannot write to standard output: it is closed");
    Ok(io::stdout().lock())
}

/// Where results go: stdout, or a file that appears under its name only when it is whole.
pub enum Sink {
    /// Standard output.
    Stdout(io::BufWriter<io::Stdout>),
    /// A file.
    File(io::BufWriter<OutputFile>, PathBuf),
}

impl Sink {
    /// Opens the sink.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path.filter(|p| *p != Path::new("-")) else {
            drop(stdout()?);
            return Ok(Self::Stdout(io::BufWriter::new(io::stdout())));
        };
        let file = OutputFile::create(path).with_context(|| format!("{}: cannot write there", path.display()))?;
        Ok(Self::File(io::BufWriter::new(file), path.to_path_buf()))
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        if let Self::File(file, path) = self {
            let finished = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(OutputFile::finish);
            finished.with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out, path) => out.write(bytes).map_err(|e| named(path, e)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out, path) => out.flush().map_err(|e| named(path, e)),
        }
    }
}

/// The same error with the name of the file in front.
fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Three probabilities by name.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Probabilities {
    aligned: f64,
    neutral: f64,
    opposed: f64,
}

impl From<[f64; 3]> for Probabilities {
    fn from([aligned, neutral, opposed]: [f64; 3]) -> Self {
        Self { aligned, neutral, opposed }
    }
}

/// An article whose characters are counted, once for all of its records.
pub struct Counted<'a> {
    article: &'a Article,
    title: Characters<'a>,
    text: Characters<'a>,
}

impl<'a> Counted<'a> {
    /// Counts title and text.
    pub fn new(article: &'a Article) -> Self {
        let [title, text] = [Part::Title, Part::Text].map(|part| Characters::new(article.part(part)));
        Self { article, title, text }
    }
}

/// A piece of evidence in files; offsets count Unicode characters.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceRecord {
    text: String,
    part: Part,
    start: usize,
    end: usize,
    strength: Strength,
    stance: Stance,
    probability: f64,
    state: [usize; 2],
    actor: [usize; 2],
}

impl EvidenceRecord {
    /// The record of one piece of evidence of an article.
    fn new(article: &Counted<'_>, scored: &ScoredEvidence) -> Self {
        let evidence = &scored.evidence;
        let text = article.article.part(evidence.part);
        let characters = if evidence.part == Part::Title { &article.title } else { &article.text };
        Self {
            text: text[evidence.span.clone()].into(),
            part: evidence.part,
            start: characters.of_byte(evidence.span.start),
            end: characters.of_byte(evidence.span.end),
            strength: evidence.strength,
            stance: scored.stance,
            probability: scored.probabilities[scored.stance.index()],
            state: characters.of_span(&evidence.state),
            actor: characters.of_span(&evidence.actor),
        }
    }
}

/// The prediction record.
#[derive(Debug, Clone, Serialize)]
pub struct PredictionRecord {
    id: String,
    state: String,
    state_code: String,
    actor: String,
    actor_code: String,
    stance: Stance,
    probabilities: Probabilities,
    mentions: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_evidence: bool,
    evidence: Vec<EvidenceRecord>,
}

impl PredictionRecord {
    /// The record of a prediction, with at most `limit` pieces of evidence.
    pub fn new(article: &Counted<'_>, prediction: &Prediction<'_>, limit: usize) -> Self {
        Self {
            id: article.article.id.clone(),
            state: prediction.state.name.clone(),
            state_code: prediction.state.code.clone(),
            actor: prediction.actor.name.clone(),
            actor_code: prediction.actor.code.clone(),
            stance: prediction.stance,
            probabilities: prediction.probabilities.into(),
            mentions: prediction.mentions,
            no_evidence: prediction.no_evidence,
            evidence: prediction.evidence.iter().take(limit).map(|e| EvidenceRecord::new(article, e)).collect(),
        }
    }

    /// The columns of the CSV form; evidence is one JSON value.
    pub const COLUMNS: [&str; 13] = [
        "id",
        "state",
        "state_code",
        "actor",
        "actor_code",
        "stance",
        "p_aligned",
        "p_neutral",
        "p_opposed",
        "mentions",
        "no_evidence",
        "evidence_text",
        "evidence",
    ];

    /// The row of the CSV form.
    pub fn row(&self) -> Result<[String; 13]> {
        let p = self.probabilities;
        Ok([
            self.id.clone(),
            self.state.clone(),
            self.state_code.clone(),
            self.actor.clone(),
            self.actor_code.clone(),
            self.stance.to_string(),
            p.aligned.to_string(),
            p.neutral.to_string(),
            p.opposed.to_string(),
            self.mentions.to_string(),
            self.no_evidence.to_string(),
            self.evidence.first().map(|e| e.text.clone()).unwrap_or_default(),
            serde_json::to_string(&self.evidence)?,
        ])
    }
}

/// What stands below a table that has a stance with a `*`.
pub const ADVANTAGE: &str = "* another stance is more probable; `detente explain` shows what decided";

/// A stance in its colour, with a `*` where an advantage decided.
pub fn paint_decided(stance: Stance, by_advantage: bool) -> String {
    format!("{}{}", paint(stance), if by_advantage { "*" } else { "" })
}

/// A stance in its colour, or plain where there are no colours.
pub fn paint(stance: Stance) -> String {
    use anstyle::{AnsiColor, Style};
    let style = match stance {
        _ if !colours() => return stance.to_string(),
        Stance::Aligned => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Stance::Neutral => Style::new().dimmed(),
        Stance::Opposed => Style::new().fg_color(Some(AnsiColor::Red.into())),
    };
    format!("{style}{stance}{style:#}")
}

/// States down, actors across: each cell the stance and its probability.
pub fn matrix(out: &mut impl Write, predictions: &[Prediction<'_>]) -> Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for name in predictions.iter().flat_map(|p| [p.state.name.as_str(), p.actor.name.as_str()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut header = vec!["STATE \\ ACTOR".into()];
    header.extend(names.iter().copied().map(detente::visible));
    let mut rows = table(&header);
    for state in &names {
        let mut row = vec![detente::visible(state).into_owned()];
        row.extend(names.iter().map(|actor| {
            let found = predictions.iter().find(|p| p.state.name == *state && p.actor.name == *actor);
            found.map_or("·".into(), |p| {
                format!("{} {:.2}", paint_decided(p.stance, p.by_advantage), p.probabilities[p.stance.index()])
            })
        }));
        rows.add_row(row);
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    footnote(out, predictions)
}

/// Says what a `*` means, if there is one.
pub fn footnote(out: &mut impl Write, predictions: &[Prediction<'_>]) -> Result<()> {
    if predictions.iter().any(|p| p.by_advantage) {
        writeln!(out, "{ADVANTAGE}")?;
    }
    Ok(())
}
