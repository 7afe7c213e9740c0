//! Saved pages: the main content of one is an article.
//!
//! `dom_smoothie` finds the content; before it looks, what never is content is taken out (menus, forms, share bars,
//! cookie dialogs, lists of other articles, captions), unless it holds a large part of the page's text. Where the page
//! brings the text in its metadata (`articleBody`) and shows only a part of it, the metadata is taken. Where nothing
//! is found, all text of the page is the article, and `text::clean` sorts it out.

use dom_query::{NodeId, NodeRef};
use dom_smoothie::{Config, Readability, TextMode};
use encoding_rs::Encoding;
use rustc_hash::FxHashMap;
use serde_json::Value;

mod parse;

use parse::{TooMuch, parse};

use super::stream::{Stream, read_document};
use super::{check_size, filled};
use crate::{Article, Error, Location, Result};

/// What a page has besides its article, by element and role.
const FURNITURE: &str = "style, template, svg, iframe, object, embed, video, audio, canvas, map, button, select, input, \
    textarea, nav, aside, footer, form, dialog, menu, figure, figcaption, \
    [role=navigation], [role=dialog], [role=alertdialog], [role=complementary], [role=contentinfo], [role=search], \
    [role=menu], [role=menubar], [role=toolbar], [hidden], [aria-modal=true], amp-ad, amp-embed, amp-sidebar, \
    amp-consent, amp-social-share, amp-img, amp-carousel";

/// Parts of class names and ids of what a page has besides its article.
const NAMES: [&str; 40] = [
    "cookie",
    "consent",
    "gdpr",
    "newsletter",
    "subscribe",
    "signup",
    "sign-up",
    "sharebar",
    "share-bar",
    "share-tools",
    "share-buttons",
    "sharing",
    "social",
    "related",
    "recommend",
    "read-more",
    "readmore",
    "read-also",
    "also-read",
    "most-read",
    "mostread",
    "most-popular",
    "trending",
    "popular-posts",
    "comments",
    "disqus",
    "taboola",
    "outbrain",
    "advert",
    "ad-slot",
    "adslot",
    "ad-container",
    "sponsor",
    "promo",
    "breadcrumb",
    "sidebar",
    "wp-caption",
    "caption",
    "teaser-list",
    "paywall",
];

/// An element that holds more of the page's text than this share is never taken out: some pages wrap all in a form.
const LARGE_SHARE: f64 = 0.4;

/// The most elements that are looked at; a page of more is read as plain text.
const MAX_ELEMENTS: usize = 300_000;

/// The article on the page that `stream` is.
pub(super) fn article(mut stream: Stream, id: &str) -> Result<Article> {
    let bytes = read_document(&mut stream)?;
    article_of(bytes, &mut stream, id)
}

/// The article on the page that these bytes of `stream` are.
pub(super) fn article_of(bytes: Vec<u8>, stream: &mut Stream, id: &str) -> Result<Article> {
    let location = Location::file(stream.path.clone());
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::format(location, "an empty file", "an HTML page"));
    }
    let declared = declared_encoding(&bytes);
    article_of_page(&stream.decoder.decode(bytes, 1, declared)?, &location, id)
}

/// The article on a page.
pub(super) fn article_of_page(page: &str, location: &Location, id: &str) -> Result<Article> {
    let page = break_paragraphs(page);
    let article = extract(&page).map_err(|TooMuch(found)| Error::format(location.clone(), found, "an HTML page"))?;
    if article.text.trim().is_empty() {
        return Err(Error::format(location.clone(), "a page without text", "an HTML page with an article"));
    }
    check_size(&article.text, location)?;
    Ok(article.with_id(id))
}

/// The text of a piece of a page, in paragraphs; `None` where it is too large to be read.
pub(super) fn fragment_text(fragment: &str) -> Option<String> {
    let page = parse(&break_paragraphs(fragment)).ok()?;
    page.select("script, style, template").remove();
    Some(page.select("body").formatted_text().trim().to_owned())
}

/// The encoding that the page declares for itself.
fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(4096)];
    let at = head.windows(8).position(|window| window.eq_ignore_ascii_case(b"charset="))? + 8;
    let label: Vec<u8> = head[at..]
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b'"' | b'\''))
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'))
        .collect();
    let encoding = Encoding::for_label(&label)?;
    // A page whose bytes could be read by us can not be in UTF-16: it has no byte-order mark.
    encoding.is_ascii_compatible().then_some(encoding)
}

/// The page with a paragraph for every two line breaks, which is how pages without paragraphs divide their text.
fn break_paragraphs(page: &str) -> String {
    let mut out = String::with_capacity(page.len() + page.len() / 16);
    let mut from = 0;
    let mut at = 0;
    while let Some(first) = memchr::memchr(b'<', &page.as_bytes()[at..]).map(|found| at + found) {
        let mut end = first;
        let mut breaks = 0;
        let mut rest = &page[first..];
        while let Some(length) = line_break(rest) {
            breaks += 1;
            end = page.len() - rest.len() + length;
            rest = page[end..].trim_start();
            rest = rest.strip_prefix("&nbsp;").unwrap_or(rest).trim_start();
        }
        if breaks >= 2 {
            out.push_str(&page[from..first]);
            out.push_str("</p><p>");
            from = end;
        }
        at = end.max(first + 1);
    }
    out.push_str(&page[from..]);
    out
}

