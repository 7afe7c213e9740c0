//! `make bench`: how fast names are found, articles answered, and models fitted.

#![allow(missing_docs)] // criterion makes functions

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use detente::data::{LabelledOptions, LabelledPair, labelled};
use detente::gazetteer::Gazetteer;
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

criterion_group!(benches, predict, train);
criterion_main!(benches);
