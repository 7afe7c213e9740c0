//! Plain text: one article a file.

use super::stream::{Stream, read_document};
use crate::{Article, Error, Location, Result};

/// The article that `stream` is.
pub(super) fn article(mut stream: Stream, id: &str) -> Result<Article> {
    let bytes = read_document(&mut stream)?;
    let text = stream.decoder.decode(bytes, 1, None)?;
    if text.trim().is_empty() {
        let found = if text.is_empty() { "an empty file" } else { "a file of white space" };
        return Err(Error::format(Location::file(stream.path), found, "the text of an article"));
    }
    Ok(Article::new(text).with_id(id))
}
