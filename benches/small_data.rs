//! `make small-data`: what a model that reads is worth to somebody with few rows.
//!
//! Draws 60, 200 and 1,000 rows (whole groups, three draws) of sets that no model was trained on, trains on them from nothing
//! and from the models that read, and scores all on the rows that were not drawn, for `reports/small-data.md`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program of its own

use std::path::Path;

use detente::data::LabelledOptions;
use detente::evaluate::metrics::f1_macro_score;
use detente::evaluate::report;
use detente::gazetteer::Gazetteer;
use detente::source::{Source, ignore_warnings};
use detente::train::{Dataset, TrainParams, adapt};
use detente::{LabelledPair, Pipeline, Stance, data, train};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SIZES: [usize; 3] = [60, 200, 1_000];
const DRAWS: u64 = 3;
/// Fewer rows left over than this score nothing; more than that take minutes.
const LEAST_TEST: usize = 150;
const MOST_TEST: usize = 500;

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gold = root.join("../shared/data/gold");
    let sets = [
        (
            "sentences and articles of 2004 to 2019, and headlines of 2026",
            vec![gold.join("dev.csv"), gold.join("headlines-dev.csv")],
        ),
        ("invented sentences that a small change turns", vec![root.join("data-build/contrasts-test.csv")]),
    ];
    let (small, accurate) = (Pipeline::small()?, Pipeline::accurate()?);
    println!("# What few rows are worth\n");
    println!(
        "`make small-data` draws so many rows (whole groups; the mean of {DRAWS} draws, and the least and the most) of sets that no"
    );
    println!(
        "model was trained on, and prints macro-F1 on the rows that were not drawn, at most {MOST_TEST}: of a model of these rows alone"
    );
    println!(
        "(`detente train --data rows.csv`), of the models that ship as they are, and of these brought to the rows"
    );
    println!(
        "(`--start-from small`, `--start-from default`). Of the second set, other sentences of the kind were among what the models that"
    );
    println!("ship were trained on; of the first, nothing.\n");
    for (name, paths) in sets {
        let mut pairs = Vec::new();
        for path in paths {
            for pair in data::labelled(&Source::file(path), &LabelledOptions::default(), &ignore_warnings())? {
                pairs.push(pair?);
            }
        }
        println!("## {name} ({} rows)\n", pairs.len());
        println!("| rows | from nothing | small as it is | from small | accurate as it is | from accurate |");
        println!("|---|---|---|---|---|---|");
        for size in SIZES.into_iter().filter(|size| size + LEAST_TEST <= pairs.len()) {
            eprintln!("{name}: {size} rows");
            let mut scores: [Vec<f64>; 5] = Default::default();
            for seed in 0..DRAWS {
                let (drawn, mut rest) = draw(&pairs, size, seed);
                rest.truncate(MOST_TEST);
                let data = [Dataset {
                    name: "rows.csv".into(),
                    sha256: String::new(),
                    texts: None,
                    weight: 1.0,
                    calibrate: true,
                    pairs: drawn,
                }];
                let (params, names) = (TrainParams::default(), Gazetteer::embedded());
                let models = [
                    train(&data, &params, names, &|_| {})?.pipeline,
                    small.clone(),
                    adapt(&small, &data, &params, names, &|_| {})?.pipeline,
                    accurate.clone(),
                    adapt(&accurate, &data, &params, names, &|_| {})?.pipeline,
                ];
                for (scores, model) in scores.iter_mut().zip(&models) {
                    scores.push(score(model, &rest)?);
                }
            }
            println!("| {size} | {} |", scores.map(|scores| shown(&scores)).join(" | "));
        }
        println!();
    }
    Ok(())
}

/// About `size` rows, whole groups in the order of a hash, and the others.
fn draw(pairs: &[LabelledPair], size: usize, seed: u64) -> (Vec<LabelledPair>, Vec<LabelledPair>) {
    let mut ordered = pairs.to_vec();
    ordered.sort_by_key(|pair| (xxh3_64_with_seed(pair.group_key().as_bytes(), seed), pair.location.line));
    let group = ordered[size - 1].group_key().to_owned();
    let end = ordered.iter().rposition(|pair| pair.group_key() == group).unwrap_or(size - 1) + 1;
    let rest = ordered.split_off(end);
    (ordered, rest)
}

fn score(model: &Pipeline, rows: &[LabelledPair]) -> AnyResult<f64> {
    let scored = report::score(model, rows)?;
    let (y, p): (Vec<Stance>, Vec<Stance>) = scored.iter().map(|s| (s.label, s.stance)).unzip();
    Ok(f1_macro_score(&y, &p)?)
}

fn shown(scores: &[f64]) -> String {
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let (least, most) = scores.iter().fold((1.0f64, 0.0f64), |(l, m), s| (l.min(*s), m.max(*s)));
    format!("{mean:.3} ({least:.2} to {most:.2})")
}
