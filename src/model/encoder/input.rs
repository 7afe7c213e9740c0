//! A window of evidence as an encoder reads it.
//!
//! Every name of the state is replaced by [`STATE`], every name of the actor by [`ACTOR`], whatever the two are: so the
//! score depends on no name of the pair, and the encoder meets words that it knows. Other names stay as they are, but for
//! those that would be taken for one of the two.

use crate::article::{Part, Span};
use crate::model::EvidenceWindow;

/// What stands for every name of the state.
pub const STATE: &str = "Norway";
/// What stands for every name of the actor.
pub const ACTOR: &str = "Peru";

/// What stands for the names of others that are called as one of these two.
pub const OTHER: &str = "Ghana";

/// Text with the pair masked, and where the two stand in it.
///
/// ```
/// use detente::document::{Document, Party};
/// use detente::gazetteer::Gazetteer;
/// use detente::model::{EvidenceWindow, encoder::EncoderInput};
/// use detente::Article;
/// let article = Article::new("Germany condemned Russia's attack on Ukraine. Moscow denied it.");
/// let gazetteer = Gazetteer::embedded();
/// let document = Document::read(&article, gazetteer);
/// let entry = |name| Party::Entry(gazetteer.find(name).unwrap());
/// let pair = (entry("Germany"), entry("Russia"));
/// let evidence = &document.evidence(pair.0, pair.1)[0];
/// let window =
///     EvidenceWindow { document: &document, sentences: evidence.sentences, strength: evidence.strength, pair };
/// let input = EncoderInput::new(&window).unwrap();
/// assert_eq!(input.text, "Norway condemned Peru's attack on Ukraine.");
/// assert_eq!((input.state, input.actor), (0..6, 17..21));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderInput {
    /// The sentence, the two neighbours, or the title and the sentence.
    pub text: String,
    /// The mention of the state with the least between it and one of the actor: bytes of `text`.
    pub state: Span,
    /// That mention of the actor.
    pub actor: Span,
    /// Where each run of text that was kept stands in `text`, and where it begins in which part of the article.
    kept: Vec<(Span, (Part, usize))>,
}

/// The most words of a window that are left out in turn: those nearest to the pair.
const MAX_OCCLUDED: usize = 64;

impl EncoderInput {
    /// The input of a window; `None` where it does not name both.
    pub fn new(window: &EvidenceWindow<'_>) -> Option<Self> {
        let (first, last) = window.sentences;
        window.document.sentences.get(first..=last)?;
        let mut text = String::new();
        let (mut states, mut actors) = (Vec::new(), Vec::new());
        let mut kept = Vec::new();
        for stretch in window.document.stretches(window.sentences) {
            let source = window.document.article.part(stretch.part);
            if !text.is_empty() {
                text.push_str(if text.ends_with(['.', '!', '?']) { " " } else { ". " });
            }
            let mut from = stretch.span.start;
            let mut keep = |text: &mut String, run: Span| {
                kept.push((text.len()..text.len() + run.len(), (stretch.part, run.start)));
                text.push_str(&source[run]);
            };
            for mark in stretch.sentences.iter().flat_map(|sentence| &sentence.marks) {
                let word = if mark.party == window.pair.0 {
                    STATE
                } else if mark.party == window.pair.1 {
                    ACTOR
                } else if ["Norw", "Peru"].iter().any(|name| source[mark.span.clone()].contains(name)) {
                    OTHER
                } else {
                    continue;
                };
                keep(&mut text, from..mark.span.start);
                let place = text.len()..text.len() + word.len();
                text.push_str(word);
                match word {
                    STATE => states.push(place),
                    ACTOR => actors.push(place),
                    _ => {}
                }
                from = mark.span.end;
            }
            keep(&mut text, from..stretch.span.end);
        }
        let (state, actor) = nearest(&states, &actors)?;
        Some(Self { text, state, actor, kept })
    }

    /// A text in which the pair is masked already.
    pub fn masked(text: impl Into<String>, state: Span, actor: Span) -> Self {
        Self { text: text.into(), state, actor, kept: Vec::new() }
    }

    /// The input of a window that says nothing.
    pub(crate) fn names_alone() -> Self {
        let (state, actor) = (0..STATE.len(), STATE.len() + 1..STATE.len() + 1 + ACTOR.len());
        Self::masked(format!("{STATE} {ACTOR}"), state, actor)
    }

