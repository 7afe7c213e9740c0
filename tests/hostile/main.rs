//! Damaged and hostile input by the thousand: nothing panics, nothing overflows, and what comes out is sound.
//!
//! Each case is a file of `corpus/`, changed by a generator that depends on the case's number alone, so a failure can be
//! run again. `cargo test` runs 20,000 cases; `make fuzz` as many as `FUZZ_CASES` says for each target, with
//! `FUZZ_FIRST` the number of the first.

mod model;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use detente::data::join::{TextLayout, Texts, join};
use detente::data::{LabelMap, LabelledOptions, directed};
use detente::gazetteer::Gazetteer;
use detente::source::{self, Format, Source, Warn, ignore_warnings};
use detente::train::Dataset;
use detente::{Article, LabelledPair, Part, Pipeline, Query, TrainParams, data};

use mutate::{Random, mutate};

/// The share of the 20,000 cases that each of the ten targets runs in `cargo test`.
const CASES: u64 = 2_000;

static MODEL: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::from_bytes(model::BYTES).expect("it is whole"));

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().expect("a number of cases"))
}

/// The files of a folder of the corpus, in order.
fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/corpus").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(root).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

/// Runs `check` on changed files of `seeds`; the first seeds as they are.
fn fuzz(target: &str, seeds: &[Vec<u8>], check: impl Fn(&[u8])) {
    let (first, cases) = (setting("FUZZ_FIRST", 0), setting("FUZZ_CASES", CASES));
    for case in first..first + cases {
        let mut random = Random::new(target, case);
        let bytes = match seeds.get(case as usize) {
            Some(seed) => seed.clone(),
            None => mutate(seeds, &mut random),
        };
        if catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_err() {
            panic!("{target}, case {case}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

/// A folder of its own for the files of one target.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn save(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

/// Predictions are sound: probabilities, stances, and offsets that point at the names.
fn check_predictions(pipeline: &Pipeline, article: &Article) {
    let query = Query { all_states: true, ..Query::default() };
    for p in pipeline.predict(article, &query) {
        let sum: f64 = p.probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9 && p.probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{p:?}");
        let least = p.probabilities.iter().copied().fold(1.0, f64::min);
        let most = p.probabilities.iter().copied().fold(0.0, f64::max);
        assert!(p.no_evidence || least == most || p.probabilities[p.stance.index()] > least, "{p:?}");
        for scored in &p.evidence {
            let e = &scored.evidence;
            let text = article.part(e.part);
            assert!(text.get(e.span.clone()).is_some_and(|s| s.trim() == s), "{e:?}");
            for (part, name) in [(e.state_part(), &e.state), (e.actor_part(), &e.actor)] {
                let inside = e.span.start <= name.start && name.end <= e.span.end;
                assert!((part != e.part || inside) && article.part(part).get(name.clone()).is_some(), "{e:?}");
            }
            let apart = e.state.end <= e.actor.start || e.actor.end <= e.state.start;
            assert!(apart || e.in_title.is_some(), "{e:?}");
            assert!(scored.contribution.iter().all(|c| c.is_finite()), "{scored:?}");
        }
    }
}

/// Reads articles; each error is one line.
fn read_articles(path: &Path, format: Format) -> Vec<Article> {
    let source = Source { format, ..Source::file(path) };
    let one_line = |error: &detente::Error| {
        let said = error.to_string();
        assert!(!said.is_empty() && !said.contains(char::is_control) && said.len() < 10_000, "{said:?}");
    };
    let mut articles = Vec::new();
    match source::read(&source, &ignore_warnings()) {
        Err(error) => one_line(&error),
        Ok(found) => found.for_each(|article| match article {
            Ok(article) => articles.push(article),
            Err(error) => one_line(&error),
        }),
    }
    articles
}

fn fuzz_reader(target: &str, file: &str, format: Format) {
    let folder = Folder::new();
    fuzz(target, &corpus(target), |bytes| {
        for article in read_articles(&folder.save(file, bytes), format) {
            assert!(article.title.is_some() || !article.text.trim().is_empty());
            check_predictions(&MODEL, &article);
        }
    });
}

#[test]
fn text() {
    fuzz_reader("text", "a.txt", Format::Text);
}

#[test]
fn html() {
    fuzz_reader("html", "a.html", Format::Html);
}

#[test]
fn csv() {
    fuzz_reader("csv", "a.csv", Format::Csv);
}

#[test]
fn jsonl() {
    fuzz_reader("jsonl", "a.jsonl", Format::Jsonl);
}

#[test]
fn json() {
    fuzz_reader("json", "a.json", Format::Json);
}

#[test]
fn feed() {
    fuzz_reader("feed", "a.xml", Format::Feed);
}

#[test]
fn mhtml() {
    fuzz_reader("mhtml", "a.mhtml", Format::Mhtml);
}

#[test]
fn xlsx() {
    fuzz_reader("xlsx", "a.xlsx", Format::Xlsx);
}

#[test]
fn parquet() {
    fuzz_reader("parquet", "a.parquet", Format::Parquet);
}

/// A pair's names stand where its offsets say, and what is written is read again.
fn check_pairs(folder: &Folder, file: &data::DataFile) {
    for pair in &file.pairs {
        for span in [&pair.state_span, &pair.actor_span].into_iter().flatten() {
            assert!(pair.article.text.get(span.clone()).is_some_and(|name| !name.is_empty()), "{pair:?}");
        }
    }
    let mut written = Vec::new();
    data::write_jsonl(&mut written, &file.pairs).expect("memory takes all");
    if !file.pairs.is_empty() {
        // Damaged offsets can look as if they counted another unit; then the file says so when it is read.
        let other_unit = Arc::new(AtomicBool::new(false));
        let told = other_unit.clone();
        let warn: Warn = Arc::new(move |w| told.store(w.message.contains("offsets are read as"), Ordering::Relaxed));
        let again = data::read(&folder.save("again.jsonl", &written), &LabelledOptions::default(), &warn);
        let again = again.expect("a readable file");
        if other_unit.load(Ordering::Relaxed) {
            return;
        }
        assert!(again.errors.is_empty(), "{:?}", again.errors);
        let same = |pairs: &[LabelledPair]| -> Vec<String> {
            pairs.iter().map(|p| format!("{:?}", p.identity(Gazetteer::embedded()))).collect()
        };
        assert_eq!(same(&again.pairs), same(&file.pairs));
    }
    let report = data::check::check(std::slice::from_ref(file), &[], Gazetteer::embedded());
    assert_eq!(report.files.len(), 1);
}

#[test]
fn labelled() {
    let folder = Folder::new();
    for (seeds, name) in [("labelled-csv", "a.csv"), ("labelled-jsonl", "a.jsonl")] {
        fuzz(seeds, &corpus(seeds), |bytes| {
            let path = folder.save(name, bytes);
            if let Ok(file) = data::read(&path, &LabelledOptions::default(), &ignore_warnings()) {
                check_pairs(&folder, &file);
                let pairs: Vec<&LabelledPair> = file.pairs.iter().take(3).collect();
                for pair in pairs {
                    if let (Some(state), Some(actor)) = (&pair.state_span, &pair.actor_span) {
                        let scored = MODEL.predict_marked(&pair.article, state, actor);
                        assert!(scored.probabilities.iter().all(|p| p.is_finite()));
                    }
                }
            }
        });
    }
}

#[test]
fn labels_apart_and_lines() {
    let folder = Folder::new();
    let texts = folder.save("texts.jsonl", "{\"id\": \"1\", \"text\": \"Perú met Chile.\"}\n".as_bytes());
    let texts = Texts::read(&texts, TextLayout::Articles, &ignore_warnings()).expect("a text");
    fuzz("labels-csv", &corpus("labels-csv"), |bytes| {
        let path = folder.save("labels.csv", bytes);
        if let Ok(pairs) = join(&path, &texts, &LabelMap::default(), &ignore_warnings()) {
            assert!(pairs.iter().all(|pair| pair.label.is_some()));
        }
        let _ = data::agreement::read(&path, &LabelMap::default(), Gazetteer::embedded(), &ignore_warnings());
    });
    fuzz("directed", &corpus("directed"), |bytes| {
        for pair in directed::labelled(&folder.save("lines.txt", bytes), &ignore_warnings()).unwrap_or_default() {
            let named =
                |span: &Option<detente::Span>| span.clone().and_then(|s| pair.article.text.get(s)).map(str::to_owned);
            assert_eq!(named(&pair.state_span).as_deref(), Some(pair.state.as_str()));
        }
    });
}

#[test]
fn names_of_ones_own() {
    let article = Article::new("Moscow on the Hill met the Sylvanian army, Russia and Newland.");
    fuzz("names", &corpus("names"), |bytes| {
        if let Ok(gazetteer) = Gazetteer::embedded().with_overrides(bytes, "names.csv") {
            assert!(gazetteer.entries().windows(2).all(|e| e[0].code < e[1].code), "sorted by code");
            for mention in gazetteer.mentions(article.part(Part::Text)) {
                assert!(article.text.get(mention.start..mention.end).is_some());
                let _ = gazetteer.get(mention.entry);
            }
        }
    });
}

#[test]
fn training() {
    let folder = Folder::new();
    let params = TrainParams { folds: 2, ..TrainParams::default() };
    fuzz("training", &corpus("labelled-csv"), |bytes| {
        let path = folder.save("a.csv", bytes);
        let options = LabelledOptions::default();
        let Ok(rows) = data::labelled(&Source::file(&path), &options, &ignore_warnings()) else { return };
        let pairs: Vec<LabelledPair> = rows.filter_map(Result::ok).collect();
        let dataset =
            Dataset { name: "a.csv".into(), sha256: String::new(), texts: None, weight: 1.0, calibrate: true, pairs };
        match detente::train(&[dataset], &params, Gazetteer::embedded(), &|_| {}) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(training) => {
                let calibration = &training.pipeline.model().head.calibration;
                assert!(calibration.scale.iter().all(|w| *w > 0.0), "{calibration:?}");
                let again = Pipeline::from_bytes(&training.pipeline.to_bytes()).expect("what is written is read");
                check_predictions(&again, &Article::new("Peru thanked Chile, and Oman attacked Chad."));
            }
        }
    });
}

#[test]
fn model_bytes() {
    let article = Article::new("Peru thanked Chile on Monday.\n\nOman attacked Chad; Chad condemned it.")
        .with_title("Peru and Oman");
    fuzz("model", &[model::BYTES.to_vec()], |bytes| {
        // Damage is found by the checksum; the few bytes that it does not cover change nothing.
        if let Ok(pipeline) = Pipeline::from_bytes(bytes) {
            assert_eq!(pipeline.manifest().labels, MODEL.manifest().labels);
            check_predictions(&pipeline, &article);
        }
    });
    let (first, cases) = (setting("FUZZ_FIRST", 0), setting("FUZZ_CASES", CASES));
    for case in first..first + cases {
        let mut random = Random::new("crafted model", case);
        let bytes = model::crafted(&mut random);
        let check = || {
            if let Ok(pipeline) = Pipeline::from_bytes(&bytes) {
                check_predictions(&pipeline, &article);
            }
        };
        assert!(catch_unwind(AssertUnwindSafe(check)).is_ok(), "crafted model, case {case}");
    }
}
