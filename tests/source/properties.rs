//! What holds of any bytes.

use detente::data::{LabelledOptions, labelled};
use detente::source::{Format, Source, ignore_warnings};
use proptest::prelude::*;

use crate::saved::{articles, save};

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
