//! Readers that yield articles, one at a time.
//!
//! | format | files | an article is |
//! |---|---|---|
//! | [`Format::Text`] | `.txt` | the file |
//! | [`Format::Html`] | `.html`, `.htm` | the main content of the page |
//! | [`Format::Mhtml`] | `.mhtml`, `.mht`, `.eml` | the main content of the page, or the text of the mail |
//! | [`Format::Csv`] | `.csv` | a row; fields divided by commas, semicolons, tabs or bars, as the header shows |
//! | [`Format::Tsv`] | `.tsv`, `.tab` | a row; fields divided by tabs |
//! | [`Format::Jsonl`] | `.jsonl`, `.ndjson` | a line |
//! | [`Format::Json`] | `.json` | an object: alone, in an array, or in the array that an object holds |
//! | [`Format::Parquet`] | `.parquet` | a record |
//! | [`Format::Xlsx`] | `.xlsx` | a row of the first sheet |
//! | [`Format::Feed`] | `.rss`, `.atom`, `.xml` | an entry of RSS or Atom |
//!
//! Text formats may be compressed with gzip or zstd, whatever their name, and be in UTF-8, in UTF-16 with a byte-order
//! mark, or in Windows-1252, which is reported (see [`encoding`]). What a name does not say is told from the first bytes
//! ([`Format::Auto`]). What fields may be called is said in [`fields`]. Sizes are bounded: [`MAX_ARTICLE`] and
//! [`MAX_LINE`]; but for a workbook, a feed and an array within a JSON object, one article is held at a time, of JSONL
//! a few where several threads read ([`lots`]).
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
pub mod fields;

mod feed;
mod html;
mod lots;
mod mhtml;
pub(crate) mod rows;
mod sniff;
pub(crate) mod stream;
mod text;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

pub use fields::{BytesRead, FieldNames, ReadOptions};
pub use lots::{Lot, Lots, ReadLot, lots};

use crate::{Article, Error, Location, Result};
use fields::{ArticleFields, Doubtful};
use stream::Unpacked;

/// The most bytes of a workbook or a Parquet file on standard input: 1 GiB.
const MAX_BINARY: u64 = 1 << 30;

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
    /// A saved page with all that belongs to it, or a mail: one article.
    Mhtml,
    /// A table with a header row: one article a row.
    Csv,
    /// The same, divided by tabs.
    Tsv,
    /// A JSON object a line: one article each.
    Jsonl,
    /// JSON objects in an array or alone: one article each.
    Json,
    /// A Parquet file: one article a record.
    Parquet,
    /// An Excel workbook: one article a row of its first sheet.
    Xlsx,
    /// RSS or Atom: one article an entry.
    Feed,
    /// What the first bytes say.
    Auto,
}

impl Format {
    /// All formats by name.
    const NAMES: [(&'static str, Self); 11] = [
        ("text", Self::Text),
        ("html", Self::Html),
        ("mhtml", Self::Mhtml),
        ("csv", Self::Csv),
        ("tsv", Self::Tsv),
        ("jsonl", Self::Jsonl),
        ("json", Self::Json),
        ("parquet", Self::Parquet),
        ("xlsx", Self::Xlsx),
        ("feed", Self::Feed),
        ("auto", Self::Auto),
    ];

    /// The format that the extension of `path` names, a last `.gz` or `.zst` aside.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        match Path::new(name).extension()?.to_str()? {
            "txt" => Some(Self::Text),
            "html" | "htm" => Some(Self::Html),
            "mhtml" | "mht" | "eml" => Some(Self::Mhtml),
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "json" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            "xlsx" => Some(Self::Xlsx),
            "rss" | "atom" | "xml" => Some(Self::Feed),
            _ => None,
        }
    }

    /// Whether a file of it holds rows of named fields.
    pub fn is_rows(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Jsonl | Self::Json | Self::Parquet | Self::Xlsx)
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let lower = name.to_ascii_lowercase();
        let known = Self::NAMES.iter().find(|(known, _)| *known == lower).map(|(_, format)| *format);
        known.or_else(|| Self::of(Path::new(&format!("x.{lower}")))).ok_or_else(|| Error::Parameter {
            name: "input-format",
            found: format!("`{name}`"),
            expected: "text, html, mhtml, csv, tsv, jsonl, json, parquet, xlsx, feed or auto",
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name))
    }
}

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// What is held already, under this name.
    Bytes(String, Bytes),
}

impl Input {
    /// The file; that of standard input is what it was redirected from, and bytes have none.
    pub fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Stdin => Path::new("/dev/stdin"),
            Self::Bytes(..) => Path::new(""),
        }
    }

    /// The file as the user named it, or `-`.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Stdin => "-".into(),
            Self::Bytes(name, _) => name.clone(),
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
    /// How rows are read.
    pub options: Arc<ReadOptions>,
}

