//! `detente trend`: from articles or records to stance over time.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use crate::program::{Ended, Folder, MODEL};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/examples/two-years");

fn json(folder: &Folder, args: &[&str]) -> serde_json::Value {
    let ended = folder.run(&[&["trend", "--actor", "Russia", "--format", "json"], args].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// In the example Tajikistan turns against Russia in the first days of April 2019, and nobody else turns.
#[test]
fn the_turn_of_the_example_is_found() {
    let found = json(&Folder::new(), &[EXAMPLE, "--by", "quarter"]);
    let series = found["series"].as_array().expect("series");
    let turned: Vec<_> =
        series.iter().filter(|s| s["change_points"].as_array().is_some_and(|c| !c.is_empty())).collect();
    assert_eq!(turned.len(), 1);
    assert_eq!(turned[0]["state_code"], "TJK");
    let turn = &turned[0]["change_points"][0];
    assert_eq!(turn["date"], "2019-04-02");
    assert!(turn["before"].as_f64() > Some(0.3) && turn["after"].as_f64() < Some(-0.3), "{turn}");
    assert_eq!(turn["reports"].as_array().map(Vec::len), Some(3));
    let of = |code: &str| series.iter().find(|s| s["state_code"] == code).expect("it is named");
    for quarter in 0..8 {
        let net = |code: &str| of(code)["points"][quarter]["net"].as_f64().expect("a number");
        assert!(net("BLR") > 0.2 && net("EST") < -0.5 && (net("TJK") > 0.0) == (quarter < 5), "{quarter}");
    }
}

#[test]
fn records_give_what_their_articles_give() {
    let folder = Folder::new();
    let ended = folder.run(&["predict", EXAMPLE, "--actor", "Russia", "--model", "fast", "--output", "records.jsonl"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let articles = json(&folder, &[EXAMPLE, "--by", "month"]);
    assert_eq!(json(&folder, &["records.jsonl", "--by", "month", "--model", "fast"]), articles);
    assert_eq!(json(&folder, &["records.jsonl", "--by", "month", "--model", "fast", "--threads", "1"]), articles);
    // Whose answers they are is not known, so nothing is corrected.
    let as_they_are = json(&folder, &["records.jsonl", "--by", "month"]);
    assert_eq!(as_they_are, json(&folder, &[EXAMPLE, "--by", "month", "--no-correction"]));
    assert_ne!(as_they_are, articles);
}

#[test]
fn records_are_known_on_standard_input_and_in_folders() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("answers")).expect("a folder");
    for (year, args) in [("2018", ["2018-q1", "2018-q2"]), ("2019", ["2019-q1", "2019-q2"])] {
        let files = args.map(|quarter| format!("{EXAMPLE}/{quarter}.jsonl"));
        let output = format!("answers/{year}.jsonl");
        let args = ["predict", &files[0], &files[1], "--actor", "Russia", "--model", "fast", "--output", &output];
        assert_eq!(folder.run(&args).code, Some(0));
    }
    let both = json(&folder, &["answers/2018.jsonl", "answers/2019.jsonl"]);
    assert_eq!(json(&folder, &["answers"]), both);
    let records =
        ["2018", "2019"].map(|year| std::fs::read(folder.path(&format!("answers/{year}.jsonl"))).expect("it"));
    let on_stdin = |bytes: &[u8], args: &[&str]| {
        let mut child = folder.command(&[&["trend", "-", "--actor", "Russia"], args].concat());
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().expect("the program starts");
        // Who refuses what it sees first does not read the rest.
        let _ = child.stdin.take().expect("piped").write_all(bytes);
        let ended = child.wait_with_output().expect("it ends");
        Ended::new(ended.status.code(), ended.stdout, &ended.stderr)
    };
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
    };
    let zstd = zstd::encode_all(&records.concat()[..], 1).expect("memory takes all");
    for records in [&records.concat(), &gzip(&records.concat())] {
        let ended = on_stdin(records, &["--format", "json"]);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ended.stdout).expect("JSON"), both);
    }
    for records in [&gzip(&records.concat()), &zstd] {
        folder.save("packed.jsonl.gz", records);
        assert_eq!(json(&folder, &["packed.jsonl.gz"]), both);
    }
    // As much as comes at once is less than its first block; so they are read as articles, and refused as such.
    on_stdin(&zstd, &["--model", MODEL]).says(2, &["-:1: found what `predict` answered, expected articles"]);
    on_stdin(&gzip(b"id,state_code,actor_code,p_aligned\na,PER,RUS,0.5\n"), &[])
        .says(2, &["-: these are answers of `predict`"]);
    for before in ["\u{feff}", "\n \n"] {
        folder.save("begun.jsonl", [before.as_bytes(), &records.concat()].concat());
        assert_eq!(json(&folder, &["begun.jsonl"]), both);
    }
    // Articles that carry what was answered are articles, in any format.
    let quarter = std::fs::read_to_string(format!("{EXAMPLE}/2018-q1.jsonl")).expect("an example");
    folder.save("quarter.jsonl", &quarter);
    let carried = "{\"state_code\": \"PER\", \"actor_code\": \"RUS\", \"probabilities\": {}, ";
    folder.save("carried.jsonl", quarter.lines().map(|line| format!("{carried}{}\n", &line[1..])).collect::<String>());
    assert_eq!(json(&folder, &["carried.jsonl"]), json(&folder, &["quarter.jsonl"]));
    // What is no record among these is an error, not an article.
    on_stdin(&[&records[0][..], b"{\"text\": \"Peru thanked Russia.\"}\n"].concat(), &[])
        .says(2, &["-:", "expected a record"]);
    on_stdin(b"id,state_code,actor_code,p_aligned\na,PER,RUS,0.5\n", &[])
        .says(2, &["-: these are answers of `predict`"]);
    let article = b"{\"text\": \"Peru thanked Russia.\", \"date\": \"2019-01-02\"}\n";
    on_stdin(article, &["--model", MODEL]).says(0, &[]);
    folder.save("answers/more.jsonl", article);
    folder
        .run(&["trend", "answers", "--actor", "Russia"])
        .says(2, &["answers: answers of `predict` lie beside articles", "more.jsonl"]);
}

