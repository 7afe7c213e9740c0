//! Readers that yield articles, one at a time.
//!
//! | format | files | an article is |
//! |---|---|---|
//! | [`Format::Text`] | `.txt` | the file |
//! | [`Format::Html`] | `.html`, `.htm` | the main content of the page |
//! | [`Format::Csv`] | `.csv` | a row |
//! | [`Format::Jsonl`] | `.jsonl`, `.ndjson` | a line |
//!
//! Each may be compressed with gzip, whatever its name, and be in UTF-8, in UTF-16 with a byte-order mark, or in
//! Windows-1252, which is reported (see [`encoding`]). Only one article is held at a time, and sizes are bounded:
//! [`MAX_ARTICLE`] and [`MAX_LINE`].
//!
//! A reader of a file with many articles goes on after a bad one: the iterator yields an error that names the line, and
//! then the next article. It ends after an error that leaves no way to go on, such as a quote that is never closed.
//!
//! ```
//! use detente::source::{self, Format, Input, Source, ignore_warnings};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("news.jsonl");
//! std::fs::write(&path, "{\"id\": 7, \"text\": \"Minsk thanked Moscow.\"}\n{\"text\": 5}\n")?;
//! let mut articles = source::read(&Source::file(&path), &ignore_warnings())?;
//! assert_eq!(articles.next().unwrap()?.id, "7");
//! assert!(articles.next().unwrap().unwrap_err().to_string().contains("news.jsonl:2"));
//! assert!(articles.next().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod encoding;

pub(crate) mod csv;
mod html;
pub(crate) mod jsonl;
pub(crate) mod stream;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::{Article, Error, Location, Result};

/// The most bytes that the text of one article, or one HTML page, may have: 32 MiB.
pub const MAX_ARTICLE: usize = 32 << 20;

/// The most bytes that one line of JSONL, or one row of CSV, may have: 64 MiB.
pub const MAX_LINE: usize = 64 << 20;

/// The shape of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Plain text: one article.
    Text,
    /// A saved page: one article.
    Html,
    /// A table with a header row: one article a row.
    Csv,
    /// A JSON object a line: one article each.
    Jsonl,
}

impl Format {
    /// The format that the extension of `path` names, a last `.gz` aside.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match Path::new(name).extension()?.to_str()? {
            "txt" => Some(Self::Text),
            "html" | "htm" => Some(Self::Html),
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "text" | "txt" => Ok(Self::Text),
            "html" | "htm" => Ok(Self::Html),
            "csv" => Ok(Self::Csv),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            _ => Err(Error::Parameter {
                name: "input-format",
                found: format!("`{name}`"),
                expected: "text, html, csv or jsonl",
            }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        })
    }
}

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// The file; that of standard input is what it was redirected from.
    pub fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Stdin => Path::new("/dev/stdin"),
        }
    }

    /// The file as the user named it, or `-`.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Stdin => "-".into(),
        }
    }
}

/// One input, its format, and what its articles are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub input: Input,
    /// What shape it has.
    pub format: Format,
    /// The identifier of the article, or what comes before `:LINE` in the identifiers of rows that have none: the name
    /// of the file, for a file found in a folder its path below that folder, and `-` for standard input.
    pub id: String,
}

impl Source {
    /// The file at `path`, in the format that its extension names, plain text if it names none.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let id =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let format = Format::of(&path).unwrap_or(Format::Text);
        Self { input: Input::Path(path), format, id }
    }

    /// Standard input.
    pub fn stdin(format: Format) -> Self {
        Self { input: Input::Stdin, format, id: "-".into() }
    }
}

/// Something that a person should know though it stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub location: Location,
    /// What, in a sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// Takes the warnings of a reader as they arise.
pub type Warn = Arc<dyn Fn(Warning) + Send + Sync>;

/// A [`Warn`] that drops every warning.
pub fn ignore_warnings() -> Warn {
    Arc::new(|_| {})
}

/// The inputs that `paths` name: files, folders with all that is in them (sorted by path), and `-` for standard input.
///
/// The format is that of the extension, or `format` where it is given. In a folder, hidden files and files with an
/// unknown extension are left out; with `format`, those of another format are left out and those with an unknown
/// extension are taken. A file that is named itself is taken whatever its extension; whether it exists shows when it is
/// read.
///
/// A folder that cannot be listed or holds no article gives an error in its place.
pub fn inputs<P: AsRef<Path>>(paths: &[P], format: Option<Format>) -> Vec<Result<Source>> {
    let mut sources = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        if path == Path::new("-") {
            sources.push(Ok(Source::stdin(format.unwrap_or(Format::Text))));
        } else if path.is_dir() {
            let mut found = Vec::new();
            match list(path, path, format, &mut found) {
                Err(error) => sources.push(Err(error)),
                Ok(()) if found.is_empty() => {
                    sources.push(Err(Error::Empty { path: path.display().to_string(), what: "article" }));
                }
                Ok(()) => sources.extend(found.into_iter().map(Ok)),
            }
        } else {
            let mut source = Source::file(path);
            source.format = format.unwrap_or(source.format);
            sources.push(Ok(source));
        }
    }
    sources
}

