//! What a piece of evidence says, as counted features.
//!
//! The names of the pair are replaced by `<s>` and `<a>`, other names by their kind (`<o>` state, `<b>` body, `<g>`
//! armed group), other capitalised names by `<n>`, numbers by `<0>`. So no feature knows who the parties are.
//!
//! A feature is `group|words`. The groups:
//!
//! | group | words |
//! |---|---|
//! | `w` | n-grams anywhere in the sentence |
//! | `l`, `m`, `r` + `>` or `<` | n-grams before, between or after the two names, state first (`>`) or actor first (`<`); `L`, `M`, `R` when far |
//! | `S+`, `S-`, `A+`, `A-` | words within [`NgramParams::context`] tokens after (`+`) or before (`-`) the state or the actor |
//! | the same in `*` | the first five letters of those words, which stand for the lemma |
//! | `d` | the direction, the distance, names in between, and how strong the evidence is |
//!
//! A feature is known by the 64-bit XXH3 hash of its name; two names of one vocabulary that share a hash are refused
//! when a model is trained.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::document::Strength;
use crate::document::party::{Mark, Party, PartyKind};
use crate::error::{Error, Result};
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

/// The hash that a feature of this name is known by.
#[inline]
pub(crate) fn hash_of(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// A window in words, before it is known which two names are the pair: what all pairs of the window share.
#[derive(Debug)]
pub struct Words<'a> {
    words: Vec<&'a str>,
    /// The first and one past the last token that each word stands for.
    tokens: Vec<Range<usize>>,
    /// The words that stand for names, and whose.
    named: Vec<(usize, Party)>,
}

/// The words of a window with the pair masked.
struct Masked<'w> {
    /// The words, each with a space after it.
    text: String,
    /// Where each word begins in `text`, and where the last ends.
    starts: Vec<usize>,
    tokens: &'w [Range<usize>],
    state: usize,
    actor: usize,
}

