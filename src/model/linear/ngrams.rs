//! What a piece of evidence says, as counted features.
//!
//! The names of the pair are replaced by `<s>` and `<a>`, other names by their kind (`<o>` state, `<b>` body, `<g>`
//! armed group), other capitalised names by `<n>`, numbers by `<0>`. So no feature knows who the parties are.
//!
//! A feature is `group|words`, with the group of the words, as `groups` has them.
//!
//! A feature is known by the 64-bit XXH3 hash of its name; two names of one vocabulary that share a hash are refused when a model
//! is trained. For scoring it is known by its group and the hash of its text, which is made of the XXH3 hashes of the words; where
//! two texts share one, features stay known by their names.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use crate::document::Strength;
use crate::document::party::{Mark, Party, PartyKind};
use crate::error::{Error, Result};
use crate::model::linear::groups::{self, Groups, Kinds};
use crate::model::linear::tokenize::Token;

/// Which features are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NgramParams {
    /// Longest n-gram anywhere in the sentence; 0 makes none. Defaults to 3.
    pub max_n: usize,
    /// Longest n-gram by region; 0 makes none. Defaults to 3.
    pub max_region_n: usize,
    /// Tokens on either side of a name that count as its context; 0 makes none. Defaults to 4.
    pub context: usize,
    /// Tokens from a name beyond which a region counts as far. Defaults to 6.
    pub near: usize,
    /// Whether word beginnings stand in for lemmas. Defaults to true.
    pub stems: bool,
    /// Whether capitalised words that the gazetteer does not know are masked too. Defaults to true.
    pub mask_names: bool,
}

impl Default for NgramParams {
    fn default() -> Self {
        Self { max_n: 3, max_region_n: 3, context: 4, near: 6, stems: true, mask_names: true }
    }
}

/// The hash that a feature of this name, or a word, is known by.
#[inline]
pub(crate) fn hash_of(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// The hash that a model knows a text by: that of its words, one after the other. No word holds a blank.
pub(crate) fn text_hash(text: &str) -> u64 {
    text.split(' ').map(hash_of).reduce(followed_by).unwrap_or_default()
}

/// The hash of words and one more after them, so that an n-gram takes one step from the one before it. Both are spread evenly.
#[inline]
fn followed_by(words: u64, next: u64) -> u64 {
    (words.rotate_left(23) ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The hashes of the n-grams, of at most `longest` words, that begin with the first of some words, of which these are the hashes.
#[inline]
pub(crate) fn ngram_hashes(words: &[u64], longest: usize) -> impl Iterator<Item = u64> {
    words.iter().take(longest).scan(None, |before, &word| {
        *before = Some(before.map_or(word, |before| followed_by(before, word)));
        *before
    })
}

/// A window in words, before it is known which two names are the pair: what all pairs of the window share.
#[derive(Debug)]
pub struct Words<'a> {
    words: Vec<&'a str>,
    /// The first and one past the last token that each word stands for.
    tokens: Vec<Range<usize>>,
    /// The words that stand for names, and whose.
    named: SmallVec<[(usize, Party); 8]>,
}

/// The words of a window with the names of a pair masked.
#[derive(Debug)]
struct Masked {
    /// The words, each with a space after it.
    text: String,
    /// Where each word begins in `text`, and where the last ends.
    starts: Vec<usize>,
}

/// The masks of the pair.
pub(crate) const STATE: &str = "<s>";
pub(crate) const ACTOR: &str = "<a>";

/// What can be said of a pair beside its words: the direction, alone, with the distance, and with names in between, and how
/// strong the evidence is.
pub(crate) const SHAPES: [&str; 18] = [
    "state-first",
    "state-first adjacent",
    "state-first near",
    "state-first apart",
    "state-first far",
    "state-first others-between",
    "state-first none-between",
    "actor-first",
    "actor-first adjacent",
    "actor-first near",
    "actor-first apart",
    "actor-first far",
    "actor-first others-between",
    "actor-first none-between",
    "direct",
    "carried",
    "neighbour",
    "title",
];

impl NgramParams {
    /// Refuses numbers beyond what any sentence needs.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        let numbers = [
            ("max_n", self.max_n, 8, "0 to 8"),
            ("max_region_n", self.max_region_n, 8, "0 to 8"),
            ("context", self.context, 1000, "0 to 1000"),
            ("near", self.near, 1000, "0 to 1000"),
        ];
        match numbers.into_iter().find(|(_, found, most, _)| found > most) {
            Some((name, found, _, expected)) => Err(Error::Parameter { name, found: found.to_string(), expected }),
            None => Ok(()),
        }
    }

    /// Calls `feature(hash, name, tokens)` for every feature of a piece of evidence, once for each time it occurs.
    ///
    /// The range passed on indexes the tokens that `words` were made of. Nothing is called when the window does not name
    /// both.
    pub fn features(
        &self,
        words: &Words<'_>,
        pair: (Party, Party),
        strength: Strength,
        mut feature: impl FnMut(u64, &str, Range<usize>),
    ) {
        let mut name = String::with_capacity(64);
        self.visit(words, pair, strength, |groups, text, tokens| {
            for group in groups::numbers(groups) {
                name.clear();
                name.push_str(groups::NAMES[group as usize]);
                name.push('|');
                name.push_str(text);
                feature(hash_of(&name), &name, tokens.clone());
            }
        });
    }

    /// Calls `text(groups, words, tokens)` for every n-gram, stem and shape of a piece of evidence, with the groups in which
    /// it is a feature.
    pub(crate) fn visit(
        &self,
        words: &Words<'_>,
        pair: (Party, Party),
        strength: Strength,
        mut text: impl FnMut(Groups, &str, Range<usize>),
    ) {
        let Some((state, actor)) = words.nearest(pair) else { return };
        let masked = words.masked(|party| match party {
            party if party == pair.0 => Some(STATE),
            party if party == pair.1 => Some(ACTOR),
            _ => None,
        });
        let kinds = Kinds::new(self);
        let mut places = vec![0; words.len()];
        groups::fill(&mut places, self, state, actor);
        let tokens = |words_at: Range<usize>| words.tokens[words_at.start].start..words.tokens[words_at.end - 1].end;
        for start in 0..words.len() {
            for end in start + 1..=(start + kinds.longest).min(words.len()) {
                let groups = places[start] & places[end - 1] & kinds.of(end - start);
                text(groups, masked.words(start..end), tokens(start..end));
            }
            if let Some(stem) = stem(masked.words(start..start + 1)) {
                text(places[start] & kinds.stems, stem, tokens(start..start + 1));
            }
        }
        let at = tokens(state.min(actor)..state.max(actor) + 1);
        for shape in words.shapes((state, actor), pair, strength) {
            text(groups::SHAPE, SHAPES[shape], at.clone());
        }
    }
}

