//! From an article to the sentences that show the stance of a state toward an actor.
//!
//! A [`Document`] is an article read once: its content is split into sentences, and each sentence keeps the names
//! found in it. [`Document::evidence`] then answers for any pair. A sentence that names both is [`Strength::Direct`]
//! evidence; one that names the one and takes up the other as its subject ("It also expelled …") is
//! [`Strength::Carried`]; two neighbouring sentences of which one names the state and the other the actor are
//! [`Strength::Neighbour`] evidence, which counts for less. Where there is nothing of all this, a title that names the one
//! stands beside the first sentence that names the other: [`Strength::Title`]. A title is one sentence, unless it is too
//! long for any.

mod carried;
pub mod clean;
mod dateline;
pub mod party;
pub mod sentences;
mod shapes;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::article::{Article, Part, Span};
use crate::gazetteer::{EntryId, Gazetteer, Kind, Mention};
pub use party::{Mark, Party, PartyKind};

/// How closely a piece of evidence connects the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// One sentence names both.
    Direct,
    /// One sentence names the one, and takes up the other from the sentence before: "It also expelled …".
    Carried,
    /// One sentence names the one, the next or the previous sentence the other.
    Neighbour,
    /// The title names the one, and the text the other, for the first time; only where nothing else connects the two.
    Title,
}

/// Where a text shows something about a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The part of the article that the offsets point into.
    pub part: Part,
    /// Byte range of the sentence, or of the two neighbours; beside a title, of the sentence of the text.
    pub span: Span,
    /// Byte range of the mention of the state that lies nearest to one of the actor.
    pub state: Span,
    /// Byte range of that mention of the actor.
    pub actor: Span,
    /// Which of the two the title names, if the other stands in the text: its range is one of the title.
    pub in_title: Option<Side>,
    /// How closely the two are connected.
    pub strength: Strength,
    /// The first and the last sentence, as indices into [`Document::sentences`].
    pub sentences: (usize, usize),
}

/// One of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Whose stance.
    State,
    /// Toward whom.
    Actor,
}

impl Evidence {
    /// The part of the article that [`state`](Self::state) points into.
    pub fn state_part(&self) -> Part {
        if self.in_title == Some(Side::State) { Part::Title } else { self.part }
    }

    /// The part of the article that [`actor`](Self::actor) points into.
    pub fn actor_part(&self) -> Part {
        if self.in_title == Some(Side::Actor) { Part::Title } else { self.part }
    }
}

/// A run of text that belongs to a window.
#[derive(Debug, Clone)]
pub(crate) struct Stretch<'d> {
    pub part: Part,
    pub span: Span,
    pub sentences: &'d [Sentence],
}

/// A sentence with the names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Title or text.
    pub part: Part,
    /// The place among all sentences of the part; neighbours differ by one.
    pub ordinal: usize,
    /// Byte range in the part.
    pub span: Span,
    /// The names, and the words that take one up, in order, without overlap.
    pub marks: Vec<Mark>,
}

impl Sentence {
    fn names(&self, party: Party) -> bool {
        self.marks.iter().any(|m| m.party == party)
    }

    /// How the sentence connects two parties that it both has.
    fn strength(&self, a: Party, b: Party) -> Strength {
        let is_named = |party| self.marks.iter().any(|m| m.party == party && !m.carried);
        if is_named(a) && is_named(b) { Strength::Direct } else { Strength::Carried }
    }
}

/// An article read once: the sentences that name somebody.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    /// The article.
    pub article: &'a Article,
    /// The sentences with at least one name, or a word that takes one up, title first, then in the order of the text.
    pub sentences: Vec<Sentence>,
    parties: Vec<Party>,
    /// For each party the sentences that name it, in order, and how often it is named.
    places: FxHashMap<Party, (SmallVec<[usize; 4]>, usize)>,
}

/// One sentence, two neighbours, or a title and a sentence, with the pairs that it is evidence for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The first and the last sentence, as indices into [`Document::sentences`].
    pub sentences: (usize, usize),
    /// How closely it connects them.
    pub strength: Strength,
    /// State and actor of each pair.
    pub pairs: Vec<(Party, Party)>,
}

