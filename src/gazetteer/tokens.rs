//! Splits names and text alike into steps, so that a name is found by walking step by step.
//!
//! A step is at most one separator and the word after it: `Cote d'Ivoire` is `Cote`, ` d`, `'Ivoire`; `U.S.` is `U`,
//! `.S`, `.`. Words are whole runs of letters and digits, so a name can only begin and end at a word's edge. Any
//! white space with at most one line break counts as one blank, every apostrophe as `'`, every hyphen as `-`.

use std::ops::Range;

use wide::i8x64;

use crate::swar;

/// One step of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Hash of the separator and of the word in lower case.
    pub hash: u64,
    /// Where the step ends in the text.
    pub end: usize,
}

/// The character that begins at byte `at`.
pub(super) fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

/// The character that ends at byte `at`.
pub(super) fn char_before(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back()
}

/// Maps the many apostrophes and hyphens to `'` and `-`, and white space to a blank.
pub(super) fn normal(c: char) -> char {
    match c {
        // Most of what there is.
        '!'..='_' | 'a'..='~' => c,
        '\u{2019}' | '\u{2018}' | '\u{2bc}' | '`' | '\u{b4}' => '\'',
        '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// The end of the word that begins at `at`; `at` itself if none does.
pub(super) fn word_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = at;
    loop {
        end = swar::run_end(bytes, end, |eight| swar::letters(eight) | swar::digits(eight));
        if bytes.get(end).is_none_or(u8::is_ascii) {
            return end;
        }
        match char_at(text, end) {
            Some(c) if c.is_alphanumeric() => end += c.len_utf8(),
            _ => return end,
        }
    }
}

/// The end of the white space that begins at `at`, if it is short enough to lie within a name.
fn blank_end(text: &str, at: usize) -> Option<usize> {
    const LONGEST: usize = 24;
    let (mut end, mut breaks) = (at, 0);
    while let Some(c) = char_at(text, end).filter(|c| c.is_whitespace()) {
        breaks += usize::from(c == '\n' || c == '\u{2029}');
        end += c.len_utf8();
        if breaks > 1 || end - at > LONGEST {
            return None;
        }
    }
    (end > at).then_some(end)
}

/// For 64 bytes, which of them may belong to a word (letters, digits, all beyond ASCII), and which are beyond ASCII: a
/// bit each, the first byte's lowest.
fn masks(bytes: &[u8; 64]) -> (u64, u64) {
    // As numbers with a sign, those beyond ASCII are below zero.
    let bytes = i8x64::new(bytes.map(u8::cast_signed));
    let within = |bytes: i8x64, first: u8, last: u8| {
        bytes.simd_gt(i8x64::splat(first.cast_signed() - 1)) & bytes.simd_lt(i8x64::splat(last.cast_signed() + 1))
    };
    let small = bytes | i8x64::splat(0x20);
    let high = bytes.simd_lt(i8x64::splat(0));
    let words = within(small, b'a', b'z') | within(bytes, b'0', b'9') | high;
    (words.to_bitmask(), high.to_bitmask())
}

/// Calls `with` for each byte that a word may begin at, from left to right.
///
/// Takes 64 bytes at a time: one bit for each says whether it belongs to a word, from which the bits of the words'
/// first bytes follow without a branch. Any byte beyond ASCII counts as part of a word here, and every byte after one as
/// a possible start; the character decides.
pub(super) fn word_starts(bytes: &[u8], mut with: impl FnMut(usize)) {
    let (whole, rest) = bytes.as_chunks();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let (mut word_before, mut high_before) = (0, 0);
    for (block, bytes) in whole.iter().chain([&last]).enumerate() {
        let (words, high) = masks(bytes);
        let mut starts = words & (!(words << 1 | word_before) | high << 1 | high_before);
        (word_before, high_before) = (words >> 63, high >> 63);
        while starts != 0 {
            with(block * 64 + starts.trailing_zeros() as usize);
            starts &= starts - 1;
        }
    }
}

/// The hash of a word of `text`, its capitals as small letters.
pub(super) fn hash_word(seed: u64, text: &str, word: Range<usize>) -> u64 {
    let (hash, is_ascii) = hash_bytes(seed, text.as_bytes(), word.clone());
    if is_ascii {
        return hash;
    }
    let small: String = text[word].chars().flat_map(char::to_lowercase).collect();
    hash_bytes(seed, small.as_bytes(), 0..small.len()).0
}

/// The hash of some of these bytes, eight at a time, the capitals of ASCII as small letters; and whether all are of ASCII.
fn hash_bytes(seed: u64, bytes: &[u8], some: Range<usize>) -> (u64, bool) {
    let (mut hash, mut all) = (seed, 0);
    for eight in swar::eights(bytes, some) {
        all |= eight;
        let product = u128::from(hash ^ swar::lower_case(eight)) * 0x9e37_79b9_7f4a_7c15;
        hash = (product >> 64) as u64 ^ product as u64;
    }
    (hash, all & swar::TOPS == 0)
}

/// The first step of a name that begins at `at`: a word.
pub(super) fn first_step(text: &str, at: usize) -> Option<Step> {
    let end = word_end(text, at);
    (end > at).then(|| Step { hash: hash_word(0xcbf2_9ce4_8422_2325, text, at..end), end })
}

/// The step after one that ended at `at`: a separator and the word after it, which may be empty.
pub(super) fn next_step(text: &str, at: usize) -> Option<Step> {
    let (separator, from) = match text.as_bytes().get(at..)? {
        // Most of what there is.
        [b' ', next, ..] if next.is_ascii_graphic() => (' ', at + 1),
        _ => separator(text, at)?,
    };
    let end = word_end(text, from);
    let seed = (0x9e37_79b9_7f4a_7c15 ^ u64::from(u32::from(separator))).wrapping_mul(0xff51_afd7_ed55_8ccd);
    Some(Step { hash: hash_word(seed, text, from..end), end })
}

/// The separator that begins at `at`, and where it ends.
fn separator(text: &str, at: usize) -> Option<(char, usize)> {
    let c = char_at(text, at)?;
    let separator = normal(c);
    let end = if separator == ' ' { blank_end(text, at)? } else { at + c.len_utf8() };
    Some((separator, end))
}

/// How the letters of a text compare with those of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// As written, but for lower-case words of the name that may be capitalised ("the West", "The West").
    Same,
    /// The text is in capitals where the name is not.
    Capitals,
}

