//! Readers: what they yield, and what they say about bad input.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use detente::data::{LabelledOptions, labelled};
use detente::source::{
    FieldNames, Format, MAX_ARTICLE, MAX_LINE, ReadOptions, Source, Warn, Warning, ignore_warnings, inputs, read,
    read_all,
};
use detente::{Article, Error, LabelledPair, Stance};
use proptest::prelude::*;

/// A folder that is removed at the end, with one file in it.
struct Saved {
    folder: tempfile::TempDir,
    path: PathBuf,
}

fn save(name: &str, bytes: impl AsRef<[u8]>) -> Saved {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    Saved { folder, path }
}

/// Errors without the folder, so that they can be compared.
fn shown(error: &Error, folder: &Path) -> String {
    error.to_string().replace(&format!("{}/", folder.display()), "")
}

fn articles(name: &str, bytes: impl AsRef<[u8]>) -> Vec<Result<Article, String>> {
    let saved = save(name, bytes);
    match read(&Source::file(&saved.path), &ignore_warnings()) {
        Ok(articles) => articles
            .map(|article| {
                let article = article.map_err(|error| shown(&error, saved.folder.path()))?;
                assert_eq!(Path::new(&article.path), saved.path);
                Ok(Article { path: String::new(), ..article })
            })
            .collect(),
        Err(error) => vec![Err(shown(&error, saved.folder.path()))],
    }
}

fn pairs(name: &str, text: &str) -> Vec<Result<LabelledPair, String>> {
    let saved = save(name, text);
    match labelled(&Source::file(&saved.path), &LabelledOptions::default(), &ignore_warnings()) {
        Ok(pairs) => pairs.map(|pair| pair.map_err(|error| shown(&error, saved.folder.path()))).collect(),
        Err(error) => vec![Err(shown(&error, saved.folder.path()))],
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn collecting() -> (Warn, Arc<Mutex<Vec<Warning>>>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&warnings);
    (Arc::new(move |warning| sink.lock().expect("no thread panicked").push(warning)), warnings)
}

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

fn parquet_file(fields: &[(&str, &str)]) -> Vec<u8> {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::{properties::WriterProperties, writer::SerializedFileWriter};
    let columns: String = fields.iter().map(|(name, _)| format!("required binary {name} (UTF8); ")).collect();
    let schema =
        parquet::schema::parser::parse_message_type(&format!("message row {{ {columns} }}")).expect("a schema");
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(&mut bytes, schema.into(), properties.into()).expect("a file");
    let mut group = file.next_row_group().expect("a group");
    for (_, value) in fields {
        let mut column = group.next_column().expect("memory").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(*value)], None, None).expect("memory");
        column.close().expect("memory");
    }
    group.close().expect("memory");
    file.close().expect("memory");
    bytes
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

#[test]
fn fields_are_found_by_name_and_by_order() {
    let (warn, warnings) = collecting();
    let first = |name: &str, bytes: &str, options: ReadOptions| {
        let saved = save(name, bytes);
        let source = Source::file(&saved.path).with_options(&Arc::new(options));
        read(&source, &warn)
            .and_then(|mut articles| articles.next().expect("a row"))
            .map_err(|e| shown(&e, saved.folder.path()))
    };
    // The first of several that is filled; lists of paragraphs; names of outlets and authors.
    let rich = "{\"description\": \"Short.\", \"content\": null, \"body\": [\"One.\", \"Two.\"], \"source\": {\"id\": 1, \"name\": \"Wire\"}, \"authors\": [\"A\", \"B\"], \"lang\": \"en\"}";
    let article = first("a.jsonl", rich, ReadOptions::default()).expect("an article");
    assert_eq!((article.text.as_str(), article.source.as_deref()), ("One.\n\nTwo.", Some("Wire")));
    assert_eq!((article.author.as_deref(), article.language.as_deref()), (Some("A, B"), Some("en")));

    let named = |text: &str| ReadOptions {
        fields: FieldNames { text: Some(text.into()), ..FieldNames::default() },
        keep: vec!["Topic".into()],
    };
    let article = first("a.csv", "words,topic\nOman waits.,war\n", named("Words")).expect("an article");
    assert_eq!((article.text.as_str(), article.columns["Topic"].as_str()), ("Oman waits.", "war"));
    let said = first("a.csv", "words,topic\nOman waits.,war\n", named("prose")).expect_err("no such column");
    assert!(said.contains("expected a column `prose`"), "{said}");

    // A long column that is not read is named, once; so is markup.
    let table = format!("title,prose\nOman waits,{0}\nIran waits,{0}\n", "Oman waits for Iran. ".repeat(20));
    first("a.csv", &table, ReadOptions::default()).expect("a title");
    first("a.csv", "text\n<div><p>Oman waits.</p></div>\n", ReadOptions::default()).expect("a text");
    let said: Vec<String> = warnings.lock().expect("no thread panicked").iter().map(|w| w.message.clone()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("--text-field prose") && said[1].contains("HTML"), "{said:?}");
}

