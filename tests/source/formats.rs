//! What is an article in each format.

use detente::Article;
use detente::source::{Source, read};

use crate::saved::{articles, collecting, gzip, parquet_file, save};

#[test]
fn text_is_kept_as_it_is() {
    let text = "A headline\r\n\r\nMoscow thanked Minsk.\r\n";
    assert_eq!(articles("a.txt", text), [Ok(Article::new(text).with_id("a.txt"))]);
    assert_eq!(articles("a.txt", format!("\u{feff}{text}")), [Ok(Article::new(text).with_id("a.txt"))]);
    assert_eq!(articles("a.txt.gz", gzip(text.as_bytes())), [Ok(Article::new(text).with_id("a.txt.gz"))]);
    let utf16: Vec<u8> = "\u{feff}Ankara – où?".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(articles("a.txt", utf16), [Ok(Article::new("Ankara – où?").with_id("a.txt"))]);
}

#[test]
fn csv_rows_are_articles() {
    let table = "id,title,text,date,source,language,extra\n7,A visit,\"Xi said \"\"yes\"\",\nand left.\",2026-03-03,Wire,en,x\n,,Minsk waits.,,,,\n";
    for bytes in [table.as_bytes().to_vec(), gzip(table.as_bytes()), format!("\u{feff}{table}").into_bytes()] {
        let found = articles("a.csv", bytes);
        let first = found[0].as_ref().expect("an article");
        assert_eq!(first.text, "Xi said \"yes\",\nand left.");
        assert_eq!(
            (first.id.as_str(), first.title.as_deref(), first.date.as_deref()),
            ("7", Some("A visit"), Some("2026-03-03"))
        );
        assert_eq!((first.source.as_deref(), first.language.as_deref()), (Some("Wire"), Some("en")));
        assert_eq!(found[1], Ok(Article::new("Minsk waits.").with_id("a.csv:4")));
        assert_eq!(found.len(), 2);
    }
    let utf16: Vec<u8> = format!("\u{feff}{table}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(articles("a.csv", utf16).len(), 2);
}

#[test]
fn jsonl_lines_are_articles() {
    let lines = "{\"id\": 12, \"text\": \"Xi left.\", \"topic\": {\"a\": [1]}}\n\n{\"title\": \"Only a title\", \"text\": null}\r\n{\"id\": \"x\", \"text\": \"Oman \\u00e9.\"}";
    let found = articles("a.jsonl", lines);
    assert_eq!(found[0], Ok(Article::new("Xi left.").with_id("12")));
    assert_eq!(found[1], Ok(Article::new("").with_id("a.jsonl:3").with_title("Only a title")));
    assert_eq!(found[2], Ok(Article::new("Oman é.").with_id("x")));
    assert_eq!(found.len(), 3);
}

/// One article in every format of rows, each under names of its own.
fn one_article() -> Vec<(&'static str, Vec<u8>)> {
    let text = "Oman thanked Iran; \u{201c}friends\u{201d}, it said.";
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, (name, value)) in
        (0..).zip([("ID", "7"), ("Headline", "A visit"), ("Published", "2026-03-03"), ("Content", text)])
    {
        sheet.write_string(1, column, name).and_then(|sheet| sheet.write_string(3, column, value)).expect("a cell");
    }
    let feed = format!(
        "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel><title>Wire</title><link>https://e.org</link><description>x</description>\
         <item><guid>7</guid><title>A visit</title><pubDate>Tue, 03 Mar 2026 00:00:00 GMT</pubDate>\
         <description>&lt;p&gt;{text}&lt;/p&gt;</description></item></channel></rss>"
    );
    let json = |text: &str| {
        format!("\"_id\": 7, \"headline\": \"A visit\", \"publishedAt\": \"2026-03-03\", \"body\": \"{text}\"")
    };
    let object = json(text);
    vec![
        ("a.csv", format!("id,Title,Date,Text\n7,A visit,2026-03-03,\"{text}\"\n").into_bytes()),
        ("b.csv", format!("sep=;\r\nID;HEADLINE;DATE;CONTENT\r\n7;A visit;2026-03-03;\"{text}\"\r\n").into_bytes()),
        ("a.tsv", format!("id\ttitle\tdate\tarticle_text\n7\tA visit\t2026-03-03\t{text}\n").into_bytes()),
        ("a.jsonl", format!("{{{object}}}\n").into_bytes()),
        ("a.ndjson.gz", gzip(format!("{{{object}}}\n").as_bytes())),
        ("a.jsonl.zst", zstd::encode_all(format!("{{{object}}}\n").as_bytes(), 3).expect("memory takes all")),
        ("a.json", format!("{{\n{object}\n}}").into_bytes()),
        ("b.json", format!("[\n{{{object}}}\n]").into_bytes()),
        ("c.json", format!("{{\"status\": \"ok\", \"articles\": [{{{object}}}]}}").into_bytes()),
        ("a.xlsx", workbook.save_to_buffer().expect("memory takes all")),
        ("a.parquet", parquet_file(&[("id", "7"), ("title", "A visit"), ("date", "2026-03-03"), ("maintext", text)])),
        ("a.rss", feed.into_bytes()),
    ]
}

#[test]
fn one_article_is_the_same_in_every_format() {
    let text = "Oman thanked Iran; \u{201c}friends\u{201d}, it said.";
    for (name, bytes) in one_article() {
        // By its name, and by its first bytes.
        for name in [name, "unknown"] {
            let found = articles(name, bytes.clone());
            let article = found[0].as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
            let date = article.date.as_deref().map(|date| &date[..10]);
            assert_eq!((found.len(), article.id.as_str(), date), (1, "7", Some("2026-03-03")), "{name}");
            assert_eq!((article.title.as_deref(), article.text.as_str()), (Some("A visit"), text), "{name}");
        }
    }
}

