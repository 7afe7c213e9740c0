//! The model file: the same bytes each time, and no damage goes unseen.

use std::collections::HashMap;
use std::path::Path;

use detente::data::{LabelledOptions, labelled};
use detente::gazetteer::Gazetteer;
use detente::model::Kind;
use detente::model::file;
use detente::source::{Source, ignore_warnings};
use detente::train::Dataset;
use detente::{Article, Error, ModelProblem, Pipeline, Query, Stance, TrainParams, hash, train};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/small.csv");
/// A folder for each format, with a model and what it said.
const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models");

/// Articles whose predictions are stored with the old models. They use plain names only, since the gazetteer is not
/// part of a model.
const ARTICLES: [&str; 6] = [
    "Slovakia condemned Hungary for the attack and recalled its ambassador.",
    "Ecuador praised Peru and signed a new agreement on trade. Peru thanked Ecuador for its support.",
    "Officials from Jordan and Kuwait will meet next week.",
    "Tanzania closed its border with Malawi. It accused the government of an attack. Zambia offered help to Malawi.",
    "Cambodia warned Thailand on Monday, while Vietnam welcomed talks between Thailand and Cambodia.",
    "Mongolia and Kazakhstan share long winters.",
];

fn trained() -> Pipeline {
    let pairs = labelled(&Source::file(DATA), &LabelledOptions::default(), &ignore_warnings())
        .and_then(Iterator::collect)
        .expect("the rows are good");
    let bytes = std::fs::read(DATA).expect("the file is there");
    let dataset = Dataset {
        name: "small.csv".into(),
        sha256: hash::sha256(&bytes),
        texts: None,
        weight: 1.0,
        calibrate: true,
        pairs,
    };
    let training = train(&[dataset], &TrainParams::default(), Gazetteer::embedded(), &|_| {});
    training.expect("the rows suffice").pipeline
}

fn predictions(pipeline: &Pipeline) -> Vec<Value> {
    let all = Query { all_states: true, ..Query::default() };
    let of = |text: &'static str| {
        let article = Article::new(text);
        let found = pipeline.predict(&article, &all);
        assert!(!found.is_empty(), "{text}");
        let value = |p: &detente::Prediction<'_>| {
            json!({"text": text, "state": p.state.code, "actor": p.actor.code, "stance": p.stance,
                   "probabilities": p.probabilities})
        };
        found.iter().map(value).collect::<Vec<_>>()
    };
    ARTICLES.into_iter().flat_map(of).collect()
}

fn problem(bytes: &[u8]) -> ModelProblem {
    match Pipeline::from_bytes(bytes) {
        Err(Error::Model { path, problem }) => {
            assert_eq!(path, "<bytes>");
            problem
        }
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was read"),
    }
}

/// One past the last byte of the header.
fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(*bytes.first_chunk().expect("eight bytes")) as usize
}

#[test]
fn a_model_comes_back_as_it_was_saved() {
    let model = trained();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.detente");
    model.save(&path).expect("it can be written");
    let bytes = std::fs::read(&path).expect("it is there");
    assert_eq!(bytes, model.to_bytes());
    let loaded = Pipeline::load(&path).expect("it is whole");
    assert_eq!(loaded.to_bytes(), bytes);
    assert_eq!(loaded.manifest(), model.manifest());
    assert_eq!(predictions(&loaded), predictions(&model));
    assert_eq!(loaded.manifest().rows, 40);
    assert_eq!(loaded.manifest().data[0].name, "small.csv");
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "only the model is left");
}

#[test]
fn saving_replaces_a_model_whole_or_leaves_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.detente");
    std::fs::write(&path, "an older file").expect("a file");
    let model = Pipeline::load(&stored(1)[0]).expect("it is whole");
    model.save(&path).expect("it can be replaced");
    assert_eq!(std::fs::read(&path).expect("it is there"), model.to_bytes());
    let nowhere = folder.path().join("no/such/folder/a.detente");
    assert!(matches!(model.save(&nowhere), Err(Error::Io { path, .. }) if path == nowhere));
}