#[test]
fn csv_has_a_row_for_each_state_and_period() {
    let folder = Folder::new();
    let args = ["trend", EXAMPLE, "--actor", "Russia", "--state", "Estonia", "--by", "quarter", "--format", "csv"];
    let ended = folder.run(&args);
    let mut rows = csv::Reader::from_reader(ended.stdout.as_bytes());
    let header = rows.headers().expect("a header").clone();
    let place = |name: &str| header.iter().position(|column| column == name).expect(name);
    let rows: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), 8);
    assert_eq!((&rows[0][place("period")], &rows[0][place("articles")]), ("2018-Q1", "5"));
    for row in &rows {
        let number = |name: &str| row[place(name)].parse::<f64>().expect(name);
        assert!((number("aligned") + number("neutral") + number("opposed") - 1.0).abs() < 1e-9);
        assert!((number("aligned") - number("opposed") - number("net")).abs() < 1e-9);
        assert!(number("net_low") <= number("net") && number("net") <= number("net_high"));
    }
}

#[test]
fn what_cannot_be_told_is_said() {
    let folder = Folder::new();
    folder
        .save("undated.jsonl", "{\"id\": \"a\", \"text\": \"Norway praised Chile.\"}\n")
        .save("guess.jsonl", "{\"id\": \"a\", \"date\": \"03/04/2014\", \"text\": \"Norway praised Chile.\"}\n")
        .save("month.jsonl", "{\"id\": \"a\", \"date\": \"2014-03\", \"text\": \"Norway praised Chile.\"}\n")
        .save("one.jsonl", "{\"id\": \"a\", \"date\": \"23 February 2014\", \"text\": \"Norway praised Chile.\"}\n")
        .save("late.jsonl", "{\"id\": \"a\", \"date\": \"2199-01-01\", \"text\": \"Norway praised Chile.\"}\n")
        .save("broken.jsonl", "");
    for name in ["answers.csv", "answers.json", "answers.parquet"] {
        let ended = folder.run(&["predict", "one.jsonl", "--actor", "Chile", "--model", MODEL, "--output", name]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let run = |args: &[&str]| folder.run(&[&["trend", "--model", MODEL], args].concat());
    for (args, code, said) in [
        (&["undated.jsonl", "--actor", "Chile"][..], 2, "undated.jsonl (1)"),
        (&["guess.jsonl", "--actor", "Chile"], 2, "03/04 may be March or April"),
        (&["month.jsonl", "--actor", "Chile", "--by", "week"], 2, "tells no day"),
        (&["one.jsonl", "guess.jsonl", "--actor", "Chile"], 0, "they are left out"),
        (&["one.jsonl", "--actor", "Chile"], 0, "all is of one period (2014)"),
        (&["late.jsonl", "--actor", "Chile"], 0, "of the future"),
        (&["one.jsonl", "--actor", "Peru"], 2, "no article connects a state with Peru"),
        (&["one.jsonl", "--actor", "Nobodia"], 2, "Nobodia"),
        (&["broken.jsonl", "--actor", "Chile"], 2, "broken.jsonl"),
        (&["one.jsonl", "--actor", "Chile", "--state", "Fiji"], 2, "no article connects Fiji with Chile"),
        (&["answers.csv", "--actor", "Chile"], 2, "predict --format jsonl"),
        (&["answers.json", "--actor", "Chile"], 2, "predict --format jsonl"),
        (&["answers.parquet", "--actor", "Chile"], 2, "predict --format jsonl"),
        (&["one.jsonl"], 2, "--actor"),
    ] {
        let ended = run(args);
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
        assert_eq!(ended.stdout.is_empty(), code == 2, "{args:?}: {}", ended.stdout);
    }
}

#[test]
fn who_moved_most_is_who_turned() {
    let folder = Folder::new();
    let ranking = json(&folder, &[EXAMPLE, "--rank", "2018", "2019-Q3..2019-Q4"]);
    let moves: Vec<(&str, bool)> = ranking["moves"]
        .as_array()
        .expect("moves")
        .iter()
        .map(|each| (each["state_code"].as_str().expect("a code"), each["clear"].as_bool().expect("a bool")))
        .collect();
    assert_eq!(moves, [("TJK", true), ("BLR", false), ("EST", false)]);
    let args = ["trend", EXAMPLE, "--actor", "Russia", "--rank", "2018", "2019-Q3..2019-Q4", "--output", "rank.csv"];
    assert_eq!(folder.run(&args).code, Some(0));
    let mut rows = csv::Reader::from_path(folder.path("rank.csv")).expect("it is there");
    let rows: Vec<BTreeMap<String, String>> = rows.deserialize().collect::<Result<_, _>>().expect("rows");
    assert_eq!((rows.len(), rows[0]["state"].as_str(), rows[0]["articles_before"].as_str()), (3, "Tajikistan", "32"));
    for (spans, said) in [
        (["2018", "2018-Q3"], "share days"),
        (["2019", "2018"], "2019 is after 2018"),
        (["2018", "soon"], "expected a period such as 2014"),
        (["2018", "2020..2019"], "`2020` is after `2019`"),
    ] {
        let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--rank", spans[0], spans[1]]);
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{}", ended.stderr);
    }
    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--output", "trend.parquet"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("trend writes .csv and .json"), "{}", ended.stderr);
    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--html", "-", "--format", "csv"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("both write to standard output"), "{}", ended.stderr);
    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--rank", "1990", "1991"]);
    assert!(ended.code == Some(0) && ended.stdout.contains("no pair has 10 articles in 1990"), "{}", ended.stdout);
}

#[test]
fn those_who_stand_alike_are_a_bloc() {
    let folder = Folder::new();
    let codes = |span: &str| -> Vec<Vec<String>> {
        let found = json(&folder, &[EXAMPLE, "--blocs", span]);
        let code = |member: &serde_json::Value| member["state_code"].as_str().expect("a code").to_owned();
        let members =
            |bloc: &serde_json::Value| bloc["members"].as_array().expect("members").iter().map(code).collect();
        found["blocs"].as_array().expect("blocs").iter().map(members).collect()
    };
    let with_tajikistan = |blocs: Vec<Vec<String>>| -> Vec<String> {
        let mut bloc = blocs.into_iter().find(|bloc| bloc.contains(&"TJK".to_owned())).expect("it is of one");
        bloc.sort();
        bloc
    };
    assert_eq!(with_tajikistan(codes("2018")), ["BLR", "MNG", "TJK"]);
    assert_eq!(with_tajikistan(codes("2019-Q3..2019-Q4")), ["EST", "TJK"]);
    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--blocs", "2018", "--format", "csv"]);
    assert!(
        ended.stdout.starts_with("bloc,stability,state,state_code,articles,stays,toward_Russia\n"),
        "{}",
        ended.stdout
    );
    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--blocs", "1990"]);
    assert!(ended.stdout.contains("fewer than three states can be compared in 1990"), "{}", ended.stdout);
}

#[test]
fn a_state_that_nothing_is_told_of_is_named() {
    let folder = Folder::new();
    let args = ["trend", EXAMPLE, "--actor", "Russia", "--state", "Estonia", "--state", "Peru"];
    let ended = folder.run(&args);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("no article tells the stance of Peru"), "{}", ended.stderr);
}

#[test]
fn the_page_shows_the_turn_and_runs_nothing_of_an_article() {
    let folder = Folder::new();
    let hostile = "<script>alert(1)</script>";
    // It turns, so that its date is told of.
    let line = |n: usize| {
        let date = format!("2 March 20{:02} {hostile}", n + 10);
        let said = if n < 15 { "thanked Russia for the loan" } else { "condemned Russia's attack" };
        let text = format!("Norway {said} over {hostile} & \"more\".");
        let article = serde_json::json!({"id": format!("{hostile}{n}"), "date": date, "title": hostile, "text": text});
        format!("{article}\n")
    };
    folder.save("hostile.jsonl", (0..30).map(line).collect::<String>());
    let args = [
        "trend",
        "hostile.jsonl",
        "--actor",
        "Russia",
        "--state",
        "Norway",
        "--no-dedup",
        "--html",
        "page.html",
        "--svg",
        "chart.svg",
    ];
    let ended = folder.run(&args);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    let chart = std::fs::read_to_string(folder.path("chart.svg")).expect("it is written");
    assert!(!chart.contains("<script") && chart.contains("class=\"turned\""), "{chart}");
    let page = std::fs::read_to_string(folder.path("page.html")).expect("it is written");
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert!(page.contains("default-src 'none'") && page.contains("Norway toward Russia: <time>2 March 20"), "{page}");
    assert!(!page.contains("several of one event count once"), "--no-dedup");

    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--by", "quarter", "--html", "page.html"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("it is written");
    for part in [
        "Stance toward Russia, 2018-Q1 to 2019-Q4",
        "Tajikistan toward Russia: <time>2019-04-02</time>",
        "Tajikistan accused Russia of wrecking the Sangob",
        "detente trend",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.len() < 2_000_000 && !page.contains("http://") && !page.contains("https://"));

    let ended = folder.run(&["trend", EXAMPLE, "--actor", "Russia", "--svg", "chart.svg"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("--state and --actor say which"), "{}", ended.stderr);
    let args =
        ["trend", EXAMPLE, "--actor", "Russia", "--state", "Tajikistan", "--by", "quarter", "--svg", "chart.svg"];
    assert_eq!(folder.run(&args).code, Some(0));
    let chart = std::fs::read_to_string(folder.path("chart.svg")).expect("it is written");
    assert!(chart.contains("Net stance of Tajikistan toward Russia") && chart.contains("2019-04-02"), "{chart}");
}

#[test]
fn records_that_are_no_probabilities_are_refused() {
    let folder = Folder::new();
    let ended = folder.run(&[
        "predict",
        "--text",
        "Norway praised Chile.",
        "--actor",
        "Chile",
        "--format",
        "jsonl",
        "--model",
        MODEL,
    ]);
    let mut record: serde_json::Value =
        serde_json::from_str(ended.stdout.lines().next().expect("a record")).expect("JSON");
    for aligned in [1e308, 80.0, -0.1] {
        record["probabilities"]["aligned"] = aligned.into();
        folder.save("records.jsonl", [ended.stdout.as_str(), &record.to_string(), "\n"].concat());
        let refused = folder.run(&["trend", "records.jsonl", "--actor", "Chile"]);
        assert!(refused.code == Some(2) && refused.stderr.contains("records.jsonl:2"), "{}", refused.stderr);
        assert!(refused.stderr.contains("add up to 1"), "{}", refused.stderr);
    }
}
