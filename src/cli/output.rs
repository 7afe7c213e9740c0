//! How results are printed: tables for people, JSON and CSV for programs.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use colorchoice::ColorChoice;
use comfy_table::{ContentArrangement, Table, presets};
use rustc_hash::FxHashMap;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use detente::output_file::OutputFile;
use detente::{Record, Stance};

use super::paths;

/// `--format` of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One row a pair
    Csv,
    /// One JSON object a pair, each on a line
    Jsonl,
    /// One JSON array of all
    Json,
    /// One record a pair
    Parquet,
}

impl Format {
    /// The format that was asked for, or that the name of the output says.
    ///
    /// # Errors
    /// Where the two are not the same.
    pub fn resolve(asked: Option<Self>, output: Option<&Path>) -> Result<Self> {
        let ending = output.and_then(Path::extension).map(|e| e.to_string_lossy().to_lowercase());
        let named = match ending.as_deref() {
            Some("csv") => Some(Self::Csv),
            Some("jsonl" | "ndjson") => Some(Self::Jsonl),
            Some("json") => Some(Self::Json),
            Some("parquet") => Some(Self::Parquet),
            Some(ending @ ("tsv" | "tab" | "xlsx" | "gz" | "zst")) if asked.is_none() => {
                anyhow::bail!("--output: .{ending} is not written; there are .csv, .jsonl, .json and .parquet")
            }
            _ => None,
        };
        match (asked, named) {
            (Some(asked), Some(named)) if asked != named => {
                let name =
                    |format: Self| format.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
                anyhow::bail!(
                    "--format {} and --output {} contradict each other; leave one out",
                    name(asked),
                    detente::visible(&output.unwrap_or(Path::new("")).to_string_lossy())
                )
            }
            (asked, named) => Ok(asked.or(named).unwrap_or(Self::Table)),
        }
    }
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

/// Whether results have colours: as `--color` says, else on a terminal, unless `NO_COLOR` is set.
pub fn colours() -> bool {
    match ColorChoice::global() {
        ColorChoice::Never => false,
        ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
        ColorChoice::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}

/// The command that runs, as a shell would be given it.
pub fn command_line() -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%".contains(c);
    let quoted = |word: std::ffi::OsString| {
        let word = word.to_string_lossy().into_owned();
        if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    std::iter::once("detente".to_owned()).chain(std::env::args_os().skip(1).map(quoted)).collect::<Vec<_>>().join(" ")
}

/// Refuses a page on standard output beside other results there.
pub fn check_page(page: Option<&Path>, results: bool) -> Result<()> {
    let both = results && page.is_some_and(paths::is_stdout);
    anyhow::ensure!(!both, "--html - and --format both write to standard output; --output takes the results elsewhere");
    Ok(())
}

/// The day, in UTC, as `2026-03-02`.
pub fn today() -> String {
    let days =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs() / 86_400);
    let day = i32::try_from(days).ok().and_then(chrono::NaiveDate::from_epoch_days);
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// A text cut to `width` columns, with an ellipsis where something is missing.
pub fn shorten(text: &str, width: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = detente::visible(&text);
    if text.width() <= width {
        return text.into_owned();
    }
    let mut short = String::new();
    let mut left = width.saturating_sub(1);
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if columns > left {
            break;
        }
        left -= columns;
        short.push(c);
    }
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

/// What is written to a file at once, in bytes: whole pages of it, few of them in parts.
pub const BUFFER: usize = 256 << 10;

/// Where results go: stdout, or a file that appears under its name only when it is whole.
pub enum Sink {
    /// Standard output.
    Stdout(io::BufWriter<io::Stdout>),
    /// Nothing is written.
    Nowhere,
    /// A file.
    File(io::BufWriter<OutputFile>, PathBuf),
    /// A file that somebody else gives its name.
    Kept(io::BufWriter<File>, PathBuf),
}

impl Sink {
    /// Opens the sink.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path.filter(|path| !paths::is_stdout(path)) else {
            drop(stdout()?);
            return Ok(Self::Stdout(io::BufWriter::new(io::stdout())));
        };
        let file = OutputFile::create(path).with_context(|| format!("{}: cannot write there", path.display()))?;
        Ok(Self::File(io::BufWriter::with_capacity(BUFFER, file), path.to_path_buf()))
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
            Self::Nowhere => Ok(bytes.len()),
            Self::File(out, path) => out.write(bytes).map_err(|e| named(path, e)),
            Self::Kept(out, path) => out.write(bytes).map_err(|e| named(path, e)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Nowhere => Ok(()),
            Self::File(out, path) => out.flush().map_err(|e| named(path, e)),
            Self::Kept(out, path) => out.flush().map_err(|e| named(path, e)),
        }
    }
}

