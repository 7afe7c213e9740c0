//! Pages of one file: `evaluate --html`, `predict --html`.

use crate::program::{Folder, MODEL};

#[test]
fn the_page_holds_the_record_and_runs_nothing_of_a_row() {
    let folder = Folder::new();
    let hostile = "<script>alert(1)</script>";
    let long = format!("Norway {} condemned Peru.", "very, very ".repeat(600));
    let rows = [
        ["a", "Norway praised Chile.", "Norway", "Chile", "aligned"],
        ["b", "Norway condemned Peru \u{202e}🇵🇪 ولكن.", "Norway", "Peru", "aligned"],
        [hostile, &format!("Norway condemned Peru {hostile}."), "Norway", "Peru", "aligned"],
        ["d", &long, "Norway", "Peru", "aligned"],
    ];
    let mut file = csv::Writer::from_path(folder.path("rows.csv")).expect("a new file");
    file.write_record(["id", "text", "state", "actor", "label"]).expect("it is written");
    rows.iter().for_each(|row| file.write_record(row).expect("it is written"));
    file.flush().expect("it is written");
    let page = |model: &str, name: &str| {
        let args = ["evaluate", "--data", name, "--model", model, "--by", "actor", "--html", "page.html"];
        let ended = folder.run(&args);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        std::fs::read_to_string(folder.path("page.html")).expect("it is written")
    };
    let found = page("fast", "rows.csv");
    assert!(!found.contains("<script>alert") && found.contains("&#60;script&#62;alert(1)"), "{found}");
    for part in [
        "4 labelled pairs of rows.csv, answered by fast",
        "<h3>By actor, the lowest macro-F1 first</h3>",
        "No row is neutral.",
        "3 answers are wrong",
        "<mark class=\"state\">Norway</mark>",
        "id=\"h-card\"",
        "--html page.html",
    ] {
        assert!(found.contains(part), "{part}");
    }
    assert!(found.len() < 2_000_000 && !found.contains("http://") && !found.contains("https://"));

    // Predictions of another program, without probabilities: no page tells how sure it was.
    folder.save(
        "other.csv",
        "id,state,actor,stance\na,Norway,Chile,aligned\nb,Norway,Peru,aligned\nd,Norway,Peru,aligned\n",
    );
    folder.save("right.csv", "id,text,state,actor,label\na,Norway praised Chile.,Norway,Chile,aligned\n");
    let found = page("other.csv", "right.csv");
    assert!(found.contains("None: every answer is right.") && !found.contains("h-sure"), "{found}");
}

#[test]
fn the_page_of_predictions_shows_evidence_and_runs_nothing_of_an_article() {
    let folder = Folder::new();
    let hostile = "</script><script>alert(1)</script>";
    let article = |id: &str, date: &str, title: &str, text: &str| {
        format!(
            "{}\n",
            serde_json::json!({"id": id, "date": date, "title": title, "text": text, "url": "javascript:alert(1)"})
        )
    };
    let articles = [
        article("b", "2026-03-02", hostile, &format!("Norway condemned Chile over {hostile}. Norway thanked Taiwan.")),
        article("a", "2026-03-01", &"long ".repeat(1000), "🇳🇴 Norway thanked the EU and condemned Kosovo."),
        article("c", "", "ولكن", "Nobody is named here."),
    ];
    folder.save("articles.jsonl", articles.concat());
    let args = ["predict", "articles.jsonl", "--all-actors", "--model", "fast", "--html", "page.html"];
    let ended = folder.run(&args);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("it is written");
    assert!(!page.contains("<script>alert") && !page.contains("href=\"javascript"), "{page}");
    for part in [
        "3 articles, 12 pairs of a state and an actor; 1 article connects nobody",
        "<mark class=\"state\">Norway</mark> condemned <mark class=\"actor\">Chile</mark>",
        "data-state=\"NOR\" data-actor=\"TWN\" data-stance=\"aligned\"",
        "European Union",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let place = |id: &str| page.find(&format!("data-id=\"{id}\"")).expect(id);
    assert!(place("a") < place("b"), "by date");

    // What is printed beside it is the same as without it.
    let plain = folder.run(&["predict", "articles.jsonl", "--all-actors", "--model", "fast", "--format", "jsonl"]);
    let beside = folder.run(&[&args[..], &["--format", "jsonl"]].concat());
    assert_eq!(plain.stdout, beside.stdout);
    assert!(plain.stdout.lines().count() == 12);
    let nobody =
        folder.run(&["predict", "--text", "It rains.", "--all-actors", "--html", "page.html", "--model", "fast"]);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("it is written");
    assert!(nobody.code == Some(0) && page.contains("No article connects a state with an actor"), "{page}");
}

#[test]
fn a_page_of_many_articles_stays_small_and_says_what_it_leaves_out() {
    let folder = Folder::new();
    let line = |n: usize| format!("{{\"id\": \"{n}\", \"text\": \"Norway condemned Chile.\"}}\n");
    folder.save("many.jsonl", (0..2500).map(line).collect::<String>());
    let ended = folder.run(&["predict", "many.jsonl", "--actor", "Chile", "--model", MODEL, "--html", "page.html"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("it is written");
    assert!(page.contains("2,000 articles are shown below; 500 more") && page.len() < 10_000_000, "{}", page.len());
}

#[test]
fn a_page_that_cannot_be_written_is_known_before_anything_is_read() {
    let folder = Folder::new();
    let ended = folder.run(&[
        "predict",
        "no-such-file.txt",
        "--actor",
        "Chile",
        "--model",
        MODEL,
        "--html",
        "nowhere/page.html",
    ]);
    assert!(ended.code == Some(2) && ended.stderr.contains("nowhere"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("no-such-file"), "{}", ended.stderr);
}
