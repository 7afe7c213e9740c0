//! `make bench-peers`: the whole job of the program beside that of scikit-learn and fastText, on the same files.
//!
//! Makes 20,000 articles of real paragraphs, then runs every program in turn, in five rounds, and prints a table for
//! `reports/speed.md`. In each round detente does each of its jobs five times, and the mean counts: the peers take about as long for
//! one run, so all meet quiet and busy times alike. What counts of each round goes to the file that the first argument names. `PYTHON` is a
//! Python that has scikit-learn and fasttext-wheel.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program of its own

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;
/// How often the program answers in a round, of which the mean counts.
const TURNS: usize = 5;
const ARTICLES: &str = "20000";
/// Starts whose median counts.
const STARTS: usize = 15;

/// What the program is asked, and how it is called.
const JOBS: [(&str, &[&str]); 4] = [
    ("everyone toward everyone, one thread", &["--all-actors", "--threads", "1"]),
    ("everyone toward everyone, two threads", &["--all-actors", "--threads", "2"]),
    ("everyone toward Russia, one thread", &["--actor", "Russia", "--threads", "1"]),
    ("everyone toward Russia, two threads", &["--actor", "Russia", "--threads", "2"]),
];
const PEERS: [&str; 2] = ["scikit-learn", "fastText"];

fn main() -> AnyResult<()> {
    // `cargo bench` puts flags of its own before.
    let csv = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let folder = tempfile::tempdir()?;
    let (articles, pairs, one) =
        (folder.path().join("articles.jsonl"), folder.path().join("pairs.csv"), folder.path().join("one.txt"));
    std::fs::write(&one, "Estonia condemned Russia's attack and expelled two Russian diplomats.")?;
    script(
        &python,
        &shared.join("bench/make_articles.py"),
        &[&shared.join("data/news/bbc.jsonl"), Path::new(ARTICLES), &articles],
    )?;
    script(&python, &shared.join("bench/dse_pairs.py"), &[&shared.join("data/dse/train.txt"), &pairs])?;
    let megabytes = std::fs::metadata(&articles)?.len() as f64 / 1e6;

    let names = JOBS.iter().map(|(name, _)| *name).chain(PEERS).chain(["start to first answer"]);
    let mut seconds: Vec<(&str, Vec<f64>)> = names.map(|name| (name, Vec::new())).collect();
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        let mut sums = [0.0; JOBS.len()];
        for _ in 0..TURNS {
            for ((_, args), sum) in JOBS.iter().zip(&mut sums) {
                *sum += detente(&articles, args)?;
            }
        }
        for (sum, (_, seconds)) in sums.iter().zip(&mut seconds) {
            seconds.push(sum / TURNS as f64);
        }
        let said = script(&python, &shared.join("bench/peers.py"), &[&pairs, &articles])?;
        for line in said.lines() {
            let record: serde_json::Value = serde_json::from_str(line)?;
            let place = seconds.iter_mut().find(|(name, _)| record["tool"] == *name);
            let (_, seconds) = place.ok_or("a peer that is not known")?;
            seconds.push(record["predict_s"].as_f64().ok_or("no time")?);
        }
        let starts = (0..STARTS).map(|_| detente(&one, &["--actor", "Russia"])).collect::<AnyResult<Vec<f64>>>()?;
        seconds[JOBS.len() + PEERS.len()].1.push(spread(&starts).1);
    }
    if let Some(csv) = csv {
        let mut text = String::from("what,round,seconds\n");
        for (name, seconds) in &seconds {
            for (round, seconds) in seconds.iter().enumerate() {
                writeln!(text, "\"{name}\",{},{seconds:.4}", round + 1)?;
            }
        }
        std::fs::write(csv, text)?;
    }
    print(&seconds, megabytes);
    println!(
        "\nscikit-learn {}, fasttext-wheel {}.",
        version(&python, "scikit-learn")?,
        version(&python, "fasttext-wheel")?
    );
    pages(folder.path())?;
    let [small, accurate] = growth(&articles, folder.path())?;
    let articles: f64 = ARTICLES.parse()?;
    cost(&[
        ("everyone toward Russia, fast", articles, spread(&seconds[3].1).1),
        ("everyone toward everyone, fast", articles, spread(&seconds[1].1).1),
        ("everyone toward everyone, small", SLOW as f64, small),
        ("everyone toward everyone, accurate", SLOW as f64, accurate),
    ]);
    Ok(())
}

