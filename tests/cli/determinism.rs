//! The same input gives the same output, whatever the number of threads.

use std::path::Path;
use std::process::Command;

const OPENINGS: [&str; 6] = [
    "Talks opened on Monday.",
    "Rain fell on the capital all week.",
    "Estonia condemned Russia and expelled two diplomats.",
    "“Nobody is surprised,” one diplomat said.",
    "Kenya thanked Japan for the new port, while Uganda protested.",
    "",
];

const MIDDLES: [&str; 7] = [
    "Norway praised Chile. Chile returned the praise, and Peru joined it.",
    "Armenia accused Azerbaijan of shelling its villages. Turkey backed Azerbaijan; France backed Armenia.",
    "Ministers of Brazil, Bolivia, Uruguay and Paraguay met.\n\nBolivia rejected what Brazil had proposed.",
    "North Korea fired a missile toward Japan. South Korea imposed sanctions on North Korea.",
    "Nothing was said about anybody.",
    "Vietnam warned China over the reef. China warned Vietnam. The Philippines warned both.",
    "Oman offered to host Iran and the United States, and the EU welcomed it.",
];

const ENDS: [&str; 7] = [
    "Germany will vote next week.",
    "Germany pledged new aid to Ukraine, and Russia threatened Germany.",
    "Also read: what to see in Prague",
    "India and Pakistan closed the crossing again.",
    "Canada signed a trade agreement with Mexico.",
    "It is not over.",
    "Sudan expelled the ambassador of Chad. Chad called it an insult. Egypt called for calm.",
];

/// 294 articles, of which no two are the same.
fn articles() -> String {
    let mut lines = String::new();
    for (o, opening) in OPENINGS.iter().enumerate() {
        for (m, middle) in MIDDLES.iter().enumerate() {
            for (e, end) in ENDS.iter().enumerate() {
                let text = format!("{opening} {middle}\n\n{end}");
                let article = match (o + m + e) % 3 {
                    0 => serde_json::json!({"id": format!("{o}-{m}-{e}"), "text": text}),
                    1 => serde_json::json!({"title": end, "text": format!("{opening} {middle}")}),
                    _ => serde_json::json!({"title": "No news", "text": text.repeat(3)}),
                };
                lines.push_str(&format!("{article}\n"));
            }
        }
    }
    lines
}

fn predict(path: &Path, format: &str, threads: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_detente"))
        .args([
            "predict",
            "--all-actors",
            "--evidence",
            "3",
            "--format",
            format,
            "--threads",
            threads,
            "--model",
            "fast",
        ])
        .arg(path)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn output_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("news.jsonl");
    let articles = articles();
    assert_eq!(articles.lines().count(), 294);
    std::fs::write(&path, articles).expect("a file");
    for format in ["jsonl", "csv", "table"] {
        let one = predict(&path, format, "1");
        assert!(one.len() > 10_000, "{format}: {} bytes", one.len());
        assert!(one == predict(&path, format, "1"), "{format}: the same run twice");
        assert!(one == predict(&path, format, "2"), "{format}: two threads");
        assert!(one == predict(&path, format, "5"), "{format}: five threads");
    }
}

/// Results come in the order of the articles, and an article's results do not depend on those around it.
#[test]
fn an_article_alone_gives_what_it_gives_among_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("news.jsonl");
    let articles = articles();
    std::fs::write(&path, &articles).expect("a file");
    let together = String::from_utf8(predict(&path, "jsonl", "2")).expect("UTF-8");
    let lines: Vec<&str> = articles.lines().filter(|line| line.contains("\"id\"")).step_by(20).collect();
    let mut connected = 0;
    for line in lines {
        let article: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let alone = folder.path().join("one.jsonl");
        std::fs::write(&alone, line).expect("a file");
        let alone = String::from_utf8(predict(&alone, "jsonl", "1")).expect("UTF-8");
        let id = format!("{{\"id\":{},", article["id"]);
        let among: String = together.split_inclusive('\n').filter(|line| line.starts_with(&id)).collect();
        assert_eq!(alone.replace("one.jsonl", "news.jsonl"), among);
        connected += usize::from(!alone.is_empty());
    }
    assert!(connected >= 4, "only {connected} articles connect anybody");
}
