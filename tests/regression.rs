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

#[test]
fn f14_05_every_article_of_a_stream_has_its_heading() {
    let folder = Folder::new();
    let rows = |n: usize| (0..n).map(|i| format!("a{i},Peru thanked Chile.\n")).collect::<String>();
    for n in [1, 2, 256, 257, 513] {
        folder.save("a.csv", format!("id,text\n{}", rows(n)));
        let ended = folder.run(&["predict", "a.csv", "--actor", "Chile", "--model", MODEL]);
        ended.says(0, &[]);
        let headed = (0..n).filter(|i| ended.stdout.lines().any(|line| line == format!("a{i}"))).count();
        assert_eq!(headed, if n == 1 { 0 } else { n }, "{n} articles");
    }
}

#[test]
fn f14_09_labels_are_joined_whole_or_refused() {
    let folder = Folder::new();
    folder.save("texts.jsonl", "{\"id\": 7, \"text\": \"Côte d'Ivoire thanked Chile.\"}\n");
    let header = "id,state,actor,label,state_start,state_end,actor_start,actor_end\n";
    let join = |name: &str| folder.run(&["data", "join", name, "--texts", "texts.jsonl"]);
    folder.save("half.csv", format!("{header}7,Côte d'Ivoire,Chile,aligned,0,13,,\n"));
    join("half.csv").says(2, &["half.csv:2", "no `actor_start`", "all of"]).prints_nothing();
    folder.save("whole.csv", format!("{header}7,Côte d'Ivoire,Chile,aligned,0,13,22,27\n"));
    let plain = join("whole.csv");
    assert!(plain.says(0, &[]).stdout.contains(",0,13,22,27,7"), "{}", plain.stdout);
    // The same rows in another encoding.
    let utf16: Vec<u8> = format!("\u{feff}{header}7,Côte d'Ivoire,Chile,aligned,0,13,22,27\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    folder.save("utf16.csv", utf16);
    assert_eq!(join("utf16.csv").stdout, plain.stdout);
    folder.save(
        "lines.jsonl",
        "{\"sentence\": 7, \"state\": \"Côte d'Ivoire\", \"actor\": \"Chile\", \"label\": \"aligned\"}",
    );
    join("lines.jsonl").says(0, &["1 rows"]);
    folder.save("other.csv", format!("{header}8,Chile,Peru,aligned,,,,\n"));
    join("other.csv").says(2, &["other.csv:2:1", "id `8`", "texts.jsonl"]);
}

#[test]
fn f14_12_one_fault_of_many_rows_is_said_once() {
    let folder = Folder::new();
    let rows = "Norway praised Chile.,Norway,Chile,pro\n".repeat(56);
    folder.save("a.csv", format!("{HEADER}{GOOD}{rows}"));
    let ended = folder.evaluate("a.csv");
    ended.says(1, &["a.csv:4:4", "55 more rows have the same fault", "line 59"]);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("error")).count(), 2, "{}", ended.stderr);
    assert!(ended.stdout.contains("2 rows"), "{}", ended.stdout);
    // What the system says is said once.
    let ended = folder.run(&["train", "--data", "nowhere.csv", "-o", "out.detente"]);
    assert_eq!(ended.says(2, &[]).stderr.matches("No such file").count(), 1, "{}", ended.stderr);
    let ended = folder.run(&["predict", "nowhere.txt", "--all-actors", "--model", MODEL]);
    assert_eq!(ended.says(2, &[]).stderr.matches("No such file").count(), 1, "{}", ended.stderr);
}

