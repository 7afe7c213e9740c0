//! MHTML: a page with all that belongs to it in one file, as browsers save it.

use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::html;
use super::stream::{Stream, read_document};
use super::{Warn, Warning};
use crate::{Article, Error, Location, Result};

/// The article on the saved page.
pub(super) fn article(mut stream: Stream, id: &str, warn: &Warn) -> Result<Article> {
    let location = Location::file(stream.path.clone());
    let bytes = read_document(&mut stream)?;
    let wrong = |found: &str| Error::format(location.clone(), found, "a page saved as MHTML");
    let message = MessageParser::default().parse(&bytes).ok_or_else(|| wrong("no MIME message"))?;
    let page = message.parts.iter().find_map(|part| match &part.body {
        PartType::Html(page) => Some((page.as_ref(), part)),
        _ => None,
    });
    let (page, part) = page.ok_or_else(|| wrong("a MIME message without a page"))?;
    let lost = page.matches('\u{fffd}').count();
    if lost > 0 {
        let message =
            format!("{lost} characters of the page are not in the encoding that the file names, and replaced");
        warn(Warning { location: location.clone(), message });
    }
    let mut article = html::article_of_page(page, &location, id, warn)?;
    let address = message.header_raw("Snapshot-Content-Location").or_else(|| part.content_location());
    article.url = article.url.or_else(|| address.map(|address| address.trim().to_owned()));
    Ok(article)
}
