//! What is kept of real and hand-written pages.

use std::path::{Path, PathBuf};

use detente::document::clean::{content, content_below, lines};
use detente::document::sentences::sentences_in;
use proptest::prelude::*;

/// The folder of shared material, where it is present.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["../shared", "../../shared"].iter().map(|path| root.join(path)).find(|path| path.is_dir())
}

#[test]
#[ignore = "needs ../shared"]
fn needs_shared_the_seed_article_loses_its_page_and_keeps_its_text() {
    let shared = shared().expect("a folder `shared` beside the project");
    let text =
        std::fs::read_to_string(shared.join("data/seed/russia-myanmar.txt")).expect("the seed article is readable");
    let mut spans = Vec::new();
    for span in content(&text) {
        sentences_in(&text, span, &mut spans);
    }
    let kept: Vec<&str> = spans.into_iter().map(|span| &text[span]).collect();
    assert_eq!(kept[0], "Russia finds new ally: Military cooperation deal is already signed");
    assert_eq!(kept[1], "Moscow is looking further afield to secure political and military partners.");
    for sentence in &kept[1..] {
        assert!(sentence.ends_with(['.', '”']), "not a sentence: {sentence}");
    }
    let every_sentence: Vec<&str> = text.lines().filter(|line| line.ends_with('.') || line.ends_with(".”")).collect();
    assert_eq!(every_sentence.len(), 15);
    for line in every_sentence {
        assert!(kept.iter().any(|sentence| line.contains(sentence)), "lost: {line}");
    }
    assert!(!kept.iter().any(|sentence| sentence.contains("Wikimedia") || sentence.contains("Tein")));
}

/// Lines of the kinds that the rules look at.
fn page() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "Also read",
        "Comments (3)",
        "Most read",
        "Russia backs Iran",
        "Moscow signed a pact with Minsk on Monday, it said.",
        "Homepage World Russia backs Iran over the talks",
        "Russia backs Iran over the talks",
        "By Ann Lee",
        "3 March 2026",
        "• Iran",
        "é",
        "“Quote”",
        "Vladimir_Putin_with.jpg",
        "a > b > c",
        "",
        " ",
        "\u{a0}",
        "İ",
        "ǅ",
        "continues below",
        "\r",
        "REUTERS/Pool",
        "’",
        "-",
        "Sources: Bloomberg, LA.lv",
        "ß reads",
        "lower case goes on and on and on until the end of it",
    ]);
    let end = prop::sample::select(vec!["\n", "\n\n", "\r\n", "\r\n\r\n", " "]);
    prop::collection::vec((line, end), 0..30)
        .prop_map(|parts| parts.into_iter().flat_map(|(line, end)| [line, end]).collect::<String>())
}

fn check(text: &str) {
    let mut last = 0;
    for span in content(text) {
        assert!(last <= span.start && span.start < span.end, "{text:?}");
        let kept = text.get(span.clone()).expect("spans stand on character boundaries");
        assert_eq!(kept, kept.trim());
        last = span.end;
    }
    // Every line is judged.
    let judged: usize = lines(None, text).iter().map(|line| text[line.span.clone()].split_whitespace().count()).sum();
    assert_eq!(judged, text.split_whitespace().count());
}

proptest! {
    #[test]
    fn spans_of_any_text_are_in_order_and_trimmed(text in "(\\PC|\n)*") {
        check(&text);
    }

    #[test]
    fn spans_of_page_like_text_are_in_order_and_trimmed(text in page(), title in page()) {
        check(&text);
        content_below(Some(&title), &text);
    }

    #[test]
    fn a_single_line_is_always_content(text in "\\PC*\\S\\PC*") {
        prop_assume!(!text.contains(['\n']));
        prop_assume!(!text.trim().is_empty());
        prop_assert_eq!(content(&text).len(), 1);
    }
}

/// The sentences of a page that are left as possible evidence.
fn sentences_of_page(path: &Path) -> Vec<String> {
    let source = detente::source::Source::file(path);
    let mut articles =
        detente::source::read(&source, &detente::source::ignore_warnings()).expect("the page is readable");
    let article = articles.next().expect("a page is one article").expect("the page has an article");
    let mut spans = Vec::new();
    for span in content_below(article.title.as_deref(), &article.text) {
        sentences_in(&article.text, span, &mut spans);
    }
    let text = spans.into_iter().map(|span| article.text[span].to_owned());
    article.title.clone().into_iter().chain(text).collect()
}

#[test]
fn pages_of_many_templates_keep_their_article_and_lose_the_rest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the pages are there")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .collect();
    pages.sort();
    assert!(pages.len() >= 10);
    let mut wrong = Vec::new();
    for page in pages {
        let kept = sentences_of_page(&page);
        let expected =
            std::fs::read_to_string(page.with_extension("expected.txt")).expect("each page has expectations");
        let name = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for line in expected.lines().filter(|line| !line.is_empty()) {
            let (lost, other) = match line.strip_prefix('-') {
                Some(other) => (false, kept.iter().any(|sentence| sentence.contains(other))),
                None => (!kept.iter().any(|sentence| sentence == line), false),
            };
            if lost {
                wrong.push(format!("{name}: lost {line}"));
            }
            if other {
                wrong.push(format!("{name}: kept {line}"));
            }
        }
        let words: usize = kept.iter().map(|sentence| sentence.split_whitespace().count()).sum();
        assert!(words >= 150, "{name} has {words} words");
        if std::env::var_os("SHOW_PAGES").is_some() {
            println!("== {name}\n{}", kept.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
