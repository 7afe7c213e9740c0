//! `make load`: `detente serve` under 200 clients at once, and beside clients that mean it harm; a table for
//! `reports/serve.md`. `OHA` is the program oha, 1.16 or newer.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program of its own

#[path = "../tests/program/server.rs"]
mod server;

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use server::Server;

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/examples");
const CLIENTS: &str = "200";
const SECONDS: &str = "30s";

/// What clients do.
struct Job {
    name: &'static str,
    model: &'static str,
    target: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    clients: &'static str,
    /// Clients that send the head of a request and a part of its body, and then nothing.
    silent: usize,
}

fn main() -> AnyResult<()> {
    let oha = std::env::var("OHA").unwrap_or_else(|_| "oha".into());
    let article = std::fs::read(format!("{EXAMPLES}/harbour-pact.txt"))?;
    let mut rows = Vec::new();
    for quarter in 1..=4 {
        rows.extend(std::fs::read(format!("{EXAMPLES}/two-years/2018-q{quarter}.jsonl"))?);
    }
    let large = rows.repeat((20 << 20) / rows.len());
    let form = [
        b"--b\r\nContent-Disposition: form-data; name=\"actor\"\r\n\r\nRussia\r\n--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"
            .as_slice(),
        &article,
        b"\r\n--b--\r\n",
    ]
    .concat();
    let predict = |name, model, clients, silent| Job {
        name,
        model,
        target: "v1/predict?actor=Russia",
        content_type: "text/plain",
        body: article.clone(),
        clients,
        silent,
    };
    let jobs = [
        predict("an article, API, fast model", "fast", CLIENTS, 0),
        predict("the same, beside 100 clients that fall silent", "fast", CLIENTS, 100),
        Job {
            name: "an article, page, fast model",
            model: "fast",
            target: "",
            content_type: "multipart/form-data; boundary=b",
            body: form,
            clients: CLIENTS,
            silent: 0,
        },
        Job {
            name: "20 MiB of articles, API, fast model",
            model: "fast",
            target: "v1/predict?actor=Russia",
            content_type: "application/jsonl",
            body: large,
            clients: "8",
            silent: 0,
        },
        predict("an article, API, accurate model", "accurate", CLIENTS, 0),
    ];
    println!(
        "| what | clients | answered | other answers | errors | a second | median | 99 of 100 | slowest | memory before | peak |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for job in &jobs {
        eprintln!("{}", job.name);
        println!("{}", run(&oha, job)?);
    }
    Ok(())
}

fn run(oha: &str, job: &Job) -> AnyResult<String> {
    let folder = tempfile::tempdir()?;
    let body = folder.path().join("body");
    std::fs::write(&body, &job.body)?;
    let server = Server::start(&["--quiet", "--model", job.model]);
    // The first answer, which builds what is built once.
    server.post("/v1/predict?actor=Russia", "text/plain", "Norway praised Chile.");
    let before = memory(&server, "VmRSS")?;
    let silent: Vec<TcpStream> = (0..job.silent).map(|_| silent(&server)).collect::<AnyResult<_>>()?;
    let url = format!("{}{}", server.url, job.target);
    let ended = Command::new(oha)
        .args(["--no-tui", "--output-format", "json", "-z", SECONDS, "-w", "-m", "POST"])
        .args(["-c", job.clients, "-T", job.content_type, "-D"])
        .args([body.as_path(), Path::new(&url)])
        .output()?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned().into());
    }
    let said: serde_json::Value = serde_json::from_slice(&ended.stdout)?;
    let peak = memory(&server, "VmHWM")?;
    drop(silent);
    let counts = |name: &str| -> Vec<(String, u64)> {
        let counts = said[name].as_object();
        counts.into_iter().flatten().map(|(key, count)| (key.clone(), count.as_u64().unwrap_or(0))).collect()
    };
    let (answered, other): (Vec<_>, Vec<_>) =
        counts("statusCodeDistribution").into_iter().partition(|(status, _)| status == "200");
    // With -w, oha waits for what is under way at the end; nothing is left out here.
    let errors = counts("errorDistribution");
    let sum = |counts: &[(String, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
    let named = |counts: &[(String, u64)]| {
        let named: Vec<String> = counts.iter().map(|(what, count)| format!("{count} × {what}")).collect();
        if named.is_empty() { "0".into() } else { named.join(", ") }
    };
    let milliseconds =
        |value: &serde_json::Value| value.as_f64().map_or("?".into(), |s| format!("{:.0} ms", s * 1000.0));
    Ok(format!(
        "| {} | {} | {} | {} | {} | {:.0} | {} | {} | {} | {before} MB | {peak} MB |",
        job.name,
        job.clients,
        sum(&answered),
        named(&other),
        named(&errors),
        said["summary"]["requestsPerSec"].as_f64().unwrap_or(0.0),
        milliseconds(&said["latencyPercentiles"]["p50"]),
        milliseconds(&said["latencyPercentiles"]["p99"]),
        milliseconds(&said["summary"]["slowest"]),
    ))
}

fn silent(server: &Server) -> AnyResult<TcpStream> {
    let mut stream = server.connect();
    let head = server.head("POST", "/v1/predict?actor=Russia", "Content-Length: 100000\r\n");
    stream.write_all(&[&head, b"Norway praised".as_slice()].concat())?;
    Ok(stream)
}

/// A line of the process's status, in MB.
fn memory(server: &Server, name: &str) -> AnyResult<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes: u64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).ok_or("no such line")?;
    Ok(kilobytes * 1024 / 1_000_000)
}