/// Adds the articles below `folder`, each named by its path below `root`.
fn list(root: &Path, folder: &Path, format: Option<Format>, sources: &mut Vec<Source>) -> Result<()> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(|source| Error::io(folder, source))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A link to a folder is not followed: it may lead back.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &path, format, sources)?;
            continue;
        }
        let by_name = Format::of(&path);
        let wanted = match format {
            None => by_name,
            Some(format) => Some(format).filter(|_| by_name.is_none_or(|named| named == format)),
        };
        if let Some(format) = wanted.filter(|_| path.is_file()) {
            let id = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            sources.push(Source { input: Input::Path(path), format, id });
        }
    }
    Ok(())
}

/// Articles as they are read.
pub struct Articles {
    inner: Box<dyn Iterator<Item = Result<Article>> + Send>,
}

impl fmt::Debug for Articles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Articles").finish_non_exhaustive()
    }
}

impl Iterator for Articles {
    type Item = Result<Article>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next()
    }
}

/// The articles of one input.
///
/// # Errors
///
/// If it cannot be opened, is binary, or has no usable header. Errors of single articles come from the iterator; so
/// does [`Error::Empty`], at the end, when there was no article.
pub fn read(source: &Source, warn: &Warn) -> Result<Articles> {
    let stream = stream::open(&source.input, warn)?;
    let inner: Box<dyn Iterator<Item = Result<Article>> + Send> = match source.format {
        Format::Text => Box::new(std::iter::once(text::article(stream, &source.id))),
        Format::Html => Box::new(std::iter::once(html::article(stream, &source.id))),
        Format::Csv => Box::new(csv::articles(stream, &source.id)?),
        Format::Jsonl => Box::new(jsonl::articles(stream, &source.id)),
    };
    Ok(Articles { inner })
}

/// The articles of many inputs, one input after the other; an input that cannot be opened gives one error.
pub fn read_all(sources: Vec<Source>, warn: &Warn) -> Articles {
    let warn = warn.clone();
    let inner = sources.into_iter().flat_map(move |source| match read(&source, &warn) {
        Ok(articles) => articles,
        Err(error) => Articles { inner: Box::new(std::iter::once(Err(error))) },
    });
    Articles { inner: Box::new(inner) }
}

/// The lines of a text file, without their ends.
///
/// # Errors
///
/// If it cannot be opened or is binary. Errors of single lines come from the iterator.
pub fn text_lines(path: &Path, warn: &Warn) -> Result<impl Iterator<Item = Result<String>> + use<>> {
    let stream = stream::open(&Input::Path(path.into()), warn)?;
    Ok(stream::lines(stream))
}

/// What stands in `cell`, if more than white space.
pub(crate) fn filled(cell: Option<&str>) -> Option<String> {
    cell.filter(|cell| !cell.trim().is_empty()).map(str::to_owned)
}

/// An error if the text of an article is longer than [`MAX_ARTICLE`].
pub(crate) fn check_size(text: &str, location: &Location) -> Result<()> {
    if text.len() > MAX_ARTICLE {
        return Err(too_large(location.clone()));
    }
    Ok(())
}

fn too_large(location: Location) -> Error {
    Error::format(
        location,
        format!("an article of more than {} MiB", MAX_ARTICLE >> 20),
        "one article; split the input, or use CSV or JSONL with one article a row",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_go_by_extension_and_gzip_does_not_matter() {
        assert_eq!(Format::of(Path::new("a/b.TXT")), Some(Format::Text));
        assert_eq!(Format::of(Path::new("b.ndjson.gz")), Some(Format::Jsonl));
        assert_eq!(Format::of(Path::new("b.gz")), None);
        assert_eq!("HTML".parse::<Format>().ok(), Some(Format::Html));
        assert!("pdf".parse::<Format>().unwrap_err().to_string().contains("text, html, csv or jsonl"));
    }

    #[test]
    fn folders_are_listed_in_order_and_unknown_files_left_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/c")).expect("a folder");
        for name in ["z.txt", "b/c/page.html", "b/a.csv.gz", "b/photo.png", ".hidden.txt", "b/README"] {
            std::fs::write(root.join(name), "x").expect("a file");
        }
        let names = |format| -> Vec<String> {
            inputs(&[root], format).into_iter().map(|source| source.expect("an article").id).collect()
        };
        assert_eq!(names(None), ["b/a.csv.gz", "b/c/page.html", "z.txt"]);
        assert_eq!(names(Some(Format::Text)), ["b/README", "b/photo.png", "z.txt"]);
        let empty = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(inputs(&[empty.path()], None)[..], [Err(Error::Empty { what: "article", .. })]));
    }
}
