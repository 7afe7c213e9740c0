//! Text as it is written, and as it is meant: without marks inside words that nobody sees, without ligatures, and with letters
//! and their accents as one character.

use unicode_normalization::char::compose;

/// What is not seen, and what letters stand for ligatures.
const HIDDEN: [&str; 6] = ["\u{ad}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}"];
const LIGATURES: [(&str, &str); 7] = [
    ("\u{fb00}", "ff"),
    ("\u{fb01}", "fi"),
    ("\u{fb02}", "fl"),
    ("\u{fb03}", "ffi"),
    ("\u{fb04}", "ffl"),
    ("\u{fb05}", "st"),
    ("\u{fb06}", "st"),
];

/// A text without these, and where it stands in the one that has them.
pub(super) struct Plain {
    pub text: String,
    /// Pairs of places, in the plain text and in the written one, from which on the two run alike.
    places: Vec<(usize, usize)>,
    /// Places of the plain text between the letters of a ligature.
    inside: Vec<usize>,
    /// Where letters that are written otherwise end, in the plain text and in the written one.
    ends: Vec<(usize, usize)>,
}

impl Plain {
    /// The plain text; `None` where the written one is as plain, as nearly every text is.
    pub fn new(written: &str) -> Option<Self> {
        if written.is_ascii() || !is_changed(written.as_bytes()) {
            return None;
        }
        let mut plain = Self {
            text: String::with_capacity(written.len()),
            places: vec![(0, 0)],
            inside: Vec::new(),
            ends: Vec::new(),
        };
        let mut at = 0;
        while let Some(c) = written[at..].chars().next() {
            let length = c.len_utf8();
            let piece = &written[at..at + length];
            at += length;
            if HIDDEN.contains(&piece) {
                plain.places.push((plain.text.len(), at));
            } else if let Some((_, letters)) = LIGATURES.iter().find(|(ligature, _)| *ligature == piece) {
                plain.inside.extend((1..letters.len()).map(|i| plain.text.len() + i));
                plain.text.push_str(letters);
                plain.places.push((plain.text.len(), at));
                plain.ends.push((plain.text.len(), at));
            } else if is_accent(c)
                && let Some(letter) = plain.text.chars().next_back().and_then(|before| compose(before, c))
            {
                plain.text.pop();
                plain.text.push(letter);
                plain.places.push((plain.text.len(), at));
                plain.ends.push((plain.text.len(), at));
            } else {
                plain.text.push(c);
            }
        }
        Some(plain)
    }

    /// Where a name that begins here in the plain text begins in the written one.
    pub fn start(&self, at: usize) -> usize {
        self.written(at, true)
    }

    /// Where a name that ends here in the plain text ends in the written one.
    pub fn end(&self, at: usize) -> usize {
        match self.ends.binary_search_by_key(&at, |&(plain, _)| plain) {
            Ok(found) => self.ends[found].1,
            Err(_) => self.written(at, false),
        }
    }

    fn written(&self, at: usize, behind: bool) -> usize {
        // What is hidden at the edge of a name belongs to neither side of it.
        let last = self.places.partition_point(|&(plain, _)| if behind { plain <= at } else { plain < at });
        let (plain, written) = self.places[last.saturating_sub(1)];
        let next = self.places.get(last).map_or(usize::MAX, |&(_, written)| written);
        let place = written + (at - plain.min(at));
        // Inside a ligature there is no place; its end is the nearest.
        if self.inside.contains(&at) { next } else { place.min(next) }
    }
}

/// Whether a text holds what is hidden, ligatures or accents apart from their letters, or bytes that such begin with.
fn is_changed(text: &[u8]) -> bool {
    // All ligatures begin with these two bytes, and all accents with one of those two.
    let begins = |at: usize| {
        let rest = &text[at..];
        rest.starts_with(b"\xEF\xAC") || HIDDEN.iter().any(|hidden| rest.starts_with(hidden.as_bytes()))
    };
    memchr::memchr2(0xCC, 0xCD, text).is_some() || memchr::memchr3_iter(0xC2, 0xE2, 0xEF, text).any(begins)
}

/// Whether a character is an accent of the one before it.
fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_are_written() {
        assert!(Plain::new("Chad – where?").is_none());
        let accents = "Co\u{302}te d'Ivoire, Mali, Tu\u{308}rkiye, Sa\u{303}o Tome\u{301} and Cardi\u{fb00}";
        let plain = Plain::new(accents).expect("it has accents");
        assert_eq!(plain.text, "Côte d'Ivoire, Mali, Türkiye, São Tomé and Cardiff");
        for (name, expected) in [
            ("Côte d'Ivoire", "Co\u{302}te d'Ivoire"),
            ("Mali", "Mali"),
            ("Türkiye", "Tu\u{308}rkiye"),
            ("São Tomé", "Sa\u{303}o Tome\u{301}"),
            ("Cardiff", "Cardi\u{fb00}"),
        ] {
            let at = plain.text.find(name).expect("it is there");
            assert_eq!(&accents[plain.start(at)..plain.end(at + name.len())], expected);
        }
        let written = "\u{feff}In Tur\u{ad}key\u{200b}, O\u{ad}m\u{ad}an and the paci\u{fb01}c";
        let plain = Plain::new(written).expect("it has such marks");
        assert_eq!(plain.text, "In Turkey, Oman and the pacific");
        for (name, expected) in [("Turkey", "Tur\u{ad}key"), ("Oman", "O\u{ad}m\u{ad}an"), ("pacific", "paci\u{fb01}c")]
        {
            let at = plain.text.find(name).expect("it is there");
            assert_eq!(&written[plain.start(at)..plain.end(at + name.len())], expected);
        }
    }
}