#[test]
fn f14_13_no_command_writes_over_what_it_reads() {
    let folder = Folder::new();
    let data = rows();
    let articles = "{\"text\": \"Peru thanked Chile.\"}\n";
    folder.save("io.csv", &data).save("dev.csv", &data).save("io.jsonl", articles);
    std::fs::create_dir(folder.path("sub")).expect("a folder");
    folder.save("sub/io.jsonl", articles);
    std::fs::hard_link(folder.path("io.csv"), folder.path("hard.csv")).expect("a link");
    #[cfg(unix)]
    std::os::unix::fs::symlink("io.csv", folder.path("soft.csv")).expect("a link");
    let before = folder.names();
    let mut cases = vec![
        vec!["train", "--data", "io.csv", "-o", "io.csv"],
        vec!["train", "--data", "io.csv", "-o", "./sub/../io.csv"],
        vec!["train", "--data", "io.csv", "-o", "hard.csv"],
        vec!["train", "--data", "io.csv", "-o", "m", "--out-of-fold", "dev.csv", "--dev", "dev.csv"],
        vec!["train", "--data", "io.csv", "-o", "same", "--out-of-fold", "./same"],
        vec!["evaluate", "--data", "io.csv", "--json", "io.csv"],
        vec!["evaluate", "--data", "io.csv", "--json", "a", "--predictions", "a"],
        vec!["predict", "io.jsonl", "--all-actors", "-o", "io.jsonl"],
        vec!["predict", "sub", "--all-actors", "-o", "sub/io.jsonl"],
        vec!["data", "check", "io.csv", "--json", "io.csv"],
        vec!["data", "convert", "io.csv", "hard.csv"],
        vec!["data", "join", "io.csv", "--texts", "dev.csv", "-o", "dev.csv"],
        vec!["predict", "io.jsonl", "--all-actors", "--gazetteer", "dev.csv", "-o", "dev.csv"],
    ];
    if cfg!(unix) {
        cases.push(vec!["evaluate", "--data", "io.csv", "--json", "soft.csv"]);
    }
    for case in cases {
        let ended = folder.run(&case);
        assert_eq!(ended.code, Some(2), "{case:?}: {}", ended.stderr);
        assert_eq!(folder.names(), before, "{case:?}");
        for (name, content) in
            [("io.csv", &*data), ("dev.csv", &*data), ("io.jsonl", articles), ("sub/io.jsonl", articles)]
        {
            assert_eq!(std::fs::read_to_string(folder.path(name)).expect("a file"), content, "{case:?}");
        }
    }
    // A device may be written to twice.
    let case = ["evaluate", "--data", "io.csv", "--model", MODEL, "--json", "/dev/null", "--predictions", "/dev/null"];
    folder.run(&case).says(0, &[]);
}

#[test]
fn f14_14_one_bad_input_does_not_end_the_others() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("empty")).expect("a folder");
    folder.save("good.txt", "Peru thanked Chile.").save("good.csv", rows());
    let ended = folder.run(&["predict", "empty", "nowhere.txt", "good.txt", "--all-actors", "--model", MODEL]);
    ended.says(1, &["empty", "nowhere.txt"]);
    assert!(ended.stdout.contains("Peru"), "{}", ended.stdout);
    let ended = folder.run(&["evaluate", "--data", "nowhere.csv", "good.csv", "--model", MODEL]);
    ended.says(1, &["nowhere.csv"]);
    assert!(ended.stdout.contains("12 rows"), "{}", ended.stdout);
    folder
        .run(&["predict", "empty", "nowhere.txt", "--all-actors", "--model", MODEL])
        .says(2, &["nothing could be read"]);
}

#[test]
#[cfg(unix)]
fn f14_16_a_pipe_that_would_be_read_twice_is_refused() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo").arg(folder.path("pipe.csv")).status();
    assert!(made.expect("mkfifo").success());
    folder.save("a.csv", rows()).save("a.txt", "Peru thanked Chile.");
    for case in [
        vec!["train", "--data", "pipe.csv", "-o", "m"],
        vec!["train", "--config", "pipe.csv", "-o", "m"],
        vec!["predict", "a.txt", "--all-actors", "--gazetteer", "pipe.csv"],
        vec!["predict", "a.txt", "--all-actors", "--model", "pipe.csv"],
        vec!["predict", "a.txt", "--all-actors", "--gazetteer", "/dev/zero"],
        vec!["train", "--config", "/dev/zero", "-o", "m"],
        vec!["inspect", "/dev/zero"],
    ] {
        folder.run(&case).says(2, &["a pipe or a device", "a regular file"]).prints_nothing();
    }
    folder.run(&["data", "agreement", "/dev/zero", "a.csv"]).says(2, &["/dev/zero", "binary data"]);
}

