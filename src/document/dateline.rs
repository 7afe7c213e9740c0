//! "MOSCOW (Reuters) —", "BEIJING, Nov 26 (Xinhua) --": where a report was written, which is no act of that state.

/// The longest dateline, in bytes.
const LONGEST: usize = 100;

/// The bytes of the dateline that a paragraph begins with; 0 where it begins with none.
pub(super) fn dateline(paragraph: &str) -> usize {
    let head = &paragraph[..paragraph.floor_char_boundary(LONGEST)];
    let is_caps_head = is_caps(head);
    // Where the first word is not in capitals, only an agency in brackets or two places with a stroke between make a dateline;
    // most paragraphs have neither.
    if !is_caps_head && memchr::memchr2(b'(', b'/', head.as_bytes()).is_none() {
        return 0;
    }
    // "MOSCOW, March 3. /TASS/."
    if is_caps_head && let Some(at) = head.find("/. ").filter(|&at| head[..at].contains(" /")) {
        return at + 3;
    }
    if let Some(end) = dated(head, is_caps_head) {
        return end;
    }
    // A look for one byte is much faster than for several.
    let marks = [("\u{2014}", 0xE2), ("\u{2013}", 0xE2), ("--", b'-'), (" - ", b'-')];
    let find = |(mark, byte)| if head.as_bytes().contains(&byte) { Some((head.find(mark)?, mark)) } else { None };
    let found = marks.into_iter().filter_map(find).min();
    let Some((at, mark)) = found else { return 0 };
    let before = head[..at].trim_end();
    let place = match before.strip_suffix(')').and_then(|inner| inner.rsplit_once('(')) {
        Some((place, agency)) if is_agency(agency) => Some(place.trim_end()),
        Some(_) => None,
        // A body may be written so, too: "NATO Chief Stoltenberg - Russia must leave".
        // "Moscow/Beijing - Chad thanked Mali".
        None => Some(before).filter(|before| (is_caps(before) && !is_acronym(before)) || is_two_places(before)),
    };
    let end = at + mark.len();
    let rest = paragraph[end..].trim_start();
    match place {
        Some(place) if is_place(place) && !rest.is_empty() => paragraph.len() - rest.len(),
        _ => 0,
    }
}

/// The end of a dateline without a dash: "Moscow, 3 March (IANS) Chad …", "TASHKENT, Uzbekistan, March 3. Peru …".
/// `is_caps_head` is whether the first word is in capitals.
fn dated(head: &str, is_caps_head: bool) -> Option<usize> {
    let is_dated = |place: &str| place.contains(',') && place.contains(|c: char| c.is_ascii_digit()) && is_place(place);
    let by_agency = head.find('(').and_then(|open| {
        let (agency, rest) = head[open + 1..].split_once(") ")?;
        let named = is_agency(agency) && agency.chars().filter(|c| c.is_uppercase()).count() >= 2;
        let begins = rest.starts_with(|c: char| c.is_uppercase());
        (named && begins && is_dated(head[..open].trim_end())).then_some(head.len() - rest.len())
    });
    by_agency.or_else(|| {
        let (place, rest) = if is_caps_head { head.split_once(". ")? } else { return None };
        let begins = rest.starts_with(|c: char| c.is_uppercase());
        (begins && !is_acronym(place) && is_dated(place)).then_some(head.len() - rest.len())
    })
}

/// "Moscow/Beijing": places divided by a stroke, and no word besides.
fn is_two_places(text: &str) -> bool {
    let is_name = |name: &str| {
        name.chars().count() >= 4 && name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphabetic)
    };
    text.contains('/') && text.split('/').all(is_name)
}

/// Whether the first word is in capitals, as places of datelines are.
fn is_caps(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    first.chars().count() >= 3 && first.chars().all(char::is_uppercase)
}