#[test]
fn training_gives_the_same_bytes_whatever_the_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(trained).to_bytes()
    };
    let one = with(1);
    assert!(one == with(1), "the same run twice");
    assert!(one == with(2), "two threads");
    assert!(one == with(7), "seven threads");
}

#[test]
fn a_changed_byte_is_an_error_wherever_it_is() {
    let bytes = std::fs::read(&stored(1)[0]).expect("it is there");
    let header = header_end(&bytes);
    // All kinds of places: the length, every part of the header, every tensor, the last byte.
    let mut places: Vec<usize> = (0..16).collect();
    places.extend((16..header).step_by(header / 120));
    places.extend((header..bytes.len()).step_by((bytes.len() - header) / 120));
    places.push(bytes.len() - 1);
    assert!(places.len() > 200);
    let mut damaged = bytes.clone();
    for place in places {
        for flip in [0x01, 0x04, 0x20, 0x80, 0xFF] {
            damaged[place] ^= flip;
            let found = Pipeline::from_bytes(&damaged);
            assert!(matches!(found, Err(Error::Model { .. })), "byte {place} of {} ^ {flip:#04x}", bytes.len());
            damaged[place] ^= flip;
        }
    }
    assert_eq!(damaged, bytes);
    let last = bytes.len() - 1;
    damaged[last] ^= 1;
    assert!(matches!(problem(&damaged), ModelProblem::Checksum { .. }));
}

#[test]
fn a_model_cut_short_says_so() {
    let bytes = std::fs::read(&stored(1)[0]).expect("it is there");
    let whole = bytes.len();
    let header = header_end(&bytes);
    for length in [9, 10, 100, header - 1, header, header + 1, whole / 2, whole - 8, whole - 1] {
        let found = problem(&bytes[..length]);
        let ModelProblem::Truncated { found, expected } = found else { panic!("{length}: {found}") };
        assert_eq!(found, length as u64);
        assert_eq!(expected, if length < header { header } else { whole } as u64);
    }
    for length in 0..9 {
        let found = problem(&bytes[..length]);
        assert!(matches!(found, ModelProblem::NotAModel { .. } | ModelProblem::Truncated { .. }), "{length}: {found}");
    }
    for length in (0..whole).step_by(whole / 97) {
        problem(&bytes[..length]);
    }
    let longer = [bytes.as_slice(), b"more"].concat();
    problem(&longer);
}

#[test]
fn a_newer_format_names_both_versions() {
    let mut bytes = std::fs::read(&stored(1)[0]).expect("it is there");
    let key = br#"\"format_version\":1"#;
    let at = bytes.windows(key.len()).position(|window| window == key).expect("the version is in the header");
    bytes[at + key.len() - 1] = b'9';
    let found = problem(&bytes);
    let expected = ModelProblem::Version { found: 9, oldest: file::OLDEST_VERSION, newest: file::CURRENT_VERSION };
    assert_eq!(found, expected);
    assert!(found.to_string().contains("format version 9"), "{found}");
}

