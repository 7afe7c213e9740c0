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

/// What a page must give: see `tests/pages/README.md`.
fn check_page(page: &Path, wrong: &mut Vec<String>) {
    let name = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let expected = std::fs::read_to_string(page.with_extension("expected.txt")).expect("each page has expectations");
    let mut articles = detente::source::read(&detente::source::Source::file(page), &detente::source::ignore_warnings())
        .expect("the page is readable");
    let article = articles.next().expect("a page is one article or an error");
    if expected.trim() == "none" {
        if let Ok(article) = article {
            wrong.push(format!("{name}: an article where there is none: {:?}", article.text));
        }
        return;
    }
    let article = match article {
        Ok(article) => article,
        Err(error) => return wrong.push(format!("{name}: {error}")),
    };
    let spans = content_below(article.title.as_deref(), &article.text);
    let kept: Vec<&str> = spans.into_iter().map(|span| &article.text[span]).collect();
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // What comes out of the page, and what of it may be evidence: that has no headings.
    let (read, kept) = (flat(&article.text), flat(&kept.join(" ")));
    let known = [
        ("title", &article.title),
        ("date", &article.date),
        ("url", &article.url),
        ("source", &article.source),
        ("author", &article.author),
        ("lang", &article.language),
    ];
    let mut from = 0;
    for line in expected.lines().filter(|line| !line.is_empty()) {
        let (sign, passage) = line.split_at(1);
        match sign {
            "+" => match read[from..].find(&flat(passage)) {
                Some(at) => from += at,
                None if read.contains(&flat(passage)) => wrong.push(format!("{name}: out of order {line}")),
                None => wrong.push(format!("{name}: lost {line}")),
            },
            "-" if kept.contains(&flat(passage)) => wrong.push(format!("{name}: kept {line}")),
            "-" => {}
            _ => match line.split_once('=') {
                Some((field, value)) => {
                    let found = known.iter().find(|(name, _)| *name == field).and_then(|(_, found)| found.as_deref());
                    if found != Some(value) {
                        wrong.push(format!("{name}: {line} found {found:?}"));
                    }
                }
                None => wrong.push(format!("{name}: {line}")),
            },
        }
    }
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
    assert!(pages.len() >= 60);
    let mut wrong = Vec::new();
    for page in pages {
        check_page(&page, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
