//! Bytes that are not UTF-8.

use detente::source::{Source, read};

use crate::saved::{articles, collecting, save};

#[test]
fn windows_1252_is_read_and_reported_once() {
    let saved = save("a.csv", b"id,text\n1,plain\n2,Erdo\xF0an\n3,\x93S\xE9oul\x94\n");
    let (warn, warnings) = collecting();
    let texts: Vec<String> = read(&Source::file(&saved.path), &warn)
        .expect("a table")
        .filter_map(|article| article.ok().map(|a| a.text))
        .collect();
    assert_eq!(texts, ["plain", "Erdoðan", "“Séoul”"]);
    let warnings = warnings.lock().expect("no thread panicked");
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].to_string().ends_with("a.csv:3:5: the byte 0xF0 is not UTF-8; read as Windows-1252"),
        "{}",
        warnings[0]
    );
}

#[test]
fn a_page_is_read_in_the_encoding_that_it_declares() {
    let (page, _, _) = encoding_rs::WINDOWS_1251.encode(
        "<html><head><meta charset=\"windows-1251\"><title>Визит</title></head><body><p>Москва поблагодарила Минск.</p></body></html>",
    );
    let found = articles("a.html", page);
    assert_eq!(found[0].as_ref().map(|article| article.text.as_str()), Ok("Москва поблагодарила Минск."));
}
