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
    // What they do not say is not NaN.
    let bar = ["evaluate", "--data", "rows.csv", "--model", "p.csv", "--max", "log_loss=0.7"];
    folder.run(&bar).says(1, &["log_loss is not known: the predictions have no probabilities"]);
    let sure = ["evaluate", "--data", "rows.csv", "--model", "p.csv", "--min-prob", "0.5"];
    folder.run(&sure).says(2, &["--min-prob: the predictions have no probabilities"]).prints_nothing();
    folder.save("p.csv", "id,label\n2,aligned\n");
    folder
        .run(&["evaluate", "--data", "rows.csv", "--model", "p.csv"])
        .says(2, &["1 predictions answer to no labelled row", "no prediction for `1` (Norway toward Chile)"])
        .prints_nothing();
}

#[test]
fn a_row_that_is_there_twice_is_said() {
    let folder = Folder::new();
    let row = "Norway praised Chile.,Norway,Chile,aligned\n";
    folder.save(
        "rows.csv",
        format!("{HEADER}{row}{}Norway met Chile.,Norway,Chile,neutral\n", row.replace("Chile,al", "CHL,al")),
    );
    folder.run(&["evaluate", "--data", "rows.csv", "--model", MODEL]).says(0, &["1 rows repeat another"]);
}

#[test]
fn answers_are_as_sure_as_was_asked() {
    let folder = Folder::new();
    let rows: String = (0..60)
        .map(|i| {
            let (label, verb) = [("aligned", "thanked"), ("neutral", "met"), ("opposed", "condemned")][i % 3];
            format!("Norway {verb} Chile over the port number {i} on Monday.,Norway,Chile,{label}\n")
        })
        .collect();
    folder.save("rows.csv", format!("{HEADER}{rows}"));
    folder.run(&["train", "--data", "rows.csv", "--output", "m.detente"]).says(0, &["wrote m.detente"]);
    let json = |args: &[&str]| -> serde_json::Value {
        let ended = folder.run(&[&["evaluate", "--model", "m.detente", "--format", "json"], args].concat());
        ended.says(0, &[]);
        serde_json::from_str(&ended.stdout).expect("JSON")
    };
    // The rows that it has learnt from are known again, and others are not.
    let record = json(&["--data", "rows.csv", "--coverage", "0.5"]);
    assert_eq!((record["leaks"]["rows"].as_u64(), record["leaks"]["macro_f1_without"].is_null()), (Some(60), true));
    assert_eq!((record["answered"]["asked"].as_f64(), record["conformal"]["level"].as_f64()), (Some(0.5), Some(0.9)));
    let other = "Oman praised the new port of Iran in a speech.,Oman,Iran,aligned\n";
    folder.save("other.csv", format!("{HEADER}{other}"));
    assert_eq!(json(&["--data", "other.csv", "--min-prob", "0"])["answered"]["coverage"].as_f64(), Some(1.0));
    let text = ["predict", "--text", "Norway condemned Chile over the port.", "--actor", "Chile", "--model"];
    let sets = folder.run(&[&text[..], &["m.detente", "--conformal", "0.9", "--format", "csv"]].concat());
    sets.says(0, &[]);
    let (header, row) = sets.stdout.split_once('\n').expect("two lines");
    assert!(header.ends_with(",label_set") && row.trim_end().ends_with("opposed"), "{}", sets.stdout);
    folder.run(&[&text[..], &["m.detente", "--coverage", "1"]].concat()).says(0, &["a probability of 0.000 up"]);
    // A model of an earlier version says that it cannot.
    folder.run(&[&text[..], &[MODEL, "--coverage", "0.5"]].concat()).says(2, &["train it again"]).prints_nothing();
    folder.run(&[&text[..], &[MODEL, "--conformal"]].concat()).says(2, &["train it again"]).prints_nothing();
    folder.run(&[&text[..], &["m.detente", "--conformal", "0.2"]].concat()).says(2, &["0.5 to 0.995"]);
}
