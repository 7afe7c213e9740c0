//! `make growth`: how time and memory grow with input that is made to be hard.
//!
//! Runs the program on each shape at n, 2n and 4n, and prints a table for `reports/growth.md`. What is linear takes about
//! twice as long for twice as much.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program of its own

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/v1/small.detente");

/// A kind of hard input.
struct Shape {
    name: &'static str,
    /// The smallest of the three sizes.
    n: usize,
    /// The file's name, which says its format.
    file: &'static str,
    args: &'static [&'static str],
    make: fn(usize) -> Vec<u8>,
}

const PREDICT: &[&str] = &["predict", "FILE", "--all-actors", "--format", "jsonl", "--model", MODEL];

const SHAPES: &[Shape] = &[
    Shape { name: "CSV: columns", n: 25_000, file: "a.csv", args: PREDICT, make: columns },
    Shape { name: "CSV: doubled quotes in a field", n: 2_000_000, file: "a.csv", args: PREDICT, make: doubled_quotes },
    Shape { name: "CSV: rows with one fault", n: 100_000, file: "a.csv", args: PREDICT, make: faulty_rows },
    Shape { name: "JSONL: fields of one object", n: 200_000, file: "a.jsonl", args: PREDICT, make: fields },
    Shape { name: "JSONL: 16 articles of n bytes", n: 1_000_000, file: "a.jsonl", args: PREDICT, make: long_articles },
    Shape { name: "gzip: n zero-like bytes", n: 8_000_000, file: "a.txt", args: PREDICT, make: packed },
    Shape { name: "text: one name n times in a sentence", n: 50_000, file: "a.txt", args: PREDICT, make: one_name },
    Shape { name: "text: two names in turn in a sentence", n: 25_000, file: "a.txt", args: PREDICT, make: two_names },
    Shape { name: "text: short sentences of two names", n: 50_000, file: "a.txt", args: PREDICT, make: sentences },
    Shape { name: "text: distinct three-word lines", n: 40_000, file: "a.txt", args: PREDICT, make: short_lines },
    Shape { name: "text: lower-case lines, none blank", n: 100_000, file: "a.txt", args: PREDICT, make: small_lines },
    Shape { name: "text: stops and quotes", n: 400_000, file: "a.txt", args: PREDICT, make: stops },
    Shape { name: "text: numbered items in one line", n: 200_000, file: "a.txt", args: PREDICT, make: numbers },
    Shape { name: "text: spaces and line ends", n: 2_000_000, file: "a.txt", args: PREDICT, make: blanks },
    Shape { name: "text: states after n bytes", n: 1_000_000, file: "a.txt", args: PREDICT, make: late_states },
    Shape { name: "HTML: closing tags of nothing", n: 100_000, file: "a.html", args: PREDICT, make: unmatched },
    Shape { name: "HTML: elements opened again", n: 50_000, file: "a.html", args: PREDICT, make: reopened },
    Shape { name: "HTML: links in lists", n: 20_000, file: "a.html", args: PREDICT, make: links },
    Shape { name: "HTML: rows of a table", n: 20_000, file: "a.html", args: PREDICT, make: cells },
    Shape { name: "HTML: comments and scripts", n: 20_000, file: "a.html", args: PREDICT, make: scripts },
    Shape { name: "HTML: attributes of one tag", n: 50_000, file: "a.html", args: PREDICT, make: attributes },
    Shape {
        name: "HTML: attributes of repeated tags",
        n: 50_000,
        file: "a.html",
        args: PREDICT,
        make: repeated_bodies,
    },
    Shape { name: "HTML: line breaks without end", n: 250_000, file: "a.html", args: PREDICT, make: line_breaks },
    Shape {
        name: "data check: one text in many cases",
        n: 2_000,
        file: "a.csv",
        args: &["data", "check", "FILE"],
        make: cases,
    },
    Shape {
        name: "data check: one id for all texts",
        n: 10_000,
        file: "a.csv",
        args: &["data", "check", "FILE"],
        make: one_id,
    },
    Shape {
        name: "train: rows of fifty groups",
        n: 5_000,
        file: "a.csv",
        args: &["train", "--data", "FILE", "-o", "OUT"],
        make: rows_of_groups,
    },
    Shape {
        name: "gazetteer: new entries",
        n: 4_000,
        file: "a.csv",
        args: &["gazetteer", "list", "--gazetteer", "FILE"],
        make: entries,
    },
];

fn repeated(n: usize, piece: impl Fn(usize) -> String) -> Vec<u8> {
    (0..n).map(piece).collect::<String>().into_bytes()
}

