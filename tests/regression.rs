//! Faults that were found, each with its right answer: `f<issue>_<item>_<what is right>`.
#![cfg(feature = "cli")]

mod program;

use program::*;

/// Twelve rows of two classes, of different texts.
fn rows() -> String {
    let verbs = ["praised", "thanked", "backed", "lauded", "joined", "hailed"];
    let against = ["condemned", "attacked", "shelled", "sued", "rebuked", "blamed"];
    let row = |verb: &str, label: &str| format!("Norway {verb} Chile.,Norway,Chile,{label}\n");
    let rows = verbs.map(|v| row(v, "aligned")).into_iter().chain(against.map(|v| row(v, "opposed")));
    format!("{HEADER}{}", rows.collect::<String>())
}

#[test]
fn f14_01_rows_that_differ_in_their_title_are_all_trained_on() {
    let folder = Folder::new();
    let mut text = String::from("title,text,state,actor,label\n");
    for i in 0..10 {
        for (verb, label) in [("praises", "aligned"), ("attacks", "opposed")] {
            let story = i % 5;
            text += &format!("Norway {verb} Chile {i} times,Story {story} follows.,Norway,Chile,{label}\n");
        }
    }
    folder.save("a.csv", format!("{text}Norway praises Chile 0 times,Story 0 follows.,Norway,Chile,aligned\n"));
    folder.train("a.csv").says(0, &["20 rows used", "1 that repeat an earlier row"]);
    folder.run(&["data", "check", "a.csv"]).says(0, &[]);
}

#[test]
fn f14_02_no_row_of_a_table_is_lost_or_merged() {
    let folder = Folder::new();
    folder.save("a.csv", "id,text\n1,Kenya thanked Uganda.\u{1e}\u{1e}\n2,Peru thanked Chile.\n");
    let ended = folder.predict("a.csv");
    ended.says(0, &[]);
    assert!(ended.stdout.contains("Peru thanked Chile."), "{}", ended.stdout);
    folder.save("b.csv", "id,text\n1,\"Kenya thanked Uganda.\n2,\"Peru thanked Chile.\"\n");
    folder.predict("b.csv").says(1, &["b.csv:2:2", "behind its closing quote, on line 3"]).prints_nothing();
}
