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
