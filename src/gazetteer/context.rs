//! Rules for names that mean more than one thing: what stands before, after or near decides.

use std::cell::OnceCell;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::compiled::whole;
use super::entries::EntryId;
use super::tokens::{Case, char_at, char_before, compare, hash_word, normal, word_end, word_starts};

/// How far, in bytes to each side and within the line, the words of a `near` condition are searched.
pub(super) const WINDOW: usize = 200;

/// What a rule makes of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// It names nobody.
    Nobody,
    /// It names the entry it stands for.
    Own,
    /// It names this entry.
    Entry(EntryId),
}

/// Where a rule applies: the places of its three lists in [`Tables::lists`](super::tables::Tables::lists).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Condition {
    /// What must stand directly before.
    pub before: u16,
    /// What must stand directly after.
    pub after: u16,
    /// What must stand in the neighbourhood.
    pub near: u16,
}

/// One row of `ambiguous.csv`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Rule {
    pub verdict: Verdict,
    pub condition: Condition,
}

/// A name with what stands around it; whatever several rules ask is looked up once.
pub(super) struct Around<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    /// Whether another name ends right before it.
    pub follows_name: bool,
    /// The first names of the person, if it is a surname.
    pub first_names: &'t [CompactString],
    /// Where the phrases before it end.
    before: Option<Place<'t>>,
    /// The same where "Michael B." is read as "Michael".
    before_initial: Option<Place<'t>>,
    /// Where the phrases after it begin.
    after: Option<Place<'t>>,
    near: OnceCell<Vec<(usize, u32)>>,
    run: OnceCell<Vec<&'t str>>,
    title_case: OnceCell<bool>,
}

impl<'t> Around<'t> {
    /// Looks at the words next to `start..end`.
    pub fn new(text: &'t str, start: usize, end: usize) -> Self {
        let (head, tail) = (&text[..start], &text[end..]);
        let before = (!head.is_empty()).then(|| Place::ending(text, before_gap(head).unwrap_or(head).len()));
        let initial = before.as_ref().and_then(|place| without_initial(text, place.at));
        let from = |tail: &str| Place::starting(text, text.len() - tail.len());
        let after = (!tail.is_empty()).then(|| from(after_gap(tail).unwrap_or(tail)));
        Self {
            text,
            start,
            end,
            follows_name: false,
            first_names: &[],
            before,
            before_initial: initial.map(|end| Place::ending(text, end)),
            after,
            near: OnceCell::new(),
            run: OnceCell::new(),
            title_case: OnceCell::new(),
        }
    }

    /// Where the words of the neighbourhood begin, and the bit of each.
    fn near(&self) -> &[(usize, u32)] {
        self.near.get_or_init(|| {
            let (from, to) = line_around(self.text, self.start, self.end);
            let mut words = Vec::with_capacity(96);
            let is_inside = |c: char| c.is_alphanumeric();
            word_starts(&self.text.as_bytes()[from..to], |i| {
                let at = from + i;
                if (self.start..self.end).contains(&at) {
                    return;
                }
                let byte = self.text.as_bytes()[at];
                let after_ascii = at == from || self.text.as_bytes()[at - 1].is_ascii();
                if byte.is_ascii() && after_ascii {
                    words.push((at, bit_of(char::from(byte))));
                } else if let Some(c) = char_at(self.text, at).filter(|c| is_inside(*c))
                    && (at == from || !char_before(self.text, at).is_some_and(is_inside))
                {
                    words.push((at, bit_of(c)));
                }
            });
            words
        })
    }

    /// The capitalised words that follow; hyphens, blanks, "of", "for" and "the" go on.
    fn run(&self) -> &[&'t str] {
        const MOST: usize = 6;
        self.run.get_or_init(|| {
            let (mut words, mut end) = (Vec::new(), self.end);
            for _ in 0..MOST {
                let tail = &self.text[end..];
                let rest = after_gap(tail).or_else(|| tail.strip_prefix(|c| matches!(normal(c), ' ' | '-')));
                let Some(start) = rest.map(|rest| self.text.len() - rest.len()) else { break };
                end = word_end(self.text, start);
                match &self.text[start..end] {
                    "of" | "for" | "the" => {}
                    word if word.starts_with(char::is_uppercase) => words.push(word),
                    _ => break,
                }
            }
            words
        })
    }