impl<'a> Document<'a> {
    /// Reads an article: cleans it, finds names and the sentences around them.
    ///
    /// An article that names fewer than two parties yields no sentences: no pair can have evidence in it.
    pub fn read(article: &'a Article, gazetteer: &Gazetteer) -> Self {
        Self::read_where(article, gazetteer, |_| true)
    }

    /// [`read`](Self::read), if the names found are what is asked for; else an article without sentences, which takes less
    /// than half as long. They are given ascending, each once.
    pub(crate) fn read_where(
        article: &'a Article,
        gazetteer: &Gazetteer,
        is_asked: impl FnOnce(&[EntryId]) -> bool,
    ) -> Self {
        let mut document = Self::empty(article);
        // The text first: it introduces the persons that the title only names.
        let mut scan = gazetteer.scan(article.month());
        let text = scan.mentions(&article.text);
        let title = scan.mentions(article.part(Part::Title));
        let named = each_once(title.iter().chain(&text).map(|m| m.entry));
        if named.len() < 2 || !is_asked(&named) {
            return document;
        }
        document.read_title(gazetteer, &title);
        document.read_text(gazetteer, &text);
        document.collect_parties();
        document
    }

    /// Reads one labelled pair whose two names are given as byte ranges of the text: any words may be named.
    ///
    /// The document holds one sentence, the one around both spans (or the run of sentences, where they stand apart).
    /// Other mentions of a gazetteer entry that one of the spans names count as the same party. Spans more than
    /// [`sentences::LONGEST`] bytes apart are not connected: the document is empty.
    pub fn read_marked(article: &'a Article, gazetteer: &Gazetteer, state: &Span, actor: &Span) -> Self {
        let (from, to) = (state.start.min(actor.start), state.end.max(actor.end));
        if to - from > sentences::LONGEST {
            return Self::empty(article);
        }
        let mut span = from..to;
        for sentence in sentences::sentences(&article.text) {
            if sentence.start < to && from < sentence.end {
                span = span.start.min(sentence.start)..span.end.max(sentence.end);
            }
        }
        let overlaps = |m: &Mention, s: &Span| m.start < s.end && s.start < m.end;
        let mentions = gazetteer.scan(article.month()).mentions(&article.text);
        let entry_of = |s: &Span| mentions.iter().find(|m| overlaps(m, s)).map(|m| m.entry);
        let (state_entry, actor_entry) = (entry_of(state), entry_of(actor));
        let distinct = state_entry != actor_entry;
        let mut marks: Vec<Mark> = mentions
            .iter()
            .filter(|m| span.start <= m.start && m.end <= span.end && !overlaps(m, state) && !overlaps(m, actor))
            .map(|m| {
                let party = match Some(m.entry) {
                    entry if distinct && entry == state_entry => Party::State,
                    entry if distinct && entry == actor_entry => Party::Actor,
                    _ => Party::Entry(m.entry),
                };
                Mark { span: m.start..m.end, party, kind: party_kind(gazetteer, m), carried: false }
            })
            .collect();
        for (span, party) in [(state, Party::State), (actor, Party::Actor)] {
            // Of two spans that overlap, the first given keeps its place.
            if marks
                .iter()
                .all(|m| matches!(m.party, Party::Entry(_)) || m.span.end <= span.start || span.end <= m.span.start)
            {
                marks.push(Mark { span: span.clone(), party, kind: PartyKind::State, carried: false });
            }
        }
        marks.sort_by_key(|m| m.span.start);
        let sentences = vec![Sentence { part: Part::Text, ordinal: 0, span, marks }];
        let mut document = Self::new(article, sentences);
        document.collect_parties();
        document
    }

    /// An article of which nothing is known.
    pub(crate) fn empty(article: &'a Article) -> Self {
        Self::new(article, Vec::new())
    }

    fn new(article: &'a Article, sentences: Vec<Sentence>) -> Self {
        Self { article, sentences, parties: Vec::new(), places: FxHashMap::default() }
    }