    /// The input without each of its words in turn, names left aside: where the word stands in the part of the article,
    /// and what is left.
    pub(crate) fn occluded(&self) -> Vec<((Part, Span), Self)> {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '-');
        let mut words = Vec::new();
        for (run, (part, source)) in &self.kept {
            let text = &self.text[run.clone()];
            let mut at = 0;
            for piece in text.split_inclusive(|c| !is_word(c)) {
                let word = piece.trim_end_matches(|c| !is_word(c));
                if word.contains(char::is_alphanumeric) {
                    words.push((run.start + at..run.start + at + word.len(), (*part, source + at)));
                }
                at += piece.len();
            }
        }
        let distance = |at: &Span, name: &Span| at.start.abs_diff(name.start);
        words.sort_by_key(|(at, _)| distance(at, &self.state).min(distance(at, &self.actor)));
        words.truncate(MAX_OCCLUDED);
        words.sort_by_key(|(at, _)| at.start);
        let without = |(at, (part, source)): (Span, (Part, usize))| {
            let gone = at.len();
            let moved =
                |span: &Span| if span.start < at.start { span.clone() } else { span.start - gone..span.end - gone };
            let text = [&self.text[..at.start], &self.text[at.end..]].concat();
            let rest = Self { text, state: moved(&self.state), actor: moved(&self.actor), kept: Vec::new() };
            ((part, source..source + gone), rest)
        };
        words.into_iter().map(without).collect()
    }
}

/// The two places with the least between them; the earlier on a tie.
fn nearest(states: &[Span], actors: &[Span]) -> Option<(Span, Span)> {
    let gap = |a: &Span, b: &Span| if a.end <= b.start { b.start - a.end } else { a.start.saturating_sub(b.end) };
    let pairs = states.iter().flat_map(|s| actors.iter().map(move |a| (s, a)));
    let (s, a) = pairs.min_by_key(|(s, a)| (gap(s, a), s.start.min(a.start)))?;
    Some((s.clone(), a.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Article;
    use crate::document::{Document, Party};
    use crate::gazetteer::Gazetteer;

    fn inputs(text: &str, state: &str, actor: &str) -> Vec<EncoderInput> {
        let (article, gazetteer) = (Article::new(text), Gazetteer::embedded());
        let document = Document::read(&article, gazetteer);
        let entry = |name: &str| Party::Entry(gazetteer.find(name).expect("a known name"));
        let pair = (entry(state), entry(actor));
        let window = |e: &crate::document::Evidence| {
            EncoderInput::new(&EvidenceWindow {
                document: &document,
                sentences: e.sentences,
                strength: e.strength,
                pair,
            })
        };
        document.evidence(pair.0, pair.1).iter().filter_map(window).collect()
    }

    #[test]
    fn exchanging_names_changes_nothing() {
        let one = inputs("On Monday Kenya thanked Japan; Nairobi needs Tokyo, said Chad.", "Kenya", "Japan");
        let other = inputs("On Monday Fiji thanked Oman; Suva needs Muscat, said Chad.", "Fiji", "Oman");
        let read = |input: &EncoderInput| (input.text.clone(), input.state.clone(), input.actor.clone());
        assert_eq!(one.iter().map(read).collect::<Vec<_>>(), other.iter().map(read).collect::<Vec<_>>());
        assert_eq!(one[0].text, "On Monday Norway thanked Peru; Norway needs Peru, said Chad.");
    }

    #[test]
    fn the_nearest_mentions_are_marked() {
        let input = &inputs("Peru, said Lima, where rain fell, opposed Chile.", "Peru", "Chile")[0];
        assert_eq!(input.text, "Norway, said Norway, where rain fell, opposed Peru.");
        assert_eq!((&input.text[input.state.clone()], input.state.start), (STATE, 13));
        assert_eq!(&input.text[input.actor.clone()], ACTOR);
    }

    #[test]
    fn a_third_party_of_the_same_name_is_told_apart() {
        let input = &inputs("Norway urged Kenya to leave Japan.", "Kenya", "Japan")[0];
        assert_eq!(input.text, "Ghana urged Norway to leave Peru.");
    }

    #[test]
    fn each_word_is_left_out_in_turn() {
        let text = "In Nairobi, Kenya again didn’t thank Japan's men.";
        let input = &inputs(text, "Kenya", "Japan")[0];
        let occluded = input.occluded();
        let words: Vec<&str> = occluded.iter().map(|((_, word), _)| &text[word.clone()]).collect();
        assert_eq!(words, ["In", "again", "didn’t", "thank", "'s", "men"]);
        for ((_, word), rest) in &occluded {
            assert_eq!((&rest.text[rest.state.clone()], &rest.text[rest.actor.clone()]), (STATE, ACTOR));
            assert_eq!(rest.text.len() + word.len(), input.text.len());
        }
        assert_eq!(occluded[2].1.text, "In Norway, Norway again  thank Peru's men.");
    }

    #[test]
    fn neighbours_are_read_as_they_stand() {
        let input = &inputs("Norway rearmed last year. It was Peru that protested.", "Norway", "Peru")[0];
        assert_eq!(input.text, "Norway rearmed last year. It was Peru that protested.");
    }
}