#[test]
fn f14_17_an_id_stays_as_it_is_written() {
    let folder = Folder::new();
    let ids = ["123456789012345678901234567890", "1.50", "1e3", "-0"];
    let lines: String = ids.iter().map(|id| format!("{{\"id\": {id}, \"text\": \"Peru thanked Chile.\"}}\n")).collect();
    folder.save("a.jsonl", lines);
    let ended = folder.predict("a.jsonl");
    for id in ids {
        assert!(ended.stdout.contains(&format!("{{\"id\":\"{id}\"")), "{id}: {}", ended.stdout);
    }
    let row = "\"text\": \"Peru thanked Chile.\", \"state\": \"Peru\", \"actor\": \"Chile\", \"label\": \"aligned\"";
    folder.save("b.jsonl", format!("{{\"id\": 123456789012345678901234567890, \"n\": 1.10, {row}}}\n"));
    folder.run(&["data", "convert", "b.jsonl", "b.csv"]).says(0, &[]);
    let csv = std::fs::read_to_string(folder.path("b.csv")).expect("a file");
    assert!(csv.contains("\n123456789012345678901234567890,") && csv.ends_with(",1.10\n"), "{csv}");
    folder.save("c.jsonl", "{\"id\": [1], \"text\": \"Peru thanked Chile.\"}\n");
    folder.predict("c.jsonl").says(1, &["c.jsonl:1", "a string or a number"]);
}

#[test]
fn f14_24_nothing_of_a_text_reaches_the_terminal_raw() {
    let folder = Folder::new();
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}";
    folder.save("a.csv", format!("id,text\n\"a{evil}\nb\",Peru {evil} thanked Chile.\nc,Peru thanked Chile.\n"));
    let raw = |text: &str| text.contains(['\u{1b}', '\u{7}', '\u{202e}']);
    for args in [["predict", "a.csv", "--actor", "Chile"], ["predict", "a.csv", "--all-actors", "--quiet"]] {
        let ended = folder.run(&[&args[..], &["--model", MODEL]].concat());
        assert!(!raw(&ended.stdout) && ended.stdout.contains("a\\u{1b}[2J"), "{}", ended.stdout);
    }
    let ended = folder.run(&["explain", "a.csv", "--state", "Peru", "--actor", "Chile", "--model", MODEL]);
    assert!(!raw(&ended.stdout), "{}", ended.stdout);
    folder.save("b.csv", format!("{HEADER}Peru thanked Chile.,Peru,{evil},aligned\n"));
    let ended = folder.evaluate("b.csv");
    assert!(!raw(&ended.says(2, &["unknown state or actor", "\\u{1b}[2J"]).stderr), "{}", ended.stderr);
    let ended = folder.run(&["predict", &format!("no{}", "\u{1b}[2J\nb"), "--all-actors"]);
    assert!(!raw(&ended.says(2, &["no\\u{1b}[2J\\nb"]).stderr), "{}", ended.stderr);
    // A wide table gives a short complaint.
    let names: Vec<String> = (0..25_000).map(|i| format!("column{i}")).collect();
    folder.save("wide.csv", format!("{}\n", names.join(",")));
    let ended = folder.predict("wide.csv");
    assert!(ended.says(1, &["wide.csv:1", "`text`"]).stderr.len() < 2_000, "{}", ended.stderr.len());
}

#[test]
fn f14_04_what_keeps_a_model_from_being_judged_is_named() {
    let folder = Folder::new();
    let grouped = |groups: [&str; 2]| {
        let mut text = String::from("text,state,actor,label,group\n");
        for i in 0..10 {
            text += &format!("Norway praised Chile {i} times.,Norway,Chile,aligned,{}\n", groups[0]);
            text += &format!("Norway attacked Chile {i} times.,Norway,Chile,opposed,{}\n", groups[1]);
        }
        text
    };
    folder.save("one.csv", grouped(["a", "a"])).train("one.csv").says(2, &["all 20 rows in one group, `a`", "--group"]);
    let ended = folder.save("two.csv", grouped(["a", "b"])).train("two.csv");
    ended.says(2, &["all rows labelled", "in at least two", "--group"]);
    let bare = |label: &str| format!("Norway Chile.,Norway,Chile,{label}\n");
    folder.save("bare.csv", format!("{HEADER}{}{}", bare("aligned"), bare("opposed")));
    folder.train("bare.csv").says(2, &["bare.csv", "anything beside the two names"]);
    folder.save("few.csv", format!("{HEADER}{GOOD}"));
    folder.train("few.csv").says(2, &["rows of each label in at least two"]);
}

#[test]
fn f14_06_a_fit_that_stopped_early_is_said_and_recorded() {
    let folder = Folder::new();
    folder.save("r.toml", format!("[params.logistic]\nmax_iter = 1\n[[data]]\npath = \"{DATA}\"\n"));
    let ended = folder.run(&["train", "--config", "r.toml", "-o", "m.detente"]);
    ended.says(0, &["warning: 6 of the fits stopped after 1 steps"]);
    let shown = folder.run(&["inspect", "m.detente"]);
    assert!(shown.stdout.contains("stopped after 1 steps"), "{}", shown.stdout);
}

