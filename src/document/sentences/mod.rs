//! Where sentences end.
//!
//! Rule-based, for news in English, and harmless on other languages. One pass over the bytes looks only at full stops,
//! question and exclamation marks, ellipses and line ends; everything that needs thought happens there:
//!
//! - A stop ends a sentence when white space and an upper-case letter, a digit, or a letter without case follow,
//!   with closing quotes and brackets still belonging to the sentence. Before lower case nothing ends
//!   (except before names such as `al-Shabaab` and `iPhone`).
//! - Abbreviations, initials, acronyms ("U.S."), clock times and numbered items are read as
//!   `abbreviations.txt` says: "the U.S. President" goes on, "in the U.S. The …" ends.
//! - A blank line always ends a sentence.
//! - A single line end does too, so that a heading is not glued to the paragraph below it, unless the next line goes
//!   on in lower case, the line ends in a comma or a small word, or the block is hard-wrapped. A block counts as
//!   hard-wrapped when one of its lines starts in lower case; a line of it was wrapped when the first word of the next
//!   line would not have fitted into the longest line.
//! - A sentence of more than [`LONGEST`] bytes is cut.
//! - A bullet starts a sentence. `;`, `:` and dashes end none.
//!
//! ```
//! use detente::document::sentences::sentences;
//! let text = "Gen. Min met the U.S. envoy. \"Will you sign?\" he asked.";
//! let found: Vec<&str> = sentences(text).into_iter().map(|span| &text[span]).collect();
//! assert_eq!(found, ["Gen. Min met the U.S. envoy.", "\"Will you sign?\" he asked."]);
//! ```

mod words;

use wide::i8x64;

use crate::Span;
use words::{
    Class, LONGEST_ABBREVIATION, WORDS, counts, ends_in_small_word, first_word, is_acronym, is_amount, is_whole_part,
    last_token, opens_sentence, opens_with_name, says, second_word,
};

/// The sentences of `text`, in order, without white space at their ends.
pub fn sentences(text: &str) -> Vec<Span> {
    let mut out = Vec::with_capacity(text.len() / 100 + 1);
    sentences_in(text, 0..text.len(), &mut out);
    out
}

/// Adds the sentences of `text[range]` to `out`; the spans point into `text`.
///
/// # Panics
///
/// If `range` is not a range of whole characters of `text`, as indexing would.
pub fn sentences_in(text: &str, range: Span, out: &mut Vec<Span>) {
    let _ = &text[range.clone()];
    Splitter { text, bytes: text.as_bytes(), range: range.clone(), block: Block::default() }.run(out);
}

/// The most bytes that a sentence may have: what is longer is no prose, and is cut at white space where there is some.
pub const LONGEST: usize = 8 << 10;

/// `text[range]` without white space at its ends, if anything else is there.
fn trimmed(text: &str, range: Span) -> Option<Span> {
    let sentence = &text[range.clone()];
    let start = range.start + (sentence.len() - sentence.trim_start().len());
    let trimmed = sentence.trim().len();
    (trimmed > 0).then_some(start..start + trimmed)
}

/// `text[range]` in pieces of at most [`LONGEST`] bytes, without white space at their ends.
pub(crate) fn pieces(text: &str, range: Span) -> impl Iterator<Item = Span> + '_ {
    let Span { mut start, end } = range;
    std::iter::from_fn(move || {
        while start < end {
            let from = start;
            start = end;
            if end - from > LONGEST {
                let most = text.floor_char_boundary(from + LONGEST);
                let blank = text[from..most].rfind(char::is_whitespace).filter(|&at| at > 0);
                start = blank.map_or(most, |at| from + at);
            }
            if let Some(piece) = trimmed(text, from..start) {
                return Some(piece);
            }
        }
        None
    })
}

/// What a byte can be the start of.
const PLAIN: u8 = 0;
/// `.`, `!`, `?`.
const STOP: u8 = 1;
/// A line end.
const LINE: u8 = 2;
/// The first byte of `…`, of a wide or Arabic or Indian stop, or of a line separator.
const LEAD: u8 = 3;

