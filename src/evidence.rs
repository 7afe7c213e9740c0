//! From an article to the sentences that show the stance of a state toward an actor.
//!
//! A [`Document`] is an article read once: its content is split into sentences, and each sentence keeps the names
//! found in it. [`Document::evidence`] then answers for any pair. A sentence that names both is [`Strength::Direct`]
//! evidence; two neighbouring sentences of which one names the state and the other the actor are
//! [`Strength::Neighbour`] evidence, which counts for less. A title is one sentence.

use serde::{Deserialize, Serialize};

use crate::article::{Article, Part, Span};
use crate::gazetteer::{Gazetteer, Kind, Mention};
use crate::text::clean;
use crate::text::sentences;
use crate::text::tokenize::{Mark, Party, PartyKind};

/// The party of the marked state when a document is read with given spans.
pub const MARKED_STATE: Party = Party(u32::MAX - 1);
/// The party of the marked actor when a document is read with given spans.
pub const MARKED_ACTOR: Party = Party(u32::MAX);

/// How closely a piece of evidence connects the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// One sentence names both.
    Direct,
    /// One sentence names the one, the next or the previous sentence the other.
    Neighbour,
}

/// Where a text shows something about a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The part of the article that the offsets point into.
    pub part: Part,
    /// Byte range of the sentence, or of the two neighbours.
    pub span: Span,
    /// Byte range of the mention of the state that lies nearest to one of the actor.
    pub state: Span,
    /// Byte range of that mention of the actor.
    pub actor: Span,
    /// How closely the two are connected.
    pub strength: Strength,
    /// The first and the last sentence, as indices into [`Document::sentences`].
    pub sentences: (usize, usize),
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
    /// The names, in order, without overlap.
    pub marks: Vec<Mark>,
}

impl Sentence {
    fn names(&self, party: Party) -> bool {
        self.marks.iter().any(|m| m.party == party)
    }
}

/// An article read once: the sentences that name somebody.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    /// The article.
    pub article: &'a Article,
    /// The sentences with at least one name, title first, then in the order of the text.
    pub sentences: Vec<Sentence>,
    parties: Vec<Party>,
}