#[test]
fn f14_07_parameters_of_a_recipe_have_ranges() {
    let folder = Folder::new();
    let data = format!("[[data]]\npath = \"{DATA}\"\n");
    for (recipe, name) in [
        (format!("{data}weight = 0.0\n"), "weight"),
        (format!("{data}weight = -1.0\n"), "weight"),
        (format!("{data}weight = nan\n"), "weight"),
        (format!("[params.pooling]\nneighbour = 0.0\n{data}"), "pooling.neighbour"),
        (format!("[params.pooling]\ntitle = -2.0\n{data}"), "pooling.title"),
        (format!("[params.pooling]\nsharpness = inf\n{data}"), "pooling.sharpness"),
        (format!("[params.ngrams]\nmax_n = 9\n{data}"), "max_n"),
        (format!("[params.ngrams]\ncontext = 9223372036854775807\n{data}"), "context"),
        (format!("[params]\nfolds = 1\n{data}"), "folds"),
        (format!("[params.logistic]\nc = nan\n{data}"), "C is"),
    ] {
        folder.save("r.toml", &recipe);
        let ended = folder.run(&["train", "--config", "r.toml", "-o", "m.detente"]);
        ended.says(2, &[name]);
        assert!(ended.stderr.contains("expected"), "{recipe}: {}", ended.stderr);
    }
}

#[test]
fn f14_10_few_rows_give_a_plain_calibration_and_no_model_upside_down() {
    let folder = Folder::new();
    for seed in ["0", "1", "2", "3"] {
        let ended = folder.run(&["train", "--data", DATA, "-o", "m.detente", "--seed", seed]);
        ended.says(0, &["warning: probabilities are"]);
        let ended = folder.run(&["evaluate", "--data", DATA, "--model", "m.detente", "--min", "accuracy=0.9"]);
        ended.says(0, &[]);
    }
}

#[test]
fn f14_10_a_decision_by_advantage_is_said() {
    let folder = Folder::new();
    let verbs =
        ["warned", "rebuked", "urged", "pressed", "asked", "questioned", "doubted", "answered", "confronted", "defied"];
    let text: String = verbs.iter().map(|verb| format!("id{verb},Peru {verb} Chile over the talks.\n")).collect();
    folder.save("a.csv", format!("id,text\n{text}"));
    let ended = folder.run(&["predict", "a.csv", "--actor", "Chile", "--format", "jsonl", "--model", "fast"]);
    let mut decided = 0;
    for line in ended.stdout.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record");
        let p = ["aligned", "neutral", "opposed"].map(|k| record["probabilities"][k].as_f64().expect("a number"));
        let own = record["probabilities"][record["stance"].as_str().expect("a word")].as_f64().expect("a number");
        let (least, most) = p.iter().fold((1.0f64, 0.0f64), |(a, b), &p| (a.min(p), b.max(p)));
        assert!(own > least, "{line}");
        decided += usize::from(own < most);
    }
    assert!(decided > 0, "the case needs a sentence between neutral and opposed");
    let table = folder.run(&["predict", "a.csv", "--actor", "Chile", "--model", "fast"]).stdout;
    assert_eq!(table.matches("opposed*").count() + table.matches("aligned*").count(), decided, "{table}");
    assert!(table.contains("* another stance is more probable"), "{table}");
}

#[test]
fn f14_22_threads_and_folds_are_no_more_than_can_be_used() {
    let folder = Folder::new();
    let ended = folder.run(&["train", "--data", DATA, "-o", "m.detente", "--cv", "1000000", "--threads", "20000"]);
    ended.says(0, &["threads in place of 20000", "folds in place of 1000000"]);
}