static KIND: [u8; 256] = {
    let mut kind = [PLAIN; 256];
    kind[b'.' as usize] = STOP;
    kind[b'!' as usize] = STOP;
    kind[b'?' as usize] = STOP;
    kind[b'\n' as usize] = LINE;
    kind[0xE2] = LEAD;
    kind[0xE3] = LEAD;
    kind[0xEF] = LEAD;
    kind[0xE0] = LEAD;
    kind[0xD8] = LEAD;
    kind
};

/// A run of lines without a blank line between, as far as wrapping is concerned.
#[derive(Default)]
struct Block {
    end: usize,
    longest: usize,
    wrapped: bool,
}

struct Splitter<'t> {
    text: &'t str,
    bytes: &'t [u8],
    range: Span,
    block: Block,
}

/// What stands after a stop and its closing marks.
struct Next<'t> {
    /// Where the white space ends.
    at: usize,
    /// Whether the white space holds a blank line.
    blank: bool,
    /// The first character after the white space.
    first: Option<char>,
    /// The text from the first letter or digit on.
    rest: &'t str,
}

impl<'t> Splitter<'t> {
    fn run(mut self, out: &mut Vec<Span>) {
        let end = self.range.end;
        let mut start = self.range.start;
        let mut at = start;
        while let Some(here) = self.mark(at) {
            let (cut, next) = match KIND[self.bytes[here] as usize] {
                STOP => self.stop(start, here, self.bytes[here] == b'.', false),
                LINE => self.line(here),
                _ => self.lead(start, here),
            };
            if let Some(cut) = cut {
                self.push(start, cut, out);
                start = next;
            }
            at = next;
        }
        self.push(start, end, out);
    }

