//! Charts and pages, held to what was looked at. `INSTA_UPDATE=always cargo test --test report` writes the snapshots anew.

use detente::report::chart::line::LineChart;
use detente::report::{EvaluationNotes, PredictionPage, TrendNotes, write_evaluation, write_trend};
use detente::trend::{Granularity, TrendParams, trend};
use detente::{Article, EvaluateParams, LabelledPair, Pipeline, Query, Record};

const RECORDS: &str = include_str!("data/trend.jsonl");

fn records() -> Vec<Record> {
    RECORDS.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

/// A page without what all pages share: style, script, outlines, the version.
fn own(page: Vec<u8>) -> String {
    let mut page = String::from_utf8(page).expect("UTF-8").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    for (from, to) in [
        ("<style>", "</style>"),
        ("<script>", "</script>"),
        ("<meta http-equiv=\"Content-Security-Policy\"", ">"),
        ("<svg class=\"map\"", "</svg>"),
        ("<script type=\"application/json\" id=\"map-data\">", "</script>"),
    ] {
        while let Some((before, rest)) = page.split_once(from) {
            let (_, after) = rest.split_once(to).expect("it ends");
            page = format!("{before}{after}");
        }
    }
    page
}

#[test]
fn a_chart_of_one_series() {
    let found = trend(&records(), &TrendParams::new(Granularity::Year).draws(200)).expect("dated records");
    insta::assert_snapshot!(LineChart::standalone(&found.series[0]).to_string());
}

#[test]
fn the_page_of_a_trend() {
    let params = TrendParams::new(Granularity::Year).draws(200).reports(1);
    let mut found = trend(&records(), &params).expect("dated records");
    found.series.truncate(2);
    let notes = TrendNotes { frame: "detente trend".into(), corrected: false, deduplicated: true, left_out: vec![] };
    let mut page = Vec::new();
    write_trend(&found, &notes, &mut page).expect("it is written to memory");
    insta::assert_snapshot!(own(page));
}

fn pair(id: &str, text: &str, actor: &str, label: &str) -> LabelledPair {
    let line =
        serde_json::json!({"id": id, "text": text, "state": "Norway", "actor": actor, "label": label}).to_string();
    let source = tempfile::Builder::new().suffix(".jsonl").tempfile().expect("a new file");
    std::fs::write(source.path(), line).expect("it is written");
    let rows = detente::data::labelled(
        &detente::source::Source::file(source.path()),
        &detente::data::LabelledOptions::default(),
        &detente::source::ignore_warnings(),
    );
    rows.expect("a header").next().expect("a row").expect("a good row")
}

#[test]
fn the_page_of_an_evaluation() {
    let pipeline = Pipeline::fast();
    let pairs = [
        pair("a", "Norway praised Chile.", "Chile", "aligned"),
        pair("b", "Norway condemned Peru.", "Peru", "opposed"),
        pair("c", "Norway thanked Peru.", "Peru", "opposed"),
        pair("d", "Norway met Chile.", "Chile", "neutral"),
    ];
    let params = EvaluateParams { by: vec!["actor".into()], draws: 100, ..EvaluateParams::default() };
    let scored = detente::evaluate::report::score(pipeline, &pairs).expect("known names");
    let mut record = detente::evaluate(pipeline, &pairs, &params).expect("rows");
    record.model.sha256 = "SHA-256".into();
    let rows = detente::evaluate::rows::rows(&scored, pipeline, 10);
    let notes = EvaluationNotes { data: vec!["rows.jsonl".into()], by_model: true, ..EvaluationNotes::default() };
    let mut page = Vec::new();
    write_evaluation(&record, &rows, &notes, &mut page).expect("it is written to memory");
    insta::assert_snapshot!(own(page));
}

#[test]
fn the_page_of_predictions() {
    let pipeline = Pipeline::fast();
    let query = Query::toward(["Russia"], pipeline.gazetteer()).expect("a known name");
    let mut page = PredictionPage::new("detente predict");
    for (id, date, text) in [
        ("b", "2026-03-02", "Estonia condemned Russia’s attack. Belarus praised Russia."),
        ("a", "2026-03-01", "The EU thanked Norway, and not Russia."),
        ("c", "", "It rains."),
    ] {
        let article = Article { date: Some(date.into()), ..Article::new(text).with_id(id) };
        page.add(Record::all(&article, &pipeline.predict(&article, &query)).collect());
    }
    let mut html = Vec::new();
    page.write(&mut html).expect("it is written to memory");
    insta::assert_snapshot!(own(html));
}