    fn read_title(&mut self, gazetteer: &Gazetteer, mentions: &[Mention]) {
        let title = self.article.part(Part::Title);
        if !mentions.is_empty() {
            let start = title.len() - title.trim_start().len();
            let pieces = sentences::pieces(title, start..title.trim_end().len());
            self.add_sentences(gazetteer, Part::Title, 0, pieces, mentions);
        }
    }

    fn read_text(&mut self, gazetteer: &Gazetteer, mentions: &[Mention]) {
        let text = &self.article.text;
        let (mut ordinal, mut next) = (0, 0);
        let mut spans = Vec::new();
        for paragraph in clean::content_below(self.article.title.as_deref(), text) {
            let paragraph = paragraph.start + dateline::dateline(&text[paragraph.clone()])..paragraph.end;
            // A paragraph that names nobody, and takes up no subject, needs no sentences; it only keeps its neighbours apart.
            let first = next + mentions[next..].partition_point(|m| m.start < paragraph.start);
            let last = first + mentions[first..].partition_point(|m| m.end <= paragraph.end);
            next = last;
            let takes_up = || carried::carrier(text[paragraph.clone()].trim_start()).is_some();
            if first == last && !(self.follows(ordinal) && takes_up()) {
                ordinal += 2;
                continue;
            }
            spans.clear();
            sentences::sentences_in(text, paragraph, &mut spans);
            ordinal = self.add_sentences(gazetteer, Part::Text, ordinal, spans.drain(..), &mentions[first..last]);
        }
    }

    /// Keeps those of some sentences that hold a name; gives the ordinal after the last.
    fn add_sentences(
        &mut self,
        gazetteer: &Gazetteer,
        part: Part,
        mut ordinal: usize,
        spans: impl IntoIterator<Item = Span>,
        mut mentions: &[Mention],
    ) -> usize {
        for span in spans {
            let inside = mentions.partition_point(|m| m.start < span.end);
            let (here, after) = mentions.split_at(inside);
            mentions = after;
            // A name across a sentence boundary would be a false boundary; the name is left out.
            let inside = |m: &&Mention| span.start <= m.start && m.end <= span.end;
            let mut marks: Vec<Mark> = here.iter().filter(inside).map(|m| mark(gazetteer, m)).collect();
            marks.splice(0..0, self.take_up(part, ordinal, &span, marks.first()));
            if !marks.is_empty() {
                self.sentences.push(Sentence { part, ordinal, span, marks });
            }
            ordinal += 1;
        }
        ordinal
    }

    /// Whether the sentence right before the one of this ordinal was kept.
    fn follows(&self, ordinal: usize) -> bool {
        self.sentences.last().is_some_and(|last| last.part == Part::Text && last.ordinal + 1 == ordinal)
    }

    /// The subject of the sentence before, where the one at `span` takes it up before it names anybody.
    fn take_up(&self, part: Part, ordinal: usize, span: &Span, first: Option<&Mark>) -> Option<Mark> {
        if part != Part::Text || !self.follows(ordinal) {
            return None;
        }
        let text = self.article.part(part);
        let words = carried::carrier(&text[span.clone()])?;
        let words = span.start + words.start..span.start + words.end;
        let before = self.sentences.last()?;
        let party = carried::subject(before, text)?;
        let kind = before.marks.first()?.kind;
        first.is_none_or(|first| words.end <= first.span.start).then_some(Mark {
            span: words,
            party,
            kind,
            carried: true,
        })
    }

    fn collect_parties(&mut self) {
        for (index, sentence) in self.sentences.iter().enumerate() {
            for mark in &sentence.marks {
                let (sentences, mentions) = self.places.entry(mark.party).or_insert_with(|| {
                    self.parties.push(mark.party);
                    Default::default()
                });
                *mentions += usize::from(!mark.carried);
                if sentences.last() != Some(&index) {
                    sentences.push(index);
                }
            }
        }
    }

    /// Everyone named in the content, in the order of first mention.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// How often `party` is named in the content.
    pub fn mentions(&self, party: Party) -> usize {
        self.places.get(&party).map_or(0, |(_, mentions)| *mentions)
    }

