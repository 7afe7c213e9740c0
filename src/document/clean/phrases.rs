//! The phrases of `boilerplate.txt`, and what each does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Span;
use crate::document::word_lists;

// What a phrase of the word list does.
pub(super) const LINE: u16 = 1;
pub(super) const START: u16 = 2;
pub(super) const WITHIN: u16 = 4;
pub(super) const CREDIT: u16 = 8;
pub(super) const RELATED: u16 = 16;
pub(super) const TAIL: u16 = 32;
pub(super) const END: u16 = 64;
pub(super) const NAMES: u16 = 128;

/// A phrase of the word list and the rules that it stands for.
pub(super) struct Phrase {
    /// In this spelling (an apostrophe may be curly).
    pub spelling: String,
    /// As the list has it.
    pub entry: &'static str,
    pub rules: u16,
}

impl Phrase {
    /// Whether it would cut a word of `line` when it stands at `place`.
    pub fn cuts_word(&self, line: &str, place: &Span) -> bool {
        (self.entry.starts_with(char::is_alphanumeric) && line[..place.start].ends_with(char::is_alphanumeric))
            || (self.entry.ends_with(char::is_alphanumeric) && line[place.end..].starts_with(char::is_alphanumeric))
    }
}

pub(super) struct Phrases {
    /// Those that open a line or are all of it, by their first word.
    pub opening: FxHashMap<String, Vec<Phrase>>,
    /// Those that may stand anywhere in a line.
    pub anywhere: Vec<Phrase>,
    pub automaton: AhoCorasick,
    pub nav: FxHashSet<&'static str>,
}

pub(super) static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let lists = word_lists(include_str!("boilerplate.txt"), |line| vec![line]);
    let phrases = |sections: &[(&str, u16)]| {
        let mut phrases: BTreeMap<String, Phrase> = BTreeMap::new();
        for &(name, rule) in sections {
            for &entry in lists.get(name).into_iter().flatten() {
                for spelling in [entry.to_owned(), entry.replace('\'', "’")] {
                    let new = || Phrase { spelling: spelling.clone(), entry, rules: 0 };
                    phrases.entry(spelling.clone()).or_insert_with(new).rules |= rule;
                }
            }
        }
        phrases.into_values()
    };
    let mut opening: FxHashMap<String, Vec<Phrase>> = FxHashMap::default();
    let sections =
        [("line", LINE), ("start", START), ("related", RELATED), ("tail", TAIL), ("end", END), ("names", NAMES)];
    for phrase in phrases(&sections) {
        opening.entry(first_word(&phrase.spelling).to_ascii_lowercase()).or_default().push(phrase);
    }
    let anywhere: Vec<Phrase> = phrases(&[("within", WITHIN), ("credit", CREDIT)]).collect();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(anywhere.iter().map(|phrase| &phrase.spelling))
        .expect("the word list that is compiled in fits an automaton");
    let nav = lists.get("nav").into_iter().flatten().flat_map(|line| line.split_whitespace()).collect();
    Phrases { opening, anywhere, automaton, nav }
});

/// The letters and digits that `text` begins with.
pub(super) fn first_word(text: &str) -> &str {
    let end = text.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

/// "By Jane Smith, 3 March 2026", "Sources: Bloomberg, LA.lv": what follows is names, numbers and small words.
pub(super) fn only_names(rest: &str, phrase: &str) -> bool {
    const SMALL: [&str; 16] =
        ["al", "and", "at", "bin", "da", "de", "der", "for", "in", "of", "on", "the", "van", "von", "with", "&"];
    let byline = phrase == "by";
    let words = rest.split_whitespace().count();
    if words == 0 || words > if byline { 12 } else { 16 } || (byline && rest.ends_with(['.', '?', '!'])) {
        return false;
    }
    rest.split_whitespace().all(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        SMALL.contains(&word) || !word.starts_with(char::is_lowercase) || word.contains(['.', '@'])
    })
}
