//! Plain text: one article a file.

use super::fields::looks_like_markup;
use super::stream::{Stream, read_document};
use super::{Warn, Warning};
use crate::{Article, Error, Location, Result};

/// The article that `stream` is.
pub(super) fn article(mut stream: Stream, id: &str, warn: &Warn) -> Result<Article> {
    let bytes = read_document(&mut stream)?;
    let text = stream.decoder.decode(bytes, 1, None)?;
    let location = Location::file(stream.path);
    if text.trim().is_empty() {
        let found = if text.is_empty() { "an empty file" } else { "a file of white space" };
        return Err(Error::format(location, found, "the text of an article"));
    }
    let like = if looks_like_markup(&text) {
        Some("HTML")
    } else if looks_like_json(&text) {
        Some("JSON")
    } else if super::sniff::is_table(text.lines().next().unwrap_or("")) && text.lines().nth(1).is_some() {
        Some("CSV")
    } else {
        None
    };
    if let Some(like) = like {
        let message = format!("this looks like {like}, and is read as plain text; --input-format says otherwise");
        warn(Warning { location, message });
    }
    Ok(Article::new(text).with_id(id))
}

fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    ["{\"", "[{"].iter().any(|start| {
        let mut rest = text.chars().filter(|c| !c.is_whitespace());
        start.chars().all(|c| rest.next() == Some(c))
    })
}
