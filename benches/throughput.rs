//! `make bench`: how fast names are found, articles answered, and models fitted.

#![allow(missing_docs)] // criterion makes functions

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use detente::data::{LabelledOptions, LabelledPair, labelled};
use detente::gazetteer::Gazetteer;
use detente::model::Kind;
use detente::model::encoder::EncoderInput;
use detente::source::{self, Source, ignore_warnings};
use detente::train::Dataset;
use detente::{Article, Pipeline, Query, TrainParams};

fn articles() -> Vec<Article> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/stance/articles.csv");
    let articles = source::read(&Source::file(path), &ignore_warnings()).expect("a file of the repository");
    articles.take(200).collect::<detente::Result<_>>().expect("good rows")
}

fn predict(c: &mut Criterion) {
    let articles = articles();
    let bytes = articles.iter().map(|a| a.text.len() as u64).sum();
    let (pipeline, gazetteer) = (Pipeline::fast(), Gazetteer::embedded());
    let mut group = c.benchmark_group("articles");
    group.throughput(Throughput::Bytes(bytes)).sample_size(20);
    group.bench_function("names", |b| {
        b.iter(|| articles.iter().map(|a| gazetteer.mentions(black_box(&a.text)).len()).sum::<usize>());
    });
    let russia = Query::toward(["Russia"], gazetteer).expect("a name");
    for (name, query) in [("toward Russia", russia), ("everyone toward everyone", Query::default())] {
        group.bench_function(name, |b| {
            b.iter(|| articles.iter().map(|a| pipeline.predict(black_box(a), &query).len()).sum::<usize>());
        });
    }
    group.finish();
}

/// The windows of tests/encoder.rs, read by one thread.
fn encode(c: &mut Criterion) {
    let lines = include_str!("../tests/data/encoder.jsonl").lines();
    let input = |line: &str| {
        let fixture: serde_json::Value = serde_json::from_str(line).expect("a fixture");
        let text = fixture["text"].as_str().expect("a text");
        let bytes = |name: &str, end: usize| {
            let at = fixture[name][end].as_u64().expect("a place") as usize;
            text.char_indices().nth(at).map_or(text.len(), |(at, _)| at)
        };
        Some(EncoderInput::masked(text, bytes("state", 0)..bytes("state", 1), bytes("actor", 0)..bytes("actor", 1)))
    };
    let inputs: Vec<_> = lines.map(input).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let mut group = c.benchmark_group("windows by an encoder, one thread");
    group.throughput(Throughput::Elements(inputs.len() as u64)).sample_size(10);
    for (name, pipeline) in [("accurate", Pipeline::accurate()), ("small", Pipeline::small())] {
        let pipeline = pipeline.expect("a model of the repository");
        let Kind::Stacked(model) = pipeline.model().evidence.kind() else { continue };
        group.bench_function(name, |b| b.iter(|| pool.install(|| model.encoder().hidden(black_box(&inputs)).len())));
    }
    group.finish();
}

fn train(c: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/small.csv");
    let rows = labelled(&Source::file(path), &LabelledOptions::default(), &ignore_warnings()).expect("a table");
    let pairs: Vec<LabelledPair> = rows.collect::<detente::Result<_>>().expect("good rows");
    let dataset =
        Dataset { name: "small.csv".into(), sha256: String::new(), texts: None, weight: 1.0, calibrate: true, pairs };
    let data = [dataset];
    let mut group = c.benchmark_group("train");
    group.sample_size(20);
    group.bench_function("40 rows", |b| {
        b.iter(|| detente::train(&data, &TrainParams::default(), Gazetteer::embedded(), &|_| {}).expect("good rows"));
    });
    group.finish();
}

criterion_group!(benches, predict, train, encode);
criterion_main!(benches);