/// Compares `text` with `name`, character by character, under the rules of this module.
pub(super) fn compare(text: &str, name: &str) -> Option<Case> {
    let mut characters = text.chars().peekable();
    let (mut case, mut small, mut at_start) = (Case::Same, false, true);
    for n in name.chars().map(normal) {
        let c = characters.next()?;
        let t = normal(c);
        if n == ' ' {
            if t != ' ' {
                return None;
            }
            while characters.peek().is_some_and(|c| c.is_whitespace()) {
                characters.next();
            }
        } else if t != n {
            if !t.to_lowercase().eq(n.to_lowercase()) || !t.is_uppercase() {
                return None;
            }
            if !at_start {
                case = Case::Capitals;
            }
        }
        small |= t.is_lowercase();
        at_start = !t.is_alphanumeric();
    }
    (characters.next().is_none() && (case == Case::Same || !small)).then_some(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<&str> {
        let mut all = vec![];
        let (mut at, mut step) = (0, first_step(text, 0));
        while let Some(s) = step {
            all.push(&text[at..s.end]);
            at = s.end;
            step = next_step(text, at);
        }
        all
    }

    #[test]
    fn steps_are_separator_and_word() {
        assert_eq!(steps("Cote d'Ivoire"), ["Cote", " d", "'Ivoire"]);
        assert_eq!(steps("U.S."), ["U", ".S", "."]);
        assert_eq!(steps("U. S."), ["U", ".", " S", "."]);
    }

    #[test]
    fn spelling_variants_take_the_same_steps() {
        let hashes = |text: &str| {
            let (mut all, mut step) = (vec![], first_step(text, 0));
            while let Some(s) = step {
                all.push(s.hash);
                step = next_step(text, s.end);
            }
            all
        };
        assert_eq!(hashes("South Sudan"), hashes("SOUTH\r\n  sudan"));
        assert_eq!(hashes("Cote d'Ivoire"), hashes("Cote d’Ivoire"));
        assert_ne!(hashes("South Sudan"), hashes("South-Sudan"));
        assert!(next_step("a\n\nb", 1).is_none());
    }

    #[test]
    fn case_is_compared() {
        for (text, name, expected) in [
            ("Russia", "Russia", Some(Case::Same)),
            ("RUSSIA", "Russia", Some(Case::Capitals)),
            ("russia", "Russia", None),
            ("RUSSiA", "Russia", None),
            ("The West", "the West", Some(Case::Same)),
            ("Russian Foreign Ministry", "Russian foreign ministry", Some(Case::Same)),
            ("us", "US", None),
            ("South\nSudan", "South Sudan", Some(Case::Same)),
            ("N’Djamena", "N'Djamena", Some(Case::Same)),
            ("CÔTE D’IVOIRE", "Côte d'Ivoire", Some(Case::Capitals)),
        ] {
            assert_eq!(compare(text, name), expected, "{text} {name}");
        }
    }

    #[test]
    fn words_begin_where_they_should_wherever_blocks_end() {
        for length in 0..200 {
            // Words of one to seven letters, some that begin with a letter beyond ASCII, and a byte of zero.
            let mut text: String = (0..)
                .flat_map(|n: usize| {
                    ["é", "x", "yz", "0"][n % 4]
                        .repeat(n % 7 + 1)
                        .chars()
                        .chain([['\0', ' ', '.'][n % 3]])
                        .collect::<Vec<_>>()
                })
                .take(length)
                .collect();
            text.push_str(&"a".repeat(length % 3));
            let bytes = text.as_bytes();
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
            let begins =
                |&at: &usize| is_part(bytes[at]) && (at == 0 || !is_part(bytes[at - 1]) || bytes[at - 1] >= 0x80);
            let mut found = Vec::new();
            word_starts(bytes, |at| found.push(at));
            assert_eq!(found, (0..bytes.len()).filter(begins).collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn hashes_tell_words_apart_whatever_their_length() {
        let long = "abcdefghijklmnopqrstuvwxyz";
        let hashes: std::collections::BTreeSet<u64> = (0..=26).map(|end| hash_word(1, long, 0..end)).collect();
        assert_eq!(hashes.len(), 27);
        // The sign of Kelvin, whose small letter is that of ASCII.
        let hash = |word: &str| hash_word(1, word, 0..word.len());
        assert_eq!(hash("\u{212a}elvinabcdef"), hash("KELVINabcdef"));
    }

    proptest::proptest! {
        #[test]
        fn words_are_as_their_letters(text in "[aZ09@`{/: \u{0}éÉ漢\u{212a}’İ]{0,30}|[a-zA-Z0-9]{0,30}", at in 0..40usize) {
            let at = text.floor_char_boundary(at);
            let rest = &text[at..];
            let end = at + rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            proptest::prop_assert_eq!(word_end(&text, at), end);
            let small: String = text[at..end].chars().flat_map(char::to_lowercase).collect();
            let alone = hash_word(7, &small, 0..small.len());
            proptest::prop_assert_eq!(hash_word(7, &text, at..end), alone);
            // What stands beside it says nothing.
            proptest::prop_assert_eq!(hash_word(7, &format!("{small}Zz9 é{small}"), 0..small.len()), alone);
        }
    }

    #[test]
    fn masks_agree_with_the_definition() {
        for first in (0..=255u8).step_by(64) {
            let bytes: [u8; 64] = std::array::from_fn(|i| first + i as u8);
            let (words, high) = masks(&bytes);
            for (i, b) in bytes.iter().enumerate() {
                assert_eq!(words >> i & 1 == 1, b.is_ascii_alphanumeric() || *b >= 0x80, "{b}");
                assert_eq!(high >> i & 1 == 1, *b >= 0x80, "{b}");
            }
        }
    }
}
