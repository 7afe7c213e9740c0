//! The directed-sentiment format: `sentence with [p] and [q] <tab> p <tab> q <tab> label`.
//!
//! Labels: 0 neutral, 1 p toward q positive, 2 q toward p positive, 3 p toward q negative, 4 q toward p negative
//! (Park, Pan, Joo: Who Blames or Endorses Whom? Findings of ACL 2021). Each line gives two labelled pairs, p toward q
//! and q toward p.

use std::path::Path;

use super::LabelledPair;
use crate::article::{Article, Span};
use crate::error::{Location, Result};
use crate::source::{self, Input, Warn};
use crate::stance::Stance;

/// One line: the sentence without brackets, and the marked spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The sentence.
    pub text: String,
    /// Byte ranges of the first mention of `p` and of `q`, where both are marked.
    pub spans: Option<(Span, Span)>,
    /// The label as written.
    pub label: String,
}

/// Reads the lines of a file.
///
/// # Errors
/// As [`source::text_lines`].
pub fn lines(path: &Path, warn: &Warn) -> Result<impl Iterator<Item = Result<Line>> + use<>> {
    Ok(source::text_lines(&Input::Path(path.into()), warn)?.map(|line| line.map(|line| parse(&line))))
}

/// Two pairs a line; lines without two marked spans or a known label are left out.
///
/// # Errors
/// As [`source::text_lines`].
pub fn labelled(path: &Path, warn: &Warn) -> Result<Vec<LabelledPair>> {
    let mut pairs = Vec::new();
    for (number, line) in lines(path, warn)?.enumerate() {
        let Line { text, spans, label } = line?;
        let (Some((p, q)), Some([forward, backward])) = (spans, stances(&label)) else { continue };
        for (direction, (state, actor, stance)) in [(&p, &q, forward), (&q, &p, backward)].into_iter().enumerate() {
            pairs.push(LabelledPair {
                state: text[state.clone()].into(),
                actor: text[actor.clone()].into(),
                state_span: Some(state.clone()),
                actor_span: Some(actor.clone()),
                label: Some(stance),
                group: Some(text.clone()),
                article: Article::new(text.clone()).with_id(format!("{number}-{direction}")),
                columns: Default::default(),
                location: Location::line(path.display().to_string(), number as u64 + 1),
            });
        }
    }
    Ok(pairs)
}

/// The stance of p toward q and of q toward p.
fn stances(label: &str) -> Option<[Stance; 2]> {
    Some(match label {
        "0" => [Stance::Neutral, Stance::Neutral],
        "1" => [Stance::Aligned, Stance::Neutral],
        "2" => [Stance::Neutral, Stance::Aligned],
        "3" => [Stance::Opposed, Stance::Neutral],
        "4" => [Stance::Neutral, Stance::Opposed],
        _ => return None,
    })
}

fn parse(line: &str) -> Line {
    let mut fields = line.trim_end_matches(['\r', '\n']).split('\t');
    let raw = fields.next().unwrap_or_default();
    let (p, q, label) = (fields.next(), fields.next(), fields.next().unwrap_or_default());
    let (mut text, mut marked, mut rest) = (String::with_capacity(raw.len()), Vec::new(), raw);
    while let Some((before, inner, after)) = bracketed(rest) {
        text.push_str(before);
        let start = text.len();
        text.push_str(inner);
        marked.push(start..text.len());
        rest = after;
    }
    text.push_str(rest);
    let first = |name: Option<&str>, but: Option<&Span>| {
        marked.iter().find(|&s| Some(s) != but && name == Some(&text[s.clone()])).cloned()
    };
    let state = first(p, None);
    let actor = first(q, state.as_ref());
    Line { spans: state.zip(actor), text, label: label.into() }
}

/// The first `[…]` without brackets inside: what is before, in and after it.
fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let close = text.find('[').and_then(|open| text[open..].find(']').map(|c| open + c))?;
    let open = text[..close].rfind('[')?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_become_spans() {
        let line = parse("President [Trump] thanked [Trump] and [Kasich’]s aides.\tTrump\tKasich’\t1");
        assert_eq!(line.text, "President Trump thanked Trump and Kasich’s aides.");
        let (p, q) = line.spans.expect("both are marked");
        assert_eq!((p, &line.text[q]), (10..15, "Kasich’"));
        assert_eq!(stances(&line.label), Some([Stance::Aligned, Stance::Neutral]));
    }

    #[test]
    fn a_line_that_marks_less_than_two_has_no_spans() {
        assert_eq!(parse("Only [one] here\tone\ttwo\t0").spans, None);
        assert_eq!(parse("").spans, None);
    }
}