    fn is_in_title_case(&self) -> bool {
        *self.title_case.get_or_init(|| in_title_case(self.text, self.end))
    }
}

/// A place where phrases can begin, or end: the word there, or a mark and the word beyond it.
struct Place<'t> {
    at: usize,
    mark: Option<char>,
    word: &'t str,
    /// [`bit_of`] the mark, or the word's first letter.
    bit: u32,
    keys: OnceCell<(u64, u64)>,
}

impl<'t> Place<'t> {
    /// Where `text[at..]` begins.
    fn starting(text: &'t str, at: usize) -> Self {
        let word = word_end(text, at);
        if word > at {
            return Self::new(at, None, &text[at..word]);
        }
        let Some(mark) = char_at(text, at) else { return Self::new(at, None, "") };
        let rest = &text[at + mark.len_utf8()..];
        let rest = after_gap(rest).unwrap_or(rest);
        Self::new(at, Some(mark), &rest[..word_end(rest, 0)])
    }

    /// Where `text[..at]` ends.
    fn ending(text: &'t str, at: usize) -> Self {
        let word = word_start(&text[..at]);
        if word < at {
            return Self::new(at, None, &text[word..at]);
        }
        let Some(mark) = char_before(text, at) else { return Self::new(at, None, "") };
        let rest = &text[..at - mark.len_utf8()];
        let rest = before_gap(rest).unwrap_or(rest);
        Self::new(at, Some(mark), &rest[word_start(rest)..])
    }

    fn new(at: usize, mark: Option<char>, word: &'t str) -> Self {
        let bit = mark.or(word.chars().next()).map_or(0, bit_of);
        Self { at, mark, word, bit, keys: OnceCell::new() }
    }

    /// The keys of what may stand here: of mark and word, and of the mark alone.
    fn keys(&self) -> (u64, u64) {
        *self.keys.get_or_init(|| match self.mark {
            None => {
                let key = hash_word(1, self.word, 0..self.word.len());
                (key, key)
            }
            Some(mark) => {
                let alone = u64::from(u32::from(normal(mark))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (if self.word.is_empty() { alone } else { hash_word(alone, self.word, 0..self.word.len()) }, alone)
            }
        })
    }
}

/// White space within a line.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// What follows the one or two blanks that a text begins with; of more, as between columns, one is taken off. `None` where it
/// begins with none.
fn after_gap(text: &str) -> Option<&str> {
    match text.as_bytes() {
        // Most of what there is.
        [b' ', next, ..] if next.is_ascii_graphic() => return Some(&text[1..]),
        [next, ..] if next.is_ascii_graphic() => return None,
        _ => {}
    }
    let first = text.strip_prefix(is_blank)?;
    let second = first.strip_prefix(is_blank).unwrap_or(first);
    Some(if second.starts_with(is_blank) { first } else { second })
}

/// The same of those that it ends with.
pub(super) fn before_gap(text: &str) -> Option<&str> {
    match text.as_bytes() {
        [rest @ .., b' '] if rest.last().is_some_and(u8::is_ascii_graphic) => return Some(&text[..rest.len()]),
        [.., last] if last.is_ascii_graphic() => return None,
        _ => {}
    }
    let last = text.strip_suffix(is_blank)?;
    let second = last.strip_suffix(is_blank).unwrap_or(last);
    Some(if second.ends_with(is_blank) { last } else { second })
}

/// How much of `text` a phrase can take from its start on: a character for each of its own, or a gap for a blank.
fn end_of_phrase(text: &str, phrase: &str) -> Option<usize> {
    let mut rest = text;
    for c in phrase.chars() {
        let next = rest.chars().next()?;
        let gap = if c == ' ' { after_gap(rest) } else { None };
        rest = gap.unwrap_or(&rest[next.len_utf8()..]);
    }
    Some(text.len() - rest.len())
}

/// Where a phrase can begin that `text` ends with, in the same way.
fn start_of_phrase(text: &str, phrase: &str) -> Option<usize> {
    let mut rest = text;
    for c in phrase.chars().rev() {
        let next = rest.chars().next_back()?;
        let gap = if c == ' ' { before_gap(rest) } else { None };
        rest = gap.unwrap_or(&rest[..rest.len() - next.len_utf8()]);
    }
    Some(rest.len())
}

/// By which lists tell apart, at little cost, most of what they do not hold: capitals from small letters, too.
fn bit_of(c: char) -> u32 {
    u32::from(normal(c)) & 63
}

/// Where the word that `text` ends with begins; its length if it ends with none.
fn word_start(text: &str) -> usize {
    let bytes = text.as_bytes();
    let start = bytes.iter().rposition(|byte| !byte.is_ascii_alphanumeric()).map_or(0, |i| i + 1);
    if start == 0 || bytes[start - 1].is_ascii() {
        return start;
    }
    let after = text[..start].char_indices().rev().find(|(_, c)| !c.is_alphanumeric());
    after.map_or(0, |(i, c)| i + c.len_utf8())
}

impl Condition {
    /// Whether all three hold around a name; an empty list always does.
    pub fn holds(&self, lists: &[Words], around: &Around<'_>) -> bool {
        let [before, after, near] = [self.before, self.after, self.near].map(|place| &lists[usize::from(place)]);
        (before.is_empty() || before.stand_before(around))
            && (after.is_empty() || after.stand_after(around))
            && (near.is_empty() || near.stand_near(around))
    }
}

/// Where the words of a condition stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Before,
    After,
    Near,
}

