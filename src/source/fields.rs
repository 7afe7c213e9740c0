//! Which field of a row is what of an article.
//!
//! | of the article | names, the first that is there and filled |
//! |---|---|
//! | text | `text`, `content`, `body`, `article`, `articleBody`, `maintext`, `full_text`, `article_text`, `story`, `story_text`, `summary`, `description`, `content_text`, `content_html` |
//! | title | `title`, `headline` |
//! | id | `id`, `_id`, `guid`, `uid` |
//! | date | `date`, `published`, `publishedAt`, `datePublished`, `publication_date`, `pubDate`, `publish_date`, `date_publish`, `published_date`, `date_published`, `datetime`, `created_at`, `seendate`, `timestamp` |
//! | url | `url`, `link`, `permalink` |
//! | source | `source`, `outlet`, `publisher`, `site`, `source_domain`, `domain` |
//! | author | `author`, `authors`, `byline` |
//! | language | `language`, `lang` |
//!
//! Capitals, spaces, hyphens and underscores make no difference. A text of which another field has at least twice as much (and
//! 200 characters, and no tags) is a teaser: the other is read. `content_html` is read as a page is. [`FieldNames`] names others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use std::cell::LazyCell;

use super::rows::{Cell, Header, Row};
use super::{Warn, Warning, check_size, filled};
use crate::{Article, Error, Location, Result};

const TEXT: [&str; 14] = [
    "text",
    "content",
    "body",
    "article",
    "articlebody",
    "maintext",
    "fulltext",
    "articletext",
    "story",
    "storytext",
    "summary",
    "description",
    "contenttext",
    "contenthtml",
];
const TITLE: [&str; 2] = ["title", "headline"];
const ID: [&str; 3] = ["id", "guid", "uid"];
const DATE: [&str; 13] = [
    "date",
    "published",
    "publishedat",
    "datepublished",
    "publicationdate",
    "pubdate",
    "publishdate",
    "datepublish",
    "publisheddate",
    "datetime",
    "createdat",
    "seendate",
    "timestamp",
];
const URL: [&str; 3] = ["url", "link", "permalink"];
const SOURCE: [&str; 6] = ["source", "outlet", "publisher", "site", "sourcedomain", "domain"];
const AUTHOR: [&str; 3] = ["author", "authors", "byline"];
const LANGUAGE: [&str; 2] = ["language", "lang"];

/// Fields that are called otherwise than the table says; `None` where the table holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldNames {
    /// The field with the text.
    pub text: Option<String>,
    /// The field with the title.
    pub title: Option<String>,
    /// The field with the identifier.
    pub id: Option<String>,
    /// The field with the date.
    pub date: Option<String>,
}

/// How files of many articles are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What fields are called.
    pub fields: FieldNames,
    /// Fields that are carried through, in [`Article::columns`].
    pub keep: Vec<String>,
    /// Where it is counted how far reading is.
    pub bytes_read: BytesRead,
}

/// Counts the bytes that are read of files and streams, as they lie there. It is no property of what is read: all are equal.
#[derive(Debug, Clone, Default)]
pub struct BytesRead(Arc<AtomicU64>);

impl BytesRead {
    /// How many there were, of all that is read with it.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl PartialEq for BytesRead {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for BytesRead {}

/// A name without what makes no difference.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The place of the field `name`, as it is written if there is such a one.
pub(crate) fn find(names: &[String], name: &str) -> Option<usize> {
    let exact = names.iter().position(|found| found == name);
    exact.or_else(|| names.iter().position(|found| plain(found) == plain(name)))
}

/// Where text, title, id and date stand among these names, each with the name that it has here.
pub(crate) fn places(names: &[String], options: &ReadOptions) -> [(&'static str, Option<usize>); 4] {
    let columns = Columns::new(names, options);
    let Columns { text, title, id, date, .. } = columns;
    [("text", text), ("title", title), ("id", id), ("date", date)].map(|(name, at)| (name, at.first().copied()))
}

/// Where the parts of an article stand in a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    text: Vec<usize>,
    title: Vec<usize>,
    id: Vec<usize>,
    date: Vec<usize>,
    url: Vec<usize>,
    source: Vec<usize>,
    author: Vec<usize>,
    language: Vec<usize>,
    keep: Vec<Option<usize>>,
}

impl Columns {
    pub fn new(names: &[String], options: &ReadOptions) -> Self {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let all = |known: &[&str]| -> Vec<usize> {
            known.iter().filter_map(|want| plain.iter().position(|name| name == want)).collect()
        };
        let FieldNames { text, title, id, date } = &options.fields;
        let named = |name: &Option<String>, known: &[&str]| match name {
            Some(name) => find(names, name).into_iter().collect(),
            None => all(known),
        };
        Self {
            text: named(text, &TEXT),
            title: named(title, &TITLE),
            id: named(id, &ID),
            date: named(date, &DATE),
            url: all(&URL),
            source: all(&SOURCE),
            author: all(&AUTHOR),
            language: all(&LANGUAGE),
            keep: options.keep.iter().map(|name| find(names, name)).collect(),
        }
    }