/// The length of the line break that `page` begins with.
fn line_break(page: &str) -> Option<usize> {
    let head = page.as_bytes();
    let named = head.len() > 3 && head[..3].eq_ignore_ascii_case(b"<br") && matches!(head[3], b'>' | b'/' | b' ');
    // A line break that is not closed soon is none.
    if named { memchr::memchr(b'>', &head[..head.len().min(1_000)]).map(|at| at + 1) } else { None }
}

/// The article of a page; its text is empty if there is none.
fn extract(page: &str) -> Result<Article, TooMuch> {
    let config = Config { text_mode: TextMode::Formatted, max_elements_to_parse: MAX_ELEMENTS, ..Config::default() };
    let Some(mut reader) = reader(page, config)? else { return Ok(Article::default()) };
    let body = article_body(&reader);
    take_out_furniture(&reader);
    let metadata_date = date(&reader);
    let headlines: Vec<String> =
        reader.doc.select("h1, h2").nodes().iter().take(20).map(|node| one_line(&node.text())).collect();
    let mut article = match reader.parse() {
        Ok(found) => Article {
            title: filled(Some(found.title.trim())),
            text: found.text_content.trim().to_owned(),
            date: found.published_time,
            source: found.site_name,
            language: found.lang,
            ..Article::default()
        },
        Err(_) => Article { title: filled(Some(reader.get_article_title().trim())), ..Article::default() },
    };
    if let Some(body) = body.filter(|body| body.len() > article.text.len() * 2) {
        article.text = body;
    }
    if article.text.is_empty() {
        article.text = all_text(page)?;
    }
    article.title = article.title.map(|title| without_outlet(&title, &headlines, &article.text));
    article.date = filled(article.date.as_deref()).or(metadata_date);
    Ok(article)
}

/// A reader of the page; `None` never comes, as only the URL of a document can be wrong, and none is given.
fn reader(page: &str, config: Config) -> Result<Option<Readability>, TooMuch> {
    Ok(Readability::with_document(parse(page)?, None, Some(config)).ok())
}

