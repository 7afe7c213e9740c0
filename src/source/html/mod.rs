//! Saved pages: the main content of one is an article.
//!
//! [`tree`] is the page, [`prune`] takes out what stands around an article (menus, forms, share bars, cookie dialogs, lists
//! of other articles, captions), [`content`] finds the element that holds the article and gives its paragraphs. Where the
//! page brings a longer text in its metadata ([`linked_data`]) that holds what it shows, that is taken.

use dom_query::Document;
use encoding_rs::Encoding;
use serde_json::{Map, Value};

mod content;
mod linked_data;
mod nothing;
mod parse;
mod prune;
mod tree;

use parse::{TooMuch, parse};
use tree::Tree;

use super::stream::{Stream, read_document};
use super::{Warn, Warning, check_size, filled};
use crate::{Article, Error, Location, Result};

/// The article on the page that `stream` is.
pub(super) fn article(mut stream: Stream, id: &str, warn: &Warn) -> Result<Article> {
    let bytes = read_document(&mut stream)?;
    article_of(bytes, &mut stream, id, warn)
}

/// The article on the page that these bytes of `stream` are.
pub(super) fn article_of(bytes: Vec<u8>, stream: &mut Stream, id: &str, warn: &Warn) -> Result<Article> {
    let location = Location::file(stream.path.clone());
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::format(location, "an empty file", "an HTML page"));
    }
    let declared = declared_encoding(&bytes);
    article_of_page(&stream.decoder.decode_page(bytes, declared)?, &location, id, warn)
}

/// The article on a page.
pub(super) fn article_of_page(page: &str, location: &Location, id: &str, warn: &Warn) -> Result<Article> {
    let wrong = |found: String| Error::format(location.clone(), found, "an HTML page with an article");
    let (page, too_much) = parse(page).map_err(|TooMuch(found)| wrong(found))?;
    let article = extract(&page);
    match (article.text.trim().is_empty(), too_much) {
        (true, too_much) => {
            return Err(wrong(too_much.map_or_else(|| "no article text".into(), |TooMuch(found)| found)));
        }
        (false, Some(TooMuch(found))) => {
            let message = format!("{found}: the rest of the page is not read");
            warn(Warning { location: location.clone(), message });
        }
        (false, None) => {}
    }
    check_size(&article.text, location)?;
    Ok(article.with_id(id))
}

/// The text of a piece of a page, in paragraphs; `None` where it is too large to be read.
pub(super) fn fragment_text(fragment: &str) -> Option<String> {
    let (page, _) = parse(fragment).ok()?;
    let mut tree = Tree::new(&page);
    prune::prune_figures(&mut tree);
    Some(if tree.nodes.is_empty() { String::new() } else { content::render(&tree, 0) })
}

/// The encoding that the page declares for itself: in an XML declaration, or in a `meta` element.
pub(super) fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    /// Where declarations are looked for; browsers look no further than 1 KiB, but pages go on.
    const HEAD: usize = 64 << 10;
    let head = &bytes[..bytes.len().min(HEAD)];
    let mut label = None;
    if head.trim_ascii_start().starts_with(b"<?xml") {
        let end = memchr::memchr(b'>', head).unwrap_or(head.len());
        label = value_of(&head[..end], b"encoding");
    }
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&head[at..], b"<").map(|found| at + found) {
        at = found + 1;
        if head[at..].get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"meta")) {
            // A tag that is not closed soon is none.
            const LONGEST: usize = 1_000;
            let tag = &head[at..head.len().min(at + LONGEST)];
            let end = at + memchr::memchr2(b'>', b'<', tag).unwrap_or(tag.len());
            if let Some(found) = value_of(&head[at..end], b"charset") {
                label = Some(found);
                break;
            }
        }
    }
    let encoding = Encoding::for_label(&label?)?;
    // A page whose bytes could be read by us can not be in UTF-16: it has no byte-order mark.
    encoding.is_ascii_compatible().then_some(encoding)
}

/// What stands behind `name` and `=` in a tag.
fn value_of(tag: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let at = tag.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name))? + name.len();
    let rest = tag[at..].trim_ascii_start().strip_prefix(b"=")?;
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
    let rest = rest.iter().copied().skip_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''));
    Some(rest.take_while(is_label).collect())
}

