//! The server, asked as programs and browsers ask it, and as those do that mean it harm.
#![cfg(feature = "cli")]

#[path = "../program/mod.rs"]
mod program;
#[path = "../program/server.rs"]
mod server;

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::Folder;
use server::{Reply, Server, read};

const PACT: &str = include_str!("../../datasets/examples/harbour-pact.txt");
const QUARTER: &str = include_str!("../../datasets/examples/two-years/2018-q1.jsonl");
const JSONL: &str = "application/jsonl";

/// What a command prints of `input`.
fn printed(args: &[&str], input: &str) -> Vec<u8> {
    let folder = Folder::new();
    let mut child =
        folder.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success() && !output.stdout.is_empty());
    output.stdout
}

#[track_caller]
fn refused(reply: &Reply, status: u16, says: &str) {
    let text = reply.text();
    assert!(reply.status == status && text.contains(says), "{reply:?}\n{text}");
}

/// The answer to a good question, which every server must still give.
#[track_caller]
fn answers(server: &Server) {
    let reply = server.post("/v1/predict?actor=Russia", "text/plain", PACT);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("\"state\":\"Belarus\""));
}

#[test]
fn a_model_is_what_its_file_holds() {
    let encoder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/small.detente");
    for (model, of_trends) in [(encoder, "fast"), (program::MODEL, program::MODEL)] {
        let server = Server::start(&["--model", model]);
        let health: serde_json::Value = serde_json::from_str(&server.get("/healthz").text()).expect("JSON");
        assert_eq!((&health["model"], &health["trend_model"]), (&model.into(), &of_trends.into()));
        // An encoder would take minutes.
        let long =
            server.post("/v1/predict?actor=Russia", "text/plain", format!("{PACT}{}", "A word. ".repeat(40_000)));
        assert_eq!(long.status, if of_trends == "fast" { 413 } else { 200 });
    }
}

#[test]
fn answers_are_those_of_the_commands_byte_for_byte() {
    let server = Server::start(&[]);
    let fast = ["--model", "fast"];
    for (target, content_type, body, args) in [
        ("predict?actor=Russia", "text/plain", PACT, "predict - --format jsonl --actor Russia"),
        ("predict?actor=Russia", "application/x-www-form-urlencoded", PACT, "predict - --format jsonl --actor Russia"),
        ("predict?all_actors&evidence=3", "text/plain", PACT, "predict - --format jsonl --all-actors --evidence 3"),
        (
            "predict?actor=Russia&state=Norway&state=Peru&all_states=true",
            "text/plain",
            PACT,
            "predict - --format jsonl --actor Russia --state Norway --state Peru --all-states",
        ),
        ("predict?all_actors=1", JSONL, QUARTER, "predict - --format jsonl --all-actors"),
        (
            "explain?actor=Russia&state=Estonia",
            "text/plain",
            PACT,
            "explain - --format json --actor Russia --state Estonia",
        ),
        ("trend?actor=Russia&by=month", JSONL, QUARTER, "trend - --format json --actor Russia --by month"),
        (
            "trend?all_actors&by=week&no_dedup&no_correction&seed=7",
            JSONL,
            QUARTER,
            "trend - --format json --all-actors --by week --no-dedup --no-correction --seed 7",
        ),
    ] {
        let reply = server.post(&format!("/v1/{target}"), content_type, body);
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        let args: Vec<&str> = args.split(' ').chain(fast).collect();
        assert_eq!(reply.text(), String::from_utf8_lossy(&printed(&args, body)), "{target}");
    }
}

/// Records that were saved of one answer are read by the other.
#[test]
fn trend_reads_what_predict_wrote() {
    let server = Server::start(&[]);
    let records = server.post("/v1/predict?actor=Russia", JSONL, QUARTER);
    let trend = server.post("/v1/trend?actor=Russia&by=month", JSONL, &records.body);
    let direct = server.post("/v1/trend?actor=Russia&by=month&no_correction", JSONL, QUARTER);
    assert_eq!((trend.status, trend.text()), (200, direct.text()));
    let table = server.form("/", &[("actor", "Russia"), ("save", "csv")], &[("q.jsonl", QUARTER.as_bytes())]);
    refused(&server.post("/v1/trend?actor=Russia", "text/csv", &table.body), 422, "answers are read as JSONL");
}

