//! What can go wrong, said so that a person can mend it.
//!
//! Every variant names the place (file, line, column where there is one), what was found and what was expected.

use std::fmt;
use std::path::PathBuf;

use crate::visible::{shortened, visible};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A place in an input: a file (or `-` for standard input), and a line and column where they are known.
///
/// Lines and columns count from 1; columns count Unicode characters in text and fields in CSV.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file as the user named it, or `-`.
    pub path: String,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column, from 1.
    pub column: Option<u64>,
}

impl Location {
    /// The place `path`, without line.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, column: None }
    }

    /// The place `path:line`.
    pub fn line(path: impl Into<String>, line: u64) -> Self {
        Self { path: path.into(), line: Some(line), column: None }
    }

    /// The same place with a column.
    pub fn at_column(mut self, column: u64) -> Self {
        self.column = Some(column);
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.path))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}

/// Everything that this crate reports as an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{}: {source}", visible(&.path.to_string_lossy()))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Input that is not in the shape it should have.
    #[error("{location}: found {}, expected {}", shortened(.found), shortened(.expected))]
    Format {
        /// Where.
        location: Location,
        /// What stands there.
        found: String,
        /// What should stand there, and what to do.
        expected: String,
    },
    /// An input with nothing in it to work on.
    #[error("{}: no {what} found; expected at least one", visible(.path))]
    Empty {
        /// The file or folder.
        path: String,
        /// What was looked for: `article`, `labelled row` …
        what: &'static str,
    },
    /// A name that the gazetteer does not hold.
    #[error("{}unknown state or actor `{}`{}", prefix(.location), shortened(.name), suggestion(.nearest))]
    UnknownEntity {
        /// Where the name was given, if in a file.
        location: Option<Location>,
        /// The name.
        name: String,
        /// The nearest names that it does hold.
        nearest: Vec<String>,
    },
    /// Training data with fewer than two classes.
    #[error("all {rows} rows are labelled {label}; a classifier needs at least two of aligned, neutral, opposed")]
    OneClass {
        /// How many rows were read.
        rows: usize,
        /// The only label.
        label: String,
    },
    /// A model of this program that is a file of its own, and not where it is looked for.
    #[error(
        "the model file {name} is not found in the folder that the variable {variable} names, or, where it names none, beside \
         the program or in a folder `models`; it is part of the repository: name its folder by {variable}, build with the feature `embed-accurate`, or use the fast model \
         (`--model fast`), which is part of the program"
    )]
    NoModel {
        /// The file.
        name: &'static str,
        /// The variable that can name its folder.
        variable: &'static str,
    },
    /// A parameter outside its range.
    #[error("{name} is {}; expected {expected}", shortened(.found))]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        found: String,
        /// Its range.
        expected: &'static str,
    },
    /// Numbers that do not fit together: lengths that differ, a value that is not finite.
    #[error("{what}: found {}, expected {}", shortened(.found), shortened(.expected))]
    Shape {
        /// Which numbers.
        what: &'static str,
        /// What they were.
        found: String,
        /// What they should be.
        expected: String,
    },
    /// A recipe whose files are missing, or are not what it says.
    #[error("the recipe's files are not all here:\n  {}", problems.join("\n  "))]
    Recipe {
        /// A line for each, with what it should be and where it comes from.
        problems: Vec<String>,
    },
    /// A model file that cannot be used.
    #[error("{}: {problem}", visible(.path))]
    Model {
        /// The file, or `<bytes>`.
        path: String,
        /// What is wrong with it.
        problem: ModelProblem,
    },
    /// A fit that the numerical library could not finish.
    #[error("the optimiser stopped: {0}")]
    Solver(String),
    /// An error of linfa.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// Why a model file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelProblem {
    /// Not written by this program.
    #[error("not a detente model (found {}); `detente train --output FILE` writes one", shortened(.found))]
    NotAModel {
        /// What the file looks like.
        found: String,
    },
    /// Cut short.
    #[error("the model is truncated: {found} bytes, expected {expected}; copy it again")]
    Truncated {
        /// Bytes there are.
        found: u64,
        /// Bytes there should be.
        expected: u64,
    },
    /// Bytes that differ from those that were written.
    #[error("the model is damaged: checksum {found}, expected {expected}; copy it again")]
    Checksum {
        /// SHA-256 of the content.
        found: String,
        /// SHA-256 that was recorded.
        expected: String,
    },
    /// A format that this version does not read.
    #[error(
        "the model has format version {found}; this program reads {oldest} to {newest}; use a matching version of detente"
    )]
    Version {
        /// The file's.
        found: u32,
        /// The oldest readable.
        oldest: u32,
        /// The newest readable.
        newest: u32,
    },
    /// A part that is missing or has the wrong shape.
    #[error("the model's part `{part}` is unusable: {}, expected {}", shortened(.found), shortened(.expected))]
    Part {
        /// The part's name.
        part: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
}

impl Error {
    /// An operating-system error on `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// The same error with the place of the name, for an unknown entity.
    pub fn at(self, location: &Location) -> Self {
        match self {
            Self::UnknownEntity { name, nearest, .. } => {
                Self::UnknownEntity { location: Some(location.clone()), name, nearest }
            }
            other => other,
        }
    }

    /// Input of the wrong shape at `location`.
    pub fn format(location: Location, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Format { location, found: found.into(), expected: expected.into() }
    }
}

fn prefix(location: &Option<Location>) -> String {
    location.as_ref().map(|l| format!("{l}: ")).unwrap_or_default()
}

fn suggestion(nearest: &[String]) -> String {
    if nearest.is_empty() {
        "; `detente gazetteer list` shows all names, `--gazetteer FILE.csv` adds one".into()
    } else {
        format!("; did you mean {}?", nearest.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or "))
    }
}
