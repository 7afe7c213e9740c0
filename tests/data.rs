//! `detente data` from the command line.

#![cfg(feature = "cli")]

use std::path::Path;
use std::process::{Command, Output};

const LABELS: &str = "id,state,actor,label,state_start,state_end,actor_start,actor_end\n\
                      a-0,Peru,Chile,opposed,0,4,14,19\n\
                      a-0,Chile,Peru,neutral,14,19,0,4\n\
                      a-1,Belarus,Russia,Aligned,0,5,14,20\n";

const TEXTS: &str = "{\"id\":\"a\",\"text\":\"Perú denounced Chile again. Minsk thanked Moscow for the loan.\"}\n";

/// Runs `detente data` in `folder`.
fn data(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detente"));
    command.current_dir(folder).arg("data").args(args).output().expect("the program runs")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

#[test]
fn labels_are_joined_checked_and_counted() {
    let labels = LABELS.replace("14,19", "15,20");
    let folder = folder(&[("labels.csv", &labels), ("texts.jsonl", TEXTS)]);
    let run = |args: &[&str]| data(folder.path(), args);
    let join = ["join", "labels.csv", "--texts", "texts.jsonl", "--layout", "sentences", "--output"];
    let joined = run(&[&join[..], &["rows.csv"]].concat());
    assert_eq!(code(&joined), Some(0), "{}", stderr(&joined));
    let rows = std::fs::read_to_string(folder.path().join("rows.csv")).expect("the output");
    assert_eq!(
        rows,
        "id,title,text,state,actor,label,state_start,state_end,actor_start,actor_end,group\n\
         a-0,,Perú denounced Chile again.,Peru,Chile,opposed,0,4,15,20,a-0\n\
         a-0,,Perú denounced Chile again.,Chile,Peru,neutral,15,20,0,4,a-0\n\
         a-1,,Minsk thanked Moscow for the loan.,Belarus,Russia,aligned,0,5,14,20,a-1\n"
    );
    let checked = run(&["check", "rows.csv"]);
    assert_eq!(code(&checked), Some(0), "{}", stdout(&checked));
    assert!(stdout(&checked).contains("no errors, no leaks"));
    let stats = run(&["stats", "rows.csv", "--format", "json"]);
    let stats: serde_json::Value = serde_json::from_slice(&stats.stdout).expect("JSON");
    assert_eq!((&stats[0]["rows"], &stats[0]["texts"], &stats[0]["states"]), (&3.into(), &2.into(), &3.into()));

    let over = run(&[&join[..], &["texts.jsonl"]].concat());
    assert_eq!(code(&over), Some(2));
    assert!(stderr(&over).contains("texts.jsonl is an input"), "{}", stderr(&over));
    assert_eq!(std::fs::read_to_string(folder.path().join("texts.jsonl")).expect("the input"), TEXTS);
    let other = run(&[&join[..], &["x.csv", "--sha256", "00"]].concat());
    assert_eq!(code(&other), Some(2));
    assert!(stderr(&other).contains("expected 00") && !folder.path().join("x.csv").exists());
}

#[test]
fn leaks_and_bad_rows_are_reported_and_end_with_1() {
    let test = "[Peru] hit [Chile] over the border in the night.\tPeru\tChile\t3\n[A] met [B].\tA\tB\t0\n";
    let train = "text,state,actor,label\n\
                 Peru hit Chile over the border in the night.,Peru,Chile,opposed\n\
                 Peru hit Chile.,Peru,Chile,friendly\n";
    let folder = folder(&[("train.csv", train), ("test.txt", test)]);
    let found = data(folder.path(), &["check", "train.csv", "--against", "test.txt", "--json", "found.json"]);
    assert_eq!(code(&found), Some(1), "{}", stderr(&found));
    let text = stdout(&found);
    assert!(text.contains("of 2 rows of test.txt, 1 stand word for word in train.csv, 0 more nearly"), "{text}");
    assert!(text.contains("train.csv:3:4: found the label `friendly`"), "{text}");
    let json = std::fs::read(folder.path().join("found.json")).expect("the findings");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["leaks"][0]["exact"][0]["line"], 1);
}