#[test]
fn one_article_of_many_is_explained_by_its_id() {
    let server = Server::start(&[]);
    let one = server.post("/v1/explain?state=Tajikistan&actor=Russia&id=2018-q1-01", JSONL, QUARTER);
    assert_eq!((one.status, one.text().lines().count()), (200, 1));
    assert!(one.text().contains("\"id\":\"2018-q1-01\""));
    let none = server.post("/v1/explain?state=Tajikistan&actor=Russia&id=none", JSONL, QUARTER);
    assert_eq!((none.status, none.text()), (200, String::new()));
}

#[test]
fn bad_input_is_said_and_the_next_request_answered() {
    let server = Server::start(&["--max-body", "1", "--max-files", "100"]);
    let predict = "/v1/predict?actor=Russia";
    let post = |content_type, body: &[u8]| server.post(predict, content_type, body);
    refused(&post("text/plain", b""), 400, "an empty body");
    refused(&post("text/plain", b" \n"), 400, "an empty body");
    refused(&post("application/json", b"{\"text\": "), 400, "broken JSON");
    refused(&post("application/jsonl", b"{\"text\": 1}\n"), 400, "problems");
    refused(&post("image/png", b"x"), 415, "Content-Type: found image/png");
    refused(&post("multipart/form-data; boundary=b", b"--b--"), 415, "Content-Type");
    refused(&post("text/plain", b"\x1f\x8b\x08\x00bomb"), 415, "unpacked");
    refused(&post("application/octet-stream", b"PK\x03\x04"), 415, "unpacked");
    refused(&post("text/plain", &[0; 2000]), 400, "no article could be read");
    refused(&server.post("/v1/predict?actor=Rusia", "text/plain", PACT), 422, "did you mean Russia");
    refused(&server.post("/v1/predict", "text/plain", PACT), 400, "toward whom?");
    refused(&server.post("/v1/predict?actor=Russia&actors=x", "text/plain", PACT), 400, "unknown option `actors`");
    refused(&server.post("/v1/explain?actor=Russia", "text/plain", PACT), 400, "expected one state=NAME");
    refused(&server.post("/v1/trend?actor=Russia", "text/plain", PACT), 422, "have no date");
    refused(&server.post("/v1/predict?actor=Russia&evidence=101", "text/plain", PACT), 400, "0 to 100");
    refused(&server.form("/trend", &[], &[("old.xlsx", b"PK\x03\x04")]), 400, "old.xlsx: a workbook");
    refused(&server.form("/trend", &[("save", "csv")], &[("a.txt", b"x")]), 400, "cannot be saved so");
    let french = "La Norvège a condamné la Russie et le Chili a salué cette décision de tous les ministres. ".repeat(4);
    refused(&server.post(predict, "text/plain", french), 422, "not in English");
    refused(&server.get(predict), 405, "by POST");
    refused(&server.get("/v1/other"), 404, "openapi.json");
    refused(&server.get("/../../etc/passwd"), 404, "openapi.json");
    refused(&server.get("/%2e%2e/Cargo.toml"), 404, "openapi.json");
    refused(&post("text/plain", &vec![b'x'; 5 << 20]), 413, "more than 1 MiB");
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let head = server.head("POST", predict, "Transfer-Encoding: chunked\r\n");
    refused(&server.send(&[head.clone(), chunk.repeat(40), b"0\r\n\r\n".to_vec()].concat()), 413, "more than 1 MiB");
    refused(&server.send(&[head, b"zz\r\n".to_vec()].concat()), 400, "ends too early");
    let encoded = server.head("POST", predict, "Content-Encoding: gzip\r\nContent-Length: 1\r\n");
    refused(&server.send(&[encoded, b"x".to_vec()].concat()), 415, "unpacked");
    assert_eq!(server.send(b"nonsense\r\n\r\n").status, 400);
    let many: Vec<String> = (0..10_000).map(|n| format!("{n}.txt")).collect();
    let files: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    refused(&server.form("/", &[], &files), 413, "more than 100 files");
    refused(&server.form("/", &[("text", " ")], &[("", b"")]), 400, "There is nothing to read");
    refused(&server.post("/", "text/plain", "x"), 415, "multipart/form-data");
    refused(
        &server.post("/", "multipart/form-data; boundary=b", "--b\r\nContent-Disp"),
        400,
        "the form ends too early",
    );
    answers(&server);
}

#[test]
fn what_is_left_out_is_said_beside_the_answer() {
    let server = Server::start(&[]);
    let rows = format!("{QUARTER}{{\"text\": 1}}\n");
    let reply = server.post("/v1/predict?actor=Russia", JSONL, rows);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, server.post("/v1/predict?actor=Russia", JSONL, QUARTER).body);
    assert!(reply.header("detente-problems").is_some_and(|said| said.starts_with("[\"-:")), "{}", reply.headers);
}

