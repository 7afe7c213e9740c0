//! A text as lines and hard-wrapped paragraphs, with what can be seen of them at a glance.

use super::Kind;
use crate::Span;
use crate::document::sentences::is_bullet;

/// A line, or the lines of a wrapped paragraph, with what can be seen at a glance.
pub(super) struct Unit {
    pub span: Span,
    /// How many words.
    pub words: usize,
    /// Whether it ends as a sentence does.
    pub stop: bool,
    /// Whether it is long enough and ends as a sentence does.
    pub prose: bool,
    pub kind: Kind,
}

/// The lines of `text` that are not blank, those of a hard-wrapped paragraph taken together.
pub(super) fn units(text: &str) -> Vec<Unit> {
    let bytes = text.as_bytes();
    let mut spans: Vec<Span> = Vec::new();
    // Where the block (the lines since the last blank one) begins in `spans`.
    let mut block = 0;
    let mut from = 0;
    while from < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |at| from + at);
        let line = &text[from..end];
        let trimmed = line.trim();
        if trimmed.is_empty() {
            unwrap_block(text, &mut spans, block);
            block = spans.len();
        } else {
            let start = from + (line.len() - line.trim_start().len());
            spans.push(start..start + trimmed.len());
        }
        from = end + 1;
    }
    unwrap_block(text, &mut spans, block);
    spans.into_iter().map(|span| unit(text, span)).collect()
}

/// Joins the lines of a block that was wrapped by hand: one of its lines goes on in lower case.
fn unwrap_block(text: &str, spans: &mut Vec<Span>, block: usize) {
    let lines = &spans[block..];
    if lines.len() < 2 || !lines[1..].iter().any(|span| text[span.clone()].starts_with(char::is_lowercase)) {
        return;
    }
    let longest = lines.iter().map(Span::len).max().unwrap_or(0);
    let mut joined: Vec<Span> = Vec::with_capacity(lines.len());
    let mut before = 0;
    for span in lines {
        let line = &text[span.clone()];
        let first_word = line.split_whitespace().next().map_or(0, str::len);
        let goes_on = line.starts_with(char::is_lowercase) || (before >= 40 && before + 1 + first_word > longest);
        match joined.last_mut() {
            Some(last) if goes_on && !is_bullet(line) => last.end = span.end,
            _ => joined.push(span.clone()),
        }
        before = span.len();
    }
    spans.truncate(block);
    spans.append(&mut joined);
}

pub(super) fn unit(text: &str, span: Span) -> Unit {
    let line = &text[span.clone()];
    let words = count_words(line);
    let stop = ends_as_sentence(line);
    let prose = stop && words >= 8;
    Unit { span, words, stop, prose, kind: Kind::Content }
}

/// Whether the line ends in a stop and the marks that close it.
pub(super) fn ends_as_sentence(line: &str) -> bool {
    line.trim_end_matches(['"', '\'', '”', '’', '»', ')', ']', '*', '_'])
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '।', '؟'])
}

/// How many words a line has, where white space is ASCII; one for a line in a script without spaces.
pub(super) fn count_words(line: &str) -> usize {
    let bytes = line.as_bytes();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let [first, others @ ..] = bytes else { return 0 };
    let begins = |(before, byte): (&u8, &u8)| u8::from(is_blank(before) & !is_blank(byte));
    // So many at a time that a byte holds their count: many bytes are then compared at once.
    let pairs = bytes.chunks(128).zip(others.chunks(128));
    let further = pairs.map(|(before, here)| usize::from(before.iter().zip(here).map(begins).sum::<u8>()));
    usize::from(!is_blank(first)) + further.sum::<usize>()
}

/// The line without what marks it as an item of a list, or opens it.
pub(super) fn strip_bullet(line: &str) -> &str {
    line.trim_start_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '•' | '·'
                    | '▪'
                    | '◦'
                    | '‣'
                    | '●'
                    | '■'
                    | '►'
                    | '▶'
                    | '➤'
                    | '→'
                    | '*'
                    | '-'
                    | '–'
                    | '—'
                    | '>'
                    | '»'
                    | '|'
                    | '('
                    | '['
            )
    })
}

#[cfg(test)]
mod tests {
    use super::count_words;

    proptest::proptest! {
        #[test]
        fn words_are_counted_as_blanks_divide_them(line in "([a-zé.]{1,4}|[ \t\r\n]){0,300}") {
            let words = line.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
            proptest::prop_assert_eq!(count_words(&line), words.count());
        }
    }
}