fn columns(n: usize) -> Vec<u8> {
    let names = (0..n).map(|i| format!(",c{i}")).collect::<String>();
    format!("text{names}\nPeru met Chile.{}\n", ",x".repeat(n)).into_bytes()
}

fn doubled_quotes(n: usize) -> Vec<u8> {
    format!("text\n\"Peru met Chile. {}\"\n", "\"\"".repeat(n)).into_bytes()
}

fn faulty_rows(n: usize) -> Vec<u8> {
    [b"id,text\n1,Peru met Chile.\n".to_vec(), repeated(n, |_| "1,2,3\n".into())].concat()
}

fn fields(n: usize) -> Vec<u8> {
    let more = (0..n).map(|i| format!(",\"k{i}\":[1,2]")).collect::<String>();
    format!("{{\"text\":\"Peru met Chile.\"{more}}}\n").into_bytes()
}

fn long_articles(n: usize) -> Vec<u8> {
    let text = "Peru met Chile on Monday.\\n\\nIt rained all day in the capital, and nobody came. ".repeat(n / 83);
    repeated(16, |_| format!("{{\"text\":\"{text}\"}}\n"))
}

fn packed(n: usize) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let written = std::io::Write::write_all(&mut packer, &vec![b'0'; n]);
    written.and_then(|()| packer.finish()).expect("memory takes all")
}

fn one_name(n: usize) -> Vec<u8> {
    format!("Chile and {} met", "US ".repeat(n)).into_bytes()
}

fn two_names(n: usize) -> Vec<u8> {
    "Peru met Chile and ".repeat(n).into_bytes()
}

fn sentences(n: usize) -> Vec<u8> {
    "Peru met Chile. ".repeat(n).into_bytes()
}

fn short_lines(n: usize) -> Vec<u8> {
    [repeated(n, |i| format!("Word{i} more lines\n")), b"\nPeru met Chile on Monday, and both were glad.\n\n".repeat(2)]
        .concat()
}

fn small_lines(n: usize) -> Vec<u8> {
    [b"Peru met Chile and\n".to_vec(), repeated(n, |i| format!("went on with line {i} of the same\n"))].concat()
}

fn stops(n: usize) -> Vec<u8> {
    format!("Peru met Chile {}", ".\" (!) ”. ".repeat(n)).into_bytes()
}

fn numbers(n: usize) -> Vec<u8> {
    format!("Peru met Chile - {}", "1. ".repeat(n)).into_bytes()
}

fn blanks(n: usize) -> Vec<u8> {
    format!("Peru met Chile.{}Oman left Peru.", " \n\t".repeat(n)).into_bytes()
}

fn late_states(n: usize) -> Vec<u8> {
    let names = [
        "Peru", "Chile", "Oman", "Chad", "Kenya", "Uganda", "Norway", "Estonia", "Latvia", "Poland", "Russia", "China",
        "India", "Japan", "Canada", "Mexico", "Brazil", "Cuba", "Iran", "Iraq", "Egypt", "Sudan", "Libya", "Tunisia",
        "Algeria", "Nepal", "Laos", "Vietnam", "Cambodia", "Malaysia", "Finland", "Sweden", "Denmark", "Iceland",
    ];
    let filler = "Nothing of note was said by anyone on that day. ".repeat(n / 49);
    format!("{filler}\n\n{}.", names.join(" and ").repeat(8)).into_bytes()
}

fn unmatched(n: usize) -> Vec<u8> {
    "<div></x>".repeat(n).into_bytes()
}

fn reopened(n: usize) -> Vec<u8> {
    [b"<p>".to_vec(), repeated(300, |i| format!("<b id={i}>")), b"<p>x".repeat(n)].concat()
}

fn links(n: usize) -> Vec<u8> {
    let list = repeated(n, |i| format!("<ul><li><a href=/{i}>Peru meets Chile</a></ul>"));
    [list, b"<p>Peru met Chile on Monday, and both of them were glad of it.</p>".repeat(9)].concat()
}

fn cells(n: usize) -> Vec<u8> {
    let rows = repeated(n, |i| format!("<tr><td>{i}<td>Peru met Chile on Monday, and both were glad of it."));
    [b"<table>".to_vec(), rows].concat()
}

fn scripts(n: usize) -> Vec<u8> {
    let noise = repeated(n, |_| "<!--</div>--><script>'<div>'</script><style>a{}</style>".into());
    [noise, b"<p>Peru met Chile on Monday, and both of them were glad of it.</p>".to_vec()].concat()
}

fn attributes(n: usize) -> Vec<u8> {
    [b"<div".to_vec(), repeated(n, |i| format!(" a{i}=1")), b">Peru met Chile on Monday.</div>".to_vec()].concat()
}

