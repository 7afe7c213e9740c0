//! `make names`: which names are found, and which false ones, for `reports/names.md`.
//!
//! It counts what the gazetteer and the reading of documents connect; only the last table asks a model.

#![allow(clippy::print_stdout)] // a program of its own

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use detente::data::LabelledOptions;
use detente::data::join::{self, TextLayout, Texts};
use detente::document::{Document, Party, Strength};
use detente::gazetteer::Gazetteer;
use detente::source::{self, Source, ignore_warnings};
use detente::{Article, LabelMap, LabelledPair, Pipeline, Stance, YearMonth, data};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = root.join("../shared/data");
    println!("# Names: what is found, and what should not be\n\n`make names` counts this.\n");
    let table = cases(&root.join("tests/tables/names.csv"))?;
    let artefacts = false_pairs(&shared.join("gold/events-dev-artefacts.csv"))?;
    let events = shared.join("events/summaries.jsonl");
    let struck = struck_mentions(&root.join("datasets/stance/labels/events-artefacts.csv"), &events)?;
    println!("| | of | |\n|---|---|---|");
    println!("| hard sentences whose names are right (`tests/tables/names.csv`) | {} | {} |", table.1, table.0);
    println!("| false pairs that are found (`gold/events-dev-artefacts.csv`) | {} | {} |", artefacts.1, artefacts.0);
    println!("| struck mentions that are found (`labels/events-artefacts.csv`) | {} | {} |", struck.1, struck.0);

    println!("\n## Labelled pairs without evidence\n");
    println!("| labels | pairs | without | with a side | without |\n|---|---|---|---|---|");
    for part in ["headlines", "sentences", "articles", "contrasts", "events"] {
        let texts = if part == "events" { events.clone() } else { root.join(format!("datasets/stance/{part}.csv")) };
        let texts = Texts::read(&texts, TextLayout::Articles, &ignore_warnings())?;
        let labels = root.join(format!("datasets/stance/labels/{part}.csv"));
        let pairs = join::join(&labels, &texts, &LabelMap::default(), &ignore_warnings())?;
        row(part, &pairs.iter().collect::<Vec<_>>());
        // Those that the first count was made on, before texts were added that were written with its results in sight.
        let first: Vec<&LabelledPair> = match part {
            "headlines" => pairs
                .iter()
                .filter(|p| p.article.id.starts_with("headlines-a-") || p.article.id.starts_with("headlines-b-"))
                .collect(),
            "articles" => pairs.iter().filter(|p| !p.article.id.starts_with("art6-")).collect(),
            _ => continue,
        };
        row(&format!("{part}, the first {}", first.len()), &first);
    }
    for part in ["dev", "headlines-dev", "events-dev"] {
        let source = Source::file(shared.join(format!("gold/{part}.csv")));
        let pairs = data::labelled(&source, &LabelledOptions::default(), &ignore_warnings())?;
        let pairs = pairs.collect::<detente::Result<Vec<_>>>()?;
        row(&format!("gold/{part}"), &pairs.iter().collect::<Vec<_>>());
    }
    by_strength(root)
}

/// Prints, for the labelled articles that nothing was trained on, what each kind of evidence is worth where a pair has none
/// that is stronger.
fn by_strength(root: &Path) -> AnyResult<()> {
    let (gazetteer, pipeline) = (Gazetteer::embedded(), Pipeline::small()?);
    let texts = Texts::read(&root.join("datasets/stance/articles.csv"), TextLayout::Articles, &ignore_warnings())?;
    let labels = root.join("datasets/stance/labels/articles.csv");
    let pairs = join::join(&labels, &texts, &LabelMap::default(), &ignore_warnings())?;
    let mut counts: BTreeMap<Strength, [usize; 4]> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.column("split") == Some("test")) {
        let (Some(state), Some(actor)) = (gazetteer.find(&pair.state), gazetteer.find(&pair.actor)) else { continue };
        let document = Document::read(&pair.article, gazetteer);
        let evidence = document.evidence(Party::Entry(state), Party::Entry(actor));
        let Some(strength) = evidence.iter().map(|piece| piece.strength).min() else { continue };
        let Some(said) = pipeline.predict_pair(&pair.article, state, actor).map(|pair| pair.stance) else { continue };
        let Some(label) = pair.label else { continue };
        let [all, sides, right, wrong] = counts.entry(strength).or_default();
        *all += 1;
        *sides += usize::from(label != Stance::Neutral);
        *right += usize::from(said != Stance::Neutral && said == label);
        *wrong += usize::from(said != Stance::Neutral && said != label);
    }
    println!(
        "\n## What each kind of evidence is worth\n\nPairs of the held-out articles by the strongest kind that they have, and the sides that the small model takes there.\n"
    );
    println!("| strongest | pairs | with a side | said, and right | said, and wrong |\n|---|---|---|---|---|");
    for (strength, [all, sides, right, wrong]) in counts {
        println!("| {} | {all} | {sides} | {right} | {wrong} |", format!("{strength:?}").to_lowercase());
    }
    Ok(())
}

