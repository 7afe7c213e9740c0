//! Rules for names that mean more than one thing: what stands before, after or near decides.

use std::sync::Arc;

use super::entries::EntryId;
use super::tokens::{Case, char_at, char_before, compare, normal};

/// How far, in bytes to each side and within the line, the words of a `near` condition are searched.
pub(super) const WINDOW: usize = 200;

/// What a rule makes of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It names nobody.
    Nobody,
    /// It names the entry it stands for.
    Own,
    /// It names this entry.
    Entry(EntryId),
}

/// One row of `ambiguous.csv`: all of its conditions hold, or it does not apply.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub verdict: Verdict,
    pub before: Arc<Words>,
    pub after: Arc<Words>,
    pub near: Arc<Words>,
}

impl Rule {
    /// Whether the rule applies to the name at `start..end`.
    pub fn applies(&self, text: &str, start: usize, end: usize) -> bool {
        (self.before.is_empty() || self.before.stand_before(text, start))
            && (self.after.is_empty() || self.after.stand_after(text, end))
            && (self.near.is_empty() || self.near.stand_near(text, start, end))
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
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Sorted by their last character on the side before, by their first on the others.
    phrases: Vec<Phrase>,
    /// The characters they are sorted by, a bit for each value of the lower bits.
    keys: u64,
    capitalised: bool,
    digit: bool,
    capitals: bool,
}

impl Words {
    /// Takes the phrases of a list; `<Cap>`, `<Digit>` and `<CAPS>` stand for any capitalised word, any digit, and a
    /// neighbourhood in capitals.
    pub fn new<'a>(side: Side, phrases: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Self::default();
        for phrase in phrases.filter(|p| !p.is_empty()) {
            match phrase {
                "<Cap>" => words.capitalised = true,
                "<Digit>" => words.digit = true,
                "<CAPS>" => words.capitals = true,
                _ => {
                    let mut characters = phrase.chars();
                    let key = key(if side == Side::Before { characters.next_back() } else { characters.next() });
                    words.keys |= 1 << (key & 63);
                    words.phrases.push(Phrase { key, length: phrase.chars().count(), text: phrase.into() });
                }
            }
        }
        words.phrases.sort_unstable_by_key(|p| p.key);
        words
    }

    fn is_empty(&self) -> bool {
        self.phrases.is_empty() && !self.capitalised && !self.digit && !self.capitals
    }

    /// Whether a phrase of the list begins at `at` and ends at a word's edge.
    fn begin_at(&self, text: &str, at: usize) -> bool {
        self.with_key(key(char_at(text, at))).any(|phrase| {
            // As many characters as the phrase has: a blank in it stands for one character here.
            let end = text[at..].char_indices().nth(phrase.length).map_or(text.len(), |(i, _)| at + i);
            let edge =
                !phrase.text.ends_with(char::is_alphanumeric) || !char_at(text, end).is_some_and(char::is_alphanumeric);
            edge && compare(&text[at..end], &phrase.text) == Some(Case::Same)
        })
    }

    /// The phrases that have this key.
    fn with_key(&self, key: u32) -> impl Iterator<Item = &Phrase> {
        let phrases = if self.keys >> (key & 63) & 1 == 1 { self.phrases.as_slice() } else { &[] };
        let from = phrases.partition_point(|p| p.key < key);
        phrases[from..].iter().take_while(move |p| p.key == key)
    }

    fn stand_after(&self, text: &str, end: usize) -> bool {
        let Some(c) = char_at(text, end) else { return false };
        let next = if c.is_whitespace() && c != '\n' { end + c.len_utf8() } else { end };
        let ahead = char_at(text, next);
        (self.capitalised && next > end && ahead.is_some_and(char::is_uppercase))
            || (self.digit && ahead.is_some_and(|c| c.is_ascii_digit()))
            || self.begin_at(text, next)
    }

    fn stand_before(&self, text: &str, start: usize) -> bool {
        let Some(c) = char_before(text, start) else { return false };
        let end = if c.is_whitespace() && c != '\n' { start - c.len_utf8() } else { start };
        self.with_key(key(char_before(text, end))).any(|phrase| {
            let Some((from, _)) = text[..end].char_indices().nth_back(phrase.length - 1) else { return false };
            compare(&text[from..end], &phrase.text) == Some(Case::Same)
                && !char_before(text, from).is_some_and(char::is_alphanumeric)
        })
    }

    fn stand_near(&self, text: &str, start: usize, end: usize) -> bool {
        if self.capitals && in_capitals(text, start, end) {
            return true;
        }
        if self.phrases.is_empty() {
            return false;
        }
        let (from, to) = line_around(text, start, end);
        let mut edge = true;
        for (i, c) in text[from..to].char_indices() {
            let at = from + i;
            if edge && c.is_alphanumeric() && !(start..end).contains(&at) && self.begin_at(text, at) {
                return true;
            }
            edge = !c.is_alphanumeric();
        }
        false
    }
}

/// One phrase of a list.
#[derive(Debug, Clone)]
struct Phrase {
    /// [`key`] of the character that the list is sorted by.
    key: u32,
    /// In characters; at least one.
    length: usize,
    text: Box<str>,
}

fn key(c: Option<char>) -> u32 {
    c.map_or(0, |c| u32::from(normal(c).to_ascii_lowercase()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn before(list: &str) -> Words {
        Words::new(Side::Before, list.split('|'))
    }

    fn words(list: &str) -> Words {
        Words::new(Side::Near, list.split('|'))
    }

    #[test]
    fn conditions() {
        let text = "Papa said Rep. Tom Price of Georgia won";
        let (start, end) = (28, 35);
        assert_eq!(&text[start..end], "Georgia");
        assert!(words("Rep.|Sen.").stand_near(text, start, end));
        assert!(!words("Re|Pric").stand_near(text, start, end));
        assert!(before("of").stand_before(text, start));
        assert!(before("Price of").stand_before(text, start));
        assert!(!before("rice of").stand_before(text, start));
        assert!(words("won").stand_after(text, end));
        assert!(!words("wo").stand_after(text, end));
        assert!(!words("<Cap>").stand_after(text, end));
        assert!(words("<Cap>").stand_after("Chad Kelly", 4));
        assert!(words("<Digit>").stand_after("US 20", 2));
        assert!(words("$").stand_after("US$20", 2));
    }

    #[test]
    fn capitals() {
        assert!(in_capitals("RUSSIA IS AT WAR", 7, 9));
        assert!(!in_capitals("Russia IS at war", 7, 9));
        assert!(!in_capitals("IS", 0, 2));
    }
}