/// Words and phrases of a condition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Words {
    /// Sorted by key.
    phrases: Vec<Phrase>,
    /// The bits of [`Place::bit`] with which one can stand.
    firsts: u64,
    /// Which keys there can be: a bit for each value of their upper bits, so many that most are unset.
    #[serde(with = "whole")]
    filter: Vec<u64>,
    /// Words that may stand anywhere in the run of capitalised words after the name; sorted.
    run: Vec<CompactString>,
    capitalised: bool,
    digit: bool,
    capitals: bool,
    start: bool,
    given: bool,
    age: bool,
    verb: bool,
}

impl Words {
    /// Takes the phrases of a list. `<Cap>` and `<Digit>` stand for any capitalised word (but in a headline that
    /// capitalises all) and any digit, `<CAPS>` for a neighbourhood in capitals, `<Start>` for the start of a sentence,
    /// `<Given>` for a capitalised word; `~Word` may stand anywhere in the capitalised words that
    /// follow; `<Age>` is a number between commas; `<Verb>` a small word in "s", as a headline's verb; a phrase before
    /// `<End>` ends a clause or its line.
    pub fn new<'a>(side: Side, phrases: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Self::default();
        for phrase in phrases.filter(|p| !p.is_empty()) {
            match phrase {
                "<Cap>" => words.capitalised = true,
                "<Digit>" => words.digit = true,
                "<CAPS>" => words.capitals = true,
                "<Start>" => words.start = true,
                "<Given>" => words.given = true,
                "<Age>" => words.age = true,
                "<Verb>" => words.verb = true,
                _ if phrase.starts_with('~') => words.run.push(phrase[1..].into()),
                _ => {
                    let (phrase, closes) = phrase.strip_suffix("<End>").map_or((phrase, false), |rest| (rest, true));
                    let place = match side {
                        Side::Before => Place::ending(phrase, phrase.len()),
                        Side::After | Side::Near => Place::starting(phrase, 0),
                    };
                    words.firsts |= 1 << place.bit;
                    // A small letter of the list may stand for a capital.
                    let first = place.mark.or(place.word.chars().next());
                    for upper in first.into_iter().flat_map(char::to_uppercase) {
                        words.firsts |= 1 << bit_of(upper);
                    }
                    words.phrases.push(Phrase { key: place.keys().0, text: phrase.into(), closes });
                }
            }
        }
        words.phrases.sort_unstable_by_key(|p| p.key);
        words.run.sort_unstable();
        words.filter = vec![0; words.phrases.len().div_ceil(8).next_power_of_two()];
        for phrase in &words.phrases {
            let (word, bit) = filter_bit(&words.filter, phrase.key);
            words.filter[word] |= 1 << bit;
        }
        words
    }

    fn is_empty(&self) -> bool {
        let marked =
            self.capitalised || self.digit || self.capitals || self.start || self.given || self.age || self.verb;
        self.phrases.is_empty() && self.run.is_empty() && !marked
    }

    /// The phrases that could stand at a place.
    fn at_place(&self, place: &Place<'_>) -> impl Iterator<Item = &Phrase> {
        let with = |key: u64| {
            let (word, bit) = filter_bit(&self.filter, key);
            let phrases = if self.filter[word] >> bit & 1 == 1 { self.phrases.as_slice() } else { &[] };
            let from = phrases.partition_point(|p| p.key < key);
            phrases[from..].iter().take_while(move |p| p.key == key)
        };
        let keys = (self.firsts >> place.bit & 1 == 1).then(|| place.keys());
        let alone = keys.filter(|(whole, mark)| whole != mark).map(|(_, mark)| with(mark));
        keys.map(|(whole, _)| with(whole)).into_iter().chain(alone).flatten()
    }

    /// Whether a phrase of the list begins at a place and ends at a word's edge.
    fn begin_at(&self, text: &str, place: &Place<'_>) -> bool {
        let at = place.at;
        self.at_place(place).any(|phrase| {
            let Some(end) = end_of_phrase(&text[at..], &phrase.text).map(|length| at + length) else { return false };
            let edge =
                !phrase.text.ends_with(char::is_alphanumeric) || !char_at(text, end).is_some_and(char::is_alphanumeric);
            edge && (!phrase.closes || ends_clause(text, end))
                && compare(&text[at..end], &phrase.text) == Some(Case::Same)
        })
    }

    /// Whether a phrase of the list ends at a place and begins at a word's edge.
    fn end_at(&self, text: &str, place: &Place<'_>) -> bool {
        let end = place.at;
        self.at_place(place).any(|phrase| {
            let Some(from) = start_of_phrase(&text[..end], &phrase.text) else { return false };
            compare(&text[from..end], &phrase.text) == Some(Case::Same)
                && !char_before(text, from).is_some_and(char::is_alphanumeric)
        })
    }

    fn stand_after(&self, around: &Around<'_>) -> bool {
        let Some(place) = &around.after else { return false };
        let (text, end, next) = (around.text, around.end, place.at);
        let ahead = char_at(text, next);
        self.begin_at(text, place)
            || (self.capitalised && next > end && ahead.is_some_and(char::is_uppercase) && !around.is_in_title_case())
            || (self.digit && ahead.is_some_and(|c| c.is_ascii_digit()))
            || (self.age && is_age(&text[end..]))
            || (self.verb && next > end && is_verb(&text[next..word_end(text, next)]))
            || (!self.run.is_empty() && self.is_in(around.run()) && !around.is_in_title_case())
    }

    /// Whether one of the run's words is among these.
    fn is_in(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.run.binary_search_by(|w| w.as_str().cmp(word)).is_ok())
    }

    fn stand_before(&self, around: &Around<'_>) -> bool {
        let text = around.text;
        let ends = |place: &Option<Place<'_>>| place.as_ref().is_some_and(|place| self.end_at(text, place));
        (self.start && starts_sentence(text, around.start))
            || ends(&around.before)
            || ends(&around.before_initial)
            || (self.given && !around.follows_name && follows_given_name(around))
    }

    fn stand_near(&self, around: &Around<'_>) -> bool {
        let is_here = |&(at, bit): &(usize, u32)| {
            self.firsts >> bit & 1 == 1 && self.begin_at(around.text, &Place::starting(around.text, at))
        };
        (self.capitals && in_capitals(around.text, around.start, around.end))
            || (!self.phrases.is_empty() && around.near().iter().any(is_here))
    }
}