/// The title without the outlet's name: the part of it that the page shows as a headline or a line.
fn without_outlet(title: &str, headlines: &[String], text: &str) -> String {
    let shown = |part: &str| {
        headlines.iter().any(|headline| headline == part) || text.lines().take(40).any(|line| line.trim() == part)
    };
    let title = one_line(title);
    let parts = [" | ", " - ", " – ", " — ", " :: ", " » "].into_iter().flat_map(|cut| {
        let (first, last) = (title.split_once(cut), title.rsplit_once(cut));
        [first.map(|parts| parts.1), last.map(|parts| parts.0)]
    });
    let headline = parts.flatten().map(str::trim).filter(|part| shown(part)).max_by_key(|part| part.len());
    headline.map(str::to_owned).unwrap_or(title)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All text of the page, but for what never is the article.
fn all_text(page: &str) -> Result<String, TooMuch> {
    let Some(reader) = reader(page, Config::default())? else { return Ok(String::new()) };
    take_out_furniture(&reader);
    reader.doc.select("script").remove();
    Ok(reader.doc.select("body").formatted_text().trim().to_owned())
}

/// Takes out of the page what never is the article.
fn take_out_furniture(reader: &Readability) {
    reader.doc.select("script:not([type=\"application/ld+json\"])").remove();
    let all = (reader.doc.select("body").text().len() - reader.doc.select("body script").text().len()) as f64;
    let names: Vec<String> =
        NAMES.iter().flat_map(|name| [format!("[class*=\"{name}\" i]"), format!("[id*=\"{name}\" i]")]).collect();
    let small = |node: &NodeRef<'_>| (node.text().len() as f64) < all * LARGE_SHARE;
    for selector in [FURNITURE, names.join(", ").as_str()] {
        let Some(found) = reader.doc.try_select(selector) else { continue };
        for node in found.nodes() {
            let structural = node.node_name().is_some_and(|name| matches!(&*name, "html" | "head" | "body" | "main"));
            if !structural && small(node) {
                node.remove_from_parent();
            }
        }
    }
    for node in lists_of_links(reader) {
        if small(&node) {
            node.remove_from_parent();
        }
    }
    // In a table that lays out the page, the column of the article is by far the longest.
    for row in reader.doc.select("tr").nodes() {
        let cells: Vec<(NodeRef<'_>, usize)> = row
            .element_children()
            .into_iter()
            .filter(|cell| cell.has_name("td"))
            .map(|cell| {
                let length = cell.text().len();
                (cell, length)
            })
            .collect();
        let longest = cells.iter().map(|(_, length)| *length).max().unwrap_or(0);
        for (cell, length) in cells {
            if longest >= 800 && length * 4 < longest {
                cell.remove_from_parent();
            }
        }
    }
}

/// The elements whose text is mostly links: menus, and titles of other articles.
fn lists_of_links(reader: &Readability) -> Vec<NodeRef<'_>> {
    // A list holds its links a few levels down; looking no further up keeps deep pages cheap.
    const LEVELS: usize = 6;
    let found = reader.doc.select("a");
    let mut places: FxHashMap<NodeId, usize> = FxHashMap::default();
    let mut holders: Vec<(NodeRef<'_>, usize, usize)> = Vec::new();
    for link in found.nodes() {
        let length = link.text().trim().len();
        for holder in link.ancestors(Some(LEVELS)) {
            let at = *places.entry(holder.id).or_insert_with(|| {
                holders.push((holder, 0, 0));
                holders.len() - 1
            });
            holders[at].1 += 1;
            holders[at].2 += length;
        }
    }
    let mostly_links = |(node, links, linked): &(NodeRef<'_>, usize, usize)| {
        let name = node.node_name();
        let listed = matches!(name.as_deref(), Some("ul" | "ol" | "dl" | "div" | "section" | "p" | "td"));
        if !listed || (*links < 2 && name.as_deref() != Some("p")) {
            return false;
        }
        let text = node.text();
        let share = *linked as f64 / text.trim().len().max(1) as f64;
        match name.as_deref() {
            Some("p") => share > 0.95 && !text.trim().ends_with(['.', '!', '"', '”']),
            Some("td") => *links >= 3 && share > 0.5,
            _ => share > 0.75,
        }
    };
    holders.into_iter().filter(mostly_links).map(|(node, _, _)| node).collect()
}

/// The date in the page's metadata, where the reader does not look.
fn date(reader: &Readability) -> Option<String> {
    const PLACES: [(&str, &str); 8] = [
        ("meta[itemprop=datePublished]", "content"),
        ("meta[name=date]", "content"),
        ("meta[name=pubdate]", "content"),
        ("meta[name=publish-date]", "content"),
        ("meta[name=\"DC.date\"]", "content"),
        ("meta[name=\"dcterms.created\"]", "content"),
        ("[itemprop=datePublished]", "datetime"),
        ("time[datetime]", "datetime"),
    ];
    PLACES.iter().find_map(|(selector, attribute)| {
        let value = reader.doc.try_select(selector)?.attr(attribute)?;
        filled(Some(value.trim()))
    })
}

/// The text that the page brings in its JSON-LD.
fn article_body(reader: &Readability) -> Option<String> {
    let scripts = reader.doc.try_select("script[type=\"application/ld+json\"]")?;
    let bodies = scripts.nodes().iter().filter_map(|node| {
        let value: Value = serde_json::from_str(node.text().trim()).ok()?;
        find_body(&value, 0).map(str::to_owned)
    });
    let body = bodies.max_by_key(String::len)?;
    // Some pages put HTML there.
    if body.contains("<p") || body.contains("<br") {
        let page = parse(&body).ok()?;
        return filled(Some(page.select("body").formatted_text().trim()));
    }
    filled(Some(body.trim()))
}

fn find_body(value: &Value, depth: usize) -> Option<&str> {
    match value {
        Value::Object(object) => match object.get("articleBody") {
            Some(Value::String(body)) => Some(body),
            _ if depth < 6 => object.values().find_map(|inner| find_body(inner, depth + 1)),
            _ => None,
        },
        Value::Array(values) if depth < 6 => values.iter().find_map(|inner| find_body(inner, depth + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_encoding_is_found() {
        let found = declared_encoding(b"<html><meta charset='windows-1251'>").map(Encoding::name);
        assert_eq!(found, Some("windows-1251"));
        let found = declared_encoding(b"<meta content=\"text/html; charset=iso-8859-2\">").map(Encoding::name);
        assert_eq!(found, Some("ISO-8859-2"));
        assert_eq!(declared_encoding(b"<meta charset=nonsense>"), None);
    }

    #[test]
    fn a_page_without_an_article_gives_all_its_text() {
        let article =
            extract("<html><body><div>Iran thanks Russia</div><div>Oman waits</div></body></html>").expect("small");
        assert_eq!(article.text, "Iran thanks Russia\n\nOman waits");
    }

    #[test]
    fn a_form_around_the_page_is_not_taken_out() {
        let text = "Moscow and Tehran signed a treaty on Monday, both capitals said in a joint statement. ".repeat(8);
        let page =
            format!("<body><form id=aspnetForm><div><p>{text}</p><p>{text}</p></div><nav>World</nav></form></body>");
        let article = extract(&page).expect("small");
        assert!(article.text.contains("Tehran signed") && !article.text.contains("World"), "{}", article.text);
    }
}
