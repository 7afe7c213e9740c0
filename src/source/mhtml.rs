//! MHTML: a page with all that belongs to it in one file, as browsers save it; and mail, which has the same shape.

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use super::html;
use super::stream::{Stream, read_document};
use super::{Warn, Warning, check_size, filled};
use crate::{Article, Error, Location, Result};

/// The article on the saved page, or in the mail.
pub(super) fn article(mut stream: Stream, id: &str, warn: &Warn) -> Result<Article> {
    let location = Location::file(stream.path.clone());
    let bytes = read_document(&mut stream)?;
    let wrong = |found: &str| Error::format(location.clone(), found, "a page saved as MHTML");
    if bytes.starts_with(b"From ") && memchr::memmem::find(&bytes, b"\nFrom ").is_some() {
        return Err(Error::format(location, "a mailbox of several messages", "one message a file (.eml)"));
    }
    let message = MessageParser::default().parse(&bytes).ok_or_else(|| wrong("no MIME message"))?;
    let page = message.parts.iter().find_map(|part| match &part.body {
        PartType::Html(page) => Some((page.as_ref(), part)),
        _ => None,
    });
    let Some((page, part)) = page else {
        let text = message.body_text(0).filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| wrong("a message without a page or a text"))?;
        check_size(&text, &location)?;
        return Ok(Article { text: text.into_owned(), ..heads(&message, Article::default().with_id(id)) });
    };
    let lost = page.matches('\u{fffd}').count();
    if lost > 0 {
        let message =
            format!("{lost} characters of the page are not in the encoding that the file names, and replaced");
        warn(Warning { location: location.clone(), message });
    }
    let mut article = heads(&message, html::article_of_page(page, &location, id, warn)?);
    let address = message.header_raw("Snapshot-Content-Location").or_else(|| part.content_location());
    article.url = article.url.or_else(|| address.map(|address| address.trim().to_owned()));
    Ok(article)
}

/// The article with what the heads of a message say where it says nothing itself.
fn heads(message: &Message<'_>, article: Article) -> Article {
    // Of a page that a browser saved, the date is that of saving, and nobody sent it.
    let is_mail = message.header_raw("Snapshot-Content-Location").is_none() && message.to().is_some();
    let sender = || message.from()?.first().and_then(|from| from.name().or_else(|| from.address()));
    Article {
        title: article.title.or_else(|| filled(message.subject())),
        date: article.date.or_else(|| message.date().filter(|_| is_mail).map(mail_parser::DateTime::to_rfc3339)),
        source: article.source.or_else(|| sender().filter(|_| is_mail).map(str::to_owned)),
        ..article
    }
}
