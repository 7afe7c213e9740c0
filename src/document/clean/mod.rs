//! Which lines of a text are the article, and which are what a scraped page carries around it.
//!
//! Nothing is changed or copied: [`content`] gives spans of the text as it was read. A line is left out when
//!
//! - `boilerplate.txt` knows it: share bars, cookie notes, credits, "Also read", newsletters, copyright lines;
//! - its shape says so: bylines, dates, counts ("2 min read"), captions that are file names, links, hashtags,
//!   breadcrumbs, menus;
//! - it repeats a line above, or runs up to or on from the headline ("Homepage World HEADLINE", "HEADLINE | Outlet");
//! - it is a title below a header such as "Also read" or "Most read", or anything below "Comments";
//! - it is a heading within the article, which says in other words what the paragraph below says better.
//!
//! A text of a single line is always content. The rules about headings and menus need prose around them: a text that
//! is only a list of headlines keeps them all.
//!
//! ```
//! use detente::document::clean::content;
//! let page = "Share on Facebook\n\nMoscow thanked Naypyidaw for its support on Monday.\n\nAlso read\n\nParis slams Rome";
//! let kept: Vec<&str> = content(page).into_iter().map(|span| &page[span]).collect();
//! assert_eq!(kept, ["Moscow thanked Naypyidaw for its support on Monday."]);
//! ```

mod phrases;
mod unit;

use std::hash::Hasher;
use std::sync::LazyLock;

use compact_str::CompactString;
use rustc_hash::{FxHashSet, FxHasher};
use xxhash_rust::xxh3::xxh3_64;

use super::sentences::is_bullet;
use super::shapes::{is_breadcrumb, is_count, is_date_line, is_file_name, is_link, is_menu};
use crate::Span;
use crate::document::dateline::dateline;
use phrases::{CREDIT, END, LINE, NAMES, PHRASES, RELATED, START, TAIL, WITHIN, first_word, only_names};
use unit::{Unit, strip_bullet, units};

/// Builds the list of phrases, which is otherwise built with the first text.
pub(crate) fn build_word_lists() {
    LazyLock::force(&PHRASES);
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The article's own text.
    Content,
    /// A heading within the article.
    Heading,
    /// Not the article's; why, in a word or two.
    Boilerplate(&'static str),
}

/// A line of a text, or the lines of one hard-wrapped paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands, without white space at its ends.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The spans of `text` that are the article's own, in order; lines that only a line end divides are one span.
pub fn content(text: &str) -> Vec<Span> {
    content_below(None, text)
}

/// As [`content`], for a text whose title is known apart: lines that repeat the title are left out.
pub fn content_below(title: Option<&str>, text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for line in lines(title, text) {
        if line.kind != Kind::Content {
            continue;
        }
        match spans.last_mut() {
            Some(last) if is_one_line_end(&text[last.end..line.span.start]) => last.end = line.span.end,
            _ => spans.push(line.span),
        }
    }
    spans
}

/// Every line of `text` that is not blank, with what it is.
pub fn lines(title: Option<&str>, text: &str) -> Vec<Line> {
    let mut units = units(text);
    if units.len() > 1 {
        Cleaner { text, title, prose: units.iter().filter(|unit| unit.prose).count() }.judge(&mut units);
    }
    units.into_iter().map(|unit| Line { span: unit.span, kind: unit.kind }).collect()
}

/// A line longer than this is never boilerplate by its words.
const MAX_WORDS: usize = 60;
/// A heading has at most this many words.
const HEADING_WORDS: usize = 10;
/// A title in a list of other articles has at most this many words.
const TITLE_WORDS: usize = 25;
/// How far below a breadcrumb the headline may stand, in lines.
const BREADCRUMB_REACH: usize = 8;

struct Cleaner<'t> {
    text: &'t str,
    title: Option<&'t str>,
    /// How many lines are prose.
    prose: usize,
}

/// What a header says about the lines below it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Article,
    Titles,
    Teasers,
}

