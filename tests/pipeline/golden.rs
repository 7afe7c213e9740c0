//! What the fast model says of 2,000 articles, to the last bit.
//!
//! A change of structure leaves this as it is. A change of the model, the gazetteer, cleaning or evidence changes it:
//! `GOLDEN=overwrite cargo test --test pipeline golden` writes it anew, and the commit says why.

use std::path::Path;

use detente::source::{self, Source, ignore_warnings};
use detente::{Article, Pipeline, Query, hash};
use rayon::prelude::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/predictions.txt");

/// Our own articles, and headlines and sentences up to 2,000.
fn articles() -> Vec<Article> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/stance");
    let read = |name: &str| {
        source::read(&Source::file(root.join(name)), &ignore_warnings()).expect("a file of the repository")
    };
    let all = ["articles.csv", "headlines.csv", "sentences.csv"].into_iter().flat_map(|name| read(name).take(800));
    all.take(2_000).collect::<detente::Result<_>>().expect("good rows")
}

#[test]
fn predictions_are_the_same_to_the_last_bit() {
    let pipeline = Pipeline::fast();
    let articles = articles();
    let lines: Vec<String> = articles
        .par_iter()
        .map(|article| {
            let line = |p: &detente::Prediction<'_>| {
                let bits = p.probabilities.map(|p| format!("{:016x}", p.to_bits())).join(" ");
                let evidence: Vec<String> =
                    p.evidence.iter().map(|e| format!("{:?}{:?}", e.evidence.part, e.evidence.span)).collect();
                format!("{} {} {} {bits} {}\n", p.state.code, p.actor.code, p.stance, evidence.join(" "))
            };
            pipeline.predict(article, &Query::default()).iter().map(line).collect()
        })
        .collect();
    let found = format!(
        "articles {}\npredictions {}\nsha256 {}\n",
        articles.len(),
        lines.iter().map(|l| l.lines().count()).sum::<usize>(),
        hash::sha256(lines.concat().as_bytes())
    );
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "overwrite") {
        std::fs::write(FILE, &found).expect("it can be written");
    }
    assert_eq!(found, std::fs::read_to_string(FILE).expect("it is there"));
}