/// The beginning of a word that is longer.
pub(crate) fn stem(word: &str) -> Option<&str> {
    const LETTERS: usize = 5;
    if word.len() <= LETTERS {
        return None;
    }
    word.char_indices().nth(LETTERS).map(|(end, _)| &word[..end])
}

impl Masked {
    /// The words of a range, with a space between.
    fn words(&self, at: Range<usize>) -> &str {
        &self.text[self.starts[at.start]..self.starts[at.end] - 1]
    }
}

impl<'a> Words<'a> {
    /// The words of a window, whose tokens and marks these are; each token's `mark` indexes `marks`. With `mask_names`,
    /// capitalised words that the gazetteer does not know are masked too.
    pub fn new(tokens: &'a [Token], marks: &[Mark], mask_names: bool) -> Self {
        let title_case = mask_names && is_title_case(tokens);
        let mut all = Self {
            words: Vec::with_capacity(tokens.len()),
            tokens: Vec::with_capacity(tokens.len()),
            named: SmallVec::with_capacity(marks.len()),
        };
        let mut sentence_start = true;
        for (i, token) in tokens.iter().enumerate() {
            let mark = token.mark.and_then(|m| marks.get(m));
            let word = match mark.map(|mark| mark.kind) {
                Some(PartyKind::State) => "<o>",
                Some(PartyKind::Body) => "<b>",
                Some(PartyKind::ArmedGroup) => "<g>",
                None if token.word.starts_with(char::is_numeric) => "<0>",
                None if mask_names && token.capitalised && !sentence_start && !title_case => "<n>",
                None => &token.word,
            };
            if mask_names {
                sentence_start = token.mark.is_none()
                    && !token.word.chars().any(char::is_alphanumeric)
                    && (sentence_start || &*token.word != ",");
                // A name of several words is one name.
                if word == "<n>" && all.words.last() == Some(&"<n>") {
                    if let Some(last) = all.tokens.last_mut() {
                        last.end = i + 1;
                    }
                    continue;
                }
            }
            if let Some(mark) = mark {
                all.named.push((all.words.len(), mark.party));
            }
            all.words.push(word);
            all.tokens.push(i..i + 1);
        }
        all
    }

