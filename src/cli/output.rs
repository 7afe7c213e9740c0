//! How results are printed: tables for people, JSON and CSV for programs.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use rustc_hash::FxHashMap;

use detente::output_file::OutputFile;
use detente::{Record, Stance};

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
    /// Nothing is written.
    Nowhere,
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
            Self::Nowhere => Ok(bytes.len()),
            Self::File(out, path) => out.write(bytes).map_err(|e| named(path, e)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Nowhere => Ok(()),
            Self::File(out, path) => out.flush().map_err(|e| named(path, e)),
        }
    }
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

/// States down, actors across: each cell the stance and its probability.
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
    for r in records {
        let stance = paint_decided(r.stance, r.by_advantage());
        cells[places[r.state_code.as_str()]][places[r.actor_code.as_str()]] =
            format!("{stance} {:.2}", r.probability());
    }
    let mut header = vec!["STATE \\ ACTOR".into()];
    header.extend(names.iter().copied().map(detente::visible));
    let mut rows = table(&header);
    for (state, cells) in names.iter().zip(cells) {
        rows.add_row(std::iter::once(detente::visible(state).into_owned()).chain(cells));
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    footnote(out, records)
}

/// Says what a `*` means, if there is one.
pub fn footnote(out: &mut impl Write, records: &[Record]) -> Result<()> {
    if records.iter().any(Record::by_advantage) {
        writeln!(out, "{ADVANTAGE}")?;
    }
    Ok(())
}