#[test]
fn labelled_rows_are_read_from_every_table() {
    let fields = [
        ("Content", "Oman thanked Iran."),
        ("STATE", "Oman"),
        ("Actor", "Iran"),
        ("label", "aligned"),
        ("outlet", "Wire"),
    ];
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let saved = [
        save("a.csv", format!("{}\n{}\n", names.join(";"), values.join(";"))),
        save("a.tab", format!("{}\n{}\n", names.join("\t"), values.join("\t"))),
        save("a.parquet", parquet_file(&fields)),
        save("a.json", format!("[{{{}}}]", fields.map(|(name, value)| format!("\"{name}\": \"{value}\"")).join(", "))),
    ];
    for saved in saved {
        let pairs = labelled(&Source::file(&saved.path), &LabelledOptions::default(), &ignore_warnings());
        let pair = pairs.expect("the columns are there").next().expect("a row").expect("a pair");
        assert_eq!(
            (pair.article.text.as_str(), pair.state.as_str(), pair.label),
            ("Oman thanked Iran.", "Oman", Some(Stance::Aligned))
        );
        assert_eq!(pair.column("outlet"), Some("Wire"));
    }
}

#[test]
fn labelled_rows_carry_spans_and_other_columns() {
    let table = "text,state,actor,label,state_start,state_end,actor_start,actor_end,group,topic\n\
                 Łódź: Poland backs Ukraine.,Poland,Ukraine,Aligned,6,12,19,26,g1,war\nOman waits for Iran.,Oman,Iran,neutral,,,,,,\n";
    let found = pairs("a.csv", table);
    let first = found[0].as_ref().expect("a pair");
    let part = |span: &Option<std::ops::Range<usize>>| {
        span.clone().and_then(|span| first.article.text.get(span)).map(str::to_owned)
    };
    assert_eq!(part(&first.state_span).as_deref(), Some("Poland"));
    assert_eq!(part(&first.actor_span).as_deref(), Some("Ukraine"));
    assert_eq!((first.label, first.group.as_deref()), (Some(Stance::Aligned), Some("g1")));
    assert_eq!((first.column("topic"), first.column("state")), (Some("war"), Some("Poland")));
    assert_eq!(first.columns.len(), 1);
    let second = found[1].as_ref().expect("a pair");
    assert_eq!((&second.state_span, second.location.line, second.article.id.as_str()), (&None, Some(3), "a.csv:3"));

    let line = "{\"text\": \"Oman waits for Iran.\", \"state\": \"Oman\", \"actor\": \"Iran\", \"label\": \"opposed\", \"state_start\": 0, \"state_end\": 4, \"actor_start\": 15, \"actor_end\": 19, \"n\": 3}";
    let found = pairs("a.jsonl", line);
    let first = found[0].as_ref().expect("a pair");
    assert_eq!(
        (first.label, first.actor_span.clone(), first.column("n")),
        (Some(Stance::Opposed), Some(15..19), Some("3"))
    );
}