/// Writes a value as JSON, to standard output where there is no path.
///
/// # Errors
/// If nothing can be written there.
pub fn write_json(path: Option<&Path>, value: &impl serde::Serialize) -> Result<()> {
    let mut sink = Sink::open(path)?;
    serde_json::to_writer_pretty(&mut sink, value)?;
    writeln!(sink)?;
    sink.finish()
}

/// The same error with the name of the file in front.
fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
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

/// States down, actors across: each cell the stance and its probability. Of more actors than fit, those with most sides
/// are shown, and how many are left out is said.
pub fn matrix(out: &mut impl Write, records: &[Record]) -> Result<()> {
    let mut places: FxHashMap<&str, usize> = FxHashMap::default();
    let mut names: Vec<&str> = Vec::new();
    for (code, name) in records.iter().flat_map(|r| [(&r.state_code, &r.state), (&r.actor_code, &r.actor)]) {
        places.entry(code).or_insert_with(|| {
            names.push(name);
            names.len() - 1
        });
    }
    let mut cells = vec![vec!["·".to_owned(); names.len()]; names.len()];
    let mut sides = vec![0; names.len()];
    let mut widths: Vec<usize> = names.iter().map(|name| detente::visible(name).width().min(width() / 2)).collect();
    for r in records {
        let stance = paint_decided(r.stance, r.by_advantage());
        let (state, actor) = (places[r.state_code.as_str()], places[r.actor_code.as_str()]);
        cells[state][actor] = format!("{stance} {:.2}", r.probability());
        sides[actor] += usize::from(r.stance != Stance::Neutral);
        widths[actor] = widths[actor].max(r.stance.as_str().len() + usize::from(r.by_advantage()) + 5);
    }
    const GAP: usize = 2;
    const CORNER: &str = "STATE \\ ACTOR";
    const LONGEST: usize = 20;
    // A name takes no more than what leaves room for one actor.
    let most = width().saturating_sub(LONGEST + 2 * GAP).max(CORNER.len());
    let first = names.iter().map(|name| detente::visible(name).width()).max().unwrap_or(0).clamp(CORNER.len(), most);
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&actor| std::cmp::Reverse(sides[actor]));
    let mut room = width().saturating_sub(first + GAP);
    let mut shown: Vec<usize> = Vec::new();
    for actor in order {
        let needed = widths[actor] + GAP;
        if needed <= room || shown.is_empty() {
            room = room.saturating_sub(needed);
            shown.push(actor);
        }
    }
    shown.sort_unstable();
    let mut header = vec![CORNER.into()];
    header.extend(shown.iter().map(|&actor| shorten(names[actor], widths[actor])));
    let mut rows = table(&header);
    for (state, cells) in names.iter().zip(&cells) {
        let cells = shown.iter().map(|&actor| cells[actor].clone());
        rows.add_row(std::iter::once(shorten(state, first)).chain(cells));
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    let left = names.len() - shown.len();
    if left > 0 {
        let more = if left == 1 { "1 more actor does" } else { &format!("{left} more actors do") };
        writeln!(out, "{more} not fit; a wider terminal shows more, --actor one, --format csv all")?;
    }
    footnote(out, records)
}

/// Says what a `*` means, if there is one.
pub fn footnote(out: &mut impl Write, records: &[Record]) -> Result<()> {
    if records.iter().any(Record::by_advantage) {
        writeln!(out, "{ADVANTAGE}")?;
    }
    Ok(())
}