/// One phrase of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Phrase {
    /// Of [`Place::keys`], on the side of the name.
    key: u64,
    /// Whether a clause must end with it.
    closes: bool,
    text: CompactString,
}

fn filter_bit(filter: &[u64], key: u64) -> (usize, u32) {
    let upper = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (upper as usize >> 6 & (filter.len() - 1), upper as u32 & 63)
}

/// The bytes around `start..end`: at most [`WINDOW`] to each side, within the line.
fn line_around(text: &str, start: usize, end: usize) -> (usize, usize) {
    let mut from = start.saturating_sub(WINDOW);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    if let Some(i) = text[from..start].rfind('\n') {
        from += i + 1;
    }
    let mut to = (end + WINDOW).min(text.len());
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    if let Some(i) = text[end..to].find('\n') {
        to = end + i;
    }
    (from, to)
}

/// Whether the letters around `start..end` in its line are capitals: two or more of them, and no small letter within 40
/// characters to each side.
pub(super) fn in_capitals(text: &str, start: usize, end: usize) -> bool {
    const NEAR: usize = 40;
    let (from, to) = line_around(text, start, end);
    let mut large = 0;
    for c in text[from..start].chars().rev().take(NEAR).chain(text[end..to].chars().take(NEAR)) {
        if c.is_lowercase() {
            return false;
        }
        large += usize::from(c.is_uppercase());
    }
    large >= 2
}