    /// The words, the names of all parties masked as those of others.
    pub(crate) fn words(&self) -> &[&'a str] {
        &self.words
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Where those words stand that name parties, and whom.
    pub(crate) fn named(&self) -> &[(usize, Party)] {
        &self.named
    }

    /// The words with some parties masked as said, and the others as such.
    fn masked(&self, mask: impl Fn(Party) -> Option<&'static str>) -> Masked {
        let mut masked = Masked { text: String::new(), starts: Vec::with_capacity(self.len() + 1) };
        let mut named = self.named.iter().peekable();
        for (i, word) in self.words.iter().enumerate() {
            let word = named.next_if(|(at, _)| *at == i).and_then(|(_, party)| mask(*party)).unwrap_or(word);
            masked.starts.push(masked.text.len());
            masked.text.push_str(word);
            masked.text.push(' ');
        }
        masked.starts.push(masked.text.len());
        masked
    }

    /// The words of state and actor that stand nearest to each other; `None` where one of the two is not named.
    pub(crate) fn nearest(&self, pair: (Party, Party)) -> Option<(usize, usize)> {
        nearest(&self.named, pair)
    }

    /// What is said of a pair beside its words: which of [`SHAPES`].
    pub(crate) fn shapes(
        &self,
        (state, actor): (usize, usize),
        pair: (Party, Party),
        strength: Strength,
    ) -> [usize; 4] {
        let (first, second) = (state.min(actor), state.max(actor));
        let is_other = |party: Party| party != pair.0 && party != pair.1;
        let others = self.named.iter().any(|&(at, party)| first < at && at < second && is_other(party));
        const ACTOR_FIRST: usize = 7;
        const STRENGTHS: usize = 14;
        let direction = if state < actor { 0 } else { ACTOR_FIRST };
        let distance = match second - first {
            0..=2 => 1,
            3..=6 => 2,
            7..=15 => 3,
            _ => 4,
        };
        let between = if others { 5 } else { 6 };
        let how_strong = match strength {
            Strength::Direct => 0,
            Strength::Carried => 1,
            Strength::Neighbour => 2,
            Strength::Title => 3,
        };
        [direction, direction + distance, direction + between, STRENGTHS + how_strong]
    }
}

/// The state and the actor that stand nearest to each other; the earlier on a tie.
fn nearest(named: &[(usize, Party)], pair: (Party, Party)) -> Option<(usize, usize)> {
    let (mut state, mut actor, mut best) = (None, None, None::<(usize, usize)>);
    for &(i, party) in named {
        match party {
            party if party == pair.0 => state = Some(i),
            party if party == pair.1 => actor = Some(i),
            _ => continue,
        }
        if let (Some(s), Some(a)) = (state, actor)
            && best.is_none_or(|(bs, ba)| s.abs_diff(a) < bs.abs_diff(ba))
        {
            best = Some((s, a));
        }
    }
    best
}

/// Whether capitals say nothing, as in a headline of which most words have one.
fn is_title_case(tokens: &[Token]) -> bool {
    let is_long_word = |word: &str| word.chars().all(char::is_alphabetic) && word.chars().count() > 3;
    let (mut words, mut capitalised) = (0, 0);
    for token in tokens.iter().filter(|token| token.mark.is_none() && is_long_word(&token.word)) {
        words += 1;
        capitalised += usize::from(token.capitalised);
    }
    2 * capitalised > words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ngrams_have_the_hashes_of_their_texts() {
        let words = ["had", "met", "had", "had", "<s>"];
        let hashes = words.map(hash_of);
        let mut seen = std::collections::HashSet::new();
        for start in 0..words.len() {
            for longest in 0..=words.len() {
                let found: Vec<u64> = ngram_hashes(&hashes[start..], longest).collect();
                let ends = start + 1..=(start + longest).min(words.len());
                let expected: Vec<u64> = ends.map(|end| text_hash(&words[start..end].join(" "))).collect();
                assert_eq!(found, expected, "{longest} from {start}");
                seen.extend(found);
            }
        }
        // All but "had", which is there three times, and "met had", "had met" among them.
        assert_eq!(seen.len(), 5 * 6 / 2 - 2);
        assert_eq!(text_hash("met"), hash_of("met"));
    }

    #[test]
    fn shapes_say_what_they_are_named() {
        let words = |named: &[(usize, Party)]| Words { words: Vec::new(), tokens: Vec::new(), named: named.into() };
        let (state, actor, other) = (Party::State, Party::Actor, Party::Entry(crate::gazetteer::EntryId(0)));
        let shapes = |words: &Words<'_>, (state_at, actor_at), strength| {
            words.shapes((state_at, actor_at), (state, actor), strength).map(|shape| SHAPES[shape])
        };
        let between = words(&[(5, other)]);
        let apart = words(&[(0, other), (30, other)]);
        for (strength, name) in [
            (Strength::Direct, "direct"),
            (Strength::Carried, "carried"),
            (Strength::Neighbour, "neighbour"),
            (Strength::Title, "title"),
        ] {
            for (distance, how_far) in
                [(2, "adjacent"), (3, "near"), (6, "near"), (7, "apart"), (15, "apart"), (16, "far")]
            {
                for (first, places) in [("state-first", (4, 4 + distance)), ("actor-first", (4 + distance, 4))] {
                    for (words, others) in [(&between, "others-between"), (&apart, "none-between")] {
                        let expected = [first, &format!("{first} {how_far}"), &format!("{first} {others}"), name];
                        assert_eq!(shapes(words, places, strength), expected);
                    }
                }
            }
        }
    }
}
