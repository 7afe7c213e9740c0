//! A subject that the next sentence takes up without a name: "It also expelled …", "The kingdom said …".

use super::Sentence;
use super::party::Party;
use crate::Span;

/// Words that take up the subject of the sentence before.
const PRONOUNS: [&str; 8] = ["He", "Her", "His", "It", "Its", "She", "Their", "They"];

/// Words of the speaker at the start of a quotation that goes on.
const SPEAKERS: [&str; 3] = ["I", "Our", "We"];

/// What may stand before a pronoun.
const OPENERS: [&str; 8] = ["And", "But", "Earlier", "Instead", "Later", "Meanwhile", "Still", "Yet"];

/// After "it" these speak of nobody: "It is unclear", "It remains to be seen".
const EMPTY: [&str; 12] =
    ["appeared", "appears", "is", "may", "remained", "remains", "seemed", "seems", "takes", "took", "was", "would"];

/// After "the" these stand for the subject of the sentence before.
const NOUNS: [&str; 36] = [
    "administration",
    "alliance",
    "ambassador",
    "army",
    "bloc",
    "cabinet",
    "chancellor",
    "country",
    "delegation",
    "embassy",
    "emirate",
    "envoy",
    "government",
    "island",
    "junta",
    "king",
    "kingdom",
    "leader",
    "leadership",
    "military",
    "minister",
    "ministry",
    "monarchy",
    "movement",
    "nation",
    "parliament",
    "premier",
    "president",
    "regime",
    "republic",
    "spokesman",
    "spokesperson",
    "spokeswoman",
    "state",
    "sultanate",
    "union",
];

/// Of these the noun is the next word: "the foreign ministry", "the prime minister".
const MODIFIERS: [&str; 6] = ["armed", "defence", "defense", "foreign", "prime", "ruling"];

/// After these a name is no subject.
const PREPOSITIONS: [&str; 18] = [
    "about", "against", "among", "at", "between", "by", "for", "from", "in", "into", "near", "of", "on", "over",
    "than", "to", "toward", "with",
];

/// The words at the start of `sentence` that stand for the subject of the one before, as a range in it.
pub(super) fn carrier(sentence: &str) -> Option<Span> {
    let quoted = sentence.starts_with(['"', '\u{201c}', '\u{2018}', '\'']);
    let start = sentence.len() - sentence.trim_start_matches(['"', '\u{201c}', '\u{2018}', '\'']).len();
    let (first, after) = word(sentence, start)?;
    let span = first.clone();
    let text = &sentence[first];
    if quoted {
        return has(&SPEAKERS, text).then_some(span);
    }
    if OPENERS.contains(&text) {
        let (next, after) = word(sentence, after)?;
        let text = &sentence[next.clone()];
        let is_small = text.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_pronoun = is_small && has_in_any_case(&PRONOUNS, text);
        return (is_pronoun && !is_empty(sentence, text, after)).then_some(next);
    }
    if has(&PRONOUNS, text) {
        return (!is_empty(sentence, text, after)).then_some(span);
    }
    if text != "The" {
        return None;
    }
    let (mut noun, mut after) = word(sentence, after)?;
    if has(&MODIFIERS, &sentence[noun.clone()]) {
        (noun, after) = word(sentence, after)?;
    }
    let is_named = word(sentence, after).is_some_and(|(next, _)| matches!(&sentence[next], "of" | "in"));
    (has(&NOUNS, &sentence[noun.clone()]) && !is_named).then_some(span.start..noun.end)
}

/// Whether "it" speaks of nobody here.
fn is_empty(sentence: &str, pronoun: &str, after: usize) -> bool {
    let next = word(sentence, after).map(|(next, _)| &sentence[next]);
    pronoun.eq_ignore_ascii_case("it") && next.is_none_or(|next| has(&EMPTY, next))
}

/// Whom `sentence` is about: the party named first, if it could be the subject.
pub(super) fn subject(sentence: &Sentence, text: &str) -> Option<Party> {
    const EARLY: usize = 60;
    let first = sentence.marks.first()?;
    let before = text[sentence.span.start..first.span.start].trim_end();
    let is_article = |word: &&str| has_in_any_case(&["the", "a", "an"], word);
    let last = before.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !is_article(word)).unwrap_or("");
    let is_subject = before.len() <= EARLY && !has_in_any_case(&PREPOSITIONS, last);
    is_subject.then_some(first.party)
}

/// The next word from `at` on, and where it ends; none behind a mark other than a comma.
fn word(text: &str, at: usize) -> Option<(Span, usize)> {
    let rest = &text[at..];
    let start = at + rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
    let end = text[start..].find(|c: char| !c.is_alphabetic()).map_or(text.len(), |i| start + i);
    (end > start).then_some((start..end, end))
}

fn has(sorted: &[&str], word: &str) -> bool {
    sorted.binary_search(&word).is_ok()
}

fn has_in_any_case(words: &[&str], word: &str) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_take_up_a_subject_are_found() {
        let found = |sentence: &'static str| carrier(sentence).map(|span| &sentence[span]);
        for (sentence, expected) in [
            ("It also expelled two envoys.", Some("It")),
            ("But it also expelled two envoys.", Some("it")),
            ("Its foreign minister said so.", Some("Its")),
            ("The kingdom said so.", Some("The kingdom")),
            ("The foreign ministry said so.", Some("The foreign ministry")),
            ("\u{201c}We condemn the raid,\u{201d} he said.", Some("We")),
            ("We condemn the raid.", None),
            ("It is unclear why.", None),
            ("It was raining in Lima.", None),
            ("The government of Peru left.", None),
            ("The talks failed.", None),
            ("Later, they left.", Some("they")),
            ("", None),
            ("\"", None),
        ] {
            assert_eq!(found(sentence), expected, "{sentence}");
        }
        for list in [&PRONOUNS[..], &SPEAKERS, &EMPTY, &NOUNS, &MODIFIERS, &PREPOSITIONS] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