#[test]
fn a_client_that_is_slow_is_told_so_and_one_that_hangs_up_is_forgotten() {
    let server = Server::start(&["--max-time", "3", "--max-requests", "8"]);
    let head = server.head("POST", "/v1/predict?actor=Russia", "Content-Length: 1000\r\n");
    let mut slow = server.connect();
    slow.write_all(&head).expect("it listens");
    for _ in 0..40 {
        let mut gone = server.connect();
        gone.write_all(&[&head, &PACT.as_bytes()[..100]].concat()).expect("it listens");
    }
    refused(&read(slow), 408, "within 3 seconds");
    // Their places are free again.
    answers(&server);
}

#[test]
fn too_many_at_once_are_refused() {
    let server = Server::start(&["--max-requests", "1"]);
    let mut first = server.connect();
    let head = server.head(
        "POST",
        "/v1/predict?actor=Russia",
        &format!("Expect: 100-continue\r\nContent-Length: {}\r\n", PACT.len()),
    );
    first.write_all(&head).expect("it listens");
    // It is taken once the server asks for its body.
    let mut told = [0; 25];
    first.read_exact(&mut told).expect("an answer");
    assert!(told.starts_with(b"HTTP/1.1 100"));
    let second = server.post("/v1/predict?actor=Russia", "text/plain", PACT);
    refused(&second, 429, "ask again");
    assert_eq!(second.header("retry-after"), Some("1"));
    assert_eq!(server.get("/healthz").status, 200);
    first.write_all(PACT.as_bytes()).expect("it listens");
    assert_eq!(read(first).status, 200);
    answers(&server);
}

#[test]
#[cfg(unix)]
fn when_it_is_told_to_end_what_runs_is_finished() {
    let server = Server::start(&[]);
    let mut running = server.connect();
    let head = server.head(
        "POST",
        "/v1/predict?actor=Russia",
        &format!("Expect: 100-continue\r\nContent-Length: {}\r\n", PACT.len()),
    );
    running.write_all(&head).expect("it listens");
    let mut told = [0; 25];
    running.read_exact(&mut told).expect("an answer");
    let _idle = server.connect();
    server.terminate();
    let told = Instant::now();
    // No more is taken once the listener is closed; until then a connection waits in vain.
    while std::net::TcpStream::connect(server.address).is_ok() {
        assert!(told.elapsed() < Duration::from_secs(5), "it still listens");
        std::thread::yield_now();
    }
    running.write_all(PACT.as_bytes()).expect("it listens");
    let reply = read(running);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let (code, said) = server.wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(told.elapsed() < Duration::from_secs(10));
    assert!(said.contains("POST /v1/predict 200") && !said.contains("Belarus") && !said.contains("Russia"), "{said}");
}

#[test]
fn a_port_in_use_is_said() {
    let server = Server::start(&[]);
    let ended = Folder::new().run(&["serve", "--model", "fast", "--port", &server.address.port().to_string()]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("cannot listen at 127.0.0.1:") && ended.stderr.contains("--port 0"),
        "{}",
        ended.stderr
    );
}

