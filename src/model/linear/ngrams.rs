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

/// A sentence whose tokens have become words with the pair masked.
struct Masked<'a> {
    words: Vec<&'a str>,
    /// The first and one past the last token that each word stands for.
    tokens: Vec<Range<usize>>,
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
    /// `tokens` and `marks` are those of the window (each token's `mark` indexes `marks`); the range passed on
    /// indexes `tokens`. Nothing is called when the window does not name both.
    pub fn features(
        &self,
        tokens: &[Token],
        marks: &[Mark],
        pair: (Party, Party),
        strength: Strength,
        mut feature: impl FnMut(u64, &str, Range<usize>),
    ) {
        let Some(masked) = mask(tokens, marks, pair, self.mask_names) else { return };
        let mut name = String::with_capacity(64);
        let mut emit = |group: &str, words: &[&str], at: Range<usize>| {
            name.clear();
            name.push_str(group);
            name.push('|');
            for (i, word) in words.iter().enumerate() {
                if i > 0 {
                    name.push(' ');
                }
                name.push_str(word);
            }
            feature(xxh3_64(name.as_bytes()), &name, at);
        };
        let all = 0..masked.words.len();
        masked.ngrams("w", all, self.max_n, &mut emit);
        self.regions(&masked, &mut emit);
        self.contexts(&masked, &mut emit);
        self.shape(&masked, strength, &mut emit);
    }

    fn regions(&self, m: &Masked<'_>, emit: &mut impl FnMut(&str, &[&str], Range<usize>)) {
        let (first, second) = (m.state.min(m.actor), m.state.max(m.actor));
        let forward = m.state < m.actor;
        let group = |near: &'static str, far: &'static str| if forward { near } else { far };
        let end = m.words.len();
        let left = first.saturating_sub(self.near);
        let right = (second + 1 + self.near).min(end);
        let between_near = second - first <= 2 * self.near;
        let n = self.max_region_n;
        m.ngrams(group("L>", "L<"), 0..left, n.min(1), emit);
        m.ngrams(group("l>", "l<"), left..first + 1, n, emit);
        let between = if between_near { group("m>", "m<") } else { group("M>", "M<") };
        m.ngrams(between, first..second + 1, n, emit);
        m.ngrams(group("r>", "r<"), second..right, n, emit);
        m.ngrams(group("R>", "R<"), right..end, n.min(1), emit);
        if self.stems {
            m.stems(group("m>*", "m<*"), first + 1..second, emit);
            m.stems(group("l>*", "l<*"), left..first, emit);
            m.stems(group("r>*", "r<*"), second + 1..right, emit);
        }
    }

    fn contexts(&self, m: &Masked<'_>, emit: &mut impl FnMut(&str, &[&str], Range<usize>)) {
        for (position, before, after, stem_before, stem_after) in
            [(m.state, "S-", "S+", "S-*", "S+*"), (m.actor, "A-", "A+", "A-*", "A+*")]
        {
            let left = position.saturating_sub(self.context)..position;
            let right = position + 1..(position + 1 + self.context).min(m.words.len());
            m.ngrams(before, left.clone(), 1, emit);
            m.ngrams(after, right.clone(), 1, emit);
            if self.stems {
                m.stems(stem_before, left, emit);
                m.stems(stem_after, right, emit);
            }
        }
    }

    fn shape(&self, m: &Masked<'_>, strength: Strength, emit: &mut impl FnMut(&str, &[&str], Range<usize>)) {
        let (first, second) = (m.state.min(m.actor), m.state.max(m.actor));
        let at = m.tokens[first].start..m.tokens[second].end;
        let direction = if m.state < m.actor { "state-first" } else { "actor-first" };
        let distance = match second - first {
            0..=2 => "adjacent",
            3..=6 => "near",
            7..=15 => "apart",
            _ => "far",
        };
        let others = m.words[first + 1..second].iter().any(|w| matches!(*w, "<o>" | "<b>" | "<g>"));
        let others = if others { "others-between" } else { "none-between" };
        let strength = match strength {
            Strength::Direct => "direct",
            Strength::Carried => "carried",
            Strength::Neighbour => "neighbour",
            Strength::Title => "title",
        };
        emit("d", &[direction], at.clone());
        emit("d", &[direction, distance], at.clone());
        emit("d", &[direction, others], at.clone());
        emit("d", &[strength], at);
    }
}

impl Masked<'_> {
    fn ngrams(
        &self,
        group: &str,
        range: Range<usize>,
        max_n: usize,
        emit: &mut impl FnMut(&str, &[&str], Range<usize>),
    ) {
        for start in range.clone() {
            for end in start + 1..=(start + max_n).min(range.end) {
                emit(group, &self.words[start..end], self.tokens[start].start..self.tokens[end - 1].end);
            }
        }
    }

    fn stems(&self, group: &str, range: Range<usize>, emit: &mut impl FnMut(&str, &[&str], Range<usize>)) {
        const LETTERS: usize = 5;
        for i in range {
            let word = self.words[i];
            if let Some((end, _)) = word.char_indices().nth(LETTERS) {
                emit(group, &[&word[..end]], self.tokens[i].clone());
            }
        }
    }
}

fn mask<'a>(tokens: &'a [Token], marks: &[Mark], pair: (Party, Party), mask_names: bool) -> Option<Masked<'a>> {
    let title_case = is_title_case(tokens);
    let mut masked = Masked {
        words: Vec::with_capacity(tokens.len()),
        tokens: Vec::with_capacity(tokens.len()),
        state: 0,
        actor: 0,
    };
    let mut sentence_start = true;
    for (i, token) in tokens.iter().enumerate() {
        let word = match token.mark.and_then(|m| marks.get(m)) {
            Some(mark) if mark.party == pair.0 => STATE,
            Some(mark) if mark.party == pair.1 => ACTOR,
            Some(mark) => match mark.kind {
                PartyKind::State => "<o>",
                PartyKind::Body => "<b>",
                PartyKind::ArmedGroup => "<g>",
            },
            None if token.word.starts_with(char::is_numeric) => "<0>",
            None if mask_names && token.capitalised && !sentence_start && !title_case => "<n>",
            None => &token.word,
        };
        sentence_start = token.mark.is_none()
            && !token.word.chars().any(char::is_alphanumeric)
            && (sentence_start || &*token.word != ",");
        // A name of several words is one name.
        if word == "<n>" && masked.words.last() == Some(&"<n>") {
            if let Some(last) = masked.tokens.last_mut() {
                last.end = i + 1;
            }
            continue;
        }
        masked.words.push(word);
        masked.tokens.push(i..i + 1);
    }
    (masked.state, masked.actor) = nearest(&masked.words)?;
    Some(masked)
}

/// The state and the actor that stand nearest to each other; the earlier on a tie.
fn nearest(words: &[&str]) -> Option<(usize, usize)> {
    let (mut state, mut actor, mut best) = (None, None, None::<(usize, usize)>);
    for (i, word) in words.iter().enumerate() {
        match *word {
            STATE => state = Some(i),
            ACTOR => actor = Some(i),
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
