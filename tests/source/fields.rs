//! Which field of a row is what.

use std::sync::Arc;

use detente::source::{FieldNames, ReadOptions, Source, read};

use crate::saved::{collecting, save, shown};

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
        ..ReadOptions::default()
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
