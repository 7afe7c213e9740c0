//! Pages of one file: `evaluate --html`, `predict --html`.

use crate::program::Folder;

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
        "<h3>By actor, the worst first</h3>",
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