/// Saved pages, one file each: how much faster two threads take them apart than one.
fn pages(folder: &Path) -> AnyResult<()> {
    const COPIES: usize = 40;
    let pages = folder.join("pages");
    std::fs::create_dir(&pages)?;
    let (mut count, mut bytes) = (0, 0);
    for page in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages"))? {
        let page = page?.path();
        if page.extension().is_some_and(|ending| ending == "html") {
            for copy in 0..COPIES {
                let name = page.file_stem().unwrap_or_default().to_string_lossy();
                bytes += std::fs::copy(&page, pages.join(format!("{copy}-{name}.html")))?;
                count += 1;
            }
        }
    }
    let args = |threads| ["--actor", "Russia", "--any-language", "--threads", threads];
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(with_model(&pages, "fast", &args("1"))?);
        two.push(with_model(&pages, "fast", &args("2"))?);
    }
    let ratios: Vec<f64> = one.iter().zip(&two).map(|(one, two)| one / two).collect();
    let (least, median, most) = spread(&ratios);
    println!(
        "\n{count} saved pages ({:.1} MB of HTML): {:.2} s with one thread, {:.2} s with two, which are {median:.2} times as fast \
         ({least:.2} to {most:.2}).",
        bytes as f64 / 1e6,
        spread(&one).1,
        spread(&two).1
    );
    Ok(())
}

/// Articles that the slower models are asked about.
const SLOW: usize = 200;

/// How the time grows with the articles, the evidence of each, and the size of the model; gives that of the slower models.
fn growth(articles: &Path, folder: &Path) -> AnyResult<[f64; 2]> {
    let all = std::fs::read_to_string(articles)?;
    let first = |count: usize| -> AnyResult<PathBuf> {
        let path = folder.join(format!("{count}.jsonl"));
        std::fs::write(&path, all.split_inclusive('\n').take(count).collect::<String>())?;
        Ok(path)
    };
    let median = |path: &PathBuf, model: &str, args: &[&str]| -> AnyResult<f64> {
        let seconds = (0..3).map(|_| with_model(path, model, args)).collect::<AnyResult<Vec<f64>>>()?;
        Ok(spread(&seconds).1)
    };
    println!("\n## Growth\n\nEveryone toward everyone, median of 3.\n");
    println!(
        "| articles | model | evidence of a pair | threads | seconds | articles a second |\n|---|---|---|---|---|---|"
    );
    let row = |count: usize, model: &str, evidence: &str, threads: &str| -> AnyResult<f64> {
        let args = ["--all-actors", "--evidence", evidence, "--threads", threads];
        let seconds = median(&first(count)?, model, &args)?;
        println!("| {count} | {model} | {evidence} | {threads} | {seconds:.2} | {:.0} |", count as f64 / seconds);
        Ok(seconds)
    };
    for count in [2_500, 5_000, 10_000, 20_000] {
        row(count, "fast", "1", "1")?;
        row(count, "fast", "1", "2")?;
    }
    row(20_000, "fast", "0", "1")?;
    row(20_000, "fast", "10", "1")?;
    row(SLOW, "fast", "1", "2")?;
    Ok([row(SLOW, "small", "1", "2")?, row(SLOW, "accurate", "1", "2")?])
}