/// Prints how many of some pairs have no evidence.
fn row(name: &str, pairs: &[&LabelledPair]) {
    let has_side = |pair: &LabelledPair| pair.label.is_some_and(|label| label != Stance::Neutral);
    let lost: Vec<&LabelledPair> = pairs.iter().copied().filter(|pair| !is_connected(pair)).collect();
    let sides: Vec<&LabelledPair> = lost.iter().copied().filter(|pair| has_side(pair)).collect();
    let all_sides = pairs.iter().filter(|pair| has_side(pair)).count();
    println!("| {name} | {} | {} | {all_sides} | {} |", pairs.len(), lost.len(), sides.len());
    if std::env::var_os("SHOW").is_some_and(|part| part.to_str() == Some(name)) {
        for pair in lost {
            println!("{}\t{}\t{}\t{}", pair.article.id, pair.state, pair.actor, pair.label.map_or("", Stance::as_str));
        }
    }
}

/// Whether the article as a whole connects a pair, wherever its labels say that the names stand.
fn is_connected(pair: &LabelledPair) -> bool {
    let gazetteer = Gazetteer::embedded();
    let (Some(state), Some(actor)) = (gazetteer.find(&pair.state), gazetteer.find(&pair.actor)) else { return false };
    let document = Document::read(&pair.article, gazetteer);
    !document.evidence(Party::Entry(state), Party::Entry(actor)).is_empty()
}

/// How many of the table's sentences give exactly the names expected, and how many there are.
fn cases(path: &Path) -> AnyResult<(usize, usize)> {
    let gazetteer = Gazetteer::embedded();
    let (mut right, mut all) = (0, 0);
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        let expected: Vec<&str> = record[2].split(';').filter(|s| !s.is_empty()).collect();
        let found = gazetteer.scan(YearMonth::parse(&record[3])).mentions(&record[1]);
        let flat = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ").replace(',', "");
        let found =
            found.iter().map(|m| format!("{}={}", flat(&record[1][m.start..m.end]), gazetteer.get(m.entry).code));
        right += usize::from(found.eq(expected));
        all += 1;
    }
    Ok((right, all))
}

/// How many pairs that rest on a false name are found, and how many there are.
fn false_pairs(path: &Path) -> AnyResult<(usize, usize)> {
    let gazetteer = Gazetteer::embedded();
    let (mut found, mut all) = (0, 0);
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        let mut article = Article::new(&record[1]);
        article.date = Some(record[4].to_owned());
        let document = Document::read(&article, gazetteer);
        if let (Some(state), Some(actor)) = (gazetteer.find(&record[2]), gazetteer.find(&record[3])) {
            found += usize::from(!document.evidence(Party::Entry(state), Party::Entry(actor)).is_empty());
        }
        all += 1;
    }
    Ok((found, all))
}

/// How many mentions that readers struck out are found, and how many there are.
fn struck_mentions(path: &Path, texts: &Path) -> AnyResult<(usize, usize)> {
    let gazetteer = Gazetteer::embedded();
    let mut struck: BTreeMap<String, BTreeSet<(String, usize)>> = BTreeMap::new();
    let mut all = 0;
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        struck.entry(record[0].to_owned()).or_default().insert((record[1].to_owned(), record[2].parse()?));
        all += 1;
    }
    let mut found = 0;
    for article in source::read(&Source::file(texts), &ignore_warnings())? {
        let article = article?;
        let Some(places) = struck.get(&article.id) else { continue };
        for mention in gazetteer.scan(article.month()).mentions(&article.text) {
            let start = article.text[..mention.start].chars().count();
            found += usize::from(places.contains(&(gazetteer.get(mention.entry).code.clone(), start)));
        }
    }
    Ok((found, all))
}