    /// The evidence for a pair, in the order of the text.
    pub fn evidence(&self, state: Party, actor: Party) -> Vec<Evidence> {
        let mut found = Vec::new();
        let sentences = |party| self.places.get(&party).map_or(&[][..], |(sentences, _)| sentences.as_slice());
        if state == actor || sentences(state).is_empty() || sentences(actor).is_empty() {
            return found;
        }
        let mut either: Vec<usize> = sentences(state).iter().chain(sentences(actor)).copied().collect();
        either.sort_unstable();
        either.dedup();
        for index in either {
            let sentence = &self.sentences[index];
            let (names_state, names_actor) = (sentence.names(state), sentence.names(actor));
            if names_state && names_actor {
                found.extend(self.piece((index, index), (state, actor), sentence.strength(state, actor)));
            } else if let Some(before) = self.neighbour_before(index) {
                let (state_before, actor_before) = (before.names(state), before.names(actor));
                if state_before != actor_before && state_before == names_actor {
                    found.extend(self.piece((index - 1, index), (state, actor), Strength::Neighbour));
                }
            }
        }
        if found.is_empty() {
            let titled = self.beside_title(state, actor).or_else(|| self.beside_title(actor, state));
            found.extend(titled.and_then(|sentences| self.piece(sentences, (state, actor), Strength::Title)));
        }
        found
    }

    /// The title and the first sentence that names `other`, where `one` is named by the title and `other` by the text alone.
    fn beside_title(&self, one: Party, other: Party) -> Option<(usize, usize)> {
        let first = |party| self.places.get(&party).map(|(sentences, _)| sentences[0]);
        let (title, sentence) = (first(one)?, first(other)?);
        let parts = (self.sentences[title].part, self.sentences[sentence].part);
        (parts == (Part::Title, Part::Text)).then_some((title, sentence))
    }

    /// All evidence of the document by the sentences that it stands in, in the order of the text, then what stands beside
    /// the title: what [`evidence`] gives for every pair, with each window once.
    ///
    /// [`evidence`]: Self::evidence
    pub fn windows(&self) -> Vec<Window> {
        let mut windows: Vec<Window> = self.connected().collect();
        let titled = self.titled(&windows);
        windows.extend(titled);
        windows
    }

    /// The windows of a title with a sentence of the text, for the pairs that `windows` leave apart.
    fn titled(&self, windows: &[Window]) -> Vec<Window> {
        let is_titled = |party: &Party| self.sentences[self.places[party].0[0]].part == Part::Title;
        let (title, text) = self.parties.split_at(self.parties.partition_point(is_titled));
        if title.is_empty() {
            return Vec::new();
        }
        let connected: FxHashSet<&(Party, Party)> =
            windows.iter().flat_map(|w| &w.pairs).filter(|(state, _)| title.contains(state)).collect();
        let mut titled: BTreeMap<(usize, usize), Vec<(Party, Party)>> = BTreeMap::new();
        for &one in title {
            for &other in text.iter().filter(|&&other| !connected.contains(&(one, other))) {
                if let Some(sentences) = self.beside_title(one, other) {
                    titled.entry(sentences).or_default().extend([(one, other), (other, one)]);
                }
            }
        }
        let window = |(sentences, pairs)| Window { sentences, strength: Strength::Title, pairs };
        titled.into_iter().map(window).collect()
    }

