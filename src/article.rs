//! What a source yields: an article, and the place of each part in it.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::date::{Date, YearMonth};

/// A news article as it was read.
///
/// `text` is never changed after reading: every offset that this crate reports points into it (or into `title`).
/// For HTML it is the text of the page's main content.
///
/// ```
/// use detente::Article;
/// let article = Article::new("Moscow thanked Minsk.").with_title("A visit");
/// assert_eq!(article.title.as_deref(), Some("A visit"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Article {
    /// Identifier, unique within its source; empty when the source gives none.
    pub id: String,
    /// Headline, when it is known apart from the text.
    pub title: Option<String>,
    /// Body.
    pub text: String,
    /// Date as the source writes it; leaders in office then stand for their states.
    pub date: Option<String>,
    /// Outlet or collection.
    pub source: Option<String>,
    /// Address of the page.
    pub url: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// The file that it was read from, as the user named it; `-` for standard input, empty where there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Fields of its row that were to be kept; see [`ReadOptions::keep`](crate::source::ReadOptions::keep).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
}

impl Article {
    /// An article of which only the text is known.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The same article with a title.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same article with an identifier.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// When it appeared, as far as its date says.
    pub fn when(&self) -> Option<Date> {
        self.date.as_deref().and_then(Date::parse)
    }

    /// The month that its date names, if it does.
    pub fn month(&self) -> Option<YearMonth> {
        self.when().map(Date::month)
    }

    /// Title or text.
    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::Title => self.title.as_deref().unwrap_or(""),
            Part::Text => &self.text,
        }
    }
}

/// The part of an article that an offset points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// [`Article::title`].
    Title,
    /// [`Article::text`].
    Text,
}

/// A byte range.
pub type Span = Range<usize>;