const STATE: &str = "<s>";
const ACTOR: &str = "<a>";

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
        feature: impl FnMut(u64, &str, Range<usize>),
    ) {
        let Some(masked) = words.mask(pair) else { return };
        let mut names = Namer::new(feature);
        names.ngrams(&masked, "w", 0..masked.len(), self.max_n);
        self.of_pair(&masked, strength, &mut names);
    }

    /// The n-grams of the window that are known, with the names of all parties masked as those of others: what its pairs have
    /// in common.
    pub(crate) fn shared(&self, words: &Words<'_>, known: impl Fn(u64) -> Option<u32>) -> Shared {
        let masked = words.masked((0, 0), |_| None);
        let mut shared = Shared::default();
        // One word is one range of tokens, and each has one of its own.
        let word = |token: usize| words.tokens.partition_point(|range| range.end <= token);
        let mut names = Namer::new(|hash, _: &str, at: Range<usize>| {
            shared.0.extend(known(hash).map(|column| (word(at.start), word(at.end - 1) + 1, column)));
        });
        names.ngrams(&masked, "w", 0..masked.len(), self.max_n);
        shared
    }

    /// Appends the columns of what [`features`](Self::features) gives and [`shared`](Self::shared) knows, in some order, and the
    /// hashes of the rest.
    pub(crate) fn columns(
        &self,
        words: &Words<'_>,
        shared: &Shared,
        pair: (Party, Party),
        strength: Strength,
        columns: &mut Vec<u32>,
        hashes: &mut Vec<u64>,
    ) {
        let Some(masked) = words.mask(pair) else { return };
        // For each word the next from there on that names one of the pair: what ends before it is shared.
        let mut next = vec![masked.len(); masked.len()];
        for &(at, _) in words.named.iter().filter(|(_, party)| *party == pair.0 || *party == pair.1) {
            next[..=at].iter_mut().rev().take_while(|next| **next == masked.len()).for_each(|next| *next = at);
        }
        columns.extend(shared.0.iter().filter(|(start, end, _)| next[*start] >= *end).map(|(.., column)| column));
        let mut names = Namer::new(|hash, _: &str, _| hashes.push(hash));
        names.ngrams_beyond(&masked, "w", 0..masked.len(), self.max_n, |start| next[start]);
        self.of_pair(&masked, strength, &mut names);
    }

    fn of_pair(&self, m: &Masked<'_>, strength: Strength, names: &mut Namer<impl FnMut(u64, &str, Range<usize>)>) {
        self.regions(m, names);
        self.contexts(m, names);
        self.shape(m, strength, names);
    }

    fn regions(&self, m: &Masked<'_>, names: &mut Namer<impl FnMut(u64, &str, Range<usize>)>) {
        let (first, second) = (m.state.min(m.actor), m.state.max(m.actor));
        let forward = m.state < m.actor;
        let group = |near: &'static str, far: &'static str| if forward { near } else { far };
        let end = m.len();
        let left = first.saturating_sub(self.near);
        let right = (second + 1 + self.near).min(end);
        let between_near = second - first <= 2 * self.near;
        let n = self.max_region_n;
        names.ngrams(m, group("L>", "L<"), 0..left, n.min(1));
        names.ngrams(m, group("l>", "l<"), left..first + 1, n);
        let between = if between_near { group("m>", "m<") } else { group("M>", "M<") };
        names.ngrams(m, between, first..second + 1, n);
        names.ngrams(m, group("r>", "r<"), second..right, n);
        names.ngrams(m, group("R>", "R<"), right..end, n.min(1));
        if self.stems {
            names.stems(m, group("m>*", "m<*"), first + 1..second);
            names.stems(m, group("l>*", "l<*"), left..first);
            names.stems(m, group("r>*", "r<*"), second + 1..right);
        }
    }

    fn contexts(&self, m: &Masked<'_>, names: &mut Namer<impl FnMut(u64, &str, Range<usize>)>) {
        for (position, before, after, stem_before, stem_after) in
            [(m.state, "S-", "S+", "S-*", "S+*"), (m.actor, "A-", "A+", "A-*", "A+*")]
        {
            let left = position.saturating_sub(self.context)..position;
            let right = position + 1..(position + 1 + self.context).min(m.len());
            names.ngrams(m, before, left.clone(), 1);
            names.ngrams(m, after, right.clone(), 1);
            if self.stems {
                names.stems(m, stem_before, left);
                names.stems(m, stem_after, right);
            }
        }
    }

    fn shape(&self, m: &Masked<'_>, strength: Strength, names: &mut Namer<impl FnMut(u64, &str, Range<usize>)>) {
        let (first, second) = (m.state.min(m.actor), m.state.max(m.actor));
        let at = m.tokens[first].start..m.tokens[second].end;
        let direction = if m.state < m.actor { "state-first" } else { "actor-first" };
        let distance = match second - first {
            0..=2 => "adjacent",
            3..=6 => "near",
            7..=15 => "apart",
            _ => "far",
        };
        let others = (first + 1..second).any(|i| matches!(m.word(i), "<o>" | "<b>" | "<g>"));
        let others = if others { "others-between" } else { "none-between" };
        let strength = match strength {
            Strength::Direct => "direct",
            Strength::Carried => "carried",
            Strength::Neighbour => "neighbour",
            Strength::Title => "title",
        };
        names.add("d", &[direction], at.clone());
        names.add("d", &[direction, " ", distance], at.clone());
        names.add("d", &[direction, " ", others], at.clone());
        names.add("d", &[strength], at);
    }
}

/// Known n-grams of a window: the first word, one past the last, and the column.
#[derive(Debug, Default)]
pub(crate) struct Shared(Vec<(usize, usize, u32)>);

/// Names features, and calls `feature` with each.
struct Namer<F> {
    name: String,
    feature: F,
}

impl<F: FnMut(u64, &str, Range<usize>)> Namer<F> {
    fn new(feature: F) -> Self {
        Self { name: String::with_capacity(64), feature }
    }

    fn add(&mut self, group: &str, parts: &[&str], at: Range<usize>) {
        self.name.clear();
        self.name.push_str(group);
        self.name.push('|');
        parts.iter().for_each(|part| self.name.push_str(part));
        (self.feature)(hash_of(&self.name), &self.name, at);
    }

    /// The n-grams of a range of words.
    fn ngrams(&mut self, m: &Masked<'_>, group: &str, range: Range<usize>, max_n: usize) {
        self.ngrams_beyond(m, group, range, max_n, |start| start);
    }

