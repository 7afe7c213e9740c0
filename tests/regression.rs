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

#[test]
fn f14_03_a_bar_for_a_loss_is_an_upper_one() {
    let folder = Folder::new();
    let evaluate = |flag: &str, bar: &str| folder.run(&["evaluate", "--data", DATA, "--model", MODEL, flag, bar]);
    for loss in ["log_loss", "brier", "ece"] {
        evaluate("--min", &format!("{loss}=0.5")).says(2, &["lower is better", "--max"]).prints_nothing();
        evaluate("--max", &format!("{loss}=0")).says(1, &[loss, "above 0"]);
        evaluate("--max", &format!("{loss}=1")).says(0, &[]);
    }
    evaluate("--max", "macro_f1=0.5").says(2, &["higher is better", "--min"]);
    folder.save("a.csv", format!("{HEADER}Norway praised Chile.,Norway,Chile,opposed\n"));
    let ended = folder.run(&["evaluate", "--data", "a.csv", "--model", MODEL, "--min", "macro_f1=1"]);
    ended.says(1, &["macro_f1 is 0.0000, below 1"]);
    evaluate("--min", "nosuch=1").says(2, &["no metric `nosuch`", "macro_f1"]);
}

#[test]
fn f14_12_a_column_that_is_not_there_breaks_nothing_down() {
    let folder = Folder::new();
    let ended = folder.run(&["evaluate", "--data", DATA, "--model", MODEL, "--by", "state,nosuch"]);
    ended.says(2, &["--by nosuch", "state"]).prints_nothing();
}

#[test]
fn f14_15_numbers_have_ranges() {
    let folder = Folder::new();
    for value in ["NaN", "inf", "-inf", "-1", "2", "1e999", "x", ""] {
        let bar = format!("macro_f1={value}");
        folder.run(&["evaluate", "--data", DATA, "--min", &bar]).says(2, &["macro_f1"]).prints_nothing();
        let flag = format!("--min-prob={value}");
        folder.run(&["predict", DATA, "--all-actors", &flag]).says(2, &["a probability, 0 to 1"]).prints_nothing();
    }
    for (flag, values) in [
        ("--c", ["NaN", "inf", "-1", "0", "1e999"]),
        ("--cv", ["NaN", "1", "-1", "0", "99999999999999999999"]),
        ("--seed", ["NaN", "-1", "1.5", "", "99999999999999999999"]),
        ("--threads", ["NaN", "-1", "1.5", "", "99999999999999999999"]),
    ] {
        for value in values {
            let flag_value = format!("{flag}={value}");
            let ended = folder.run(&["train", "--data", DATA, "-o", "out.detente", &flag_value]);
            ended.says(2, &[flag]).prints_nothing();
        }
    }
    for ratios in ["NaN,0.5", "inf,0.5", "0,1", "-0.5,1.5", "1e999,0"] {
        let ratios = format!("--ratios={ratios}");
        folder.run(&["data", "split", DATA, "--output-dir", "parts", &ratios]).says(2, &["ratios"]);
    }
}