impl Cleaner<'_> {
    fn line(&self, unit: &Unit) -> &str {
        &self.text[unit.span.clone()]
    }

    fn judge(&self, units: &mut [Unit]) {
        let prose_bytes: usize = units.iter().filter(|unit| unit.prose).map(|unit| unit.span.len()).sum();
        let mut prose_above = 0;
        let mut below = Below::Article;
        let mut seen: FxHashSet<u64> = FxHashSet::default();
        let mut buffer = String::new();
        if let Some(title) = self.title {
            seen.insert(fingerprint(title));
        }
        for at in 0..units.len() {
            let unit = &units[at];
            let line = self.line(unit);
            let rules = if unit.words <= MAX_WORDS { self.rules(unit) } else { 0 };
            if rules & END != 0 && prose_above > 0 {
                for unit in &mut units[at..] {
                    unit.kind = Kind::Boilerplate("comments");
                }
                return;
            }
            let mut kind = None;
            if rules & (RELATED | TAIL) != 0 {
                let most_is_above = prose_above * 5 >= prose_bytes * 3 && prose_above > 0;
                let teasers = rules & TAIL != 0 && most_is_above;
                below = if teasers || below == Below::Teasers { Below::Teasers } else { Below::Titles };
                kind = Some(Kind::Boilerplate("header of other articles"));
            } else if below != Below::Article {
                if self.returns_to_article(units, at, below) {
                    below = Below::Article;
                } else {
                    kind = Some(Kind::Boilerplate("title of another article"));
                }
            }
            let unit = &units[at];
            let kind = kind
                .or_else(|| self.by_words(unit, rules).map(Kind::Boilerplate))
                .or_else(|| self.by_shape(unit, at).map(Kind::Boilerplate))
                .or_else(|| self.by_repetition(units, at, &mut seen, &mut buffer).map(Kind::Boilerplate))
                .or_else(|| self.by_place(units, at, prose_above));
            if unit.prose && kind.is_none() {
                prose_above += line.len();
            }
            if let Some(kind) = kind {
                units[at].kind = kind;
            }
        }
    }

    /// Which rules of the word list the line meets.
    fn rules(&self, unit: &Unit) -> u16 {
        let line = self.line(unit);
        let body = strip_bullet(line);
        let whole = body.trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, ':' | '.' | '…' | '>' | '»' | '›' | '→' | '|' | '!' | '-' | '–' | ')')
        });
        // A count after a header: "Comments (12)", "Comments 12".
        let counted = whole.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '(' | ' ' | ','));
        let mut met = if line.starts_with("(c) ") || line.starts_with("(C) ") { START } else { 0 };
        for found in PHRASES.automaton.find_overlapping_iter(line) {
            let phrase = &PHRASES.anywhere[found.pattern().as_usize()];
            if phrase.cuts_word(line, &found.range()) {
                continue;
            }
            met |= phrase.rules & WITHIN;
            // "MOSCOW, March 3. /TASS/. Chad …" is no credit.
            let credited = || line[found.range()] == *phrase.spelling && found.start() >= dateline(line);
            if phrase.rules & CREDIT != 0 && credited() {
                met |= CREDIT;
            }
        }
        let mut first = CompactString::new(first_word(body));
        first.as_mut_str().make_ascii_lowercase();
        for phrase in PHRASES.opening.get(&*first).into_iter().flatten() {
            let place = 0..phrase.spelling.len();
            let opens = body.get(place.clone()).is_some_and(|head| head.eq_ignore_ascii_case(&phrase.spelling));
            if !opens || phrase.cuts_word(body, &place) {
                continue;
            }
            let rest = &body[place.end..];
            met |= phrase.rules & START;
            if place.end == whole.len() || place.end >= counted.len() {
                met |= phrase.rules & (LINE | RELATED | TAIL | END);
            } else if phrase.rules & (RELATED | TAIL) != 0 && rest.starts_with(':') {
                // "Also read: Paris slams Rome" brings its title with it.
                met |= START;
            }
            if phrase.rules & NAMES != 0 && only_names(rest, phrase.entry) {
                met |= NAMES;
            }
        }
        met
    }

    fn by_words(&self, unit: &Unit, rules: u16) -> Option<&'static str> {
        let text = self.line(unit);
        // "By Backing Iran, Moscow Isolates Itself" may be a headline where none is known.
        if rules & NAMES != 0 && (unit.span.start > 0 || self.title.is_some() || !text.starts_with("By ")) {
            return Some("byline or source");
        }
        if rules & CREDIT != 0 {
            return Some("picture credit");
        }
        (rules & (LINE | START | WITHIN | END) != 0).then_some("page furniture")
    }

    fn by_shape(&self, unit: &Unit, at: usize) -> Option<&'static str> {
        if unit.words > 40 {
            return None;
        }
        let line = strip_bullet(self.line(unit));
        if !line.chars().any(char::is_alphabetic) {
            return Some("no words");
        }
        if unit.words <= 16 && !unit.stop && is_date_line(line) {
            return Some("date");
        }
        if unit.words <= 6 && is_count(line) {
            return Some("count");
        }
        let mut words = line.split_whitespace();
        if words.clone().all(|word| word.starts_with(['#', '@']) || is_link(word)) {
            return Some("links or tags");
        }
        if !unit.stop && words.any(is_file_name) {
            return Some("caption");
        }
        if !unit.stop && (is_breadcrumb(line, at, &PHRASES.nav) || is_menu(line, &PHRASES.nav)) {
            return Some("menu");
        }
        None
    }

    /// Whether the line at `at`, below a header of other articles, belongs to the article again.
    fn returns_to_article(&self, units: &[Unit], at: usize, below: Below) -> bool {
        let unit = &units[at];
        match below {
            Below::Article => true,
            Below::Titles => {
                unit.words > TITLE_WORDS || (unit.words >= 6 && unit.stop && !self.line(unit).ends_with(['?', '!']))
            }
            // One sentence may be a teaser; two paragraphs in a row are the article.
            Below::Teasers => {
                let long = |unit: &Unit| unit.prose && unit.words >= 12;
                long(unit) && units.get(at + 1).is_some_and(long)
            }
        }
    }

    /// A line that stands above already, or a breadcrumb or page title around the headline.
    fn by_repetition(
        &self,
        units: &[Unit],
        at: usize,
        seen: &mut FxHashSet<u64>,
        buffer: &mut String,
    ) -> Option<&'static str> {
        let unit = &units[at];
        if unit.words < 3 || unit.words > MAX_WORDS {
            return None;
        }
        let line = self.line(unit);
        // A long paragraph is repeated to the letter or not at all.
        let print = if unit.words > TITLE_WORDS { xxh3_64(line.as_bytes()) } else { fingerprint(line) };
        if !seen.insert(print) {
            return Some("repeated line");
        }
        if at < 16 && !unit.stop {
            normalise(line, buffer);
            let mut other = String::new();
            let around = |headline: &str, other: &mut String| {
                normalise(headline, other);
                other.bytes().filter(|&b| b == b' ').count() >= 3 && surrounds(buffer, other)
            };
            let repeated = units[at + 1..].iter().take(BREADCRUMB_REACH).any(|below| {
                below.words <= MAX_WORDS && below.words < unit.words && around(self.line(below), &mut other)
            });
            if repeated || self.title.is_some_and(|title| around(title, &mut other)) {
                return Some("breadcrumb");
            }
        }
        None
    }

    /// Headings and menus, which need prose around them.
    fn by_place(&self, units: &[Unit], at: usize, prose_above: usize) -> Option<Kind> {
        let unit = &units[at];
        let line = self.line(unit);
        // "And Morocco?" may be a heading, too.
        let question = line.ends_with('?') && unit.words <= 4;
        if self.prose < 2 || (unit.stop && !question) {
            return None;
        }
        if unit.words <= 2 && !question {
            return Some(Kind::Heading);
        }
        let run = |unit: &&Unit| unit.words <= 4 && !unit.stop;
        let before = units[..at].iter().rev().take(4).take_while(run).count();
        let after = units[at..].iter().take(4).take_while(run).count();
        if before + after >= 4 && unit.words <= 4 && !question {
            return Some(Kind::Boilerplate("menu"));
        }
        let above_is_prose = prose_above > 0;
        let below_is_prose = units[at + 1..].iter().take(2).any(|unit| unit.prose);
        let quoted = line.starts_with(['"', '“', '«', '‘']);
        let heading = above_is_prose
            && below_is_prose
            && unit.words <= HEADING_WORDS
            && line.len() <= 90
            && !is_bullet(line)
            && !quoted
            && (!line.ends_with([':', ',', ';']) || unit.words <= 3);
        heading.then_some(Kind::Heading)
    }
}