    /// Those of the fields asked for by name that are not there.
    fn missing<'o>(&self, options: &'o ReadOptions) -> Option<&'o str> {
        let FieldNames { text, title, id, date } = &options.fields;
        let asked = [(text, &self.text), (title, &self.title), (id, &self.id), (date, &self.date)];
        let missing = asked.into_iter().find_map(|(name, found)| name.as_deref().filter(|_| found.is_empty()));
        missing.or_else(|| {
            let kept = options.keep.iter().zip(&self.keep);
            kept.filter(|(_, found)| found.is_none()).map(|(name, _)| name.as_str()).next()
        })
    }

    /// Whether there is a field for a text or a title.
    pub fn has_text_or_title(&self) -> bool {
        !self.text.is_empty() || !self.title.is_empty()
    }

    /// Whether these are the names of what `predict` answered, which has the titles of articles and not their texts.
    pub fn are_answers(&self, names: &[String]) -> bool {
        let has = |name: &str| names.iter().any(|found| found == name);
        self.text.is_empty() && has("state_code") && has("actor_code") && (has("p_aligned") || has("probabilities"))
    }

    /// The names of the first fields that hold text and title, as labelled rows call them.
    pub fn text_and_title(names: &[String]) -> [Option<usize>; 2] {
        let columns = Self::new(names, &ReadOptions::default());
        [columns.text.first().copied(), columns.title.first().copied()]
    }
}

/// Makes articles of rows.
pub(crate) struct ArticleFields {
    /// What articles without an id are called, before `:` and the line.
    id: String,
    options: Arc<ReadOptions>,
    header: Option<Arc<Header>>,
    columns: Columns,
    are_answers: bool,
    /// Of which kinds there were doubts.
    doubted: [bool; KINDS],
    doubts: Vec<Doubt>,
}

/// What is doubtful about an article.
#[derive(Debug)]
pub(crate) struct Doubt {
    kind: Kind,
    warning: Warning,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A text seems to stand in a field that is not read.
    Unread,
    /// A service gives only the beginning of a text.
    Cut,
    /// Markup is read as prose.
    Markup,
}

const KINDS: usize = Kind::Markup as usize + 1;

/// Warns of the first doubt of each kind.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    said: [bool; KINDS],
}

impl Doubtful {
    pub fn say(&mut self, doubt: Doubt, warn: &Warn) {
        if !std::mem::replace(&mut self.said[doubt.kind as usize], true) {
            warn(doubt.warning);
        }
    }
}

impl ArticleFields {
    pub fn new(id: &str, options: &Arc<ReadOptions>) -> Self {
        Self {
            id: id.to_owned(),
            options: Arc::clone(options),
            header: None,
            columns: Columns::default(),
            are_answers: false,
            doubted: [false; KINDS],
            doubts: Vec::new(),
        }
    }

    /// What was doubtful about the last article, as far as nothing of the kind was so before.
    pub fn take_doubts(&mut self) -> Vec<Doubt> {
        std::mem::take(&mut self.doubts)
    }

    /// Looks for the columns of a table before its first row.
    ///
    /// # Errors
    /// Where there is neither text nor title, or no field of a name that was asked for.
    pub fn check(&self, header: &Header) -> Result<()> {
        let columns = Columns::new(&header.names, &self.options);
        if let Some(name) = columns.missing(&self.options) {
            return Err(header.missing(header.location(), &format!("a column `{name}`")));
        }
        if columns.are_answers(&header.names) {
            return Err(answers(header.location()));
        }
        if !columns.has_text_or_title() {
            let expected = "a column `text` (or `title`); --text-field names another";
            return Err(header.missing(header.location(), expected));
        }
        Ok(())
    }