#[test]
fn only_what_is_meant_for_it_is_answered() {
    let server = Server::start(&["--host", "news.example"]);
    let with = |host: &str, headers: &str| {
        let head = format!(
            "POST /v1/predict?actor=Russia HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            PACT.len()
        );
        server.send(&[head.as_bytes(), PACT.as_bytes()].concat()).status
    };
    assert_eq!(with("localhost:1", ""), 200);
    assert_eq!(with("news.example", ""), 200);
    assert_eq!(with("evil.example", ""), 421);
    assert_eq!(with("localhost", "Origin: https://evil.example\r\n"), 403);
    assert_eq!(with("localhost", "Origin: null\r\n"), 403);
    assert_eq!(with("localhost", "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_eq!(with("localhost", "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n"), 200);
    assert_eq!(server.send(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400);
    assert_eq!(
        server
            .send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            .status,
        400
    );
    let elsewhere = b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(server.send(elsewhere).status, 421);
}

#[test]
fn pages_elsewhere_read_answers_only_if_allowed() {
    let ask = |server: &Server, method: &str| {
        let headers = "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\nContent-Length: 0\r\n";
        server.send(&server.head(method, "/v1/predict?actor=Russia", headers))
    };
    let closed = Server::start(&[]);
    assert_eq!(ask(&closed, "OPTIONS").header("access-control-allow-origin"), None);
    assert_eq!(ask(&closed, "POST").status, 403);
    let open = Server::start(&["--allow-origin", "https://a.example"]);
    assert_eq!(ask(&open, "OPTIONS").header("access-control-allow-origin"), Some("https://a.example"));
    let reply = ask(&open, "POST");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (400, Some("https://a.example")));
    let wrong = Folder::new().run(&["serve", "--allow-origin", "*"]);
    assert_eq!(wrong.code, Some(2));
}

#[test]
fn browsers_are_told_what_may_run() {
    let server = Server::start(&[]);
    for target in
        ["/", "/?example", "/trend", "/style.css", "/page.js", "/serve.js", "/icon.svg", "/healthz", "/v1/openapi.json"]
    {
        let reply = server.get(target);
        assert_eq!(reply.status, 200, "{target}");
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("access-control-allow-origin"), None);
        assert!(reply.header("cache-control").is_some_and(|cache| cache == "no-store" || cache == "no-cache"));
    }
}

#[test]
fn the_form_answers_without_a_script() {
    let server = Server::start(&[]);
    let reply = server.form("/", &[("text", PACT), ("actor", "Russia")], &[("", b"")]);
    let page = reply.text();
    assert_eq!(reply.status, 200, "{page}");
    assert!(
        page.contains("<h1>Who stands where toward Russia</h1>")
            && page.contains("<mark class=\"state\">Belarus</mark>")
    );
    // What was asked stands there again.
    assert!(page.contains("value=\"Russia\"") && page.contains("five-year air-defence agreement in Minsk"));
    assert!(!page.contains("<style") && !page.contains("<script>"));
    let reply = server.form("/trend", &[("actor", "Russia"), ("by", "month")], &[("q.jsonl", QUARTER.as_bytes())]);
    assert!(reply.status == 200 && reply.text().contains("<h2 id=\"h-turned\">"), "{}", reply.text());
    let unknown = server.form("/", &[("text", PACT), ("actor", "Rusia")], &[]);
    refused(&unknown, 422, "did you mean Russia");
    assert!(unknown.text().contains("five-year air-defence agreement in Minsk"));
}

#[test]
fn answers_are_saved_as_the_commands_write_them() {
    let server = Server::start(&[]);
    let save = |path: &str, save: &str| {
        let fields = [("actor", "Russia"), ("by", "month"), ("save", save)];
        server.form(path, &fields, &[("-", QUARTER.as_bytes())])
    };
    let fast = ["--model", "fast", "--actor", "Russia"];
    let csv = save("/", "csv");
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"stances.csv\""));
    let printed = |args: &[&str]| String::from_utf8_lossy(&printed(&[args, &fast].concat(), QUARTER)).into_owned();
    assert_eq!(csv.text(), printed(&["predict", "-", "--format", "csv", "--evidence", "3"]));
    assert_eq!(save("/", "jsonl").text(), printed(&["predict", "-", "--format", "jsonl", "--evidence", "3"]));
    assert_eq!(save("/trend", "json").text(), printed(&["trend", "-", "--format", "json", "--by", "month"]));
    let report = save("/", "report");
    // One file, which holds its style and script.
    assert!(
        report.text().contains("<style>") && !report.text().contains("<form") && !report.text().contains("src=\"/")
    );
}

#[test]
fn many_files_are_one_answer_and_those_that_are_none_are_named() {
    let server = Server::start(&[]);
    let files: [(&str, &[u8]); 4] = [
        ("a/pact.txt", PACT.as_bytes()),
        ("q.jsonl", QUARTER.as_bytes()),
        ("<b>old.xlsx", b"PK\x03\x04"),
        ("note.txt", b""),
    ];
    let page = server.form("/", &[("actor", "")], &files).text();
    assert!(page.contains("&#60;b&#62;old.xlsx: a workbook") && !page.contains("<b>old"), "{page}");
    assert!(page.contains("data-path=\"a/pact.txt\"") && page.contains("data-id=\"2018-q1-01\""));
}