    /// Where the next byte stands, from `at` on, that can be the start of a mark.
    fn mark(&self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at..self.range.end];
        let (blocks, last) = rest.as_chunks();
        let found = blocks.iter().zip((0..).step_by(64)).find_map(|(block, before)| {
            // As numbers with a sign, those beyond ASCII are below zero; where there are few, they are most often marks.
            let bytes = i8x64::new(block.map(u8::cast_signed));
            let is = |byte: u8| bytes.simd_eq(i8x64::splat(byte.cast_signed()));
            let is_high = bytes.simd_lt(i8x64::splat(0));
            let may_be = (is(b'.') | is(b'!') | is(b'?') | is(b'\n') | is_high).to_bitmask();
            (may_be != 0).then(|| before + may_be.trailing_zeros() as usize)
        });
        let from = found.unwrap_or(rest.len() - last.len());
        rest[from..].iter().position(|&byte| KIND[byte as usize] != PLAIN).map(|after| at + from + after)
    }

    fn push(&self, start: usize, end: usize, out: &mut Vec<Span>) {
        if end - start <= LONGEST {
            out.extend(trimmed(self.text, start..end));
        } else {
            out.extend(pieces(self.text, start..end));
        }
    }

    /// Decides at a byte that may start a mark of several bytes.
    fn lead(&mut self, start: usize, here: usize) -> (Option<usize>, usize) {
        let rest = &self.bytes[here..self.range.end];
        match rest {
            // … and the line and paragraph separators.
            [0xE2, 0x80, 0xA6, ..] => self.stop(start, here, true, false),
            [0xE2, 0x80, 0xA8 | 0xA9, ..] => (Some(here), here + 3),
            // 。 ！ ？ and the Indian danda need no space after them; ؟ does not mind.
            [0xE3, 0x80, 0x82, ..] | [0xEF, 0xBC, 0x81 | 0x9F, ..] | [0xE0, 0xA5, 0xA4 | 0xA5, ..] => {
                self.stop(start, here, false, true)
            }
            [0xD8, 0x9F, ..] => self.stop(start, here, false, true),
            _ => (None, here + 1),
        }
    }

    /// Decides at a stop: where the sentence ends if it does, and where to look next.
    fn stop(&self, start: usize, here: usize, dot: bool, wide: bool) -> (Option<usize>, usize) {
        let end = self.range.end;
        let (marks, mixed) = self.marks(here);
        let (close, quoted) = self.closers(marks);
        if close >= end {
            return (Some(end), end);
        }
        if wide {
            return (Some(close), close);
        }
        let after = self.text[close..end].chars().next().unwrap_or(' ');
        if !after.is_whitespace() {
            return (self.glued(here, close, marks, after).then_some(close), close);
        }
        let next = self.next(close);
        if next.blank || next.first.is_none() {
            return (Some(close), next.at);
        }
        // Bullets and headings are decided at the line end.
        let ends = opens_sentence(next.rest)
            && if dot && !mixed && marks - here == 1 {
                self.full_stop_ends(start, here, close, &next)
            } else if dot && !mixed {
                // An ellipsis.
                true
            } else {
                // "Yahoo! Inc."
                let is_firm = matches!(first_word(next.rest), "Inc" | "Corp" | "Ltd" | "LLC" | "plc");
                !(quoted && says(next.rest) || is_firm || self.in_brackets_alone(here, marks))
            };
        if ends { (Some(close), next.at) } else { (None, close) }
    }

    /// The end of a run of stops (`?!`, `...`, `. . .`, `…`), and whether it holds a question or exclamation mark.
    fn marks(&self, here: usize) -> (usize, bool) {
        let bytes = &self.bytes[..self.range.end];
        let mut at = here;
        let mut mixed = false;
        loop {
            match &bytes[at..] {
                [b'!' | b'?', ..] => {
                    mixed = true;
                    at += 1;
                }
                [b'.', ..] => at += 1,
                [0xE2, 0x80, 0xA6, ..] => at += 3,
                [0xEF, 0xBC, 0x81 | 0x9F, ..] | [0xE3, 0x80, 0x82, ..] | [0xE0, 0xA5, 0xA4 | 0xA5, ..] => at += 3,
                [0xD8, 0x9F, ..] => at += 2,
                [b' ', b'.', rest @ ..] if at > here && !matches!(rest, [b'0'..=b'9', ..]) => at += 2,
                _ => return (at, mixed),
            }
        }
    }

    /// The end of the closing quotes, brackets and note numbers at `at`, and whether a quote is among them.
    fn closers(&self, mut at: usize) -> (usize, bool) {
        let mut quoted = false;
        while let Some(c) = self.text[at..self.range.end].chars().next() {
            match c {
                '"' | '\'' | '”' | '’' | '»' | '」' | '』' => quoted = true,
                ')' | ']' | '}' | '›' | '*' | '_' | '）' => {}
                '[' => {
                    let digits = self.bytes[at + 1..self.range.end].iter().take_while(|b| b.is_ascii_digit()).count();
                    if digits == 0
                        || self.bytes.get(at + 1 + digits) != Some(&b']')
                        || at + 1 + digits >= self.range.end
                    {
                        break;
                    }
                    at += digits + 1;
                }
                _ => break,
            }
            at += c.len_utf8();
        }
        (at, quoted)
    }

    /// What follows the white space at `at`.
    fn next(&self, at: usize) -> Next<'t> {
        let text = self.text;
        let tail = &text[at..self.range.end];
        let rest = tail.trim_start();
        let start = self.range.end - rest.len();
        let gap = &self.bytes[at..start];
        let blank = memchr::memchr_iter(b'\n', gap).nth(1).is_some() || gap.windows(3).any(|w| w == [0xE2, 0x80, 0xA9]);
        let body = rest.trim_start_matches(|c: char| {
            matches!(c, '"' | '\'' | '“' | '‘' | '«' | '„' | '‹' | '「' | '(' | '[' | '¿' | '¡' | '*' | '_')
                || matches!(c, '-' | '–' | '—' | '•' | ' ' | '”' | '’')
        });
        Next { at: start, blank, first: rest.chars().next(), rest: body }
    }

    /// Whether a stop with no white space after it ends a sentence: "war.Moscow", "war?\"Moscow".
    fn glued(&self, here: usize, close: usize, marks: usize, after: char) -> bool {
        if !after.is_uppercase() {
            return false;
        }
        let mut following = self.text[close..self.range.end].chars().skip(1);
        let word_follows =
            following.next().is_some_and(char::is_lowercase) && following.next().is_some_and(char::is_alphabetic);
        let before = &self.bytes[self.range.start..here];
        let word_before = before.len() >= 3 && before[before.len() - 3..].iter().all(u8::is_ascii_lowercase);
        word_follows && word_before && (marks - here == 1 || close > marks)
    }

    /// Whether one full stop at `here` ends the sentence, given that the next word could open one.
    fn full_stop_ends(&self, start: usize, here: usize, close: usize, next: &Next<'_>) -> bool {
        let before = &self.text[start..here];
        // Most words are longer than any abbreviation or in lower case: look at their bytes only.
        let token = last_token(before);
        if token.is_empty() {
            return true;
        }
        // "(pop. 50 m.) Lagos": what stands in brackets within a sentence does not end it.
        const BRACKETS: usize = 24;
        let near = before.floor_char_boundary(before.len().saturating_sub(BRACKETS));
        let opens = || before[near..].rfind('(').is_some_and(|open| !before[..near + open].trim().is_empty());
        if self.text[here..close].contains(')') && opens() {
            return false;
        }
        let word = first_word(next.rest);
        let digit = next.rest.starts_with(|c: char| c.is_ascii_digit());
        let opener = || {
            (WORDS.openers.contains(word) && !next.rest[word.len()..].starts_with('.')) || opens_with_name(next.rest)
        };
        let clock_ends = || !digit && !WORDS.days.contains(word) && second_word(next.rest) != "time";
        if token.len() <= LONGEST_ABBREVIATION {
            if let Some(class) = WORDS.classes.get(token) {
                return match class {
                    Class::Inside => close > here + 1 && self.closes_quote(here + 1, close),
                    Class::Number => !digit,
                    Class::Maybe => opener(),
                    Class::Clock => clock_ends(),
                };
            }
            // Text that was taken apart: "8 p. m. Sunday", "$7. 2 billion".
            if token == "m" && (before.ends_with("a. m") || before.ends_with("p. m")) {
                return clock_ends();
            }
            if digit && is_whole_part(before, token) && (is_amount(before, token) || counts(next.rest)) {
                return false;
            }
            let mut letters = token.chars();
            if let (Some(letter), None) = (letters.next(), letters.next()) {
                // An initial; "I" as a word is rare before a stop.
                if letter.is_uppercase() {
                    return opener();
                }
            }
            if token.contains('.') && is_acronym(token) {
                return opener();
            }
            if token.bytes().all(|b| b.is_ascii_digit()) && token.len() <= 2 {
                // "1. Moscow agrees" at the start of a line is a numbered item.
                let head = before[..before.len() - token.len()].chars().rev();
                return head.take_while(|&c| c != '\n').any(char::is_alphanumeric);
            }
        }
        true
    }

    fn closes_quote(&self, from: usize, to: usize) -> bool {
        self.text[from..to].contains(['"', '”', '»'])
    }

    /// "(!)" and "(?)" within a sentence.
    fn in_brackets_alone(&self, here: usize, marks: usize) -> bool {
        here > self.range.start && self.bytes[here - 1] == b'(' && self.bytes.get(marks) == Some(&b')')
    }

    /// Decides at a line end: where the sentence ends if it does, and where to look next.
    fn line(&mut self, here: usize) -> (Option<usize>, usize) {
        let tail = &self.text[here..self.range.end];
        let rest = tail.trim_start();
        let next = self.range.end - rest.len();
        let cut = (Some(here), next);
        if rest.is_empty() || memchr::memchr_iter(b'\n', &self.bytes[here..next]).nth(1).is_some() || is_bullet(rest) {
            return cut;
        }
        let from = memchr::memrchr(b'\n', &self.bytes[self.range.start..here])
            .map_or(self.range.start, |at| self.range.start + at + 1);
        let line = self.text[from..here].trim();
        let goes_on = rest.starts_with(|c: char| c.is_lowercase() || matches!(c, ',' | ';' | ')' | '”' | '»'))
            || line.ends_with([',', '-', '(', '“'])
            || ends_in_small_word(line);
        if goes_on {
            return (None, next);
        }
        self.measure_block(from, here);
        let first_word = rest.split_whitespace().next().map_or(0, str::len);
        let wrapped = self.block.wrapped && line.len() >= 40 && line.len() + 1 + first_word > self.block.longest;
        if wrapped { (None, next) } else { cut }
    }

    /// Looks, once for each block, at the lengths and first letters of its lines.
    fn measure_block(&mut self, from: usize, here: usize) {
        if here < self.block.end {
            return;
        }
        let mut block = Block { end: self.range.end, longest: 0, wrapped: false };
        let mut at = from;
        for line in self.text[from..self.range.end].split_inclusive('\n') {
            let line_text = line.trim();
            if line_text.is_empty() && at > from {
                block.end = at;
                break;
            }
            block.longest = block.longest.max(line_text.len());
            block.wrapped |= at > from && line_text.starts_with(char::is_lowercase);
            at += line.len();
        }
        self.block = block;
    }
}

