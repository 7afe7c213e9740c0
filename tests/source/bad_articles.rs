//! What readers say about bad input, and that they go on.

use std::path::Path;

use detente::source::{ignore_warnings, inputs, read_all};

use crate::saved::{articles, save};

/// Name, content, and what the only error says.
#[test]
fn bad_articles_are_named() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("a.txt", b"", "a.txt: found an empty file, expected the text of an article"),
        ("a.txt", b" \n\t\n", "a.txt: found a file of white space"),
        ("a.html", b"", "a.html: found an empty file, expected an HTML page"),
        ("a.html", b"<html><body><script>x</script></body></html>", "a.html: found no article text"),
        ("a.csv", b"", "a.csv: found an empty file, expected a header row and rows below it"),
        ("a.csv", b"text\n", "a.csv: no article found; expected at least one"),
        ("a.jsonl", b"", "a.jsonl: no article found; expected at least one"),
        (
            "a.csv",
            b"id,words
1,x
",
            "a.csv:1: found the columns `id`, `words`, expected a column `text` (or `title`); --text-field names another",
        ),
        ("a.csv", b"text,text\n1,x\n", "a.csv:1:2: found the column `text` twice"),
        ("a.csv", b"text,id\rx,1\r", "lines that end in carriage returns only"),
        ("a.csv", b"id,text\n1,\n", "a.csv:2: found an empty `text`"),
        ("a.csv", b"id,text\n1,\"x\n", "a.csv:2:2: found a quote that is never closed"),
        ("a.jsonl", b"{\"text\": \"x\", }", "a.jsonl:1:15: found broken JSON (trailing comma), expected a JSON object"),
        ("a.jsonl", b"{\"text\": 5}", "a.jsonl:1: found `5` as `text`, expected a string"),
        ("a.jsonl", b"[\n", "a.jsonl:2: found an array that is never closed"),
        (
            "a.jsonl",
            b"{\"words\": \"x\"}",
            "a.jsonl:1: found the keys `words`, expected `text` (or `title`); --text-field names another",
        ),
        ("a.jsonl", b"{\"text\": \" \"}", "a.jsonl:1: found an empty `text`"),
        (
            "a.jsonl",
            b"{\"title\": \"x\", \"state_code\": \"PER\", \"actor_code\": \"RUS\", \"probabilities\": {}}",
            "a.jsonl:1: found what `predict` answered, expected articles",
        ),
        ("a.csv", b"title,state_code,actor_code,p_aligned\nx,PER,RUS,1\n", "a.csv:1: found what `predict` answered"),
        (
            "a.json",
            b"{\"title\": \"x\", \"state_code\": \"PER\", \"actor_code\": \"RUS\", \"probabilities\": {}, \
              \"evidence\": [{\"text\": \"Peru praised Russia, said its president on Monday, and Oman did so, too.\"}]}",
            "a.json:1: found what `predict` answered",
        ),
        ("a.jsonl", b"{\"a\": 1, \"text\": \"x \\ud83d y\"}", "a.jsonl:1:30: found half of a character in an escape, as `\\ud83d` is alone"),
        ("a.jsonl", b"\"text\"", "a.jsonl:1:6: found string \"text\", expected a JSON object"),
        ("a.json", b"[{\"text\": \"x\"}", "a.json:1: found an array that is never closed"),
        (
            "a.json",
            b"{\"a\": [{}], \"b\": [{}]}",
            "a.json:1: found an object with several arrays of objects (`a`, `b`)",
        ),
        ("a.json", b"[]", "a.json: no article found"),
        ("a.json", b"{\"status\": \"ok\", \"articles\": []}", "a.json: no article found"),
        ("a.json", b"{\"text\": \"x\", \"text\": \"y\"}", "a.json:1: found the key `text` twice"),
        ("a.jsonl", b"{\"text\": \"nan\"}", "a.jsonl:1: found an empty `text`"),
        (
            "a.eml",
            b"From: a@e.org\nSubject: x\nMessage-ID: <1>\n\n \n",
            "a.eml: found a message without a page or a text",
        ),
        ("a.parquet", b"PAR1xxxxPAR1", "a.parquet: found a Parquet file that cannot be read"),
        ("a.xlsx", b"PK\x03\x04x", "a.xlsx: found a workbook that cannot be read"),
        ("a.xml", b"<?xml version='1.0'?><note/>", "a.xml: found XML with the root `note`, expected a feed"),
        ("a.mhtml", b"x", "a.mhtml: found a message without a page or a text"),
        ("a.txt", b"%PDF-1.4 abc", "a.txt: found a PDF document, expected text, HTML, CSV, JSON"),
        ("a.txt", b"PK\x03\x04abc", "a.txt: found a ZIP archive"),
        ("a.jsonl", b"PAR1abc", "a.jsonl: found a Parquet file"),
        ("a.txt", b"ab\0\x01cdefgh", "a.txt: found binary data (a zero byte at offset 2)"),
        ("a.txt.gz", b"\x1F\x8B\x08\0\0", "a.txt.gz: found gzip data that is cut short, expected a whole gzip file"),
        (
            "a.txt",
            "Łódź, Kraków \u{fffd}".as_bytes().split_last().map_or(b"", |(_, most)| most),
            "a.txt:1:14: found the byte 0xEF, which is not UTF-8",
        ),
        ("a.txt", b"\xFF\xFEa", "a.txt: found bytes that are not UTF-16"),
    ];
    for (name, bytes, expected) in cases {
        let found = articles(name, bytes);
        assert_eq!(
            found.iter().filter(|article| article.is_err()).count(),
            found.len().min(1),
            "{expected}: {found:?}"
        );
        let error = found[0].as_ref().expect_err(expected);
        assert!(error.contains(expected), "\n  found    {error}\n  expected {expected}");
    }
}

#[test]
fn reading_goes_on_after_a_bad_row_and_a_bad_file() {
    let found = articles("a.csv", "id,text\n1,one\n2,two,three\n4,four\n");
    assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let found = articles("a.jsonl", "{\"text\": \"one\"}\n{broken\n{\"text\": \"three\"}\n");
    assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);

    let saved = save("b.txt", "Oman waits.");
    std::fs::write(saved.folder.path().join("a.txt"), "%PDF-1.4").expect("a file");
    let sources = inputs(&[saved.folder.path(), Path::new("/nowhere/x.txt")], None)
        .sources
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .expect("a folder with articles");
    let found: Vec<_> =
        read_all(sources, &ignore_warnings()).map(|article| article.map(|a| a.id).map_err(|e| e.to_string())).collect();
    assert_eq!(found.len(), 3);
    assert!(found[0].as_ref().is_err_and(|error| error.contains("PDF")));
    assert_eq!(found[1], Ok("b.txt".into()));
    assert!(found[2].as_ref().is_err_and(|error| error.starts_with("/nowhere/x.txt: ")));
}