/// Whether the line around `at` capitalises all its words, as headlines do: a capital then says nothing.
fn in_title_case(text: &str, at: usize) -> bool {
    /// Shorter words may be small in such a headline.
    const SHORT: usize = 4;
    let (from, to) = line_around(text, at, at);
    let (mut large, mut small) = (0, 0);
    for word in text[from..to].split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= SHORT) {
        large += usize::from(word.starts_with(char::is_uppercase));
        small += usize::from(word.starts_with(char::is_lowercase));
    }
    large >= 4 && large >= 5 * small
}

/// Whether a clause, or the line, ends at `at`.
fn ends_clause(text: &str, at: usize) -> bool {
    char_at(text, at).is_none_or(|c| matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | ')' | '\n' | '\u{201d}'))
}

/// Whether `word` could be a verb of the third person: "rules", not "talks'".
fn is_verb(word: &str) -> bool {
    word.len() >= 4 && word.ends_with('s') && !word.ends_with("ss") && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// Whether `, 34,` stands here.
fn is_age(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(',').and_then(after_gap) else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits) && rest[digits..].starts_with(',')
}

/// Where "Michael" ends in "Michael B." that ends at `end`.
fn without_initial(text: &str, end: usize) -> Option<usize> {
    let rest = text[..end].strip_suffix('.')?;
    let before = rest.strip_suffix(char::is_uppercase)?;
    before_gap(before).map(str::len)
}

/// Whether nothing but quotes stands between `start` and the end of a sentence, or the start of its line.
fn starts_sentence(text: &str, start: usize) -> bool {
    let before =
        text[..start].trim_end_matches([' ', '"', '\'', '\u{201c}', '\u{2018}', '(', '*', '-', '\u{2013}', '\u{2014}']);
    before.is_empty() || before.ends_with(['\n', '.', '!', '?', ':', ';', '\u{201d}'])
}

/// Whether a capitalised word stands right before the name: most likely a first
/// name, and not the person's own.
fn follows_given_name(around: &Around<'_>) -> bool {
    let before = &around.text[..around.start];
    let particle = ["al-", "el-", "Al-", "El-"].iter().find_map(|particle| before.strip_suffix(particle));
    let Some(before) = before_gap(particle.unwrap_or(before)) else { return false };
    let from = before.rfind(|c: char| !(c.is_alphanumeric() || c == '-'));
    let from = from.map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    let word = &before[from..];
    // "Saif al-Islam".
    let mut letters = word.strip_prefix("al-").or(word.strip_prefix("el-")).unwrap_or(word).chars();
    letters.next().is_some_and(char::is_uppercase)
        && letters.next().is_some_and(char::is_lowercase)
        && !around.is_in_title_case()
        && !around.first_names.iter().any(|name| is_alike(name, word))
}

