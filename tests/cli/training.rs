//! What training says of rows, and of choices made on them.

use crate::program::*;

/// Rows whose verb is their label, each a text of its own.
fn rows(n: usize) -> String {
    let verbs = [("thanked", "aligned"), ("met", "neutral"), ("condemned", "opposed")];
    let places = ["port", "road", "bridge", "mine", "river", "school", "tax", "law", "fleet", "bank"];
    let row = |i: usize| {
        let (verb, label) = verbs[i % 3];
        let (place, other) = (places[i % 10], places[i / 10 % 10]);
        format!("Norway {verb} Chile over the {place} and the {other} of region {i}.,Norway,Chile,{label}\n")
    };
    std::iter::once(HEADER.to_owned()).chain((0..n).map(row)).collect()
}

#[test]
fn the_score_stands_beside_its_folds_and_beside_no_model() {
    let folder = Folder::new();
    folder.save("rows.csv", rows(120));
    let ended = folder.run(&["train", "--data", "rows.csv", "--test-size", "0.25", "--output", "m.detente"]);
    ended.says(
        0,
        &[
            "by fold: ",
            "standard error",
            "bag of words",
            "always aligned",
            "on the rows that were kept out (30 rows): 1.0000",
        ],
    );
    folder.save("two.csv", rows(2));
    let ended = folder.run(&["train", "--data", "two.csv", "--test-size", "0.01", "--output", "n.detente"]);
    ended.says(2, &[]).prints_nothing();
    folder.run(&["train", "--data", "rows.csv", "--test-size", "1", "--output", "n.detente"]).says(2, &["below 1"]);
}

#[test]
fn what_was_tried_is_shown_and_the_simplest_taken() {
    let folder = Folder::new();
    folder.save("rows.csv", rows(90));
    let ended = folder.run(&["train", "--data", "rows.csv", "--tune", "--output", "m.detente"]);
    ended.says(
        0,
        &["→  words, strong penalty ", "all features, weak penalty, classes balanced", "(nested folds): 1.0000"],
    );
    let first = std::fs::read(folder.path("m.detente")).expect("a model");
    folder.run(&["train", "--data", "rows.csv", "--tune", "--threads", "1", "--output", "n.detente"]).says(0, &[]);
    assert!(first == std::fs::read(folder.path("n.detente")).expect("a model"), "threads make a difference");
}

#[test]
fn a_base_that_knows_the_rows_is_said_to() {
    let folder = Folder::new();
    let row = "Minsk thanked Moscow for the new loan and for much else.,Belarus,Russia,aligned\n";
    folder.save("rows.csv", format!("{}{row}", rows(30)));
    let start = ["train", "--data", "rows.csv", "--start-from", "fast-that-is-not-there", "--output", "m.detente"];
    folder.run(&start).says(2, &["fast-that-is-not-there"]).prints_nothing();
    folder
        .run(&["train", "--data", "rows.csv", "--start-from", "small", "--tune", "--output", "m.detente"])
        .says(2, &["cannot be used with"]);
}
