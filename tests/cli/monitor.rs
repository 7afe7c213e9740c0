//! What a reviewer asks of a model: why not, how faithful, on what it has never seen, and whether articles have changed.

use crate::program::*;

#[test]
fn why_not_another_stance_is_taken_apart() {
    let folder = Folder::new();
    let text = "Chad praised France on Monday.";
    let args = ["explain", "--text", text, "--state", "Chad", "--actor", "France", "--model", "fast", "--why-not"];
    let ended = folder.run(&[&args[..], &["opposed"]].concat());
    ended.says(0, &[]);
    assert!(ended.stdout.contains("aligned and not opposed: +"), "{}", ended.stdout);
    let praised = ended.stdout.lines().find(|line| line.contains("for aligned")).expect("words for it");
    assert!(praised.contains("praised"), "{}", ended.stdout);
    assert!(folder.run(&[&args[..], &["aligned"]].concat()).stdout.contains("it is aligned"));
    folder.run(&[&args[..], &["hostile"]].concat()).says(2, &["aligned, neutral or opposed"]);
}

#[test]
fn the_strongest_word_decides_more_than_another() {
    let folder = Folder::new();
    let row = |i: usize| match i % 2 {
        0 => format!("Norway praised Chile over the old port {i} on Monday.,Norway,Chile,aligned\n"),
        _ => format!("Norway condemned Chile over the old port {i} on Monday.,Norway,Chile,opposed\n"),
    };
    let rows: String = std::iter::once(HEADER.to_owned()).chain((0..20).map(row)).collect();
    folder.save("rows.csv", rows);
    let ended =
        folder.run(&["evaluate", "--data", "rows.csv", "--model", "fast", "--faithfulness", "--format", "json"]);
    ended.says(0, &[]);
    let record: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let fall = |which: &str| record[which]["mean_fall"].as_f64().expect("a number");
    assert!(record["pairs"] == 20 && fall("strongest") > fall("random") + 0.1, "{}", ended.stdout);
}

#[test]
fn other_articles_are_told_from_the_same() {
    let folder = Folder::new();
    let many = |text: &str| (0..60).map(|i| format!("{{\"text\": \"{text} Day {i}.\"}}\n")).collect::<String>();
    folder.save("war.jsonl", many("Peru condemned Chile over the attack."));
    folder.save("peace.jsonl", many("Peru thanked Chile; fishermen celebrated together."));
    let drift = |data: &str| folder.run(&["drift", "--reference", "war.jsonl", "--data", data, "--model", "fast"]);
    drift("war.jsonl").says(0, &[]);
    drift("peace.jsonl").says(1, &["stances: ", "above 0.25"]);
    drift("nowhere.jsonl").says(2, &["nowhere.jsonl", "no article found"]).prints_nothing();
}

#[test]
fn rows_are_held_out_by_protocol() {
    let folder = Folder::new();
    let states = ["Peru", "Oman", "Kenya", "Chad"];
    let verbs = [("thanked", "aligned"), ("met", "neutral"), ("condemned", "opposed")];
    let row = |i: usize| {
        let ((verb, label), state, actor) = (verbs[i % 3], states[i / 3 % 4], states[(i / 3 + 1) % 4]);
        let year = 2010 + i % 10;
        format!("{state} {verb} {actor} over the matter of number {i}.,{state},{actor},{label},{year}-03-02\n")
    };
    let rows: String = (0..144).map(row).collect();
    folder.save("rows.csv", format!("{},date\n{rows}", HEADER.trim_end()));
    let args = ["validate", "--data", "rows.csv"];
    let run = |more: &[&str]| folder.run(&[&args[..], more].concat());
    let ended = run(&["--leave-out", "state", "--predictions", "p.csv"]);
    ended.says(0, &[]);
    assert!(ended.stdout.contains("all 144 held-out rows together: macro-F1 1.000"), "{}", ended.stdout);
    let predictions = std::fs::read_to_string(folder.path("p.csv")).expect("it is there");
    assert_eq!(
        (predictions.lines().count(), predictions.lines().next().is_some_and(|l| l.ends_with("held_out"))),
        (145, true)
    );
    let ended = run(&["--until", "2015-12"]);
    ended.says(0, &[]);
    assert!(ended.stdout.contains("after 2015-12"), "{}", ended.stdout);
    run(&["--until", "2030-01"]).says(2, &["0 later"]).prints_nothing();
    run(&["--leave-out", "outlet"]).says(2, &["`outlet`, which no row has"]).prints_nothing();
    run(&[]).says(2, &["--leave-out <COLUMN>|--until <YEAR-MONTH>|--learning-curve"]);
}