impl Source {
    /// The file at `path`, in the format that its extension names, or that its first bytes show if it names none.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let id =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let format = Format::of(&path).unwrap_or(Format::Auto);
        Self { input: Input::Path(path), format, id, options: Arc::default() }
    }

    /// The file at `path`, or standard input where that is `-`.
    pub fn named(path: &Path) -> Self {
        if path == Path::new("-") { Self::stdin(Format::Auto) } else { Self::file(path) }
    }

    /// Standard input.
    pub fn stdin(format: Format) -> Self {
        Self { input: Input::Stdin, format, id: "-".into(), options: Arc::default() }
    }

    /// Bytes that are held already, in the format that the extension of their name says, or that they show themselves.
    ///
    /// ```
    /// use detente::source::{self, Source};
    ///
    /// let source = Source::bytes("notes.csv", "id,text\n1,Norway praised Chile.\n");
    /// let articles: Vec<_> = source::read(&source, &source::ignore_warnings())?.collect::<Result<_, _>>()?;
    /// assert_eq!((articles[0].id.as_str(), articles[0].text.as_str()), ("1", "Norway praised Chile."));
    /// # Ok::<(), detente::Error>(())
    /// ```
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let name = name.into();
        let format = Format::of(Path::new(&name)).unwrap_or(Format::Auto);
        Self { input: Input::Bytes(name.clone(), bytes.into()), format, id: name, options: Arc::default() }
    }

    /// The same, with rows read so.
    pub fn with_options(mut self, options: &Arc<ReadOptions>) -> Self {
        self.options = Arc::clone(options);
        self
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

/// What paths name.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The inputs in order; a folder that cannot be listed or holds no article gives an error in its place.
    pub sources: Vec<Result<Source>>,
    /// How many files of folders were passed over, by extension (with its dot; empty without one).
    pub passed_over: BTreeMap<String, usize>,
}

/// The inputs that `paths` name: files, folders with all that is in them (sorted by path), and `-` for standard input.
///
/// The format is that of the extension, or `format` where it is given. In a folder, hidden files, files with an unknown
/// extension, and what a browser saved beside a page (`NAME_files` beside `NAME.html`) are left out; with `format`, those of
/// another format are left out and those with an unknown extension are taken. A file that is named itself is taken whatever
/// its extension; whether it exists shows when it is read. Of several files of one name that are named themselves, each is
/// called by its path.
pub fn inputs<P: AsRef<Path>>(paths: &[P], format: Option<Format>) -> Inputs {
    let mut inputs = Inputs::default();
    for path in paths.iter().map(AsRef::as_ref) {
        if path == Path::new("-") {
            inputs.sources.push(Ok(Source::stdin(format.unwrap_or(Format::Auto))));
        } else if ["http://", "https://"].iter().any(|scheme| path.to_string_lossy().starts_with(scheme)) {
            let location = Location::file(path.display().to_string());
            inputs.sources.push(Err(Error::format(location, "a web address", "a file; save the page first")));
        } else if path.is_dir() {
            let before = inputs.sources.len();
            match list(path, path, format, &mut inputs) {
                Err(error) => inputs.sources.push(Err(error)),
                Ok(()) if inputs.sources.len() == before => {
                    inputs.sources.push(Err(Error::Empty { path: path.display().to_string(), what: "article" }));
                }
                Ok(()) => {}
            }
        } else {
            let mut source = Source::file(path);
            source.format = format.unwrap_or(source.format);
            inputs.sources.push(Ok(source));
        }
    }
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    for source in inputs.sources.iter().flatten() {
        *ids.entry(source.id.clone()).or_default() += 1;
    }
    for source in inputs.sources.iter_mut().flatten() {
        if ids.get(&source.id).is_some_and(|count| *count > 1) {
            source.id = source.input.name();
        }
    }
    inputs
}

/// Adds the articles below `folder`, each named by its path below `root`.
fn list(root: &Path, folder: &Path, format: Option<Format>, inputs: &mut Inputs) -> Result<()> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(|source| Error::io(folder, source))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let names: BTreeSet<String> = entries.iter().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // A link to a folder is not followed: it may lead back.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let page = name.strip_suffix("_files").or_else(|| name.strip_suffix(".files"));
            let is_saved = |page: &str| [".html", ".htm"].iter().any(|end| names.contains(&format!("{page}{end}")));
            if !page.is_some_and(is_saved) {
                list(root, &path, format, inputs)?;
            }
            continue;
        }
        let by_name = Format::of(&path);
        let wanted = match format {
            None => by_name,
            Some(Format::Auto) => Some(Format::Auto),
            Some(format) => Some(format).filter(|_| by_name.is_none_or(|named| named == format)),
        };
        match wanted.filter(|_| path.is_file()) {
            Some(format) => {
                let id = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                inputs.sources.push(Ok(Source { input: Input::Path(path), format, id, options: Arc::default() }));
            }
            None => {
                let ending = path.extension().map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
                *inputs.passed_over.entry(ending.to_lowercase()).or_default() += 1;
            }
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
    let unpacked = stream::unpack(&source.input, &source.options.bytes_read, warn)?;
    let format = unpacked.format(source.format);
    articles(unpacked, format, source, warn)
}