/// Whether `word` is a spelling of a first name: the same first letter, and two others changed at most.
fn is_alike(name: &str, word: &str) -> bool {
    const LONGEST: usize = 24;
    name.chars().next() == word.chars().next() && word.len() <= LONGEST && strsim::levenshtein(name, word) <= 2
}

/// Whether the name at `start..end` is part of an address, a file's name, a hashtag or a handle.
pub(super) fn in_address(text: &str, start: usize, end: usize) -> bool {
    const JOINTS: [char; 12] = ['/', '#', '@', '_', '\\', '.', '-', '=', '&', '?', '%', '+'];
    const ENDINGS: [&str; 22] = [
        "com", "csv", "doc", "docx", "gif", "gov", "htm", "html", "info", "jpeg", "jpg", "json", "mp3", "mp4", "net",
        "org", "pdf", "php", "png", "ru", "txt", "xlsx",
    ];
    let joined = |c: Option<char>| c.is_some_and(|c| JOINTS.contains(&c));
    if !joined(char_before(text, start)) && !joined(char_at(text, end)) {
        return false;
    }
    let (from, to) = line_around(text, start, end);
    let from = text[from..start].rfind(char::is_whitespace).map_or(from, |i| from + i);
    let to = text[end..to].find(char::is_whitespace).map_or(to, |i| end + i);
    let token = text[from..to].trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '#' | '@' | '/'));
    let host = token.split('/').next().unwrap_or(token);
    token.starts_with(['#', '@'])
        || token.contains("://")
        || token.contains('@')
        || token.contains('_')
        || (host.contains('.') && host != token && !host.contains(char::is_uppercase))
        || token.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.binary_search(&ending).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(side: Side, list: &str) -> Words {
        Words::new(side, list.split('|'))
    }

    /// The name in brackets.
    fn around(marked: &str) -> (String, usize, usize) {
        let (start, end) = (marked.find('[').expect("a name"), marked.find(']').expect("a name"));
        (marked.replace(['[', ']'], ""), start, end - 1)
    }

    fn after(list: &str, marked: &str) -> bool {
        let (text, start, end) = around(marked);
        words(Side::After, list).stand_after(&Around::new(&text, start, end))
    }

    fn before(list: &str, marked: &str) -> bool {
        let (text, start, end) = around(marked);
        words(Side::Before, list).stand_before(&Around::new(&text, start, end))
    }

    fn near(list: &str, marked: &str) -> bool {
        let (text, start, end) = around(marked);
        words(Side::Near, list).stand_near(&Around::new(&text, start, end))
    }

    #[test]
    fn conditions() {
        let text = "Papa said Rep. Tom Price of [Georgia] won";
        assert!(near("Rep.|Sen.", text) && near("said", text));
        assert!(!near("Re|Pric", text));
        assert!(before("of", text) && before("Price of", text));
        assert!(!before("rice of", text));
        assert!(after("won", text) && after("in|won<End>", text));
        assert!(!after("wo", text) && !after("<Cap>", text) && !after("<Verb>", text));
        assert!(after("<Cap>", "[Chad] Kelly") && after("<Digit>", "[US] 20") && after("$", "[US]$20"));
        assert!(after(", Texas<End>", "[Paris], Texas, is") && !after(", Texas<End>", "[Paris], Texas firms"));
        assert!(after("<Age>", "[Chad], 34, said") && !after("<Age>", "[Chad], 340, said"));
        assert!(after("<Verb>", "[Lima] rules out") && !after("<Verb>", "[Lima]'s rules"));
        assert!(before("Dr.|daughter,", "her daughter, [India]") && before("Dr.|daughter,", "Dr. [India] Smith"));
        assert!(before("Michael", "Michael B. [Jordan]") && !before("Michael", "Carmichael B. [Jordan]"));
        assert!(before("<Start>", "He left. \"[Lima] left\"") && !before("<Start>", "in [Lima]"));
        assert!(after("'s", "[Iran]’s") && before("Météo-", "Météo-[France]"));
    }

    #[test]
    fn two_blanks_are_as_good_as_one() {
        assert!(before("of", "Price of  [Georgia]") && before("Price of", "Tom Price  of\u{a0}[Georgia] won"));
        assert!(before("daughter,", "her daughter,  [India]") && before("Michael", "Michael  B.  [Jordan]"));
        assert!(before("<Given>", "the sculptor Thabo  [Masisi] will show") && after("<Age>", "[Chad],  34, said"));
        assert!(after("won seats", "[Georgia]  won\t seats") && !after("won seats", "[Georgia] won\n\nseats"));
        assert!(after(", Texas<End>", "[Paris],  Texas, is") && after("<Cap>", "[Chad]  Kelly"));
        assert!(near("Tom Price", "Tom  Price of [Georgia]") && !near("Tom Price", "Tom \n\n Price of [Georgia]"));
        assert!(after("~University", "[China]  Medical  University opened"));
        assert!(!before("of", "Price of\r\r[Georgia]") && !before("of", "Price of\u{2029}\u{2029}[Georgia]"));
        // Three may be between columns.
        assert!(!before("of", "Price of   [Georgia]") && !after("<Cap>", "[Chad]   Kelly"));
        assert!(!after("won seats", "[Georgia] won   seats") && !near("Tom Price", "Tom   Price of [Georgia]"));
    }

    #[test]
    fn gaps_are_one_or_two_blanks() {
        let mirrored = |text: &str| text.chars().rev().collect::<String>();
        for (text, behind) in [
            ("", None),
            ("a b", None),
            ("é ", None),
            ("\n a", None),
            (" a", Some("a")),
            (" é", Some("é")),
            ("\u{a0}a ", Some("a ")),
            ("  a", Some("a")),
            (" \t", Some("")),
            ("   a", Some("  a")),
            (" \n", Some("\n")),
            ("  \n", Some("\n")),
        ] {
            assert_eq!(after_gap(text), behind, "{text:?}");
            assert_eq!(before_gap(&mirrored(text)), behind.map(mirrored).as_deref(), "{text:?}");
        }
    }

    #[test]
    fn the_run_of_capitalised_words_is_searched() {
        let heads = |marked: &str| after("~University|~Bank", marked);
        assert!(heads("[China] Medical University Hospital opened"));
        assert!(heads("[China] Bank of Trade opened"));
        assert!(!heads("[China] opened a University"));
        assert!(!heads("[China]'s University"));
        assert!(!heads("[China] Wants Better University Places"), "a headline in title case");
    }

    #[test]
    fn a_capitalised_word_may_be_a_first_name() {
        let given = |marked: &str| before("<Given>", marked);
        assert!(given("the sculptor Thabo [Masisi] will show"));
        assert!(!given("the leader [Masisi] said"));
        assert!(!given("Sculptor Thabo [Masisi] Shows Twelve New Bronzes"), "a headline in title case");
    }

    #[test]
    fn addresses_are_told_from_names_that_are_joined() {
        let within = |text: &str| {
            let start = text.find("Iran").expect("it is there");
            in_address(text, start, start + 4)
        };
        for text in [
            "see https://a.org/x/Iran/y",
            "a.org/Iran",
            "(#Iran)",
            "@Iran said",
            "Iran.Miller@a.org",
            "the file Iran-budget-v3.xlsx.",
            "to_Iran_and_back",
        ] {
            assert!(within(text), "{text}");
        }
        for text in
            ["pro-Iran", "Iran-led", "US/Iran talks", "U.S./Iran talks", "in Iran.", "Iran? No", "Iran.The next"]
        {
            assert!(!within(text), "{text}");
        }
    }

    #[test]
    fn capitals() {
        assert!(in_capitals("RUSSIA IS AT WAR", 7, 9));
        assert!(!in_capitals("Russia IS at war", 7, 9));
        assert!(!in_capitals("IS", 0, 2));
    }
}
