//! `make learning`: what labels on news summaries are worth.
//!
//! Trains the fast model's recipe with none, 1,000, 2,000, … of the pairs of `labels/events.csv`, whole groups in an
//! order drawn once, and prints the scores on sets that nothing was trained on, for `reports/learning.md`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program of its own

use std::path::{Path, PathBuf};

use detente::data::LabelledOptions;
use detente::data::join::{self, TextLayout, Texts};
use detente::gazetteer::Gazetteer;
use detente::source::{Source, ignore_warnings};
use detente::train::Recipe;
use detente::{EvaluateParams, LabelMap, LabelledPair, data, evaluate, train};
use xxhash_rust::xxh3::xxh3_64;

const PART: &str = "events.csv";
const STEPS: [usize; 5] = [0, 1_000, 2_000, 4_000, 8_000];

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recipe = Recipe::read(&root.join("models/fast.toml"))?;
    let all = recipe.rows(&LabelMap::default(), None, &ignore_warnings())?.data;
    let Some(part) = all.iter().position(|dataset| dataset.name == PART) else {
        return Err(format!("models/fast.toml has no part {PART}").into());
    };
    let sets = test_sets(root)?;
    let mut steps: Vec<usize> = STEPS.into_iter().filter(|step| *step < all[part].pairs.len()).collect();
    steps.push(all[part].pairs.len());

    println!("# What labels on news summaries are worth\n");
    println!("`make learning` trains the fast model's recipe with so many pairs of `labels/events.csv` and prints the");
    println!("macro-F1 (95 % interval) on rows that nothing was trained on.\n");
    let names: Vec<String> = sets.iter().map(|(name, rows)| format!("{name} ({} rows)", rows.len())).collect();
    println!("| pairs | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(sets.len()));
    for step in steps {
        eprintln!("training with {step} pairs");
        let mut data = all.clone();
        // Whole groups, in the order of a hash, so that each step holds the ones before it.
        data[part].pairs.sort_by_key(|pair| (xxh3_64(pair.group_key().as_bytes()), pair.location.line));
        data[part].pairs.truncate(step);
        if step == 0 {
            data.remove(part);
        }
        let pipeline = train(&data, &recipe.params, Gazetteer::embedded(), &|_| {})?.pipeline;
        let mut cells = vec![step.to_string()];
        for (_, rows) in &sets {
            let record = evaluate(&pipeline, rows, &EvaluateParams::default())?;
            let [lo, hi] = record.ci95.get("macro_f1").copied().unwrap_or([f64::NAN; 2]);
            cells.push(format!("{:.3} ({lo:.2} to {hi:.2})", record.macro_f1));
        }
        println!("| {} |", cells.join(" | "));
    }
    Ok(())
}

/// Labelled rows to score on, by name.
fn test_sets(root: &Path) -> AnyResult<Vec<(String, Vec<LabelledPair>)>> {
    let shared = root.join("../shared/data");
    let texts = Texts::read(&shared.join("events/summaries.jsonl"), TextLayout::Articles, &ignore_warnings())?;
    let labels = root.join("datasets/stance/labels").join(PART);
    let rows = join::join(&labels, &texts, &LabelMap::default(), &ignore_warnings())?;
    let split = |name: &str| rows.iter().filter(|row| row.column("split") == Some(name)).cloned().collect();
    let mut sets =
        vec![("summaries of 2023".to_owned(), split("dev")), ("summaries of 2024".to_owned(), split("test"))];
    for (name, file) in [
        ("summaries of 2025", "events-dev.csv"),
        ("sentences and articles of 2004 to 2019", "dev.csv"),
        ("headlines of 2026", "headlines-dev.csv"),
    ] {
        let path: PathBuf = shared.join("gold").join(file);
        let rows = data::labelled(&Source::file(path), &LabelledOptions::default(), &ignore_warnings())?;
        sets.push((name.to_owned(), rows.collect::<detente::Result<_>>()?));
    }
    Ok(sets)
}