/// The article of a page; its text is empty if there is none.
fn extract(page: &Document) -> Article {
    let scripts: Vec<String> = page
        .select("script")
        .nodes()
        .iter()
        .filter(|node| is_linked_data(node))
        .map(|node| node.text().to_string())
        .collect();
    let values = linked_data::values(scripts.iter().map(String::as_str));
    let address =
        attribute(page, "link[rel=canonical]|href").or_else(|| attribute(page, "meta[property=\"og:url\"]|content"));
    let data = linked_data::of_page(linked_data::articles(&values), address.as_deref());
    let mut tree = Tree::new(page);
    let all = tree.nodes.first().map_or(0, |body| body.length);
    let others = prune::prune(&mut tree);
    let mut shown = content::text(&tree);
    // Of a page of links to others the names of its sections are left.
    let is_line = |paragraph: &str| paragraph.chars().count() < 60;
    if shown.len() * 5 < all && (shown.split("\n\n").all(is_line) || (others >= 6 && shown.len() < 500)) {
        shown.clear();
    }
    let body = data.iter().filter_map(|article| linked_data::body(article, plain)).max_by_key(String::len);
    let text = longer(shown, body);
    let mut article = metadata(page, data.first().copied(), &text);
    if !nothing::is_no_article(&text, article.title.as_deref()) {
        article.text = text;
    }
    article
}

fn is_linked_data(node: &dom_query::NodeRef<'_>) -> bool {
    node.attr("type").is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("application/ld+json"))
}

/// The text of a field that may hold HTML, once or twice escaped.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..3 {
        let escaped = text.contains("&lt;") || text.contains("&amp;") || text.contains("&nbsp;") || text.contains("&#");
        if !escaped && !super::fields::looks_like_markup(&text) && !text.contains("<p") && !text.contains("<br") {
            break;
        }
        // Line ends divide paragraphs where no tag does.
        let marked = if text.contains('<') { text.clone() } else { text.replace('\n', "<br>") };
        match fragment_text(&marked) {
            Some(plain) if plain != text => text = plain,
            _ => break,
        }
    }
    text
}

/// The text that is shown, or the one in the metadata, where that is longer and holds what is shown.
fn longer(shown: String, body: Option<String>) -> String {
    let Some(body) = body.filter(|body| body.len() > shown.len()) else { return shown };
    let words = |text: &str| text.split_whitespace().map(|word| word.to_lowercase()).collect::<Vec<_>>().join(" ");
    let all = words(&body);
    let mut paragraphs = shown.split("\n\n").map(words).filter(|paragraph| paragraph.len() > 40).take(50);
    // A wall or readers' remarks may stand where the rest of the article would.
    if paragraphs.any(|paragraph| all.contains(&paragraph)) || body.len() * 2 > shown.len() * 3 { body } else { shown }
}