#[test]
fn rows_are_divided_and_converted() {
    let pair = |i: usize| ["Peru,Chile,neutral", "Chile,Peru,opposed"][i % 2];
    let rows: String = (0..20).map(|i| format!("row {},{}\n", i / 2, pair(i))).collect();
    let folder = folder(&[("rows.csv", &format!("text,state,actor,label\n{rows}"))]);
    let run = |args: &[&str]| data(folder.path(), args);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("an output");
    for parts in ["one", "two"] {
        let done = run(&["split", "rows.csv", "--output-dir", parts, "--seed", "3"]);
        assert_eq!(code(&done), Some(0), "{}", stderr(&done));
    }
    for (name, lines) in [("train.csv", 17), ("dev.csv", 3), ("test.csv", 3)] {
        assert_eq!(read(&format!("one/{name}")).lines().count(), lines, "{name}");
        assert_eq!(read(&format!("one/{name}")), read(&format!("two/{name}")));
    }
    assert_eq!(code(&run(&["check", "one/train.csv", "one/dev.csv", "one/test.csv"])), Some(0));
    assert_eq!(code(&run(&["split", "rows.csv", "--output-dir", "x", "--ratios", "0.9,0.2"])), Some(2));
    assert_eq!(code(&run(&["convert", "one/dev.csv", "dev.jsonl"])), Some(0));
    assert_eq!(code(&run(&["convert", "dev.jsonl", "dev.csv"])), Some(0));
    assert_eq!(read("dev.csv"), read("one/dev.csv"));
}