#[test]
fn other_files_are_not_models() {
    let not_a_model = |bytes: &[u8]| match problem(bytes) {
        ModelProblem::NotAModel { found } => found,
        other => panic!("another problem: {other}"),
    };
    assert_eq!(not_a_model(b""), "fewer than 8 bytes");
    assert_eq!(not_a_model(b"short"), "fewer than 8 bytes");
    not_a_model(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0");
    not_a_model(b"text,state,actor,label\nNorway praised Chile.,Norway,Chile,aligned\n");
    not_a_model(b"{\"text\": \"Norway praised Chile.\"}\n");
    not_a_model(&[0; 4096]);
    not_a_model(&[0xFF; 4096]);

    let data = [0; 8];
    let tensor = || [("weight", TensorView::new(Dtype::F32, vec![2], &data).expect("two numbers"))];
    let of_another = |metadata| safetensors::serialize(tensor(), metadata).expect("a file");
    assert_eq!(not_a_model(&of_another(None)), "a safetensors file of another program");
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    assert_eq!(not_a_model(&of_another(Some(metadata))), "a safetensors file of another program");

    // Our key without our content.
    let metadata = |text: &str| Some(HashMap::from([("detente".to_string(), text.to_string())]));
    assert!(
        matches!(problem(&of_another(metadata("nonsense"))), ModelProblem::Part { part, .. } if part == "metadata")
    );
    let empty = metadata(r#"{"sha256": "", "manifest": {}}"#);
    assert!(matches!(problem(&of_another(empty)), ModelProblem::Version { found: 0, .. }));
    let bare = metadata(r#"{"sha256": "", "manifest": {"format_version": 1}}"#);
    assert!(matches!(problem(&of_another(bare)), ModelProblem::Checksum { .. }));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = Path::new("no-such-folder/a.detente");
    let error = Pipeline::load(path).expect_err("it is not there");
    assert!(matches!(&error, Error::Io { path: named, .. } if named == path), "{error}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(Pipeline::load(folder.path()), Err(Error::Format { .. })));
}

#[test]
fn the_default_model_is_whole() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/fast.detente")).expect("it is there");
    let model = Pipeline::from_bytes(&bytes).expect("its checksum holds");
    assert!(model.to_bytes() == bytes);
    assert_eq!(predictions(&model), predictions(Pipeline::fast()));
}

/// A model of each format and its predictions.
fn stored(version: u32) -> [std::path::PathBuf; 2] {
    ["small.detente", "small.json"].map(|name| Path::new(MODELS).join(format!("v{version}")).join(name))
}

/// A file of an older format must stay readable, and say what it said.
#[test]
fn every_format_stays_readable() {
    for version in file::OLDEST_VERSION..=file::CURRENT_VERSION {
        let [model, said] = stored(version);
        let bytes = std::fs::read(model).expect("it is there");
        assert!(bytes.len() <= 200_000, "{} bytes", bytes.len());
        let model = Pipeline::from_bytes(&bytes).expect("it is read");
        assert_eq!(model.manifest().format_version, version);
        let stored: Vec<Value> =
            serde_json::from_slice(&std::fs::read(said).expect("it is there")).expect("predictions");
        let found = predictions(&model);
        assert_eq!(found.len(), stored.len());
        for (found, stored) in found.iter().zip(&stored) {
            for key in ["text", "state", "actor", "stance"] {
                assert_eq!(found[key], stored[key], "{stored}");
            }
            for k in 0..3 {
                let p = |value: &Value| value["probabilities"][k].as_f64().expect("a number");
                assert!((p(found) - p(stored)).abs() < 1e-9, "{found}\n{stored}");
            }
        }
        let again = Pipeline::from_bytes(&model.to_bytes()).expect("it is written in the newest format");
        assert_eq!(again.manifest().format_version, file::CURRENT_VERSION);
        assert_eq!(predictions(&again), found, "format {version}");
        let Kind::Linear(linear) = model.model().evidence.kind() else { panic!("a linear model") };
        let names = linear.strongest_features(Stance::Aligned, linear.n_features());
        assert!(names.iter().all(|(name, _)| name.contains('|')), "format {version}");
    }
}

/// Writes the files of [`every_format_stays_readable`]. Only for a new format: files of a format that was released are
/// never written again.
#[test]
#[ignore = "writes into the source tree"]
fn write_stored_model() {
    let [file, said] = stored(file::CURRENT_VERSION);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    let model = trained();
    model.save(&file).expect("it can be written");
    let lines: Vec<String> = predictions(&model).iter().map(|p| format!("  {p}")).collect();
    std::fs::write(said, format!("[\n{}\n]\n", lines.join(",\n"))).expect("it can be written");
}