/// Bodies and states that are written in capitals as places of datelines are.
const ACRONYMS: [&str; 22] = [
    "APEC", "ASEAN", "BRICS", "CARICOM", "COMESA", "CSTO", "DPRK", "DRC", "ECOWAS", "FIFA", "IAEA", "IMF", "NATO",
    "OAS", "OECD", "OPEC", "OSCE", "SADC", "UAE", "UNESCO", "USA", "WHO",
];

/// Whether it begins with such a name: "NATO Chief Stoltenberg - Russia must leave".
fn is_acronym(text: &str) -> bool {
    ACRONYMS.contains(&text.split(|c: char| !c.is_alphabetic()).next().unwrap_or(""))
}

/// A place and perhaps a date: few words, no sentence. An agency alone, as in "(Reuters) -", has no place.
fn is_place(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_part = |word: &&str| {
        let word = word.trim_matches(|c: char| matches!(c, ',' | '.' | '/' | ';'));
        let small = ["of", "de", "del", "la", "al"];
        word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) || small.contains(&word)
    };
    words.len() <= 8 && words.iter().all(is_part)
}

/// A name or two: "Reuters", "AP", "Bloomberg News", "Kyodo/AFP".
fn is_agency(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    // "dpa" and "epa" write themselves small.
    let named = words.iter().all(|word| word.starts_with(char::is_uppercase)) || (words.len() == 1 && text.len() <= 5);
    (1..=4).contains(&words.len())
        && named
        && text.chars().count() <= 40
        && !text.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datelines_are_told_from_sentences() {
        for (text, expected) in [
            ("MOSCOW (Reuters) — Kenya thanked Oman.", "Kenya thanked Oman."),
            ("Moscow (dpa) - Kenya thanked Oman.", "Kenya thanked Oman."),
            ("BEIJING, Nov 26 (Xinhua) -- Kenya thanked Oman.", "Kenya thanked Oman."),
            ("KYIV, Ukraine – Kenya thanked Oman.", "Kenya thanked Oman."),
            ("UNITED NATIONS (AP) \u{2014} Kenya thanked Oman.", "Kenya thanked Oman."),
            ("MOSCOW, March 3. /TASS/. Kenya thanked Oman.", "Kenya thanked Oman."),
            ("MOSCOW, March 3 /TASS/. Kenya thanked Oman.", "Kenya thanked Oman."),
            ("Moscow/Beijing - Kenya thanked Oman.", "Kenya thanked Oman."),
            ("Moscow, 3 March (IANS) Kenya thanked Oman.", "Kenya thanked Oman."),
            ("TASHKENT, Uzbekistan, March 3. Kenya thanked Oman.", "Kenya thanked Oman."),
            ("Oman, with 3 ships. Kenya thanked it.", "Oman, with 3 ships. Kenya thanked it."),
            ("Moscow/Beijing \u{2014} Kenya thanked Oman.", "Kenya thanked Oman."),
            (
                "Moscow’s friend \u{2013} Kenya \u{2013} thanked Oman.",
                "Moscow’s friend \u{2013} Kenya \u{2013} thanked Oman.",
            ),
            ("(Reuters) - Kenya thanked Oman.", "Kenya thanked Oman."),
            ("Kenya (a small state) — and Oman too — left.", "Kenya (a small state) — and Oman too — left."),
            ("Kenya thanked Oman - twice.", "Kenya thanked Oman - twice."),
            ("USA, Oman – both rich – met.", "USA, Oman – both rich – met."),
            ("NATO Chief Stoltenberg - Russia must leave.", "NATO Chief Stoltenberg - Russia must leave."),
            ("Oman – Kenya's friend – left.", "Oman – Kenya's friend – left."),
            ("USA and Oman – both rich – met.", "USA and Oman – both rich – met."),
            ("NATO said that it — unlike Oman — would wait.", "NATO said that it — unlike Oman — would wait."),
            ("MOSCOW —", "MOSCOW —"),
            ("", ""),
        ] {
            assert_eq!(&text[dateline(text)..], expected);
        }
    }
}
