//! Which field of a row is what of an article.
//!
//! | of the article | names, the first that is there |
//! |---|---|
//! | text | `text`, `content`, `body`, `article`, `articleBody`, `maintext`, `full_text`, `fulltext`, `article_text`, `story`, `story_text`, `summary`, `description` |
//! | title | `title`, `headline` |
//! | id | `id`, `_id`, `guid`, `uid` |
//! | date | `date`, `published`, `publishedAt`, `datePublished`, `publication_date`, `pubDate`, `publish_date`, `date_publish`, `published_date`, `datetime`, `created_at`, `seendate`, `timestamp` |
//! | url | `url`, `link`, `permalink` |
//! | source | `source`, `outlet`, `publisher`, `site` |
//! | author | `author`, `authors`, `byline` |
//! | language | `language`, `lang` |
//!
//! Capitals, spaces, hyphens and underscores make no difference. Of several fields with text, the first that is filled is
//! read. [`FieldNames`] names others.

use std::cell::LazyCell;

use super::rows::{Cell, Header, Row};
use super::{Warn, Warning, check_size, filled};
use crate::{Article, Error, Location, Result};

const TEXT: [&str; 12] = [
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
];
const TITLE: [&str; 2] = ["title", "headline"];
const ID: [&str; 3] = ["id", "guid", "uid"];
const DATE: [&str; 8] =
    ["date", "published", "publishedat", "datepublished", "publicationdate", "pubdate", "publishdate", "timestamp"];
const URL: [&str; 3] = ["url", "link", "permalink"];
const SOURCE: [&str; 4] = ["source", "outlet", "publisher", "site"];
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
}

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
    [("text", columns.text.first().copied()), ("title", columns.title), ("id", columns.id), ("date", columns.date)]
}

/// Where the parts of an article stand in a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    text: Vec<usize>,
    title: Option<usize>,
    id: Option<usize>,
    date: Option<usize>,
    url: Option<usize>,
    source: Option<usize>,
    author: Option<usize>,
    language: Option<usize>,
    keep: Vec<Option<usize>>,
}

impl Columns {
    pub fn new(names: &[String], options: &ReadOptions) -> Self {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let all = |known: &[&str]| -> Vec<usize> {
            known.iter().filter_map(|want| plain.iter().position(|name| name == want)).collect()
        };
        let first = |known: &[&str]| all(known).first().copied();
        let FieldNames { text, title, id, date } = &options.fields;
        let named = |name: &Option<String>, known: &[&str]| match name {
            Some(name) => find(names, name),
            None => first(known),
        };
        Self {
            text: text.as_ref().map_or_else(|| all(&TEXT), |name| find(names, name).into_iter().collect()),
            title: named(title, &TITLE),
            id: named(id, &ID),
            date: named(date, &DATE),
            url: first(&URL),
            source: first(&SOURCE),
            author: first(&AUTHOR),
            language: first(&LANGUAGE),
            keep: options.keep.iter().map(|name| find(names, name)).collect(),
        }
    }

    /// Those of the fields asked for by name that are not there.
    fn missing<'o>(&self, options: &'o ReadOptions) -> Option<&'o str> {
        let FieldNames { text, title, id, date } = &options.fields;
        let asked = [(text, self.text.first().copied()), (title, self.title), (id, self.id), (date, self.date)];
        let missing = asked.into_iter().find_map(|(name, found)| name.as_deref().filter(|_| found.is_none()));
        missing.or_else(|| {
            let kept = options.keep.iter().zip(&self.keep);
            kept.filter(|(_, found)| found.is_none()).map(|(name, _)| name.as_str()).next()
        })
    }

    /// The names of the first fields that hold text and title, as labelled rows call them.
    pub fn text_and_title(names: &[String]) -> [Option<usize>; 2] {
        let columns = Self::new(names, &ReadOptions::default());
        [columns.text.first().copied(), columns.title]
    }
}

/// Makes articles of rows.
pub(crate) struct ArticleFields {
    /// What articles without an id are called, before `:` and the line.
    id: String,
    options: ReadOptions,
    warn: Warn,
    header: Option<std::sync::Arc<Header>>,
    columns: Columns,
    /// Whether a long field that is not read was warned of.
    warned: bool,
    warned_markup: bool,
}

impl ArticleFields {
    pub fn new(id: &str, options: &ReadOptions, warn: &Warn) -> Self {
        Self {
            id: id.to_owned(),
            options: options.clone(),
            warn: warn.clone(),
            header: None,
            columns: Columns::default(),
            warned: false,
            warned_markup: false,
        }
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
        if columns.text.is_empty() && columns.title.is_none() {
            let expected = "a column `text` (or `title`); --text-field names another";
            return Err(header.missing(header.location(), expected));
        }
        Ok(())
    }

