//! Labelled rows, from every kind of table.

use detente::Stance;
use detente::data::{LabelledOptions, labelled};
use detente::source::{Source, ignore_warnings};

use crate::saved::{pairs, parquet_file, save};

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