/// Whether this process ignores a signal, where that can be known.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[test]
#[cfg(unix)]
fn f14_14_a_signal_leaves_nothing_half_written() {
    use std::io::Write;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3), ("USR1", 10), ("XCPU", 24)] {
        // As under `nohup`, and for what a script starts by `&`: the program inherits it, and must not end then.
        if is_ignored(number) {
            println!("SIG{name} is ignored here, and so by the program that is tested");
            continue;
        }
        let folder = Folder::new();
        let mut command = folder.command(&["predict", "-", "--all-actors", "--model", MODEL, "-o", "out.txt"]);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
        // Open to the end: at the end of its input the program would come to its own.
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(b"Peru thanked Chile.").expect("it is read");
        // It waits for more input once its output is begun.
        let begun = || folder.names().iter().any(|name| name.starts_with(".detente-"));
        while !begun() {
            assert!(child.try_wait().expect("a child").is_none());
            std::thread::yield_now();
        }
        let killed = std::process::Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
        assert!(killed.expect("kill").success());
        assert_eq!(child.wait().expect("a child").signal(), Some(number));
        drop(stdin);
        assert_eq!(folder.names(), Vec::<String>::new(), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn f14_16_results_that_cannot_be_written_are_an_error() {
    let folder = Folder::new();
    folder.save("a.txt", "Peru thanked Chile.");
    for args in [
        vec!["help"],
        vec!["--version"],
        vec!["predict", "--help"],
        vec!["predict", "a.txt", "--all-actors"],
        vec!["explain", "a.txt", "--state", "Peru", "--actor", "Chile"],
        vec!["inspect"],
        vec!["gazetteer", "list"],
        vec!["completions", "bash"],
        vec!["man"],
        vec!["evaluate", "--data", DATA],
        vec!["data", "stats", DATA],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a device");
        let output = folder.command(&args).stdout(full).output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("No space left"), "{args:?}: {said}");
        let command = format!("exec {} {} >&-", env!("CARGO_BIN_EXE_detente"), args.join(" "));
        let output = std::process::Command::new("sh").args(["-c", &command]).current_dir(folder.0.path()).output();
        let output = output.expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("standard output: it is closed"), "{args:?}: {said}");
    }
}

#[test]
fn f15_a_recipe_names_files_from_its_own_folder_or_its_root() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("a/b")).expect("a folder");
    folder.save("a/rows.csv", rows()).save("a/b/own.csv", rows());
    folder.save("a/b/own.toml", "[[data]]\npath = \"own.csv\"\n");
    folder.save("a/b/root.toml", "root = \"..\"\n[[data]]\npath = \"rows.csv\"\n");
    for recipe in ["a/b/own.toml", "a/b/root.toml"] {
        folder.run(&["train", "--config", recipe, "-o", "m.detente"]).says(0, &["12 rows used"]);
    }
}

#[test]
fn f14_01_a_row_is_known_by_its_parties_and_a_file_is_read_once() {
    let folder = Folder::new();
    let again = ["Norway", "NOR", "norway"].map(|name| format!("Norway praised Chile.,{name},Chile,aligned\n"));
    folder.save("a.csv", format!("{}{}", rows(), again.concat()));
    folder.train("a.csv").says(0, &["12 rows used", "3 that repeat an earlier row"]);
    let check = folder.run(&["data", "check", "a.csv"]).stdout;
    assert!(check.contains("pairs that repeat an earlier one: 3"), "{check}");
    let ended = folder.run(&["train", "--data", "a.csv", "a.csv", "-o", "m"]);
    ended.says(2, &["`a.csv` twice", "each file once"]);
}

#[test]
fn f14_02_a_table_has_names_and_fields_of_a_size() {
    let folder = Folder::new();
    folder.save("a.csv", format!("text,{}\nPeru met Chile.,x\n", "n".repeat(2_000)));
    folder.predict("a.csv").says(1, &["a.csv:1:2", "2000 bytes"]);
    folder.save("b.csv", format!("text\nPeru met Chile.\n{}\n", ",".repeat(1_000_000)));
    let ended = folder.predict("b.csv");
    ended.says(1, &["b.csv:3", "at most 200000 fields"]);
    assert!(ended.stdout.contains("Peru met Chile."));
}

#[test]
fn f14_05_an_actor_asked_for_twice_is_answered_once() {
    let folder = Folder::new();
    folder.save("a.txt", "Estonia condemned Russia. Moscow thanked Minsk.");
    let args = ["predict", "a.txt", "--model", MODEL, "--all-states", "--format", "csv"];
    let once = folder.run(&[&args[..], &["--actor", "Russia"]].concat()).stdout;
    let twice = folder.run(&[&args[..], &["--actor", "Russia", "--actor", "Moscow"]].concat()).stdout;
    assert_eq!(once, twice);
    assert_eq!(once.lines().count(), 3, "{once}");
}

