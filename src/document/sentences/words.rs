//! What the words around a stop say: abbreviations, numbers, verbs of saying.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::document::word_lists;

/// How a full stop after a word is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Inside,
    Number,
    Maybe,
    Clock,
}

/// The longest abbreviation in characters.
pub(super) const LONGEST_ABBREVIATION: usize = 10;

pub(super) struct Words {
    pub classes: FxHashMap<String, Class>,
    pub openers: FxHashSet<&'static str>,
    pub days: FxHashSet<&'static str>,
    pub names: FxHashSet<&'static str>,
    pub predicates: FxHashSet<&'static str>,
    pub verbs: FxHashSet<&'static str>,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let lists = word_lists(include_str!("abbreviations.txt"), |line| line.split_whitespace().collect());
    let set = |name: &str| lists.get(name).into_iter().flatten().copied().collect();
    let mut classes = FxHashMap::default();
    let named =
        [("inside", Class::Inside), ("number", Class::Number), ("maybe", Class::Maybe), ("clock", Class::Clock)];
    for (name, class) in named {
        for &word in lists.get(name).into_iter().flatten() {
            debug_assert!(word.len() <= LONGEST_ABBREVIATION, "{word} is too long");
            classes.insert(word.to_owned(), class);
            let mut letters = word.chars();
            let capitalised =
                letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default();
            // A word that is capitalised in the list may stand in capitals ("GEN."); a single letter may not ("V.").
            if word.len() > 1 {
                classes.entry(capitalised.clone()).or_insert(class);
                if word == capitalised || class == Class::Clock {
                    classes.entry(word.to_uppercase()).or_insert(class);
                }
            }
        }
    }
    // These are words when they stand in capitals.
    for word in ["NO", "MAY", "MISS", "AM", "CO", "LA", "MAR"] {
        classes.remove(word);
    }
    Words {
        classes,
        openers: set("openers"),
        days: set("days"),
        names: set("names"),
        predicates: set("predicates"),
        verbs: set("verbs"),
    }
});

/// The letters, digits, full stops, `&` and apostrophes at the end of `text`, without opening quotes.
pub(super) fn last_token(text: &str) -> &str {
    let mut from = text.len();
    for (count, (at, c)) in text.char_indices().rev().enumerate() {
        if !(c.is_alphanumeric() || matches!(c, '.' | '&' | '\'')) || count > LONGEST_ABBREVIATION {
            break;
        }
        from = at;
    }
    text[from..].trim_start_matches(['\'', '.'])
}

pub(super) fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

/// Whether a sentence about a state begins here: a name, and a verb after it.
pub(super) fn opens_with_name(text: &str) -> bool {
    let name = first_word(text);
    WORDS.names.contains(name) && {
        let verb = first_word(text[name.len()..].trim_start_matches([' ', '\n']));
        WORDS.predicates.contains(verb)
            || (verb.len() > 4 && verb.ends_with("ed") && verb.bytes().all(|b| b.is_ascii_lowercase()))
    }
}

pub(super) fn second_word(text: &str) -> &str {
    text.split_whitespace().nth(1).map_or("", first_word)
}

/// Letters one or two long with full stops between: "U.S", "U.N", "D.C", "U.A.E"; not "Kremlin.ru".
pub(super) fn is_acronym(token: &str) -> bool {
    token.split('.').all(|part| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic))
        && token.starts_with(char::is_uppercase)
}

/// Whether a sentence could begin here: a capital, a digit, a letter without case, or a name such as `al-Assad`.
pub(super) fn opens_sentence(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    if !first.is_lowercase() {
        return first.is_alphanumeric() || !first.is_ascii() || matches!(first, '$' | '#' | '@');
    }
    // `al-Shabaab`, `el-Sisi`, `iPhone`, `eBay`.
    let mut rest = text.chars().skip(1);
    match (rest.next(), rest.next(), rest.next()) {
        (Some('l'), Some('-'), Some(c)) => c.is_uppercase(),
        (Some(c), _, _) => c.is_uppercase(),
        _ => false,
    }
}

/// Whether one to three capitalised words and then a verb of saying stand here: "Putin asked", "Sergei Lavrov said".
pub(super) fn says(text: &str) -> bool {
    for (place, word) in text.split_whitespace().take(4).enumerate() {
        let word = word.trim_end_matches([',', '.', ':', ';']);
        if place > 0 && WORDS.verbs.contains(word) {
            return true;
        }
        if !word.starts_with(char::is_uppercase) {
            return false;
        }
    }
    false
}

/// Whether `token`, at the end of `before`, may stand before a decimal point.
pub(super) fn is_whole_part(before: &str, token: &str) -> bool {
    let head = before.strip_suffix(token).unwrap_or(before);
    token.len() <= 3 && token.bytes().all(|b| b.is_ascii_digit()) && !head.ends_with([':', '-', '/'])
}

/// Whether a sign of a currency stands before `token`, which ends `before`.
pub(super) fn is_amount(before: &str, token: &str) -> bool {
    before.strip_suffix(token).is_some_and(|head| head.ends_with(['$', '£', '€', '¥']))
}

/// Whether digits and then a word of number or a per cent sign stand here.
pub(super) fn counts(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    text.len() - rest.len() <= 2
        && (rest.starts_with('%')
            || ["million", "billion", "trillion", "percent", "per cent"]
                .iter()
                .any(|word| rest.trim_start().starts_with(word)))
}

/// A line that ends in one of these goes on in the next.
pub(super) fn ends_in_small_word(line: &str) -> bool {
    const SMALL: [&str; 24] = [
        "a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "into", "its", "of", "on", "or", "over",
        "than", "that", "the", "their", "to", "under", "which", "with",
    ];
    line.rsplit(char::is_whitespace).next().is_some_and(|last| SMALL.binary_search(&last).is_ok())
}