    /// The article that a row is.
    pub fn article(&mut self, row: &Row) -> Result<Article> {
        if !self.header.as_ref().is_some_and(|header| Arc::ptr_eq(header, &row.header)) {
            self.columns = Columns::new(&row.header.names, &self.options);
            self.are_answers = self.columns.are_answers(&row.header.names);
            self.header = Some(row.header.clone());
        }
        let columns = &self.columns;
        let location = row.location();
        if self.are_answers {
            return Err(answers(location));
        }
        if let Some(name) = columns.missing(&self.options).filter(|name| !self.options.keep.iter().any(|k| k == name)) {
            return Err(row.header.missing(location, &format!("`{name}`")));
        }
        // What is said of the text in some other shape is passed over: the text is what counts.
        let field = |columns: &[usize]| -> Option<String> {
            let cell = |at: &usize| filled(row.cells.get(*at)?.joined().flatten().as_deref().map(str::trim));
            columns.iter().find_map(cell)
        };
        let mut text: Option<String> = None;
        for &column in &columns.text {
            let found = match text_of(row, column, &location) {
                Ok(found) => found.filter(|text| !is_nothing(text)),
                // Beside a text, a field of that name may be anything.
                Err(_) if text.is_some() => None,
                Err(error) => return Err(error),
            };
            match (&text, found) {
                (None, found) => text = found,
                (Some(teaser), Some(found)) if is_teaser(teaser, &found) => text = Some(found),
                _ => {}
            }
        }
        let mut title = None;
        for &column in &columns.title {
            title = title.or(text_of(row, column, &location)?.filter(|title| !is_nothing(title)));
        }
        if title.is_none() && text.is_none() {
            let found = match columns.text.first().or(columns.title.first()) {
                Some(&column) => format!("an empty `{}`", row.header.names[column]),
                None => return Err(row.header.missing(location, "`text` (or `title`); --text-field names another")),
            };
            return Err(Error::format(location, found, "the text of an article"));
        }
        let text = text.unwrap_or_default();
        check_size(&text, &location)?;
        let is_filled =
            |at: &usize| row.cells.get(*at).filter(|cell| cell.as_str().is_some_and(|id| !id.trim().is_empty()));
        let row_id = match columns.id.iter().find_map(is_filled) {
            // MongoDB's `{"$oid": "…"}` has one string.
            Some(cell @ Cell::Nested(_)) if cell.joined().is_some() => filled(cell.joined().flatten().as_deref()),
            Some(Cell::Nested(_)) => {
                return Err(Error::format(location, "an `id` that is a list or an object", "a string or a number"));
            }
            id => filled(id.and_then(Cell::as_str).map(str::trim)),
        };
        let keep = self.options.keep.iter().zip(&columns.keep);
        let kept = |(name, column): (&String, &Option<usize>)| -> (String, String) {
            let cell = column.and_then(|at| row.cells.get(at));
            (name.clone(), cell.and_then(Cell::as_str).unwrap_or("").to_owned())
        };
        let article = Article {
            id: row_id.unwrap_or_else(|| format!("{}:{}", self.id, row.number)),
            title,
            date: field(&columns.date),
            url: field(&columns.url),
            source: field(&columns.source),
            author: field(&columns.author),
            language: field(&columns.language),
            columns: keep.map(kept).collect(),
            path: String::new(),
            text,
        };
        self.look(&article, row);
        Ok(article)
    }

    /// Looks for what is doubtful about an article, as far as nothing of the kind was found before.
    fn look(&mut self, article: &Article, row: &Row) {
        let mut look = |kind: Kind, found: &dyn Fn() -> Option<String>| {
            if !self.doubted[kind as usize]
                && let Some(message) = found()
            {
                self.doubted[kind as usize] = true;
                self.doubts.push(Doubt { kind, warning: Warning { location: row.location(), message } });
            }
        };
        let columns = &self.columns;
        look(Kind::Unread, &|| unread(article, row, columns));
        look(Kind::Cut, &|| {
            let message = "the text ends in `[+… chars]`: the service gives no more of it, and the rest is not read";
            is_cut(&article.text).then(|| message.to_owned())
        });
        look(Kind::Markup, &|| {
            looks_like_markup(&article.text).then(|| "the text looks like HTML, and is read as it stands".to_owned())
        });
    }
}