/// What the description names is there, and what is there it names.
#[test]
fn the_description_names_what_there_is() {
    let server = Server::start(&[]);
    let described: serde_json::Value = serde_json::from_slice(&server.get("/v1/openapi.json").body).expect("JSON");
    let paths = described["paths"].as_object().expect("paths");
    let names: Vec<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(names, ["/healthz", "/v1/explain", "/v1/openapi.json", "/v1/predict", "/v1/trend"]);
    for path in names.iter().filter(|path| paths[**path].get("post").is_some()) {
        let said = server.post(&format!("{path}?nothing=1"), "text/plain", "x").text();
        let known = said.split("there are ").nth(1).and_then(|known| known.split('"').next()).expect("the options");
        let mut known: Vec<&str> = known.split(", ").collect();
        let parameters = paths[*path]["post"]["parameters"].as_array().expect("parameters");
        let name = |parameter: &serde_json::Value| {
            let named = parameter["$ref"].as_str().and_then(|name| name.strip_prefix('#')).expect("a reference");
            described.pointer(named).and_then(|parameter| parameter["name"].as_str()).expect("a name").to_owned()
        };
        let mut described: Vec<String> = parameters.iter().map(name).collect();
        known.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, known, "{path}");
    }
    let record: serde_json::Value = serde_json::from_str(
        server.post("/v1/predict?actor=Russia", "text/plain", PACT).text().lines().next().expect("a record"),
    )
    .expect("JSON");
    let required = described["components"]["schemas"]["Record"]["required"].as_array().expect("names");
    assert!(required.iter().all(|name| record.get(name.as_str().expect("a name")).is_some()), "{record}");
    let schema = &described["components"]["schemas"]["Record"]["properties"];
    for name in record.as_object().expect("an object").keys() {
        assert!(schema.get(name).is_some(), "{name}");
    }
}

/// What is known of an article stands in each of its records; what that comes to is known before they are made.
#[test]
fn an_answer_that_would_be_too_large_is_refused_before_it_is_made() {
    let server = Server::start(&[]);
    let states = ["Norway", "Chile", "Peru", "Oman", "Chad", "Kenya", "Nepal", "Japan", "Cuba", "Laos", "Mali", "Iran"];
    let pairs =
        states.iter().flat_map(|a| states.iter().filter(move |b| a != *b).map(move |b| format!("{a} backs {b}.")));
    let text = pairs.collect::<Vec<_>>().join(" ");
    let row = serde_json::json!({"id": "x".repeat(4 << 20), "text": text});
    let reply = server.post("/v1/predict?all_actors", JSONL, row.to_string());
    refused(&reply, 413, "the answer would be more than 128 MiB");
    answers(&server);
}

/// A client that takes its time gets all of a large answer.
#[test]
fn a_large_answer_is_whole() {
    let server = Server::start(&[]);
    let rows = QUARTER.repeat(200);
    let reply = server.post("/v1/predict?all_actors", JSONL, &rows);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    assert!(reply.body.len() > 5 << 20 && reply.body.ends_with(b"}\n"), "{}", reply.body.len());
}

#[test]
fn of_a_folder_the_articles_are_read() {
    let server = Server::start(&[]);
    let article = PACT.as_bytes();
    let files: [(&str, &[u8]); 4] = [
        ("f/pact.txt", article),
        ("f/.hidden.txt", article),
        ("f/a_files/ad.html", article),
        ("f/photo.png", b"\x89PNG"),
    ];
    let page = server.form("/", &[("actor", "Russia")], &files).text();
    assert!(page.contains("3 files of other kinds are passed over") && page.contains("1 article, 12 pairs"), "{page}");
}

#[test]
fn what_is_not_english_is_said_to_be_read_badly() {
    let server = Server::start(&[]);
    let german =
        "Deutschland hat Russland am Montag verurteilt und die Ukraine gelobt, wie der Minister mitteilte. ".repeat(4);
    let reply = server.post("/v1/predict?all_actors&any_language", "text/plain", german);
    let said = reply.header("detente-problems").unwrap_or_default();
    assert!(reply.status == 200 && said.contains("not in english (de 1)"), "{}", reply.headers);
    // What is in English by another name of it is.
    let british = "{\"text\": \"Norway praised Chile.\", \"language\": \"en-GB\"}\n";
    let reply = server.post("/v1/predict?all_actors&any_language", JSONL, british);
    assert_eq!((reply.status, reply.header("detente-problems")), (200, None));
}

#[test]
fn which_of_several_a_name_was_read_as_is_said() {
    let server = Server::start(&[]);
    for question in ["predict?", "trend?", "explain?state=Japan&"] {
        let reply = server.post(
            &format!("/v1/{question}actor=Korea"),
            JSONL,
            "{\"text\": \"Seoul praised Japan.\", \"date\": \"2020-01-01\"}\n",
        );
        let said = reply.header("detente-problems").unwrap_or_default();
        assert!(reply.status == 200 && said.contains("korea is read as south korea; the other is"), "{reply:?}");
    }
}