/// Whether only white space with one line end stands here.
fn is_one_line_end(gap: &str) -> bool {
    gap.trim().is_empty() && memchr::memchr_iter(b'\n', gap.as_bytes()).count() == 1
}

/// A number that two lines share when they differ in ASCII case, white space and punctuation only.
fn fingerprint(line: &str) -> u64 {
    let mut hash = FxHasher::default();
    let mut word: u64 = 0;
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii_alphanumeric() || (byte >= 0x80 && byte != 0xE2) {
            word = word.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(byte.to_ascii_lowercase());
        } else {
            if byte == 0xE2 {
                // Curly quotes, dashes and their like: two more bytes.
                bytes.nth(1);
            }
            if word != 0 {
                hash.write_u64(word);
                word = 0;
            }
        }
    }
    hash.write_u64(word);
    hash.finish()
}

/// Lower-case words with one space between, without punctuation.
fn normalise(line: &str, out: &mut String) {
    out.clear();
    for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
}

/// Whether `line` is `headline` with a few words before it or after it.
fn surrounds(line: &str, headline: &str) -> bool {
    let rest = line
        .strip_suffix(headline)
        .filter(|rest| rest.ends_with(' '))
        .or_else(|| line.strip_prefix(headline).filter(|rest| rest.starts_with(' ')));
    rest.is_some_and(|rest| (1..=8).contains(&rest.split_whitespace().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two paragraphs of prose, so that the rules about headings apply.
    const PROSE: &str = "Moscow signed a four-year defence agreement with Naypyidaw on Monday, officials said.\n\n\
                         The agreement covers exercises, training and talks between the two general staffs.";

    fn kept(text: &str) -> Vec<&str> {
        content(text).into_iter().map(|span| &text[span]).collect()
    }

    /// The kind of `line` when it stands between two paragraphs.
    fn between(line: &str) -> Kind {
        let text = PROSE.replace("\n\n", &format!("\n\n{line}\n\n"));
        let at = PROSE.find("\n\n").map(|at| at + 2);
        lines(None, &text)
            .into_iter()
            .find(|found| Some(found.span.start) == at)
            .map_or(Kind::Content, |found| found.kind)
    }

    #[test]
    fn page_furniture_is_left_out() {
        let furniture = [
            "Also read",
            "ALSO READ:",
            "Others are reading now",
            "Read more: Paris slams Rome over migrants",
            "Related",
            "Advertisement",
            "Ads by MGDK",
            "Kremlin.ru, CC BY 3.0, via Wikimedia Commons",
            "Photo: Reuters",
            "Putin and Xi in Beijing. (AP Photo/Ng Han Guan)",
            "Xi Jinping at the summit. Getty Images",
            "Vladimir_Putin_with_U_Min_Tein myanmar ambassador",
            "Share on Facebook",
            "Tweet",
            "WhatsApp",
            "We use cookies to improve your experience. By continuing you accept our cookie policy.",
            "Sign up for our newsletter and never miss a story about Russia and China.",
            "Sources: Bloomberg, LA.lv",
            "By Jane Smith, 3 March 2026",
            "By JANE SMITH and JOHN O’NEILL",
            "Published 10:31 GMT",
            "2 min read",
            "3 March 2026",
            "Mon 2 Mar 2026 10.31 GMT",
            "2 hours ago",
            "Updated: March 3, 2026 at 5:00 PM EST",
            "Copyright 2026 The Daily Planet",
            "© 2026 The Daily Planet",
            "Follow us on Telegram",
            "12 comments",
            "Click here to read more about Iran and Israel.",
            "Home > World > Asia",
            "Home News World Business Sport Opinion",
            "Russian President Vladimir Putin meets Iran's leader, Moscow, July 1. REUTERS/Pool",
            "* * *",
            "#Russia #Iran",
            "https://example.org/russia-iran",
            "Reporting by Guy Faulconbridge; editing by Andrew Osborn",
            "FILE PHOTO: Ukrainian soldiers fire at Russian positions near Bakhmut.",
            "1.2K shares",
            "img_2041_final.JPG",
        ];
        for line in furniture {
            assert!(matches!(between(line), Kind::Boilerplate(_)), "{line}: {:?}", between(line));
        }
    }

    #[test]
    fn short_content_is_kept() {
        let real = [
            "Russia backs Iran.",
            "\"We stand with Serbia,\" he said.",
            "Share prices in Moscow fell after Washington's threat.",
            "Related to this, Ankara blocked the Swedish bid.",
            "Sources in Minsk said Russia was displeased.",
            "By backing Russia, Belarus isolated itself from its neighbours.",
            "Follow-up talks between Cairo and Addis failed.",
            "A Reuters/Ipsos poll showed that Americans back Ukraine.",
            "- Iran backs Assad and arms Hezbollah",
            "Read together, the two treaties bind Manila to Washington.",
            "Moscow fires 500 rockets per month at Ukraine.",
            "Inspectors demanded unlimited access to Iran’s sites.",
            "MOSCOW (Reuters) - Russia condemned Israel on Monday.",
            "The end of March saw Russia and China hold joint drills near Japan.",
            "Comments by Macron angered Ankara.",
            "The ministers, in a joint statement released after the summit had ended, named three principles for the talks",
        ];
        for line in real {
            assert_eq!(between(line), Kind::Content, "{line}");
        }
    }

    #[test]
    fn a_heading_between_paragraphs_is_a_heading() {
        assert_eq!(between("New partnership takes shape"), Kind::Heading);
        assert_eq!(between("War and legitimacy"), Kind::Heading);
    }

    #[test]
    fn a_single_line_is_always_content() {
        for line in ["Also read", "Russia backs Iran", "3 March 2026", "Photo: Putin thanks Xi", "By Russia"] {
            assert_eq!(kept(line), [line]);
            assert_eq!(kept(&format!("\n  {line}\n\n")), [line]);
        }
    }

    #[test]
    fn a_list_of_headlines_keeps_them_all() {
        let text =
            "Russia backs Iran\nChina slams Japan\nParis thanks Berlin\nMinsk joins Moscow\nSeoul warns Pyongyang";
        assert_eq!(kept(text), [text]);
    }

    #[test]
    fn one_copy_of_a_headline_is_kept() {
        let headline = "Russia finds new ally: Military cooperation deal is already signed";
        let text = format!("Homepage World {headline}\n\n{headline}\n\n{headline} | Dagens\n\n{PROSE}\n\n{headline}");
        assert_eq!(kept(&text).iter().filter(|line| line.contains("new ally")).count(), 1);
        assert_eq!(kept(&text)[0], headline);
        let spans = content_below(Some(headline), &text);
        assert!(spans.into_iter().all(|span| !text[span].contains("new ally")));
    }

    #[test]
    fn titles_below_a_header_go_and_the_article_returns() {
        let text = PROSE.replace("\n\n", "\n\nAlso read\n\nChina slams Japan\n\nWhy does Iran arm Russia?\n\n");
        assert_eq!(kept(&text).join("\n\n"), PROSE);
    }

    #[test]
    fn teasers_below_a_tail_header_go_too() {
        let text = format!(
            "{PROSE}\n\nMost read\n\nChina slams Japan\n\nBeijing said on Monday that Tokyo had broken the treaty.\n\nRome warns Cairo"
        );
        assert_eq!(kept(&text).join("\n\n"), PROSE);
    }

    #[test]
    fn nothing_below_comments_is_kept() {
        let text = format!(
            "{PROSE}\n\nComments (2)\n\nAnn\n\nRussia has always supported Myanmar and its generals, sadly.\n\nBob\n\nIndia too has supported them, and so has China in its way."
        );
        assert_eq!(kept(&text).join("\n\n"), PROSE);
    }

    #[test]
    fn hard_wrapped_text_is_one_piece() {
        let text = "RUSSIA AND MYANMAR SIGN A PACT\n\nRussia has signed a new military agreement with\nMyanmar, strengthening ties with the isolated\nnation, according to Bloomberg. The deal shows\nMoscow's efforts.\n\nBy then it had signed\nthree others.";
        assert_eq!(kept(text).len(), 3);
    }

    #[test]
    fn lines_with_one_line_end_between_are_one_span() {
        let text = format!(
            "{}\nAlso read\nIt was the third agreement of the two states in as many years.",
            PROSE.replace("\n\n", "\n")
        );
        assert_eq!(content(&text).len(), 2);
    }
}