/// What to say of a text that seems to stand in a field that is not read.
fn unread(article: &Article, row: &Row, columns: &Columns) -> Option<String> {
    const LONG: usize = 200;
    let read = LazyCell::new(|| article.text.chars().count());
    let long = |(at, cell): (usize, &Cell)| {
        let known = [&columns.title, &columns.url, &columns.text].into_iter().any(|found| found.contains(&at));
        if known || columns.keep.contains(&Some(at)) {
            return None;
        }
        // Bytes first: a character has at most four, and most rows have no such field.
        let text = cell.as_str().filter(|text| text.len() >= LONG && text.len() * 2 >= article.text.len())?;
        let length = text.chars().count();
        (length >= LONG && length >= 2 * *read).then_some((at, length))
    };
    let (at, length) = row.cells.iter().enumerate().filter_map(long).max_by_key(|(_, length)| *length)?;
    let name = &row.header.names[at];
    let what = match *read {
        0 => "only the title is read".to_owned(),
        read => format!("the text that is read has {read} characters"),
    };
    Some(format!("{what}, and `{name}` has {length}; --text-field {name} reads it as the text"))
}

/// The error that there are answers where articles were wanted.
fn answers(location: Location) -> Error {
    let expected = "articles; trend reads such answers from files in JSONL, and from standard input that is not packed";
    Error::format(location, "what `predict` answered", expected)
}

/// Whether a text or a title says that there is none: white space, or what programs write for a value that is missing.
fn is_nothing(text: &str) -> bool {
    matches!(text.trim(), "" | "nan" | "NaN" | "NA" | "N/A" | "#N/A" | "null" | "NULL" | "None")
}

/// Whether `found` says at least twice as much as a text that may be its teaser.
fn is_teaser(teaser: &str, found: &str) -> bool {
    const LONG: usize = 200;
    found.len() >= 2 * teaser.len() && found.chars().count() >= LONG && !looks_like_markup(found)
}

/// Whether a text ends as that of a service which gives only its beginning.
fn is_cut(text: &str) -> bool {
    text.trim_end()
        .strip_suffix(" chars]")
        .and_then(|text| text.rsplit_once("[+"))
        .is_some_and(|(_, count)| !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()))
}

/// Text or title: strings, and lists of paragraphs.
fn text_of(row: &Row, column: usize, location: &Location) -> Result<Option<String>> {
    let name = &row.header.names[column];
    let wrong = |found: &str| Error::format(location.clone(), format!("{found} as `{name}`"), "a string");
    match &row.cells[column] {
        Cell::Null => Ok(None),
        Cell::Text(text) if plain(name) == "contenthtml" => {
            Ok(Some(super::html::fragment_text(text).unwrap_or_else(|| text.clone())))
        }
        Cell::Text(text) => Ok(Some(text.clone())),
        // A spreadsheet takes "2024" for a number.
        Cell::Plain(value) if row.header.is_table() => Ok(Some(value.clone())),
        Cell::Plain(value) => Err(wrong(&format!("`{value}`"))),
        Cell::Nested(json) => match serde_json::from_str::<Vec<String>>(json) {
            Ok(paragraphs) => Ok(Some(paragraphs.join("\n\n"))),
            Err(_) => Err(wrong("a list or an object")),
        },
    }
}

/// Whether a text begins as pages and feeds do, or is full of tags.
pub(crate) fn looks_like_markup(text: &str) -> bool {
    let head = text.trim_start();
    let starts = |with: &str| head.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if ["<!doctype", "<html", "<?xml", "<rss", "<body", "<div", "<p>"].into_iter().any(starts) {
        return true;
    }
    let head = &text[..text.floor_char_boundary(4_000)];
    let tags = ["</p>", "</div>", "<br>", "<br/>", "<br />", "</a>", "</span>"];
    let is_tag = |&at: &usize| tags.into_iter().any(|tag| head[at..].starts_with(tag));
    memchr::memchr_iter(b'<', head.as_bytes()).filter(is_tag).nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_spelling() {
        let names = ["Headline", "published_at", "Article Body", "lang"].map(str::to_owned);
        let columns = Columns::new(&names, &ReadOptions::default());
        assert_eq!((columns.text, columns.title, columns.date, columns.language), (vec![2], vec![0], vec![1], vec![3]));
        let fields = FieldNames { text: Some("lang".into()), ..FieldNames::default() };
        assert_eq!(Columns::new(&names, &ReadOptions { fields, ..ReadOptions::default() }).text, [3]);
    }

    #[test]
    fn markup_is_told_from_prose() {
        assert!(looks_like_markup("\n<!DOCTYPE html>x") && looks_like_markup("Oman waits.</p><p>Iran too.</p>"));
        assert!(!looks_like_markup("Oman waits. 5 < 6.") && !looks_like_markup("<unknown> said <br>"));
    }
}
