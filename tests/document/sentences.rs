//! The table of sentence boundaries, and properties of every span.

use detente::document::sentences::{sentences, sentences_in};
use proptest::prelude::*;

/// Each line is a case: `|` marks the boundaries, `\r` and `\n` line ends, `#` opens a comment.
const TABLE: &str = include_str!("../tables/sentences.txt");

#[test]
fn the_table_of_boundaries_holds() {
    let mut failed = Vec::new();
    let mut cases = 0;
    for (number, line) in TABLE.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        cases += 1;
        let marked = line.replace("\\r", "\r").replace("\\n", "\n");
        let expected: Vec<&str> = marked.split('|').map(str::trim).collect();
        let text = marked.replace('|', "");
        let found: Vec<&str> = sentences(&text).into_iter().map(|span| &text[span]).collect();
        if found != expected {
            failed.push(format!("line {}:\n  expected {expected:?}\n  found    {found:?}", number + 1));
        }
    }
    assert!(cases >= 90, "only {cases} cases");
    assert!(failed.is_empty(), "{} of {cases} failed\n{}", failed.len(), failed.join("\n"));
}

fn check(text: &str, from: usize, spans: &[std::ops::Range<usize>]) {
    let mut last = from;
    for span in spans {
        assert!(last <= span.start && span.start < span.end && span.end <= text.len(), "{spans:?} of {text:?}");
        let sentence = text.get(span.clone()).expect("spans stand on character boundaries");
        assert_eq!(sentence, sentence.trim());
        last = span.end;
    }
    // Nothing but white space is left out.
    let kept: usize = spans.iter().map(|span| text[span.clone()].chars().filter(|c| !c.is_whitespace()).count()).sum();
    assert_eq!(kept, text[from..].chars().filter(|c| !c.is_whitespace()).count(), "{spans:?} of {text:?}");
}

/// Text that is dense in what the rules look at.
fn tricky() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        ".", "!", "?", "…", "...", "\n", "\n\n", "\r\n", " ", "\u{a0}", "\"", "”", "“", "(", ")", "[1]", "[", "1",
        "12", "1.", "- ", "• ", "— ", "U.S.", "Gen.", "No.", "a.m.", "J.", "The", "Moscow", "said", "asked",
        "al-Assad", "é", "。", "！", "؟", "।", "漢", "\u{2028}", "\u{2029}", "e.g.", "'", "’s", ",", ";", "\u{0}",
        "🇷🇺",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn spans_of_any_text_are_in_order_trimmed_and_complete(text in "\\PC*") {
        check(&text, 0, &sentences(&text));
    }

    #[test]
    fn spans_of_tricky_text_are_in_order_trimmed_and_complete(text in tricky()) {
        check(&text, 0, &sentences(&text));
    }

    #[test]
    fn a_range_gives_the_same_as_the_text_of_the_range(head in tricky(), text in tricky()) {
        let whole = format!("{head}{text}");
        let mut spans = Vec::new();
        sentences_in(&whole, head.len()..whole.len(), &mut spans);
        let shifted: Vec<_> = spans.iter().map(|s| s.start - head.len()..s.end - head.len()).collect();
        prop_assert_eq!(shifted, sentences(&text));
    }
}
