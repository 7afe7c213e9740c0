//! Records in a model file how the model does on rows that it has not seen, and which sentences it has learnt from; its answers
//! stay as they are. `train` does so by itself; this is for models that were fine-tuned elsewhere.
//!
//! `cargo run --release --example annotate -- MODEL RECIPE HELD_OUT…`

use std::path::PathBuf;

use detente::evaluate::report;
use detente::model::reference::Reference;
use detente::source::{Source, ignore_warnings};
use detente::train::{Recipe, seen};
use detente::{LabelMap, LabelledPair, Pipeline, Stance, data};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(model), Some(recipe)) = (paths.next(), paths.next()) else {
        return Err("usage: annotate MODEL RECIPE HELD_OUT…".into());
    };
    let mut pipeline = Pipeline::load(&model)?;
    let rows = Recipe::read(&recipe)?.rows(&LabelMap::default(), None, &ignore_warnings())?;
    let mut pairs: Vec<LabelledPair> = Vec::new();
    for path in paths {
        for pair in data::labelled(&Source::file(path), &data::LabelledOptions::default(), &ignore_warnings())? {
            pairs.push(pair?);
        }
    }
    let scored = report::score(&pipeline, &pairs)?;
    let labels: Vec<Stance> = scored.iter().map(|s| s.label).collect();
    let stances: Vec<Stance> = scored.iter().map(|s| s.stance).collect();
    let probabilities: Vec<[f64; 3]> = scored.iter().filter_map(|s| s.probabilities).collect();
    let seen = seen(&rows.data, pipeline.gazetteer())?;
    pipeline.set_reference(Reference::new(&labels, &stances, &probabilities), seen);
    pipeline.save(&model)?;
    Ok(())
}