    fn connected(&self) -> impl Iterator<Item = Window> + '_ {
        let parties = |sentence: &Sentence| each_once(sentence.marks.iter().map(|m| m.party));
        (0..self.sentences.len()).flat_map(move |index| {
            let here = parties(&self.sentences[index]);
            let both_ways = |a: &Party, b: &Party| [(*a, *b), (*b, *a)];
            let within = here.iter().enumerate().flat_map(|(i, a)| here[i + 1..].iter().flat_map(|b| both_ways(a, b)));
            let sentence = &self.sentences[index];
            let (direct, carried): (Vec<_>, Vec<_>) =
                within.partition(|(a, b)| sentence.strength(*a, *b) == Strength::Direct);
            let neighbour = self.neighbour_before(index).map(|before| {
                let before = parties(before);
                let others = |of: &[Party], without: &[Party]| -> SmallVec<[Party; 8]> {
                    of.iter().copied().filter(|party| without.binary_search(party).is_err()).collect()
                };
                let (there, here) = (others(&before, &here), others(&here, &before));
                let pairs = there.iter().flat_map(|a| here.iter().flat_map(|b| both_ways(a, b)));
                Window { sentences: (index - 1, index), strength: Strength::Neighbour, pairs: pairs.collect() }
            });
            let within = [(Strength::Direct, direct), (Strength::Carried, carried)];
            let within = within.map(|(strength, pairs)| Window { sentences: (index, index), strength, pairs });
            neighbour.into_iter().chain(within).filter(|window| !window.pairs.is_empty())
        })
    }

    /// The sentence right before that of `index`, where the text has none between, nor more white space than any sentence
    /// is long.
    fn neighbour_before(&self, index: usize) -> Option<&Sentence> {
        let (before, sentence) = (self.sentences.get(index.checked_sub(1)?)?, &self.sentences[index]);
        let near = sentence.span.start.saturating_sub(before.span.end) <= sentences::LONGEST;
        (before.part == sentence.part && before.ordinal + 1 == sentence.ordinal && near).then_some(before)
    }

    /// The text of a window: one stretch, or two where a title stands beside a sentence.
    pub(crate) fn stretches(&self, (first, last): (usize, usize)) -> impl Iterator<Item = Stretch<'_>> {
        let runs = if self.sentences[first].part == self.sentences[last].part {
            [Some(&self.sentences[first..=last]), None]
        } else {
            [first, last].map(|i| Some(&self.sentences[i..=i]))
        };
        runs.into_iter().flatten().map(|sentences| Stretch {
            part: sentences[0].part,
            span: sentences[0].span.start..sentences[sentences.len() - 1].span.end,
            sentences,
        })
    }

    /// The evidence that a window is for a pair, by the two mentions that stand nearest to each other.
    pub(crate) fn piece(
        &self,
        window: (usize, usize),
        (state, actor): (Party, Party),
        strength: Strength,
    ) -> Option<Evidence> {
        let (mut last_state, mut last_actor): (Option<&Mark>, Option<&Mark>) = (None, None);
        let mut nearest: Option<(usize, &Mark, &Mark)> = None;
        let mut in_title = None;
        let mut text = None;
        for stretch in self.stretches(window) {
            if text.is_some() {
                in_title = Some(if last_state.is_some() { Side::State } else { Side::Actor });
            }
            for mark in stretch.sentences.iter().flat_map(|s| &s.marks) {
                match mark.party {
                    party if party == state => last_state = Some(mark),
                    party if party == actor => last_actor = Some(mark),
                    _ => continue,
                }
                if let (Some(s), Some(a)) = (last_state, last_actor) {
                    // Beside a title, the first mention in the text is the nearest.
                    let gap = if in_title.is_some() { 0 } else { a.span.start.abs_diff(s.span.start) };
                    if nearest.is_none_or(|(best, ..)| gap < best) {
                        nearest = Some((gap, s, a));
                    }
                }
            }
            text = Some((stretch.part, stretch.span));
        }
        let (part, span) = text?;
        let (_, state, actor) = nearest?;
        let (state, actor) = (state.span.clone(), actor.span.clone());
        Some(Evidence { part, span, state, actor, in_title, strength, sentences: window })
    }
}

