//! Sizes and depths that readers bear.

use std::io::Write;

use detente::source::{MAX_ARTICLE, MAX_LINE, Source, ignore_warnings, read};

use crate::saved::{Saved, articles, save};

/// As many bytes as asked for, without holding them.
fn long_file(name: &str, head: &[u8], filler: u8, length: usize, tail: &[u8]) -> Saved {
    let saved = save(name, head);
    let mut file = std::fs::OpenOptions::new().append(true).open(&saved.path).expect("the file is there");
    let chunk = vec![filler; 1 << 20];
    for _ in 0..length >> 20 {
        file.write_all(&chunk).expect("room on the disk");
    }
    file.write_all(tail).expect("room on the disk");
    saved
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let saved =
        long_file("a.jsonl", b"{\"text\": \"", b'x', MAX_LINE + (8 << 20), b"\"}\n{\"text\": \"Oman waits.\"}\n");
    let found: Vec<_> = read(&Source::file(&saved.path), &ignore_warnings()).expect("a file").collect();
    assert_eq!(found.len(), 2);
    assert!(
        found[0].as_ref().is_err_and(|error| error.to_string().contains("a.jsonl:1: found a line of more than 64 MiB"))
    );
    assert!(found[1].as_ref().is_ok_and(|article| article.text == "Oman waits."));
}

#[test]
fn a_row_or_a_text_that_is_too_long_is_an_error() {
    let saved = long_file("a.csv", b"id,text\n1,x\n2,\"", b'x', MAX_LINE + (8 << 20), b"\"\n");
    let found: Vec<_> = read(&Source::file(&saved.path), &ignore_warnings()).expect("a table").collect();
    assert_eq!(found.len(), 2);
    assert!(
        found[1].as_ref().is_err_and(|error| error.to_string().contains("a.csv:3: found more than 64 MiB in one row")),
        "{found:?}"
    );
    let saved = long_file("a.txt", b"", b'x', MAX_ARTICLE + (1 << 20), b"");
    let found: Vec<_> = read(&Source::file(&saved.path), &ignore_warnings()).expect("a file").collect();
    assert!(found[0].as_ref().is_err_and(|error| error.to_string().contains("an article of more than 32 MiB")));
}

#[test]
fn a_deeply_nested_page_is_an_error_and_a_wide_one_is_not() {
    let found = articles("a.html", "<div>".repeat(200_000));
    assert!(found[0].as_ref().is_err_and(|error| error.contains("elements nested more than")), "{found:?}");
    let found = articles("a.html", format!("{}Oman waits for Iran.", "<div>".repeat(900)));
    assert!(found[0].as_ref().is_ok_and(|article| article.text == "Oman waits for Iran."), "{found:?}");
    let found = articles("a.html", "<p>Oman waits for Iran.".repeat(50_000));
    assert!(found[0].is_ok());
}
