//! A text with parts of it marked.

use std::ops::Range;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it says.
    pub text: String,
    /// How it is marked: `state`, `actor`, or not at all.
    pub class: &'static str,
}

/// Divides a text at the ends of its marks, which are ranges of bytes; of those that overlap, the first counts.
pub(super) fn pieces(text: &str, marks: &[(Range<usize>, &'static str)]) -> Vec<Piece> {
    let mut marks: Vec<&(Range<usize>, &'static str)> = marks.iter().collect();
    marks.sort_by_key(|(range, _)| range.start);
    let (mut pieces, mut at) = (Vec::new(), 0);
    let mut push = |range: Range<usize>, class: &'static str| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            pieces.push(Piece { text: text.to_owned(), class });
        }
    };
    for (range, class) in marks {
        let fits = range.start >= at && text.get(range.clone()).is_some();
        if fits {
            push(at..range.start, "");
            push(range.clone(), class);
            at = range.end;
        }
    }
    push(at..text.len(), "");
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_what_overlaps_is_marked_once() {
        let text = "Norway’s ally Chile";
        let marks = [(16..21, "actor"), (0..6, "state"), (4..9, "actor"), (90..95, "actor")];
        let pieces = pieces(text, &marks);
        let of: Vec<(&str, &str)> = pieces.iter().map(|piece| (piece.text.as_str(), piece.class)).collect();
        assert_eq!(of, [("Norway", "state"), ("’s ally ", ""), ("Chile", "actor")]);
    }
}