impl<'a> Document<'a> {
    /// Reads an article: cleans it, finds names and the sentences around them.
    ///
    /// An article that names fewer than two parties yields no sentences: no pair can have evidence in it.
    pub fn read(article: &'a Article, gazetteer: &Gazetteer) -> Self {
        let mut document = Self { article, sentences: Vec::new(), parties: Vec::new() };
        let title = gazetteer.mentions(article.part(Part::Title));
        let text = gazetteer.mentions(&article.text);
        if title.iter().chain(&text).map(|m| m.entry).collect::<std::collections::BTreeSet<_>>().len() < 2 {
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
    /// Other mentions of a gazetteer entry that one of the spans names count as the same party.
    pub fn read_marked(article: &'a Article, gazetteer: &Gazetteer, state: &Span, actor: &Span) -> Self {
        let (from, to) = (state.start.min(actor.start), state.end.max(actor.end));
        let mut span = from..to;
        for sentence in sentences::sentences(&article.text) {
            if sentence.start < to && from < sentence.end {
                span = span.start.min(sentence.start)..span.end.max(sentence.end);
            }
        }
        let overlaps = |m: &Mention, s: &Span| m.start < s.end && s.start < m.end;
        let mentions = gazetteer.mentions(&article.text);
        let entry_of = |s: &Span| mentions.iter().find(|m| overlaps(m, s)).map(|m| m.entry);
        let (state_entry, actor_entry) = (entry_of(state), entry_of(actor));
        let distinct = state_entry != actor_entry;
        let mut marks: Vec<Mark> = mentions
            .iter()
            .filter(|m| span.start <= m.start && m.end <= span.end && !overlaps(m, state) && !overlaps(m, actor))
            .map(|m| {
                let party = match Some(m.entry) {
                    entry if distinct && entry == state_entry => MARKED_STATE,
                    entry if distinct && entry == actor_entry => MARKED_ACTOR,
                    _ => Party(u32::from(m.entry.0)),
                };
                Mark { span: m.start..m.end, party, kind: party_kind(gazetteer, m) }
            })
            .collect();
        for (span, party) in [(state, MARKED_STATE), (actor, MARKED_ACTOR)] {
            // Of two spans that overlap, the first given keeps its place.
            if marks.iter().all(|m| m.party.0 < MARKED_STATE.0 || m.span.end <= span.start || span.end <= m.span.start)
            {
                marks.push(Mark { span: span.clone(), party, kind: PartyKind::State });
            }
        }
        marks.sort_by_key(|m| m.span.start);
        let sentences = vec![Sentence { part: Part::Text, ordinal: 0, span, marks }];
        let mut document = Self { article, sentences, parties: Vec::new() };
        document.collect_parties();
        document
    }

    fn read_title(&mut self, gazetteer: &Gazetteer, mentions: &[Mention]) {
        let title = self.article.part(Part::Title);
        if !mentions.is_empty() {
            let start = title.len() - title.trim_start().len();
            let marks = marks(gazetteer, mentions);
            self.sentences.push(Sentence { part: Part::Title, ordinal: 0, span: start..title.trim_end().len(), marks });
        }
    }

    fn read_text(&mut self, gazetteer: &Gazetteer, mentions: &[Mention]) {
        let text = &self.article.text;
        let (mut ordinal, mut next) = (0, 0);
        let mut spans = Vec::new();
        for paragraph in clean::content_below(self.article.title.as_deref(), text) {
            // A paragraph that names nobody needs no sentences; it only keeps its neighbours apart.
            let first = next + mentions[next..].partition_point(|m| m.start < paragraph.start);
            let last = first + mentions[first..].partition_point(|m| m.end <= paragraph.end);
            next = last;
            if first == last {
                ordinal += 2;
                continue;
            }
            spans.clear();
            sentences::sentences_in(text, paragraph, &mut spans);
            let mut rest = &mentions[first..last];
            for span in spans.drain(..) {
                let inside = rest.partition_point(|m| m.start < span.end);
                let (here, after) = rest.split_at(inside);
                rest = after;
                // A name across a sentence boundary would be a false boundary; the name is left out.
                let here: Vec<Mention> =
                    here.iter().filter(|m| span.start <= m.start && m.end <= span.end).cloned().collect();
                if !here.is_empty() {
                    let marks = marks(gazetteer, &here);
                    self.sentences.push(Sentence { part: Part::Text, ordinal, span, marks });
                }
                ordinal += 1;
            }
        }
    }

    fn collect_parties(&mut self) {
        for mark in self.sentences.iter().flat_map(|s| &s.marks) {
            if !self.parties.contains(&mark.party) {
                self.parties.push(mark.party);
            }
        }
    }

    /// Everyone named in the content, in the order of first mention.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// How often `party` is named in the content.
    pub fn mentions(&self, party: Party) -> usize {
        self.sentences.iter().flat_map(|s| &s.marks).filter(|m| m.party == party).count()
    }

    /// The evidence for a pair, in the order of the text, direct and neighbouring.
    pub fn evidence(&self, state: Party, actor: Party) -> Vec<Evidence> {
        let mut found = Vec::new();
        if state == actor {
            return found;
        }
        for (index, sentence) in self.sentences.iter().enumerate() {
            let (names_state, names_actor) = (sentence.names(state), sentence.names(actor));
            if names_state && names_actor {
                found.extend(self.window(index, index, state, actor, Strength::Direct));
            } else if (names_state || names_actor) && index > 0 {
                let before = &self.sentences[index - 1];
                let neighbours = before.part == sentence.part && before.ordinal + 1 == sentence.ordinal;
                let (state_before, actor_before) = (before.names(state), before.names(actor));
                if neighbours && state_before != actor_before && state_before == names_actor {
                    found.extend(self.window(index - 1, index, state, actor, Strength::Neighbour));
                }
            }
        }
        found
    }

    fn window(&self, first: usize, last: usize, state: Party, actor: Party, strength: Strength) -> Option<Evidence> {
        let sentences = &self.sentences[first..=last];
        let of = |party| move |m: &&Mark| m.party == party;
        let marks = || sentences.iter().flat_map(|s| &s.marks);
        let (mut nearest, mut best) = (None, usize::MAX);
        for s in marks().filter(of(state)) {
            for a in marks().filter(of(actor)) {
                let gap = a.span.start.abs_diff(s.span.start);
                if gap < best {
                    (nearest, best) = (Some((s.span.clone(), a.span.clone())), gap);
                }
            }
        }
        let (state, actor) = nearest?;
        let span = sentences[0].span.start..sentences[last - first].span.end;
        Some(Evidence { part: sentences[0].part, span, state, actor, strength, sentences: (first, last) })
    }
}

fn marks(gazetteer: &Gazetteer, mentions: &[Mention]) -> Vec<Mark> {
    let mark =
        |m: &Mention| Mark { span: m.start..m.end, party: Party(u32::from(m.entry.0)), kind: party_kind(gazetteer, m) };
    mentions.iter().map(mark).collect()
}

fn party_kind(gazetteer: &Gazetteer, mention: &Mention) -> PartyKind {
    match gazetteer.get(mention.entry).kind {
        Kind::State | Kind::Territory | Kind::Former => PartyKind::State,
        Kind::Bloc | Kind::Body => PartyKind::Body,
        Kind::ArmedGroup => PartyKind::ArmedGroup,
    }
}