/// Whether a line starts as an item of a list does.
pub(crate) fn is_bullet(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        Some('•' | '·' | '▪' | '◦' | '‣' | '●' | '■' | '►' | '▶' | '➤' | '→' | '✓') => true,
        Some('*' | '-' | '+') => chars.next().is_some_and(char::is_whitespace),
        // A dash at the start of a wrapped line goes on in lower case.
        Some('–' | '—') => {
            chars.next().is_some_and(char::is_whitespace) && chars.as_str().starts_with(|c: char| !c.is_lowercase())
        }
        Some(c) if c.is_ascii_digit() => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            line.len() - rest.len() <= 2 && rest.starts_with(['.', ')']) && rest[1..].starts_with(char::is_whitespace)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand() {
        for c in ['.', '!', '?', '\n', '…', '。', '؟', '।', 'é', '漢'] {
            for (before, after) in (0..=130).flat_map(|before| [0, 1, 70].map(|after| (before, after))) {
                let text = format!("{}{c}{}", "a".repeat(before), "b".repeat(after));
                for range in [0..text.len(), before.min(1)..text.len(), 0..before] {
                    let splitter =
                        Splitter { text: &text, bytes: text.as_bytes(), range: range.clone(), block: Block::default() };
                    let is_mark = |at: &usize| KIND[usize::from(text.as_bytes()[*at])] != PLAIN;
                    assert_eq!(splitter.mark(range.start), range.clone().find(is_mark), "{text} {range:?}");
                }
            }
        }
    }

    #[test]
    fn a_range_is_divided_on_its_own_and_keeps_its_offsets() {
        let text = "One here. Two here. Three here.";
        let mut spans = Vec::new();
        sentences_in(text, 10..19, &mut spans);
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0], 10..19);
    }

    #[test]
    fn what_is_too_long_for_a_sentence_is_cut_at_white_space() {
        let text = format!(" {} \u{3000}{}", "Niger und Tschad ".repeat(1_000), "é".repeat(LONGEST));
        let found = sentences(&text);
        assert!(found.iter().all(|s| s.len() <= LONGEST && text[s.clone()].trim() == &text[s.clone()]));
        let words = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(found.iter().map(|s| words(&text[s.clone()])).collect::<String>(), words(&text));
        assert!(text[found[0].clone()].ends_with(['r', 'd']), "a word is whole");
    }

    #[test]
    fn nothing_comes_of_white_space() {
        assert!(sentences("").is_empty());
        assert!(sentences(" \n\u{a0}\n ").is_empty());
    }

    #[test]
    fn the_word_lists_are_read() {
        assert_eq!(WORDS.classes.get("Gen"), Some(&Class::Inside));
        assert_eq!(WORDS.classes.get("GEN"), Some(&Class::Inside));
        assert_eq!(WORDS.classes.get("Inc"), Some(&Class::Maybe));
        assert_eq!(WORDS.classes.get("NO"), None);
        assert!(WORDS.openers.contains("The") && WORDS.verbs.contains("asked") && WORDS.days.contains("GMT"));
    }

    #[test]
    fn hard_wrapped_paragraphs_are_joined_and_headings_are_not() {
        let text = "Moscow and Minsk sign\nRussia signed a treaty with the government of\nBelarus on Monday, and officials in Minsk said the\nKremlin had asked for it. China\nstayed silent.";
        let found: Vec<&str> = sentences(text).into_iter().map(|s| &text[s]).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "Moscow and Minsk sign");
        assert_eq!(found[2], "China\nstayed silent.");
    }
}