    /// Those of the n-grams that hold the word at `held(start)`, which is `start` or after it. Those that begin with the same
    /// word begin with the same bytes.
    fn ngrams_beyond(
        &mut self,
        m: &Masked<'_>,
        group: &str,
        range: Range<usize>,
        max_n: usize,
        held: impl Fn(usize) -> usize,
    ) {
        for start in range.clone() {
            let end = (start + max_n).min(range.end);
            let held = held(start);
            if held >= end {
                continue;
            }
            let from = m.starts[start];
            self.name.clear();
            self.name.push_str(group);
            self.name.push('|');
            let before = self.name.len();
            self.name.push_str(&m.text[from..m.starts[end]]);
            for end in held + 1..=end {
                // Without the space after the last word.
                let name = &self.name[..before + m.starts[end] - from - 1];
                (self.feature)(hash_of(name), name, m.tokens[start].start..m.tokens[end - 1].end);
            }
        }
    }

    fn stems(&mut self, m: &Masked<'_>, group: &str, range: Range<usize>) {
        const LETTERS: usize = 5;
        for i in range {
            let word = m.word(i);
            if word.len() > LETTERS
                && let Some((end, _)) = word.char_indices().nth(LETTERS)
            {
                self.add(group, &[&word[..end]], m.tokens[i].clone());
            }
        }
    }
}

impl Masked<'_> {
    fn len(&self) -> usize {
        self.tokens.len()
    }

    fn word(&self, i: usize) -> &str {
        &self.text[self.starts[i]..self.starts[i + 1] - 1]
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
            named: Vec::new(),
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
            all.named.extend(mark.map(|mark| (all.words.len(), mark.party)));
            all.words.push(word);
            all.tokens.push(i..i + 1);
        }
        all
    }

    /// The words with this pair masked; `None` where one of the two is not named.
    fn mask(&self, pair: (Party, Party)) -> Option<Masked<'_>> {
        Some(self.masked(nearest(&self.named, pair)?, |party| match party {
            party if party == pair.0 => Some(STATE),
            party if party == pair.1 => Some(ACTOR),
            _ => None,
        }))
    }

    /// The words with some parties masked as said, and the others as such.
    fn masked(&self, (state, actor): (usize, usize), mask: impl Fn(Party) -> Option<&'static str>) -> Masked<'_> {
        let mut masked = Masked {
            text: String::with_capacity(6 * self.words.len()),
            starts: Vec::with_capacity(self.words.len() + 1),
            tokens: &self.tokens,
            state,
            actor,
        };
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
    let words = || {
        tokens
            .iter()
            .filter(|t| t.mark.is_none() && t.word.chars().all(char::is_alphabetic) && t.word.chars().count() > 3)
    };
    let capitalised = words().filter(|t| t.capitalised).count();
    2 * capitalised > words().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Article;
    use crate::document::Document;
    use crate::gazetteer::Gazetteer;
    use crate::model::linear::features::WindowTokens;
    use crate::model::linear::tokenize::Tokenizer;

    #[test]
    fn what_pairs_share_and_what_they_do_not_are_all_features() {
        let text = "Peru, said Chile on Monday, had met Chad and Oman in Peru; the UN and Hamas did not. Oman left Peru and Chile.";
        let article = Article::new(text);
        let document = Document::read(&article, Gazetteer::embedded());
        let known = |hash: u64| (!hash.is_multiple_of(3)).then_some((hash % 1_000_003) as u32);
        let mut pairs = 0;
        for mask_names in [false, true] {
            let params = NgramParams { mask_names, ..NgramParams::default() };
            for window in document.windows() {
                let read = WindowTokens::read(&document, window.sentences, &Tokenizer::default());
                let words = Words::new(&read.tokens, &read.marks, mask_names);
                let shared = params.shared(&words, known);
                for pair in window.pairs {
                    let (mut found, mut all) = (Vec::new(), Vec::new());
                    let mut hashes = Vec::new();
                    params.columns(&words, &shared, pair, window.strength, &mut found, &mut hashes);
                    found.extend(hashes.into_iter().filter_map(known));
                    params.features(&words, pair, window.strength, |hash, _, _| all.extend(known(hash)));
                    found.sort_unstable();
                    all.sort_unstable();
                    assert_eq!(found, all);
                    pairs += usize::from(!all.is_empty());
                }
            }
        }
        assert!(pairs > 60, "{pairs} pairs");
    }
}
