//! A run that is killed goes on where it was: no article is lost, and none is answered twice.

use std::io::Write;
use std::process::{Child, Stdio};

use crate::program::{Folder, MODEL};

const SENTENCES: [&str; 5] = [
    "Estonia condemned Russia and expelled two diplomats.",
    "Kenya thanked Japan for the new port.",
    "Rain fell on the capital all week.",
    "North Korea fired a missile toward Japan, and South Korea protested.",
    "India and Pakistan closed the crossing again.",
];

fn articles(count: usize) -> Vec<String> {
    let sentence = |i: usize| SENTENCES[i % SENTENCES.len()];
    let text = |i: usize| format!("{} {}", sentence(i), sentence(i / 7));
    (0..count).map(|i| format!("{}\n", serde_json::json!({"id": i.to_string(), "text": text(i)}))).collect()
}

fn command<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["predict", "-", "--input-format", "jsonl", "--all-actors", "--model", MODEL, "--output", output];
    args.iter().chain(more).copied().collect()
}

fn start(folder: &Folder, args: &[&str]) -> Child {
    folder.command(args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Feeds all of `lines` and waits for the end: the exit code and what was said.
fn run(folder: &Folder, args: &[&str], lines: &[String]) -> (Option<i32>, String) {
    let mut child = start(folder, args);
    let mut stdin = child.stdin.take().expect("a pipe");
    // A run that refuses its input closes the pipe.
    let _ = stdin.write_all(lines.concat().as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// How many articles the run that was stopped had answered.
fn answered(folder: &Folder, name: &str) -> u64 {
    let Ok(progress) = std::fs::read(folder.path(name)) else { return 0 };
    serde_json::from_slice::<serde_json::Value>(&progress).expect("JSON")["articles"].as_u64().expect("a number")
}

#[test]
fn killed_at_ten_moments_it_answers_each_article_once() {
    let folder = Folder::new();
    let lines = articles(22_000);
    for format in ["jsonl", "csv"] {
        let (whole, output) = (format!("whole.{format}"), format!("out.{format}"));
        assert_eq!(run(&folder, &command(&whole, &[]), &lines).0, Some(0));
        let (partial, progress) = (format!("{output}.partial"), format!("{output}.resume"));
        let args = command(&output, &["--resume"]);
        let mut far = 0;
        for moment in 0..10 {
            let mut child = start(&folder, &args);
            let mut stdin = child.stdin.take().expect("a pipe");
            // The pipe holds little, so most of what was taken has been read when the kill comes.
            stdin.write_all(lines[..(moment + 1) * 2_113].concat().as_bytes()).expect("it reads");
            child.kill().expect("it runs");
            child.wait().expect("it ends");
            let now = answered(&folder, &progress);
            assert!(now >= far, "{now} after {far}");
            far = now;
            assert!(!folder.path(&output).exists());
            // What is there ends with a whole line, as far as is written down.
            let there = std::fs::read(folder.path(&partial)).expect("it is kept");
            assert!(far == 0 || there.len() as u64 > far);
        }
        assert!(far > 10_000, "only {far} articles were answered before the last kill");
        let (code, said) = run(&folder, &args, &lines);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("{far} articles are answered already")), "{said}");
        let [expected, found] = [whole, output].map(|name| std::fs::read(folder.path(&name)).expect("a file"));
        assert!(found == expected, "{format}");
        assert!(!folder.path(&partial).exists() && !folder.path(&progress).exists());
    }
}

/// Leaves a run behind that was killed with some articles answered.
fn stopped(folder: &Folder, args: &[&str], lines: &[String]) -> u64 {
    let mut child = start(folder, args);
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(lines.concat().as_bytes()).expect("it reads");
    // The pipe is open, so the run waits for more.
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    drop(stdin);
    answered(folder, "out.jsonl.resume")
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = Folder::new();
    let lines = articles(8_000);
    let args = command("out.jsonl", &["--resume"]);
    assert!(stopped(&folder, &args, &lines) > 0);

    let other = command("out.jsonl", &["--resume", "--evidence", "3"]);
    let (code, said) = run(&folder, &other, &lines);
    assert!(code == Some(2) && said.contains("other options"), "{said}");

    let mut changed = lines.clone();
    changed[500] = changed[501].clone();
    for lines in [&changed[..], &lines[..500]] {
        let (code, said) = run(&folder, &args, lines);
        assert!(code == Some(2) && said.contains("are not those that"), "{said}");
    }

    let partial = std::fs::File::options().write(true).open(folder.path("out.jsonl.partial")).expect("it is kept");
    partial.set_len(10).expect("it can be cut");
    let (code, said) = run(&folder, &args, &lines);
    assert!(code == Some(2) && said.contains("shorter than"), "{said}");

    // Of a run that had answered nothing nothing is kept, whatever its options were.
    let (partial, progress) = (folder.path("out.jsonl.partial"), folder.path("out.jsonl.resume"));
    std::fs::remove_file(&progress).and_then(|()| std::fs::remove_file(&partial)).expect("they are there");
    let mut child = start(&folder, &args);
    while !progress.exists() {
        assert!(child.try_wait().expect("it runs").is_none(), "it ended before it began");
        std::thread::yield_now();
    }
    child.kill().and_then(|()| child.wait()).expect("it runs");
    assert_eq!(answered(&folder, "out.jsonl.resume"), 0);
    folder.save("out.jsonl.partial", "half a li");
    let (code, said) = run(&folder, &command("out.jsonl", &["--resume", "--evidence", "2"]), &lines[..3]);
    assert!(code == Some(0) && !said.contains("answered already"), "{said}");
    assert_eq!(run(&folder, &command("whole.jsonl", &["--evidence", "2"]), &lines[..3]).0, Some(0));
    let [whole, out] = ["whole.jsonl", "out.jsonl"].map(|name| std::fs::read(folder.path(name)).expect("a file"));
    assert!(out == whole);
    std::fs::remove_file(folder.path("out.jsonl")).expect("it is there");
    assert_eq!(run(&folder, &args, &["{}\n".to_owned()]).0, Some(1));
    assert!(!partial.exists() && !progress.exists(), "what answered nothing leaves nothing");

    // A file of that name that is somebody else's stays what it is.
    folder.save("out.jsonl.partial", "mine");
    let (code, said) = run(&folder, &args, &lines);
    assert!(code == Some(2) && said.contains("out.jsonl.resume` beside it says what it is"), "{said}");
    assert_eq!(std::fs::read_to_string(&partial).expect("it is there"), "mine");

    folder.save("out.jsonl.resume", "{}");
    let (code, said) = run(&folder, &args, &lines);
    assert!(code == Some(2) && said.contains("not what a run leaves"), "{said}");
    assert!(!folder.path("out.jsonl").exists());
}

#[test]
fn resuming_needs_records_in_a_file() {
    let folder = Folder::new();
    let lines = articles(1);
    for (output, more, named) in [
        ("out.json", &["--resume"][..], ".jsonl or .csv"),
        ("out.parquet", &["--resume"], ".jsonl or .csv"),
        ("out.csv", &["--resume", "--sort", "date"], "--sort date"),
    ] {
        let (code, said) = run(&folder, &command(output, more), &lines);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(named), "{said}");
    }
    assert_eq!(folder.names(), [""; 0]);
}

/// Links are followed, permissions stay, and what is no file is left alone.
#[cfg(unix)]
#[test]
fn what_stands_under_the_name_stays_what_it_is() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new();
    let lines = articles(3);
    folder.save("old.jsonl", "old");
    std::fs::set_permissions(folder.path("old.jsonl"), PermissionsExt::from_mode(0o400)).expect("its owner may");
    symlink("old.jsonl", folder.path("link.jsonl")).expect("a link");
    let (code, said) = run(&folder, &command("link.jsonl", &["--resume"]), &lines);
    assert_eq!(code, Some(0), "{said}");
    let is_link = |name: &str| std::fs::symlink_metadata(folder.path(name)).expect("it is there").is_symlink();
    assert!(is_link("link.jsonl") && !is_link("old.jsonl"));
    assert!(std::fs::read_to_string(folder.path("old.jsonl")).expect("records").contains("Estonia"));
    let mode = std::fs::metadata(folder.path("old.jsonl")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
    symlink("/dev/null", folder.path("null.jsonl")).expect("a link");
    let (code, said) = run(&folder, &command("null.jsonl", &["--resume"]), &lines);
    assert!(code == Some(2) && said.contains("--resume needs a file") && is_link("null.jsonl"), "{said}");
    assert_eq!(folder.names(), ["link.jsonl", "null.jsonl", "old.jsonl"]);
}
