//! The usual tokens of plain text, without the tables that text of any kind needs.
//!
//! Most text is ASCII with a few quotation marks, dashes, accents and signs such as `£`. None of these characters changes under
//! NFKC, or meets another to become one, and each has one small letter; so a loop over bytes gives what the steps of
//! [`Tokenizer`](super::tokenize::Tokenizer) give. A test holds it to them.

use std::ops::Range;

use compact_str::CompactString;

use super::tokenize::Token;
use crate::swar;

/// What a character is to the pattern of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// `'`, and `’` and `‘`, which become it.
    Apostrophe,
    /// `.` and `,`, which join digits.
    Point,
    Sign,
    Space,
    /// None of the characters that this module knows.
    Other,
}

const CLASSES: [Class; 128] = {
    let mut classes = [Class::Sign; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'\'' => Class::Apostrophe,
            b'.' | b',' => Class::Point,
            b' ' | b'\t'..=b'\r' => Class::Space,
            _ => Class::Sign,
        };
        byte += 1;
    }
    classes
};

/// The class of the character at `at`, and how many bytes it has.
#[inline]
fn class(bytes: &[u8], at: usize) -> (Class, usize) {
    match bytes[at..] {
        [byte @ ..0x80, ..] => (CLASSES[byte as usize], 1),
        // À to ÿ, but for × and ÷.
        [0xC3, 0x97 | 0xB7, ..] => (Class::Other, 2),
        [0xC3, _, ..] => (Class::Letter, 2),
        // ‘ and ’
        [0xE2, 0x80, 0x98 | 0x99, ..] => (Class::Apostrophe, 3),
        // – — “ ” •
        [0xE2, 0x80, 0x93 | 0x94 | 0x9C | 0x9D | 0xA2, ..] => (Class::Sign, 3),
        // €
        [0xE2, 0x82, 0xAC, ..] => (Class::Sign, 3),
        // ¡ ¢ £ ¤ ¥ ¦ § © « ¬ ® ° ± ¶ · » ¿
        [0xC2, 0xA1..=0xA7 | 0xA9 | 0xAB | 0xAC | 0xAE | 0xB0 | 0xB1 | 0xB6 | 0xB7 | 0xBB | 0xBF, ..] => {
            (Class::Sign, 2)
        }
        _ => (Class::Other, 1),
    }
}

/// Appends the tokens of `piece`, which begins at `from`; nothing, and `None`, where it has other characters than these.
pub(super) fn tokenize(piece: &str, from: usize, tokens: &mut Vec<Token>) -> Option<()> {
    let before = tokens.len();
    let bytes = piece.as_bytes();
    let mut at = 0;
    loop {
        // Most of what there is: a blank, a word, a blank.
        at += usize::from(bytes.get(at) == Some(&b' '));
        if at == bytes.len() {
            return Some(());
        }
        let start = at;
        let (first, size) = class(bytes, at);
        at += size;
        // The likeliest first: which of them it is, a processor guesses better one by one than all at once.
        if first == Class::Letter {
            at = run(bytes, at, Class::Letter, Class::Apostrophe, swar::letters);
        } else if first == Class::Digit {
            at = run(bytes, at, Class::Digit, Class::Point, swar::digits);
        } else if first == Class::Space {
            continue;
        } else if first == Class::Other {
            tokens.truncate(before);
            return None;
        }
        let written = &piece[start..at];
        let capitalised = match bytes[start] {
            byte @ ..0x80 => byte.is_ascii_uppercase(),
            _ => written.chars().next().is_some_and(char::is_uppercase),
        };
        tokens.push(Token { word: word(piece, start..at), span: from + start..from + at, mark: None, capitalised });
    }
}

/// The end of a run of `of` from `at` on, with single characters of `joint` between; `ascii` says which of eight bytes are `of`.
#[inline]
fn run(bytes: &[u8], mut at: usize, of: Class, joint: Class, ascii: impl Fn(u64) -> u64) -> usize {
    loop {
        at = swar::run_end(bytes, at, &ascii);
        if at == bytes.len() || bytes[at] == b' ' {
            return at;
        }
        let (next, size) = class(bytes, at);
        let joins = || next == joint && at + size < bytes.len() && class(bytes, at + size).0 == of;
        if next != of && !joins() {
            return at;
        }
        at += size;
    }
}

/// A token as the steps of the tokeniser write it.
fn word(piece: &str, at: Range<usize>) -> CompactString {
    let (mut changing, mut beyond) = (0, 0);
    for eight in swar::eights(piece.as_bytes(), at.clone()) {
        changing |= swar::capitals(eight);
        beyond |= eight & swar::TOPS;
    }
    let written = &piece[at];
    if beyond != 0 {
        let plain = |c: char| match c {
            '‘' | '’' => '\'',
            '“' | '”' => '"',
            _ => c,
        };
        return written.chars().map(plain).flat_map(char::to_lowercase).collect();
    }
    let mut word = CompactString::new(written);
    if changing != 0 {
        word.as_mut_str().make_ascii_lowercase();
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tokenize::Tokenizer;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn plain_text_has_the_tokens_of_any_text(
            text in "([a-zA-Z0-9 '.,;:$%&/()!?<>~^`|_\\-\"À-ÿ‘’“”–—•€£°·»\t\n\u{1}\u{1f}\u{7f}]|[a-z]{1,3}['’][a-z]|[0-9][.,][0-9]|'|’|\\.){0,40}",
        ) {
            let mut found = Vec::new();
            let done = tokenize(&text, 0, &mut found);
            prop_assert_eq!(done.is_some(), !text.contains(['×', '÷']));
            if done.is_some() {
                prop_assert_eq!(found, Tokenizer::default().tokenize_any(&text));
            } else {
                prop_assert!(found.is_empty());
            }
        }
    }

    #[test]
    fn every_character_that_is_known_alone_and_among_others() {
        for c in ('\0'..='\u{2100}').filter(|c| class(c.to_string().as_bytes(), 0).0 != Class::Other) {
            for text in [format!("{c}"), format!("a{c}b"), format!("1{c}2"), format!(" {c}{c}a")] {
                let mut found = Vec::new();
                assert!(tokenize(&text, 0, &mut found).is_some());
                assert_eq!(found, Tokenizer::default().tokenize_any(&text), "{text:?}");
            }
        }
    }
}
