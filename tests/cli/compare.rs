//! Several models, and predictions of other programs, on the same rows.

use crate::program::*;

#[test]
fn predictions_of_a_model_are_that_model() {
    let folder = Folder::new();
    let args = ["evaluate", "--data", DATA, "--model", MODEL, "--predictions", "p.csv", "--format", "json"];
    folder.run(&args).says(0, &[]);
    let args =
        ["evaluate", "--data", DATA, "--model", MODEL, "--model", "p.csv", "--model", "fast", "--format", "json"];
    let ended = folder.run(&args);
    ended.says(0, &[]);
    let record: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let comparisons = record["comparisons"].as_array().expect("a list");
    let names: Vec<&str> = comparisons.iter().filter_map(|c| c["model"]["name"].as_str()).collect();
    assert_eq!(names, ["p.csv", "fast"]);
    // The same model: no difference, and nothing to show for it.
    let same = &comparisons[0];
    assert_eq!((same["difference"].as_f64(), same["p_value"].as_f64()), (Some(0.0), Some(1.0)));
    assert_eq!(same["macro_f1"], record["macro_f1"]);
    // Of two comparisons, the smaller p-value counts twice.
    let p = |at: usize, name: &str| comparisons[at][name].as_f64().expect("a number");
    assert!((p(1, "p_holm") - (2.0 * p(1, "p_value")).min(1.0)).abs() < 1e-12);
    let table = folder.run(&args[..args.len() - 2]);
    table.says(0, &[]);
    assert!(table.stdout.contains("these rows do not show which is better"), "{}", table.stdout);
}

#[test]
fn predictions_without_probabilities_have_no_losses() {
    let folder = Folder::new();
    folder.save("rows.csv", format!("id,{HEADER}1,Norway praised Chile.,Norway,Chile,aligned\n"));
    folder.save("p.csv", "id,label\n1,aligned\n");
    let ended = folder.run(&["evaluate", "--data", "rows.csv", "--model", "p.csv", "--format", "json"]);
    ended.says(0, &[]);
    let record: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((record["accuracy"].as_f64(), record["log_loss"].is_null()), (Some(1.0), true));
    folder.save("p.csv", "id,label\n2,aligned\n");
    folder
        .run(&["evaluate", "--data", "rows.csv", "--model", "p.csv"])
        .says(2, &["1 predictions answer to no labelled row", "no prediction for `1` (Norway toward Chile)"])
        .prints_nothing();
}