/// What is known of the article beside its text.
fn metadata(page: &Document, data: Option<&Map<String, Value>>, text: &str) -> Article {
    let meta = |names: &[&str]| names.iter().find_map(|name| attribute(page, name));
    let linked = |name: &str| data.and_then(|data| linked_data::field(data, name));
    let headlines: Vec<String> =
        page.select("h1, h2").nodes().iter().take(20).map(|node| one_line(&node.text())).collect();
    let title = meta(&["meta[property=\"og:title\"]|content"])
        .or_else(|| linked("headline"))
        .or_else(|| meta(&["meta[name=\"twitter:title\"]|content", "meta[name=\"DC.title\" i]|content"]))
        .or_else(|| {
            filled(Some(&page.select("title").nodes().first().map(|t| t.text().to_string()).unwrap_or_default()))
        })
        .or_else(|| headlines.first().cloned());
    let date = meta(&["meta[property=\"article:published_time\"]|content"])
        .or_else(|| linked("datePublished"))
        .or_else(|| {
            meta(&[
                "meta[itemprop=datePublished]|content",
                "meta[name=date]|content",
                "meta[name=pubdate]|content",
                "meta[name=publish-date]|content",
                "meta[name=\"DC.date\" i]|content",
                "meta[name=\"DC.date.issued\" i]|content",
                "meta[name=\"dcterms.created\" i]|content",
                "meta[name=\"dcterms.issued\" i]|content",
                "[itemprop=datePublished]|datetime",
                "[itemprop=datePublished]|title",
                "[itemprop=datePublished]|content",
                "meta[name=\"parsely-pub-date\"]|content",
                "meta[name=\"sailthru.date\"]|content",
                "meta[name=\"cXenseParse:recs:publishtime\"]|content",
                "time[pubdate]|datetime",
                "time.published|datetime",
                "time.entry-date|datetime",
                "abbr.published|title",
                "article time[datetime]|datetime",
                "time[datetime]|datetime",
            ])
        });
    let url = meta(&["link[rel=canonical]|href", "meta[property=\"og:url\"]|content"])
        .or_else(|| linked("url"))
        .or_else(|| linked("mainEntityOfPage").filter(|url| url.starts_with("http")));
    let source = meta(&["meta[property=\"og:site_name\"]|content", "meta[name=application-name]|content"]);
    let author = meta(&["meta[name=author]|content"])
        .or_else(|| linked("author"))
        .or_else(|| meta(&["meta[property=\"article:author\"]|content"]).filter(|author| !author.starts_with("http")))
        .or_else(|| meta(&["[itemprop=author] [itemprop=name]|", "[itemprop=author]|", "a[rel=author]|"]));
    Article {
        title: title.map(|title| without_outlet(&title, &headlines, text)).filter(|title| !title.is_empty()),
        date,
        url,
        source: source.or_else(|| linked("publisher")),
        author: author.map(|author| one_line(&author)),
        language: meta(&["html|lang"])
            .or_else(|| meta(&["html|xml:lang", "meta[http-equiv=content-language]|content"])),
        ..Article::default()
    }
}

/// An attribute of the first element that has it filled, as `SELECTOR|ATTRIBUTE`; without an attribute, the text.
fn attribute(page: &Document, place: &str) -> Option<String> {
    let (selector, name) = place.split_once('|')?;
    let found = page.try_select(selector)?;
    found.nodes().iter().take(20).find_map(|node| {
        let value = if name.is_empty() { one_line(&node.text()) } else { node.attr(name)?.trim().to_owned() };
        filled(Some(&value))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &str) -> String {
        extract(&parse(page).expect("small").0).text
    }

    #[test]
    fn the_declared_encoding_is_found() {
        for (page, expected) in [
            (&b"<html><meta charset='windows-1251'>"[..], Some("windows-1251")),
            (b"<meta content=\"text/html; charset=iso-8859-2\">", Some("ISO-8859-2")),
            (b"<script charset=\"utf-8\"></script><META http-equiv=x content='text/html;charset = GBK'>", Some("GBK")),
            (b"<?xml version=\"1.0\" encoding='ISO-8859-2'?><html>", Some("ISO-8859-2")),
            (b"<meta charset=nonsense>", None),
            (b"<p>charset=windows-1251</p>", None),
        ] {
            assert_eq!(declared_encoding(page).map(Encoding::name), expected, "{}", String::from_utf8_lossy(page));
        }
    }

    #[test]
    fn a_page_without_an_article_gives_all_its_text() {
        assert_eq!(
            text("<html><body><div>Iran thanks Russia</div><div>Oman waits</div></body></html>"),
            "Iran thanks Russia\n\nOman waits"
        );
    }

    #[test]
    fn a_form_around_the_page_is_not_taken_out() {
        let prose = "Moscow and Tehran signed a treaty on Monday, both capitals said in a joint statement. ".repeat(8);
        let page =
            format!("<body><form id=aspnetForm><div><p>{prose}</p><p>{prose}</p></div><nav>World</nav></form></body>");
        let found = text(&page);
        assert!(found.contains("Tehran signed") && !found.contains("World"), "{found}");
    }

    #[test]
    fn blocks_and_cells_never_glue_words() {
        let page = "<p>One<br>two<br><br>three <b>four</b>five<table><tr><td>0<td>Estonia</table>Oman<sup>2</sup> left km<sup>th</sup>";
        assert_eq!(text(page), "One\ntwo\n\nthree fourfive\n\n0\n\nEstonia\n\nOman left kmth");
    }
}
