//! What an input is, by its first bytes.

use super::fields::Columns;
use super::{Format, ReadOptions};

/// The format of an input that begins with `head`, which is unpacked.
pub(super) fn format(head: &[u8]) -> Format {
    if head.starts_with(b"PAR1") {
        return Format::Parquet;
    }
    if head.starts_with(b"PK\x03\x04") {
        return Format::Xlsx;
    }
    let text = String::from_utf8_lossy(head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head));
    let text = text.trim_start();
    let starts = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let first = text.lines().next().unwrap_or("").trim();
    let second = text.lines().skip(1).find(|line| !line.trim().is_empty());
    match text.as_bytes().first() {
        // One object alone may hold an array of articles.
        Some(b'{')
            if second.is_some_and(|line| line.trim_start().starts_with('{'))
                && first.ends_with('}')
                && serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok() =>
        {
            Format::Jsonl
        }
        Some(b'{') => Format::Json,
        Some(b'[') if text[1..].trim_start().starts_with(['{', ']']) => Format::Json,
        Some(b'<') if starts("<?xml") || starts("<rss") || starts("<feed") || starts("<rdf") => xml(text),
        Some(b'<') if is_page(text) => Format::Html,
        _ if is_mhtml(text) => Format::Mhtml,
        _ if is_table(first) || (first.starts_with("sep=") && first.len() <= 5) => Format::Csv,
        _ => Format::Text,
    }
}

/// A feed, or a page in XHTML, by the root element.
pub(super) fn xml(text: &str) -> Format {
    if root(text).is_some_and(|root| root.eq_ignore_ascii_case("html")) { Format::Html } else { Format::Feed }
}

/// The name of the root element of an XML document, without its prefix.
pub(super) fn root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        let skipped = match rest.as_bytes().first()? {
            b'?' => rest.find("?>")?,
            b'!' if rest.starts_with("!--") => rest.find("-->")?,
            b'!' => rest.find('>')?,
            _ => break,
        };
        rest = &rest[skipped..];
    }
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(rest.len());
    rest[..end].rsplit(':').next()
}

fn is_page(text: &str) -> bool {
    let starts = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let named = ["<!doctype html", "<html", "<head", "<body", "<!--"].into_iter().any(starts);
    // A fragment: tags of pages and nothing else at the start.
    named || ["<div", "<p>", "<p ", "<article", "<section", "<main", "<h1", "<meta", "<title"].into_iter().any(starts)
}

/// A page saved by a browser, which is written as mail is, or mail.
fn is_mhtml(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(2_000)];
    let has =
        |name: &str| head.lines().any(|line| line.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name)));
    let is_mailbox = head.starts_with("From ") && has("from:") && has("subject:");
    let is_mail = has("from:") && has("subject:") && (has("received:") || has("message-id:") || has("mime-version:"));
    is_mail || is_mailbox || (has("mime-version:") && has("content-type: multipart/related"))
}

/// A line of names with a text or a title among them, or of those of answers; or one such name alone, as no text begins.
pub(super) fn is_table(line: &str) -> bool {
    let alone = line.trim().trim_matches('"');
    if ["text", "title", "headline", "content", "body"].iter().any(|name| alone.eq_ignore_ascii_case(name)) {
        return true;
    }
    [',', ';', '\t', '|'].into_iter().any(|mark| {
        let names: Vec<String> = line.split(mark).map(|name| name.trim().trim_matches('"').to_owned()).collect();
        let short = names.len() >= 2 && names.iter().all(|name| name.chars().count() <= 40);
        let columns = Columns::new(&names, &ReadOptions::default());
        short && (columns.has_text_or_title() || columns.are_answers(&names))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_say_what_it_is() {
        for (head, expected) in [
            ("{\"text\": \"x\"}\n{\"text\": \"y\"}\n", Format::Jsonl),
            ("{\n \"text\": \"x\"}", Format::Json),
            ("\u{feff}[{\"text\": 1}]", Format::Json),
            ("[1] Kenya thanked Oman.", Format::Text),
            ("<!DOCTYPE html><html>", Format::Html),
            ("\n<html lang=en>", Format::Html),
            ("<?xml version=\"1.0\"?><!-- x --><rss version=\"2.0\">", Format::Feed),
            ("<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"x\"><html xmlns=\"y\">", Format::Html),
            ("<feed xmlns=\"http://www.w3.org/2005/Atom\">", Format::Feed),
            ("From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related;\n", Format::Mhtml),
            ("Received: by x\nFrom: a@b.org\nSubject: News\nMessage-ID: <1>\n\nOman waits.", Format::Mhtml),
            ("From: the minister\nSubject: ports\n\nOman waits.", Format::Text),
            ("id;title;date\n1;x;y", Format::Csv),
            ("id\tText\n", Format::Csv),
            ("id,state_code,actor_code,p_aligned\na,PER,RUS,0.5\n", Format::Csv),
            ("text\nKenya thanked Oman.", Format::Csv),
            ("Title, text and date matter, said the minister of a very long sentence indeed.", Format::Text),
            ("PAR1", Format::Parquet),
        ] {
            assert_eq!(format(head.as_bytes()), expected, "{head:?}");
        }
    }
}