#[test]
fn f14_09_labels_are_a_table_whatever_their_file_is_called() {
    let folder = Folder::new();
    folder.save("texts.jsonl", "{\"id\": 7, \"text\": \"Peru thanked Chile.\"}\n");
    folder.save("labels", "id,state,actor,label\n7,Peru,Chile,aligned\n");
    folder.run(&["data", "join", "labels", "--texts", "texts.jsonl"]).says(0, &["1 rows"]);
}

#[test]
fn f14_12_what_would_fail_at_the_end_fails_at_the_start() {
    let folder = Folder::new();
    let ended = folder.run(&["train", "--data", DATA, "--dev", "nowhere.csv", "-o", "m.detente"]);
    ended.says(2, &["nowhere.csv"]);
    assert_eq!(folder.names(), Vec::<String>::new());
    // Faults that differ in what was found are of one kind, too.
    let labels: String = (0..500).map(|i| format!("Norway praised Chile.,Norway,Chile,lab{i}\n")).collect();
    folder.save("a.csv", format!("{HEADER}{GOOD}{labels}"));
    let ended = folder.evaluate("a.csv");
    ended.says(1, &["lab0", "497 more rows have the same fault", "line 503"]);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("error")).count(), 4, "{}", ended.stderr);
}

#[test]
#[cfg(unix)]
fn f14_13_what_standard_input_comes_from_is_an_input() {
    let folder = Folder::new();
    let article = "{\"text\": \"Peru thanked Chile.\"}\n";
    folder.save("io.jsonl", article).save("g.csv", "code,name,kind,region,alias,how\nPER,,,,Peruland,name\n");
    let input = std::fs::File::open(folder.path("io.jsonl")).expect("a file");
    let args = ["predict", "-", "--input-format", "jsonl", "--all-actors", "-o", "io.jsonl"];
    let output = folder.command(&args).stdin(input).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(folder.path("io.jsonl")).expect("a file"), article);
    folder.run(&["data", "convert", DATA, "g.csv", "--gazetteer", "g.csv"]).says(2, &["is an input too"]);
}

#[test]
#[cfg(target_os = "linux")]
fn f14_14_a_signal_that_is_ignored_stays_ignored() {
    let folder = Folder::new();
    folder.save("a.txt", "Peru thanked Chile.");
    let program = env!("CARGO_BIN_EXE_detente");
    // The program waits for the pipe's other end, which is opened after the signal.
    let script = format!(
        "mkfifo pipe; trap '' HUP; {program} predict pipe --all-actors --model {MODEL} -o out.txt & \
         id=$!; until grep -q 'SigIgn:.*[13579bdf]$' /proc/$id/status && ls .detente-* >out.list 2>&1; do :; done; \
         kill -HUP $id; cat a.txt >pipe; wait $id"
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.0.path()).output();
    let output = output.expect("a shell");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.names().contains(&"out.txt".into()));
}

#[test]
fn f14_17_half_a_character_is_an_error() {
    let folder = Folder::new();
    folder.save("a.jsonl", "{\"text\": \"\\ud800 Peru met \\\"Chile\\\".\", \"state\": \"Peru\", \"actor\": \"Chile\", \"label\": \"neutral\"}\n");
    folder.run(&["data", "convert", "a.jsonl", "a.csv"]).says(2, &["a.jsonl:1", "escape"]);
    folder.predict("a.jsonl").says(1, &["a.jsonl:1", "escape"]);
}

#[test]
fn f14_19_one_article_with_very_much_to_say_is_written_as_it_is_made() {
    let folder = Folder::new();
    let names =
        ["Peru", "Chile", "Oman", "Chad", "Kenya", "Uganda", "Norway", "Estonia", "Latvia", "Poland", "China", "India"];
    let many = format!("{}. ", names.join(", ")).repeat(200);
    folder.save(
        "a.jsonl",
        format!("{{\"id\": \"a\", \"text\": \"{many}\"}}\n{{\"id\": \"b\", \"text\": \"Peru met Chile.\"}}\n"),
    );
    let all =
        folder.run(&["predict", "a.jsonl", "--all-actors", "--format", "jsonl", "--evidence", "99", "--model", MODEL]);
    assert!(all.says(0, &[]).stdout.len() > 1 << 20);
    assert_eq!(all.stdout.lines().count(), 12 * 11 + 2);
    assert!(all.stdout.lines().all(|line| serde_json::from_str::<detente::Record>(line).is_ok()));
}