#[test]
fn pages_in_one_file_are_read() {
    let page = "<html lang=\"en\"><head><title>A visit</title></head><body><p>Oman thanked Iran for the ship, it said on Monday.</p></body></html>";
    let mhtml = format!(
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://e.org/1\r\nSubject: A visit\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/related;\r\n\ttype=\"text/html\";\r\n\tboundary=\"----x\"\r\n\r\n------x\r\n\
         Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n------x\r\n\
         Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBO\r\n------x--\r\n",
        page.replace('=', "=3D")
    );
    for (name, bytes) in [("a.html", page), ("a.mhtml", &mhtml), ("unknown", page), ("unknown", &mhtml)] {
        let found = articles(name, bytes);
        let article = found[0].as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((article.title.as_deref(), article.language.as_deref()), (Some("A visit"), Some("en")), "{name}");
        assert_eq!(article.text, "Oman thanked Iran for the ship, it said on Monday.", "{name}");
    }
    assert_eq!(articles("a.mhtml", &mhtml)[0].as_ref().expect("it was read").url.as_deref(), Some("https://e.org/1"));
}

#[test]
fn a_list_of_articles_within_an_object_is_read_and_an_article_with_a_list_of_names_is_one() {
    let long = "Oman thanked Iran for the ship on Monday, its foreign minister said in Muscat.";
    let ids = |text: String| -> Vec<String> {
        articles("a.json", text).into_iter().map(|a| a.expect("an article").id).collect()
    };
    let feed = format!(
        "{{\"title\": \"F\", \"description\": \"A feed.\", \"items\": [{{\"text\": \"{long}\"}}, {{\"text\": \"{long}\"}}]}}"
    );
    assert_eq!(ids(feed), ["a.json:1", "a.json:2"]);
    let one = format!("{{\"text\": \"{long}\", \"names\": [{{\"text\": \"Oman\"}}, {{\"text\": \"Iran\"}}]}}");
    assert_eq!(ids(one), ["a.json:1"]);
    // On one line, ids are places among all.
    assert_eq!(ids("[{\"text\": \"One.\"}, {\"text\": \"Two.\"}]".into()), ["a.json:1", "a.json:2"]);
    // A column alone is a table, whatever the name says.
    assert_eq!(articles("unknown", "text\nOman waits.\nIran waits.\n").len(), 2);
}

#[test]
fn what_search_engines_answer_is_a_list() {
    let hits = r#"{"took": 3, "hits": {"total": {"value": 2}, "hits": [
        {"_id": "a", "_source": {"text": "Oman waits."}}, {"_id": "b", "_source": {"id": "c", "text": "Iran waits."}}]}}"#;
    let found: Vec<Article> =
        articles("a.json", hits).into_iter().map(|article| article.expect("an article")).collect();
    let shown: Vec<(&str, &str)> = found.iter().map(|a| (a.id.as_str(), a.text.as_str())).collect();
    assert_eq!(shown, [("a", "Oman waits."), ("b", "Iran waits.")]);
    // An article with a title alone is no list of its authors.
    let one = r#"{"title": "Oman waits", "authors": [{"name": "A"}, {"name": "B"}]}"#;
    assert_eq!(articles("a.json", one)[0].as_ref().map(|a| a.title.as_deref()), Ok(Some("Oman waits")));
}

#[test]
fn lines_of_json_go_on_after_a_broken_one_whatever_the_name() {
    let lines = "{\"text\": \"One.\"}\n{\"text\": \"broken\n{\"text\": \"Three.\"}\n";
    let found = articles("a.json", lines);
    assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn mail_is_read() {
    let mail = "Received: by e.org\r\nFrom: The Wire <wire@e.org>\r\nTo: b@e.org\r\nSubject: A visit\r\n\
        Date: Tue, 3 Mar 2026 10:31:00 +0100\r\nMessage-ID: <1@e.org>\r\n\r\nOman thanked Iran.\r\n";
    for name in ["a.eml", "unknown"] {
        let found = articles(name, mail);
        let article = found[0].as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (article.title.as_deref(), article.source.as_deref()),
            (Some("A visit"), Some("The Wire")),
            "{name}"
        );
        assert_eq!(article.date.as_deref(), Some("2026-03-03T10:31:00+01:00"));
        assert_eq!(article.text.trim(), "Oman thanked Iran.");
    }
}

#[test]
fn sheets_that_are_not_read_are_named() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    for (name, text) in [("News", "Oman waits."), ("More", "Iran waits."), ("Empty", "")] {
        let sheet = workbook.add_worksheet().set_name(name).expect("a name");
        if !text.is_empty() {
            sheet.write_string(0, 0, "text").and_then(|sheet| sheet.write_string(1, 0, text)).expect("a cell");
        }
    }
    let saved = save("a.xlsx", workbook.save_to_buffer().expect("memory takes all"));
    let (warn, warnings) = collecting();
    assert_eq!(read(&Source::file(&saved.path), &warn).expect("a workbook").count(), 1);
    let said: Vec<String> = warnings.lock().expect("no thread panicked").iter().map(|w| w.message.clone()).collect();
    assert_eq!(said, ["only the first sheet is read, not `More`; save others as files of their own"]);
}