fn repeated_bodies(n: usize) -> Vec<u8> {
    [repeated(n, |i| format!("<body a{i}>")), b"<p>Peru met Chile on Monday.".to_vec()].concat()
}

fn line_breaks(n: usize) -> Vec<u8> {
    [b"<p>Peru met Chile on Monday.</p>".to_vec(), b"<br ".repeat(n)].concat()
}

/// One text in as many spellings.
fn cases(n: usize) -> Vec<u8> {
    let text = |i: usize| -> String {
        let letters = "peru met chile and oman on monday".chars().enumerate();
        letters.map(|(at, c)| if i >> (at % 14) & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect()
    };
    let rows = repeated(n, |i| format!("{},Peru,Chile,neutral\n", text(i)));
    [b"text,state,actor,label\n".to_vec(), rows].concat()
}

fn one_id(n: usize) -> Vec<u8> {
    let rows = repeated(n, |i| format!("x,Peru met Chile for the {i}th time.,Peru,Chile,neutral\n"));
    [b"id,text,state,actor,label\n".to_vec(), rows].concat()
}

fn rows_of_groups(n: usize) -> Vec<u8> {
    let row = |i: usize| {
        let (verb, label) = [("met", "neutral"), ("thanked", "aligned"), ("attacked", "opposed")][i % 3];
        format!("Peru {verb} Chile. That was day {i}.,{i},Peru,Chile,{label},{}\n", i % 50)
    };
    [b"text,title,state,actor,label,group\n".to_vec(), repeated(n, row)].concat()
}

fn entries(n: usize) -> Vec<u8> {
    let row = |i: usize| format!("Q{i:05},Newland {i},state,Nowhere,Newland {i},name\n");
    [b"code,name,kind,region,alias,how\n".to_vec(), repeated(n, row)].concat()
}

/// How a run ended: seconds of processor time, peak memory in MB, exit code.
struct Run {
    seconds: f64,
    peak: f64,
    code: Option<i32>,
}

/// Seconds that the children of this process have used which have ended.
fn children_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Fields 16 and 17 of proc(5), in hundredths of a second.
    let ticks: f64 = fields.get(13..15)?.iter().filter_map(|f| f.parse::<f64>().ok()).sum();
    Some(ticks / 100.0)
}

fn peak_kilobytes(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.trim().parse().ok()
}

fn run(args: &[String]) -> Run {
    let before = children_seconds();
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_detente"))
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut peak = 0.0f64;
    let code = loop {
        peak = peak.max(peak_kilobytes(child.id()).unwrap_or(0.0));
        if let Some(status) = child.try_wait().expect("a child") {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let used = children_seconds().zip(before).map(|(after, before)| after - before);
    Run { seconds: used.unwrap_or_else(|| start.elapsed().as_secs_f64()), peak: peak / 1024.0, code }
}

fn measure(shape: &Shape, folder: &Path) -> String {
    let file = folder.join(shape.file);
    let out = folder.join("out");
    let mut row = format!("| {} | {} |", shape.name, shape.n);
    let mut codes = Vec::new();
    for size in [1, 2, 4].map(|times| times * shape.n) {
        std::fs::write(&file, (shape.make)(size)).expect("a file");
        let place = |arg: &&str| match *arg {
            "FILE" => file.display().to_string(),
            "OUT" => out.display().to_string(),
            other => other.to_owned(),
        };
        let run = run(&shape.args.iter().map(place).collect::<Vec<_>>());
        write!(row, " {:.2} s, {:.0} MB |", run.seconds, run.peak).expect("memory");
        codes.push(run.code);
    }
    let code = codes[0].map_or_else(|| "killed".to_owned(), |code| code.to_string());
    assert!(codes.iter().all(|c| *c == codes[0]), "{}: exit codes {codes:?}", shape.name);
    format!("{row} {code} |")
}

fn main() {
    // `cargo test --benches` and filters pass arguments; only a plain run measures.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut table = String::from("| shape | n | n | 2n | 4n | exit |\n|---|---|---|---|---|---|\n");
    for shape in SHAPES.iter().filter(|s| wanted.as_deref().is_none_or(|wanted| s.name.contains(wanted))) {
        let row = measure(shape, folder.path());
        eprintln!("{row}");
        table.push_str(&row);
        table.push('\n');
    }
    println!(
        "# Growth\n\nProcessor time and peak memory of the program on input that is made to be hard, at n, 2n and 4n.\n\
         `make growth` makes this table; what is linear takes about twice as long for twice as much. Exit code 1: the \
         input is refused, and said to be.\n\n{table}"
    );
}