    /// The article that a row is.
    pub fn article(&mut self, row: &Row) -> Result<Article> {
        if !self.header.as_ref().is_some_and(|header| std::sync::Arc::ptr_eq(header, &row.header)) {
            self.columns = Columns::new(&row.header.names, &self.options);
            self.header = Some(row.header.clone());
        }
        let columns = &self.columns;
        let location = row.location();
        if let Some(name) = columns.missing(&self.options).filter(|name| !self.options.keep.iter().any(|k| k == name)) {
            return Err(row.header.missing(location, &format!("`{name}`")));
        }
        // What is said of the text in some other shape is passed over: the text is what counts.
        let field = |column: Option<usize>| -> Option<String> {
            let cell = column.and_then(|at| row.cells.get(at))?;
            filled(cell.joined().flatten().as_deref().map(str::trim))
        };
        let mut text = None;
        for &column in &columns.text {
            text = text_of(row, column, &location)?.filter(|text| !is_nothing(text));
            if text.is_some() {
                break;
            }
        }
        let title = match columns.title {
            Some(column) => text_of(row, column, &location)?.filter(|title| !is_nothing(title)),
            None => None,
        };
        if title.is_none() && text.is_none() {
            let found = match columns.text.first().or(columns.title.as_ref()) {
                Some(&column) => format!("an empty `{}`", row.header.names[column]),
                None => return Err(row.header.missing(location, "`text` (or `title`); --text-field names another")),
            };
            return Err(Error::format(location, found, "the text of an article"));
        }
        let text = text.unwrap_or_default();
        check_size(&text, &location)?;
        let row_id = match columns.id.and_then(|at| row.cells.get(at)) {
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
            date: field(columns.date),
            url: field(columns.url),
            source: field(columns.source),
            author: field(columns.author),
            language: field(columns.language),
            columns: keep.map(kept).collect(),
            path: String::new(),
            text,
        };
        self.look(&article, row);
        Ok(article)
    }

    /// Warns, once, of a text that seems to stand in a field that is not read, and of markup that is read as prose.
    fn look(&mut self, article: &Article, row: &Row) {
        const LONG: usize = 200;
        if !self.warned {
            let read = LazyCell::new(|| article.text.chars().count());
            let long = |(at, cell): (usize, &Cell)| {
                let columns = &self.columns;
                let known = [columns.title, columns.url].contains(&Some(at)) || columns.text.contains(&at);
                // Bytes first: a character has at most four, and most rows have no such field.
                let text = cell.as_str().filter(|text| text.len() >= LONG && text.len() * 2 >= article.text.len())?;
                let length = text.chars().count();
                let kept = columns.keep.contains(&Some(at));
                (!known && !kept && length >= LONG && length >= 2 * *read).then_some((at, length))
            };
            if let Some((at, length)) = row.cells.iter().enumerate().filter_map(long).max_by_key(|(_, length)| *length)
            {
                self.warned = true;
                let name = &row.header.names[at];
                let what = match *read {
                    0 => "only the title is read".to_owned(),
                    read => format!("the text that is read has {read} characters"),
                };
                let message = format!("{what}, and `{name}` has {length}; --text-field {name} reads it as the text");
                (self.warn)(Warning { location: row.location(), message });
            }
        }
        if !self.warned_markup && looks_like_markup(&article.text) {
            self.warned_markup = true;
            let message = "the text looks like HTML, and is read as it stands".to_owned();
            (self.warn)(Warning { location: row.location(), message });
        }
    }
}

/// Whether a text or a title says that there is none: white space, or what programs write for a value that is missing.
fn is_nothing(text: &str) -> bool {
    matches!(text.trim(), "" | "nan" | "NaN" | "NA" | "N/A" | "#N/A" | "null" | "NULL" | "None")
}

/// Text or title: strings, and lists of paragraphs.
fn text_of(row: &Row, column: usize, location: &Location) -> Result<Option<String>> {
    let name = &row.header.names[column];
    let wrong = |found: &str| Error::format(location.clone(), format!("{found} as `{name}`"), "a string");
    match &row.cells[column] {
        Cell::Null => Ok(None),
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
    tags.into_iter().map(|tag| head.matches(tag).count()).sum::<usize>() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_spelling() {
        let names = ["Headline", "published_at", "Article Body", "lang"].map(str::to_owned);
        let columns = Columns::new(&names, &ReadOptions::default());
        assert_eq!((columns.text, columns.title, columns.date, columns.language), (vec![2], Some(0), Some(1), Some(3)));
        let fields = FieldNames { text: Some("lang".into()), ..FieldNames::default() };
        assert_eq!(Columns::new(&names, &ReadOptions { fields, keep: vec![] }).text, [3]);
    }

    #[test]
    fn markup_is_told_from_prose() {
        assert!(looks_like_markup("\n<!DOCTYPE html>x") && looks_like_markup("Oman waits.</p><p>Iran too.</p>"));
        assert!(!looks_like_markup("Oman waits. 5 < 6.") && !looks_like_markup("<unknown> said <br>"));
    }
}
