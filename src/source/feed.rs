//! RSS and Atom: an article an entry.

use std::borrow::Cow;

use chrono::{DateTime, Timelike};
use feed_rs::model::{Entry, Feed, MediaObject};

use super::stream::{Stream, read_document};
use super::{Warn, check_size, filled, guarded, html, sniff};
use crate::{Article, Date, Error, Location, Result};

/// The articles of a feed, or of the page that it turns out to be.
pub(super) fn articles(mut stream: Stream, id: &str, warn: &Warn) -> Result<Vec<Result<Article>>> {
    let location = Location::file(stream.path.clone());
    let bytes = read_document(&mut stream)?;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4_096)]);
    match sniff::root(&head).map(str::to_ascii_lowercase).as_deref() {
        Some("rss" | "feed" | "rdf") => {}
        Some("html") => return Ok(vec![html::article_of(bytes, &mut stream, id, warn)]),
        root => {
            let found = root.map_or_else(|| "no element".to_owned(), |root| format!("XML with the root `{root}`"));
            return Err(Error::format(location, found, "a feed (RSS or Atom), or a page in XHTML"));
        }
    }
    let broken = |error: &dyn std::fmt::Display| {
        Error::format(location.clone(), format!("a feed that cannot be read ({error})"), "RSS or Atom")
    };
    // Decoded here; what a declaration says of the bytes is no longer true then, and a second one makes the library panic.
    let declared = html::declared_encoding(&bytes);
    let text = without_declarations(&stream.decoder.decode_page(bytes, declared)?);
    let text = with_whole_references(&text);
    let parser = feed_rs::parser::Builder::new()
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(|text| DateTime::from_timestamp(Date::parse(text)?.seconds(), 0))
        .build();
    let parsed = guarded(|| parser.parse(text.as_bytes()));
    let feed = parsed.ok_or_else(|| broken(&"damaged"))?.map_err(|error| broken(&error))?;
    if feed.entries.is_empty() {
        return Err(Error::Empty { path: location.path, what: "entry" });
    }
    let entry =
        |(number, entry): (u64, &Entry)| article(&feed, entry, Location::line(location.path.clone(), number), id);
    Ok((1..).zip(&feed.entries).map(entry).collect())
}

/// The document with every `&` that begins no reference written as one, as browsers read it; in `CDATA` it stands for itself.
fn with_whole_references(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 32;
    let is_reference = |rest: &str| {
        let rest = &rest.as_bytes()[..rest.len().min(LONGEST)];
        let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
        name > 0 && rest.get(name) == Some(&b';')
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = memchr::memchr2(b'&', b'<', rest.as_bytes()) {
        let next = if rest[at..].starts_with("<![CDATA[") {
            rest[at..].find("]]>").map_or(rest.len(), |end| at + end + 3)
        } else {
            at + 1
        };
        out.push_str(&rest[..next]);
        if rest.as_bytes()[at] == b'&' && !is_reference(&rest[next..]) {
            out.push_str("amp;");
        }
        rest = &rest[next..];
    }
    if out.len() + rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The document without `<?xml …?>`.
fn without_declarations(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<?xml ") {
        out.push_str(&rest[..at]);
        rest = rest[at..].find("?>").map_or("", |end| &rest[at + end + 2..]);
    }
    out.push_str(rest);
    out
}

fn article(feed: &Feed, entry: &Entry, location: Location, id: &str) -> Result<Article> {
    let plain = |text: &str| html::fragment_text(text).unwrap_or_else(|| text.to_owned());
    let body = entry.content.as_ref().and_then(|content| content.body.as_deref()).map(&plain);
    let summary = entry.summary.as_ref().map(|text| plain(&text.content));
    // What podcasts and channels of videos say of an episode.
    let described = |of: &MediaObject| of.description.as_ref().map(|text| plain(&text.content));
    let texts: Vec<String> = [body, summary].into_iter().chain(entry.media.iter().map(described)).flatten().collect();
    // Of several that are as long, the first.
    let text = texts.into_iter().rev().max_by_key(String::len).unwrap_or_default();
    let title = filled(entry.title.as_ref().map(|title| plain(&title.content)).as_deref());
    if title.is_none() && text.trim().is_empty() {
        return Err(Error::format(location, "an entry without text", "an entry with a title or a text"));
    }
    check_size(&text, &location)?;
    let date = entry.published.or(entry.updated).map(|date| match date.num_seconds_from_midnight() {
        0 => date.format("%Y-%m-%d").to_string(),
        _ => date.to_rfc3339(),
    });
    // An Atom entry may have links to its comments before its own.
    let own = entry.links.iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    let authors: Vec<&str> = entry.authors.iter().filter_map(|author| author.name.as_deref()).collect();
    let number = location.line.unwrap_or(0);
    Ok(Article {
        id: filled(Some(&entry.id)).unwrap_or_else(|| format!("{id}:{number}")),
        title,
        date,
        url: own.or(entry.links.first()).map(|link| link.href.clone()),
        source: feed.title.as_ref().map(|title| title.content.clone()),
        author: filled(Some(&authors.join(", "))),
        language: entry.language.clone().or_else(|| feed.language.clone()),
        text,
        ..Article::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_ampersand_is_a_reference_to_itself() {
        for (text, whole) in [
            ("<a>Q&A &amp; R&D &#38; &</a>", "<a>Q&amp;A &amp; R&amp;D &#38; &amp;</a>"),
            ("<a><![CDATA[Q&A]]>&x</a>", "<a><![CDATA[Q&A]]>&amp;x</a>"),
            ("<a>none</a>", "<a>none</a>"),
            ("<![CDATA[&", "<![CDATA[&"),
        ] {
            assert_eq!(with_whole_references(text), whole);
        }
    }
}