/// The articles of what is unpacked of a source, in the format that it was found to have.
fn articles(unpacked: Unpacked, format: Format, source: &Source, warn: &Warn) -> Result<Articles> {
    let one = |article: Result<Article>| Box::new(std::iter::once(article));
    let inner: Box<dyn Iterator<Item = Result<Article>> + Send> = match format {
        Format::Text => one(text::article(unpacked.into_stream(warn)?, &source.id, warn)),
        Format::Html => one(html::article(unpacked.into_stream(warn)?, &source.id, warn)),
        Format::Mhtml => one(mhtml::article(unpacked.into_stream(warn)?, &source.id, warn)),
        Format::Feed => Box::new(feed::articles(unpacked.into_stream(warn)?, &source.id, warn)?.into_iter()),
        _ => {
            let table = rows::open(unpacked, format, &source.options, "article", warn)?;
            let mut fields = ArticleFields::new(&source.id, &source.options);
            if let Some(header) = &table.header {
                fields.check(header)?;
            }
            let (mut doubtful, warn) = (Doubtful::default(), warn.clone());
            Box::new(table.rows.map(move |row| {
                let article = fields.article(&row?);
                fields.take_doubts().into_iter().for_each(|doubt| doubtful.say(doubt, &warn));
                article
            }))
        }
    };
    let path = source.input.name();
    let named = move |article: Result<Article>| article.map(|article| Article { path: path.clone(), ..article });
    Ok(Articles { inner: Box::new(inner.map(named)) })
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread reads foreign data by a library that panics at some that is damaged: such a panic becomes an error, and
/// a program's panic hook has nothing to say of it.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// What `read` gives, or `None` where it panics.
pub(crate) fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    let before = GUARDED.replace(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(before);
    read.ok()
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

/// The lines of a text, without their ends.
///
/// # Errors
///
/// If it cannot be opened or is binary. Errors of single lines come from the iterator.
pub fn text_lines(input: &Input, warn: &Warn) -> Result<impl Iterator<Item = Result<String>> + use<>> {
    Ok(stream::lines(stream::open(input, warn)?))
}

/// The first bytes of an input, unpacked: `most` of them, or as many as there are before its end or what is damaged.
///
/// # Errors
///
/// If it cannot be opened, or there are none before what is damaged.
pub fn beginning(input: &Input, most: usize) -> Result<Vec<u8>> {
    stream::beginning(input, most)
}

/// Whether an input holds what `predict` answered, by the names of its first row: answers have the titles of articles and not their
/// texts. What cannot be read does not.
pub fn holds_answers(source: &Source) -> bool {
    let warn = ignore_warnings();
    let first = || {
        let unpacked = stream::unpack(&source.input, &BytesRead::default(), &warn).ok()?;
        let named = unpacked.format(source.format);
        let format = if named.is_rows() { named } else { unpacked.format(Format::Auto) };
        let mut table = rows::open(unpacked, format, &source.options, "article", &warn).ok()?;
        table.header.or_else(|| Some(table.rows.next()?.ok()?.header))
    };
    first().is_some_and(|header| fields::Columns::new(&header.names, &source.options).are_answers(&header.names))
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
        assert_eq!("ndjson".parse::<Format>().ok(), Some(Format::Jsonl));
        assert_eq!(Format::of(Path::new("b.TSV.zst")), Some(Format::Tsv));
        assert!("pdf".parse::<Format>().unwrap_err().to_string().contains("text, html, mhtml, csv"));
    }

    #[test]
    fn folders_are_listed_in_order_and_unknown_files_left_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/c/page_files")).expect("a folder");
        for name in
            ["z.txt", "b/c/page.html", "b/a.csv.gz", "b/photo.png", ".hidden.txt", "b/README", "b/c/page_files/ad.html"]
        {
            std::fs::write(root.join(name), "x").expect("a file");
        }
        let names = |format| -> Vec<String> {
            inputs(&[root], format).sources.into_iter().map(|source| source.expect("an article").id).collect()
        };
        assert_eq!(names(None), ["b/a.csv.gz", "b/c/page.html", "z.txt"]);
        assert_eq!(names(Some(Format::Text)), ["b/README", "b/photo.png", "z.txt"]);
        let passed: Vec<(String, usize)> = inputs(&[root], None).passed_over.into_iter().collect();
        assert_eq!(passed, [(String::new(), 1), (".png".into(), 1)]);
        let empty = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(inputs(&[empty.path()], None).sources[..], [Err(Error::Empty { what: "article", .. })]));
    }
}