/// Each of them once, in order.
fn each_once<T: Ord>(some: impl Iterator<Item = T>) -> SmallVec<[T; 8]> {
    let mut all: SmallVec<[T; 8]> = some.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn mark(gazetteer: &Gazetteer, m: &Mention) -> Mark {
    Mark { span: m.start..m.end, party: Party::Entry(m.entry), kind: party_kind(gazetteer, m), carried: false }
}

fn party_kind(gazetteer: &Gazetteer, mention: &Mention) -> PartyKind {
    match gazetteer.get(mention.entry).kind {
        Kind::State | Kind::Territory | Kind::Former => PartyKind::State,
        Kind::Bloc | Kind::Body => PartyKind::Body,
        Kind::ArmedGroup => PartyKind::ArmedGroup,
    }
}

/// The sections of a word list: `[name]` opens one, `#` a comment; `split` divides a line into its entries.
///
/// Only the files that are compiled in are read by this.
pub(crate) fn word_lists<'a>(
    file: &'a str,
    split: impl Fn(&'a str) -> Vec<&'a str>,
) -> FxHashMap<&'a str, Vec<&'a str>> {
    let mut lists: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut section = "";
    for line in file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => section = name,
            None => lists.entry(section).or_default().extend(split(line)),
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_the_evidence_of_every_pair_in_order() {
        let text = "Peru met Chile and Oman. Chad left. Oman hit Peru, Chad said. Chile sued Oman in Peru.\n\nOman lost. \
                    Chad won. Chile and Chad met Peru.\n\n\n\nFiji lost.";
        let article = Article::new(text).with_title("Chad, Chile and Oman quarrel");
        let document = Document::read(&article, Gazetteer::embedded());
        let windows = document.windows();
        let mut all = 0;
        for &state in document.parties() {
            for &actor in document.parties() {
                let pieces = windows
                    .iter()
                    .filter(|w| w.pairs.contains(&(state, actor)))
                    .map(|w| document.piece(w.sentences, (state, actor), w.strength).expect("both are named"));
                let evidence = document.evidence(state, actor);
                all += evidence.len();
                assert_eq!(pieces.collect::<Vec<_>>(), evidence);
            }
        }
        assert!(all > 20);
        for strength in [Strength::Neighbour, Strength::Title] {
            assert!(windows.iter().any(|w| w.strength == strength), "{strength:?}");
        }
    }

    fn strengths(title: &str, text: &str, state: &str, actor: &str) -> Vec<(Strength, Option<Side>)> {
        let (article, gazetteer) = (Article::new(text).with_title(title), Gazetteer::embedded());
        let entry = |name: &str| Party::Entry(gazetteer.find(name).expect("a known name"));
        let evidence = Document::read(&article, gazetteer).evidence(entry(state), entry(actor));
        evidence.iter().map(|e| (e.strength, e.in_title)).collect()
    }

    #[test]
    fn a_title_stands_beside_the_first_sentence_where_nothing_else_connects() {
        let text = "Envoys were sent home.\n\nOne day later Chad protested. Chad is small.";
        assert_eq!(strengths("Peru expels envoys", text, "Peru", "Chad"), [(Strength::Title, Some(Side::State))]);
        assert_eq!(strengths("Peru expels envoys", text, "Chad", "Peru"), [(Strength::Title, Some(Side::Actor))]);
        let nearer = "Envoys were sent home.\n\nChad protested. Peru did not answer.";
        assert_eq!(strengths("Peru expels envoys", nearer, "Peru", "Chad"), [(Strength::Neighbour, None)]);
        assert_eq!(strengths("Peru expels envoys of Chad", text, "Peru", "Chad"), [(Strength::Direct, None)]);
        assert_eq!(strengths("Peru expels envoys", text, "Oman", "Chad"), []);
    }

    #[test]
    fn a_subject_is_taken_up_by_the_next_sentence_only() {
        let carried = [(Strength::Carried, None)];
        assert_eq!(strengths("", "Peru recalled its envoy. It also fined Chad.", "Peru", "Chad"), carried);
        assert_eq!(
            strengths("", "Peru recalled its envoy. The\nforeign ministry fined Chad.", "Peru", "Chad"),
            carried
        );
        // A place is no subject.
        let neighbour = [(Strength::Neighbour, None)];
        assert_eq!(strengths("", "In the US, a court sat. It also fined Chad.", "United States", "Chad"), neighbour);
    }

    #[test]
    fn a_sentence_without_end_is_cut_and_names_far_apart_are_not_connected() {
        let filler = "word ".repeat(4_000);
        let article = Article::new(format!("Peru met Oman {filler} Chile"));
        let document = Document::read(&article, Gazetteer::embedded());
        assert_eq!(document.windows().iter().map(|w| w.pairs.len()).sum::<usize>(), 2);
        let (peru, chile) = (0..4, article.text.len() - 5..article.text.len());
        let marked = Document::read_marked(&article, Gazetteer::embedded(), &peru, &chile);
        assert!(marked.evidence(Party::State, Party::Actor).is_empty());
    }
}