/// What a hundred million articles like these cost, on paper; each question with the seconds that so many articles took.
fn cost(questions: &[(&str, f64, f64)]) {
    const WANTED: f64 = 100e6;
    const MACHINES: f64 = 50.0;
    const DOLLARS: f64 = 0.10;
    println!("\n## A hundred million articles\n");
    println!(
        "On paper, from the tables above, at two threads. Articles do not depend on one another, so files are divided among machines. A"
    );
    println!("machine like this one is taken to cost {DOLLARS:.2} US$ an hour.\n");
    println!("| question | one machine, hours | {MACHINES} machines, hours | US$ |\n|---|---|---|---|");
    for (question, articles, seconds) in questions {
        let hours = WANTED / articles * seconds / 3600.0;
        println!("| {question} | {hours:.1} | {:.2} | {:.2} |", hours / MACHINES, DOLLARS * hours);
    }
}

/// The version of a package of Python.
fn version(python: &str, package: &str) -> AnyResult<String> {
    let asked = format!("import importlib.metadata as m; print(m.version('{package}'))");
    let output = Command::new(python).args(["-c", &asked]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn print(seconds: &[(&str, Vec<f64>)], megabytes: f64) {
    let of = |name: &str| -> &[f64] {
        seconds.iter().find(|(found, _)| *found == name).map_or(&[], |(_, seconds)| seconds.as_slice())
    };
    println!("# Speed\n");
    println!(
        "`make bench-peers` makes this table: {ARTICLES} articles ({megabytes:.1} MB of JSONL), from the file to the answers, {ROUNDS} rounds"
    );
    println!(
        "in which all take turns, the fast model; detente answers {TURNS} times a round, of which the mean counts; of scikit-learn (TF-IDF of"
    );
    println!("one and two words, logistic regression) and fastText the time to read and to answer, without training.");
    println!("{}.\n", machine());
    println!("| whole job | seconds: median (least to most) | MB/s | × scikit-learn | × fastText |");
    println!("|---|---|---|---|---|");
    let names = JOBS.iter().map(|(name, _)| *name).chain(PEERS);
    for name in names {
        let (least, median, most) = spread(of(name));
        // Of each round by itself: what else the machine does then slows both.
        let ratio = |peer: &str| {
            let ratios: Vec<f64> = of(peer).iter().zip(of(name)).map(|(peer, own)| peer / own).collect();
            let (least, median, most) = spread(&ratios);
            format!("{median:.1} ({least:.1} to {most:.1})")
        };
        let speed = megabytes / median;
        println!(
            "| {name} | {median:.2} ({least:.2} to {most:.2}) | {speed:.1} | {} | {} |",
            ratio(PEERS[0]),
            ratio(PEERS[1])
        );
    }
    for (one, two) in [(0, 1), (2, 3)] {
        let ratios: Vec<f64> = seconds[one].1.iter().zip(&seconds[two].1).map(|(one, two)| one / two).collect();
        let (least, median, most) = spread(&ratios);
        println!("\n{}: two threads are {median:.2} times as fast as one ({least:.2} to {most:.2}).", JOBS[one].0);
    }
    let (least, median, most) = spread(of("start to first answer"));
    println!(
        "\nFrom the start of the program to the answer for one sentence, median of {STARTS}: {:.1} ms ({:.1} to {:.1}).",
        1e3 * median,
        1e3 * least,
        1e3 * most
    );
}

/// Least, median, most.
fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1])
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores", name.map_or("a processor", |(_, name)| name))
}

/// The seconds of one run.
fn detente(input: &PathBuf, args: &[&str]) -> AnyResult<f64> {
    with_model(input, "fast", args)
}

fn with_model(input: &PathBuf, model: &str, args: &[&str]) -> AnyResult<f64> {
    let started = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_detente"))
        .arg("predict")
        .arg(input)
        .args(args)
        .args(["--model", model, "--format", "jsonl", "--quiet"])
        .stdout(Stdio::null())
        .status()?;
    // Some pages hold no article, which ends with 1.
    if !matches!(status.code(), Some(0 | 1)) {
        return Err("the program failed".into());
    }
    Ok(started.elapsed().as_secs_f64())
}

fn script(python: &str, script: &Path, args: &[&Path]) -> AnyResult<String> {
    let output = Command::new(python).arg(script).args(args).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed; PYTHON must have scikit-learn and fasttext-wheel", script.display()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