#[test]
fn readings_are_compared() {
    let second = LABELS.replace("Chile,Peru,neutral", "Chile,Peru,opposed");
    let folder = folder(&[("a.csv", LABELS), ("b.csv", &second)]);
    let found = data(folder.path(), &["agreement", "a.csv", "b.csv", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    // Labels o n a and o o a: p_o = 2/3; p_e = (1 + 0 + 2) / 9 = 1/3;
    // n_c = 2, 1, 3, so D_e = 1 - 8/30 = 22/30, and 1 - (1/3) / (22/30) = 6/11.
    for (name, value) in [("raw", 2.0 / 3.0), ("cohen_kappa", 0.5), ("krippendorff_alpha", 6.0 / 11.0)] {
        let seen = found[name].as_f64().expect("a number");
        assert!((seen - value).abs() < 1e-12, "{name}: {seen}");
    }
    let table = stdout(&data(folder.path(), &["agreement", "a.csv", "b.csv"]));
    assert!(table.contains("Krippendorff's alpha  0.5455"), "{table}");
}

#[test]
fn offsets_of_javascript_are_found_out_and_said() {
    let text = "😀 Perú denounced Chile again.";
    let row = |offsets: &str| {
        format!(
            "text,state,actor,label,state_start,state_end,actor_start,actor_end\n{text},Peru,Chile,opposed,{offsets}\n"
        )
    };
    let files = [("utf16.csv", row("3,7,18,23")), ("bytes.csv", row("5,10,21,26")), ("plain.csv", row("2,6,17,22"))];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
    let folder = folder(&files);
    for (name, said) in [("utf16.csv", "UTF-16 units"), ("bytes.csv", "as bytes"), ("plain.csv", "")] {
        let converted = data(folder.path(), &["convert", name, "out.csv"]);
        assert_eq!(code(&converted), Some(0), "{}", stderr(&converted));
        assert!(stderr(&converted).contains(said), "{name}: {}", stderr(&converted));
        assert_eq!(stderr(&converted).contains("warning"), !said.is_empty(), "{name}");
        let out = std::fs::read_to_string(folder.path().join("out.csv")).expect("the output");
        assert!(out.contains(",opposed,2,6,17,22,"), "{name}: {out}");
    }
}

#[test]
fn tasks_go_out_with_proposals_and_come_back_as_rows() {
    let rows =
        "id,text,state,actor,label\n1,Norway praised Chile.,Norway,Chile,\n2,Oman attacked Chad.,OMN,TCD,opposed\n";
    let folder = folder(&[("rows.csv", rows)]);
    let run = |args: &[&str]| data(folder.path(), args);
    for format in ["label-studio", "doccano", "prodigy"] {
        let exported = run(&["export", "rows.csv", "--format", format, "--predict", "--output", "tasks.json"]);
        assert_eq!(code(&exported), Some(0), "{}", stderr(&exported));
        let tasks = std::fs::read_to_string(folder.path().join("tasks.json")).expect("the output");
        assert!(tasks.contains("aligned") && tasks.contains("Norway praised Chile."), "{tasks}");
        let imported = run(&["import", "tasks.json", "--format", format]);
        assert_eq!(code(&imported), Some(0), "{}", stderr(&imported));
        let out = stdout(&imported);
        assert!(out.contains("2,,Oman attacked Chad.,OMN,TCD,opposed,,,,,"), "{format}: {out}");
    }
    let nothing = run(&["import", "rows.csv", "--format", "doccano"]);
    assert_eq!((code(&nothing), stdout(&nothing)), (Some(2), String::new()), "{}", stderr(&nothing));
}

#[test]
fn directed_sentiment_is_imported() {
    let folder = folder(&[("lines.txt", "[Oman] hit [Chad].\tOman\tChad\t3\n")]);
    let imported = data(folder.path(), &["import", "lines.txt", "--format", "directed-sentiment"]);
    assert!(stdout(&imported).contains("Oman hit Chad.,Oman,Chad,opposed,0,4,9,13"), "{}", stdout(&imported));
}

#[test]
fn a_sample_is_an_unlabelled_file_without_what_is_labelled() {
    let articles = "{\"id\":\"a\",\"text\":\"Norway praised Chile in a long speech on Monday evening.\"}\n\
                    {\"id\":\"b\",\"text\":\"Oman attacked Chad.\"}\n{\"id\":\"c\",\"text\":\"It rained.\"}\n";
    let labelled =
        "text,state,actor,label\nNorway praised Chile in a long speech on Monday evening.,Norway,Chile,aligned\n";
    let folder = folder(&[("a.jsonl", articles), ("done.csv", labelled)]);
    let run = |args: &[&str]| data(folder.path(), &[&["sample", "a.jsonl", "--per-text", "1"][..], args].concat());
    for how in [&[][..], &["--uncertain"], &["--diverse"], &["--disagree", "fast", "fast"]] {
        let sampled = run(how);
        assert_eq!(code(&sampled), Some(0), "{}", stderr(&sampled));
        assert_eq!(stdout(&sampled).lines().count(), 3, "{}", stdout(&sampled));
    }
    let rest = run(&["--against", "done.csv"]);
    let out = stdout(&rest);
    assert!(
        out.starts_with("id,title,text,state,actor,label,") && out.lines().count() == 2 && out.contains("\nb,,"),
        "{out}"
    );
    let again = run(&["--against", "done.csv"]);
    assert_eq!(stdout(&again), out);
    assert_eq!(code(&run(&["--n", "0"])), Some(2));
    std::fs::copy(folder.path().join("a.jsonl"), folder.path().join("archive")).expect("a copy");
    let named = data(folder.path(), &["sample", "archive", "--input-format", "jsonl", "--per-text", "1"]);
    assert_eq!(stdout(&named), stdout(&run(&[])), "{}", stderr(&named));
}

#[test]
fn a_wrong_label_among_right_ones_is_a_suspect() {
    let mut rows = String::from("id,text,state,actor,label,group\n");
    let states = ["Peru", "Chile", "Norway", "Oman", "Chad", "Kenya", "Japan", "Fiji", "Cuba", "Mali"];
    for (i, a) in states.iter().enumerate() {
        for (j, b) in states.iter().enumerate().filter(|(j, _)| *j != i) {
            let (verb, label) = if (i + j) % 2 == 0 { ("thanked", "aligned") } else { ("attacked", "opposed") };
            let label = if (i, j) == (3, 5) { "opposed" } else { label };
            rows += &format!("{i}-{j},{a} {verb} {b} today.,{a},{b},{label},{i}-{j}\n");
        }
    }
    let folder = folder(&[("rows.csv", &rows)]);
    let found = data(folder.path(), &["suspects", "rows.csv", "--format", "csv", "--top", "1"]);
    assert_eq!(code(&found), Some(0), "{}", stderr(&found));
    assert!(stdout(&found).contains("3-5,Oman,Kenya,opposed,aligned,"), "{}", stdout(&found));
}

#[test]
fn two_names_in_one_place_are_refused() {
    let rows = "text,state,actor,label,state_start,state_end,actor_start,actor_end\nPeru thanked Chile.,Peru,Chile,aligned,0,4,3,9\n";
    let folder = folder(&[("rows.csv", rows)]);
    let checked = data(folder.path(), &["check", "rows.csv"]);
    assert_eq!(code(&checked), Some(1));
    assert!(
        stdout(&checked).contains("which overlap") || stderr(&checked).contains("which overlap"),
        "{}",
        stdout(&checked)
    );
}

#[test]
fn two_readings_in_one_file_are_compared() {
    let rows = "id,state,actor,label,first,second\n1,Peru,Chile,aligned,aligned,aligned\n2,Peru,Chile,neutral,opposed,neutral\n\
                3,Peru,Chile,neutral,neutral,\n";
    let folder = folder(&[("labels.csv", rows), ("none.csv", "id,state,actor,label\n1,Peru,Chile,aligned\n")]);
    let compared = data(folder.path(), &["agreement", "labels.csv", "--format", "json"]);
    let record: serde_json::Value = serde_json::from_slice(&compared.stdout).expect("JSON");
    assert_eq!((&record["n"], &record["raw"]), (&2.into(), &0.5.into()));
    let none = data(folder.path(), &["agreement", "none.csv"]);
    assert!(code(&none) != Some(0) && stderr(&none).contains("`first`, `second`"), "{}", stderr(&none));
}

#[test]
fn windows_are_the_rows_that_train_would_use() {
    let rows = "id,text,state,actor,label,group\n1,Norway praised Chile.,Norway,Chile,aligned,a\n\
                2,\"Oman attacked Chad, said Mali.\",Oman,Chad,opposed,b\n3,It rained.,Oman,Chad,neutral,c\n\
                1,Norway praised Chile.,Norway,Chile,aligned,a\n";
    let recipe = "[params]\nfolds = 2\n[[data]]\npath = \"rows.csv\"\nweight = 2.0\n";
    let folder = folder(&[("rows.csv", rows), ("recipe.toml", recipe)]);
    let written = data(folder.path(), &["windows", "--config", "recipe.toml"]);
    assert_eq!(code(&written), Some(0), "{}", stderr(&written));
    let lines: Vec<serde_json::Value> =
        stdout(&written).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "the third says nothing, the fourth nothing new");
    assert_eq!(lines[1]["windows"][0]["text"], "Norway attacked Peru, said Mali.");
    assert_eq!(lines[1]["windows"][0]["actor"], serde_json::json!([16, 20]));
    assert_eq!((&lines[1]["label"], &lines[1]["weight"]), (&"opposed".into(), &2.0.into()));
    assert_ne!(lines[0]["fold"], lines[1]["fold"]);
}

#[test]
fn a_mixed_file_of_javascript_offsets_comes_back_as_it_went() {
    let rows = "id,text,state,actor,label,state_start,state_end,actor_start,actor_end\n\
                1,🚀 Belarus praised Wagner Group.,Belarus,Wagner Group,aligned,2,9,18,30\n\
                2,“Perú” thanked Chile.,Peru,Chile,aligned,1,5,15,20\n3,“Perú” thanked Chile again.,Peru,Chile,aligned,1,5,15,20\n";
    let folder = folder(&[("rows.csv", rows)]);
    let run = |args: &[&str]| data(folder.path(), args);
    assert_eq!(code(&run(&["export", "rows.csv", "--format", "label-studio", "-o", "t.json"])), Some(0));
    let imported = run(&["import", "t.json", "--format", "label-studio"]);
    let out = stdout(&imported);
    assert!(out.contains("aligned,2,9,18,30") && out.contains("aligned,1,5,15,20"), "{out}{}", stderr(&imported));
}

#[test]
fn proposals_of_prodigy_are_no_labels_and_a_sample_can_be_drawn_against() {
    let rows = "id,text,state,actor,label\n1,Norway praised Chile.,Norway,Chile,\n";
    let articles =
        "{\"id\":\"1\",\"text\":\"Norway praised Chile.\"}\n{\"id\":\"2\",\"text\":\"Oman attacked Chad.\"}\n";
    let folder = folder(&[("rows.csv", rows), ("a.jsonl", articles)]);
    let run = |args: &[&str]| data(folder.path(), args);
    assert_eq!(code(&run(&["export", "rows.csv", "--format", "prodigy", "--predict", "-o", "t.jsonl"])), Some(0));
    assert_eq!(code(&run(&["import", "t.jsonl", "--format", "prodigy"])), Some(2));
    let out = stdout(&run(&["sample", "a.jsonl", "--against", "rows.csv"]));
    assert!(out.contains("Oman") && !out.contains("Norway"), "{out}");
}

#[test]
fn words_that_are_not_where_the_file_says_are_an_error() {
    let tasks = r#"[{"id": 5, "data": {"text": "Peru thanked Chile."}, "annotations": [{"result": [
        {"id": "a", "type": "labels", "value": {"start": 1, "end": 5, "text": "Peru", "labels": ["state"]}},
        {"id": "b", "type": "labels", "value": {"start": 13, "end": 18, "text": "Chile", "labels": ["actor"]}},
        {"type": "choices", "from_name": "language", "value": {"choices": ["English"]}},
        {"type": "choices", "from_name": "stance", "value": {"choices": ["aligned"]}}]}]}]"#;
    let folder = folder(&[
        ("bad.json", tasks),
        ("good.json", &tasks.replace("\"start\": 1, \"end\": 5", "\"start\": 0, \"end\": 4")),
    ]);
    let bad = data(folder.path(), &["import", "bad.json", "--format", "label-studio"]);
    assert!(code(&bad) == Some(2) && stderr(&bad).contains("where the file says `Peru`"), "{}", stderr(&bad));
    let good = data(folder.path(), &["import", "good.json", "--format", "label-studio"]);
    assert!(stdout(&good).contains("5,,Peru thanked Chile.,Peru,Chile,aligned,0,4,13,18"), "{}", stdout(&good));
}

#[test]
fn two_readings_need_no_decision() {
    let folder = folder(&[("labels.csv", "id,state,actor,first,second\n1,Peru,Chile,aligned,neutral\n")]);
    let compared = data(folder.path(), &["agreement", "labels.csv", "--format", "json"]);
    let record: serde_json::Value = serde_json::from_slice(&compared.stdout).expect("JSON");
    assert_eq!((&record["n"], &record["raw"]), (&1.into(), &0.0.into()), "{}", stderr(&compared));
}