#[test]
fn labels_may_be_absent_where_they_are_not_needed() {
    let saved = save("a.csv", "text,state,actor\nOman waits for Iran.,Oman,Iran\n");
    let options = LabelledOptions { label_required: false, ..LabelledOptions::default() };
    let pairs = labelled(&Source::file(&saved.path), &options, &ignore_warnings()).expect("the columns are there");
    assert_eq!(pairs.map(|pair| pair.map(|pair| pair.label).ok()).collect::<Vec<_>>(), [Some(None)]);
}

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
fn bad_labelled_rows_are_named() {
    const HEAD: &str = "text,state,actor,label,state_start,state_end,actor_start,actor_end\n";
    let cases = [
        (
            "text,state,actor,mark\nx,a,b,neutral\n".to_owned(),
            "a.csv:1: found the columns `text`, `state`, `actor`, `mark`, expected a column `label`",
        ),
        ("text,state\nx,a\n".to_owned(), "expected columns `actor`, `label`"),
        ("text,state,actor,label\n".to_owned(), "a.csv: no labelled row found; expected at least one"),
        (
            "text,state,actor,label\nx,a,b,friendly\n".to_owned(),
            "a.csv:2:4: found the label `friendly`, expected one of aligned, neutral, opposed, or a label that `--label-map THEIRS=OURS` maps to one",
        ),
        ("text,state,actor,label\nx,a,b,\n".to_owned(), "a.csv:2:4: found an empty `label`"),
        ("text,state,actor,label\nx,,b,neutral\n".to_owned(), "a.csv:2:2: found an empty `state`"),
        ("text,state,actor,label\nx,a,b\n".to_owned(), "a.csv:2: found 3 fields, expected 4, as in the header"),
        (
            "text,state,actor,label\nx,a,b,\"neutral\nx,a,b,neutral\n".to_owned(),
            "a.csv:2:4: found a quote that is never closed",
        ),
        (
            format!("{HEAD}Oman,a,b,neutral,0,4,,\n"),
            "a.csv:2:7: found no `actor_start`, expected all of state_start, state_end, actor_start, actor_end or none",
        ),
        (format!("{HEAD}Oman,a,b,neutral,0,4,2,5\n"), "a.csv:2:8: found `actor_end` 5 in a text of 4 characters"),
        (
            format!("{HEAD}Oman,a,b,neutral,2,2,0,1\n"),
            "a.csv:2:6: found `state_start` 2 and `state_end` 2, expected a start before the end",
        ),
        (
            format!("{HEAD}Oman,a,b,neutral,-1,2,0,1\n"),
            "a.csv:2:5: found `-1` as `state_start`, expected a whole number of characters",
        ),
    ];
    for (table, expected) in cases {
        let found = pairs("a.csv", &table);
        let error = found[0].as_ref().expect_err(expected);
        assert!(error.contains(expected), "\n  found    {error}\n  expected {expected}");
    }
    let found = pairs(
        "a.jsonl",
        "{\"text\": \"x\", \"state\": \"a\", \"actor\": \"b\"}\n{\"text\": \"x\", \"state\": \"a\", \"actor\": \"b\", \"label\": \"neutral\"}",
    );
    assert!(
        found[0]
            .as_ref()
            .is_err_and(|error| error.contains("a.jsonl:1: found the keys `text`, `state`, `actor`, expected `label`")),
        "{found:?}"
    );
    assert!(found[1].is_ok());
    assert!(pairs("a.txt", "x")[0].as_ref().is_err_and(|error| error.contains("rows of named fields")));
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

fn all_formats(bytes: &[u8]) {
    for name in ["a.txt", "a.html", "a.csv", "a.jsonl", "a.txt.gz"] {
        let _ = articles(name, bytes);
    }
    let saved = save("a.csv", bytes);
    for format in [Format::Csv, Format::Jsonl] {
        let source = Source { format, ..Source::file(&saved.path) };
        if let Ok(pairs) = labelled(&source, &LabelledOptions::default(), &ignore_warnings()) {
            pairs.for_each(drop);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        all_formats(&bytes);
    }

    #[test]
    fn no_table_makes_a_reader_panic(text in "(text|state|actor|label|state_start|,|\"|\n|\r|é|x|1|neutral|\u{1e}| ){0,60}") {
        all_formats(format!("text,state,actor,label\n{text}").as_bytes());
        all_formats(text.as_bytes());
    }

    #[test]
    fn no_page_makes_a_reader_panic(text in "(<p>|</p>|<div class=related>|</div>|<form>|<script type=\"application/ld\\+json\">|</script>|\\{\"articleBody\": \"x\"\\}|Oman waits for Iran\\. |<meta charset=utf-16>|<br>|<table><tr><td>|<title>|&amp;|\u{0}|é){0,60}") {
        all_formats(text.as_bytes());
    }

    #[test]
    fn csv_fields_come_back_as_they_were_written(texts in prop::collection::vec("[ -~é\n\r\"]{1,40}", 1..8)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["text", "id"]).expect("memory takes all");
        for text in &texts {
            writer.write_record([text.as_str(), "1"]).expect("memory takes all");
        }
        let bytes = writer.into_inner().expect("memory takes all");
        let found: Vec<_> = articles("a.csv", bytes).into_iter().map(|a| a.map(|a| a.text).unwrap_or_default()).collect();
        let expected: Vec<_> = texts.iter().map(|text| if text.trim().is_empty() { "" } else { text.as_str() }).collect();
        prop_assert_eq!(found, expected);
    }
}
