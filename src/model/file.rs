//! The model file: [safetensors](https://github.com/huggingface/safetensors) with one JSON value as metadata.
//!
//! The metadata key `detente` holds `{"sha256": …, "manifest": …}`. The checksum covers the manifest and every
//! tensor, so a flipped byte is found wherever it is. The same parts always give the same bytes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, SafeTensorError, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ModelProblem, Result};
use crate::hash::hex;
use crate::input_file;
use crate::model::head::Calibration;
use crate::model::head::{Decision, Pooling};
use crate::model::linear::LinearModel;
use crate::model::linear::features::Names;
use crate::model::linear::ngrams::NgramParams;
use crate::model::linear::tfidf::{Norm, Tfidf};
use crate::model::linear::tokenize::Tokenizer;
use crate::model::linear::vocabulary::Vocabulary;
use crate::model::{Head, Kind, Model};

/// The format that this version writes.
pub const CURRENT_VERSION: u32 = 1;
/// The oldest format that this version reads.
pub const OLDEST_VERSION: u32 = 1;

const METADATA_KEY: &str = "detente";

/// How a model was made: everything in the file that is not a number for the scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the file format.
    pub format_version: u32,
    /// Version of the program that trained the model.
    pub detente_version: String,
    /// Version of the gazetteer that found the names.
    pub gazetteer_version: String,
    /// Seed of everything drawn at random.
    pub seed: u64,
    /// The training data.
    pub data: Vec<DataManifest>,
    /// Labelled rows used, all data together.
    pub rows: usize,
    /// Rows left out because the text names no such pair.
    pub missing: usize,
    /// Rows of each label: aligned, neutral, opposed.
    pub labels: [usize; 3],
    /// Every parameter of training, as in a recipe.
    pub params: serde_json::Value,
    /// Scores on the held-out folds of the training data.
    pub metrics: serde_json::Value,
    /// What a person should know of the training: a fit that did not converge, a calibration that had too few rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One file of training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataManifest {
    /// The file's name, without its folder.
    pub name: String,
    /// SHA-256 of the file as read.
    pub sha256: String,
    /// The file of texts that its labels were joined with, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<FileManifest>,
    /// Labelled rows in it.
    pub rows: usize,
    /// The weight of each row.
    pub weight: f64,
}

/// A file by name and content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileManifest {
    /// The file's name, without its folder.
    pub name: String,
    /// SHA-256 of the file as read.
    pub sha256: String,
}

impl FileManifest {
    /// The manifest of a regular file.
    ///
    /// # Errors
    /// As [`input_file::open`].
    pub fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, sha256: input_file::sha256(path)? })
    }
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    sha256: String,
    manifest: serde_json::Value,
}

/// What scoring needs beside the tensors; kept in the manifest's JSON under `parts`.
#[derive(Serialize, Deserialize)]
struct SmallParts {
    tokenizer: Tokenizer,
    ngrams: NgramParams,
    sublinear_tf: bool,
    norm: Norm,
    intercept: [f64; 3],
    calibration: Calibration,
    pooling: Pooling,
    no_evidence: [f64; 3],
    decision: Decision,
}

/// The kind that a file names; one that names none is linear.
const LINEAR: &str = "linear";

fn linear() -> String {
    LINEAR.into()
}

#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    manifest: Manifest,
    #[serde(default = "linear")]
    kind: String,
    parts: SmallParts,
}

pub(crate) fn to_bytes(model: &Model, manifest: &Manifest) -> Vec<u8> {
    let Kind::Linear(parts) = model.evidence.kind();
    let head = &model.head;
    let (names, ends) = parts.names.parts();
    let rows = parts.coef.len();
    let tensors = [
        ("coef", Dtype::F32, vec![rows, 3], parts.coef.iter().flatten().flat_map(|v| v.to_le_bytes()).collect()),
        ("idf", Dtype::F64, vec![rows], parts.tfidf.idf().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()),
        ("name_ends", Dtype::U32, vec![rows], ends.iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("names", Dtype::U8, vec![names.len()], names.as_bytes().to_vec()),
        (
            "vocabulary",
            Dtype::U64,
            vec![rows],
            parts.tfidf.vocabulary().hashes().iter().flat_map(|v| v.to_le_bytes()).collect(),
        ),
    ];
    let content = Content {
        manifest: manifest.clone(),
        kind: LINEAR.into(),
        parts: SmallParts {
            tokenizer: parts.tokenizer.clone(),
            ngrams: parts.ngrams.clone(),
            sublinear_tf: parts.tfidf.sublinear_tf(),
            norm: parts.tfidf.norm(),
            intercept: parts.intercept,
            calibration: head.calibration,
            pooling: head.pooling.clone(),
            no_evidence: head.no_evidence,
            decision: head.decision.clone(),
        },
    };
    let content = serde_json::to_value(&content).expect("the manifest is plain data");
    let sha256 = checksum(&content, tensors.iter().map(|(name, _, _, bytes)| (*name, bytes.as_slice())));
    let metadata = serde_json::to_string(&Metadata { sha256, manifest: content }).expect("plain data");
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.clone(), bytes).expect("shape and bytes agree by construction"))
    });
    // A map of one key has one order, so the bytes are the same each time.
    let metadata = HashMap::from([(METADATA_KEY.to_string(), metadata)]);
    safetensors::serialize(views, Some(metadata)).expect("the tensors' names differ")
}

fn checksum<'a>(content: &serde_json::Value, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = Sha256::new();
    hash.update(content.to_string());
    for (name, bytes) in tensors {
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hex(&hash.finalize())
}

/// Reads a model and proves that every byte is as it was written.
pub(crate) fn read(bytes: &[u8]) -> Result<(Model, Manifest), ModelProblem> {
    read_checked(bytes, true)
}

/// Reads a model that is part of this program, whose checksum a test has proved.
pub(crate) fn read_trusted(bytes: &[u8]) -> Result<(Model, Manifest), ModelProblem> {
    read_checked(bytes, false)
}

fn read_checked(bytes: &[u8], verify: bool) -> Result<(Model, Manifest), ModelProblem> {
    let not_a_model = |found: String| ModelProblem::NotAModel { found };
    check_length(bytes)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| not_a_model(describe(&e)))?;
    let metadata = header.metadata().as_ref().and_then(|m| m.get(METADATA_KEY));
    let metadata = metadata.ok_or_else(|| not_a_model("a safetensors file of another program".into()))?;
    let Metadata { sha256, manifest } =
        serde_json::from_str(metadata).map_err(|e| part("metadata", e.to_string(), "the JSON of a manifest"))?;
    check_version(&manifest)?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| not_a_model(describe(&e)))?;
    if verify {
        let mut names = file.names();
        names.sort_unstable();
        let tensors = names.iter().filter_map(|&n| Some((n, file.tensor(n).ok()?.data())));
        let found = checksum(&manifest, tensors);
        if found != sha256 {
            return Err(ModelProblem::Checksum { found, expected: sha256 });
        }
    }
    let content: Content = serde_json::from_value(manifest)
        .map_err(|e| part("metadata", e.to_string(), "the manifest of this format version"))?;
    if content.kind != LINEAR {
        return Err(part("kind", format!("`{}`", content.kind), "`linear`; another kind needs a later version"));
    }
    let model = read_linear(&file, content.parts)?;
    Ok((model, content.manifest))
}

fn describe(error: &SafeTensorError) -> String {
    match error {
        SafeTensorError::HeaderTooSmall => "fewer than 8 bytes".into(),
        _ => format!("no readable header: {error}"),
    }
}

/// Tells a file that was cut short from one that was never a model.
fn check_length(bytes: &[u8]) -> Result<(), ModelProblem> {
    let Some(length) = bytes.first_chunk::<8>() else { return Ok(()) };
    let header_length = u64::from_le_bytes(*length);
    let looks_like_header = bytes.get(8) == Some(&b'{');
    if !looks_like_header {
        return Ok(());
    }
    let header_end = header_length.saturating_add(8);
    let truncated = |expected| Err(ModelProblem::Truncated { found: bytes.len() as u64, expected });
    if header_end > bytes.len() as u64 {
        return if header_length < 1 << 28 { truncated(header_end) } else { Ok(()) };
    }
    let Ok(serde_json::Value::Object(header)) = serde_json::from_slice(&bytes[8..header_end as usize]) else {
        return Ok(());
    };
    let end = |tensor: &serde_json::Value| tensor["data_offsets"][1].as_u64();
    let data = header.values().filter_map(end).max().unwrap_or(0);
    let expected = header_end.saturating_add(data);
    if expected > bytes.len() as u64 { truncated(expected) } else { Ok(()) }
}

fn check_version(manifest: &serde_json::Value) -> Result<(), ModelProblem> {
    let found = manifest["format_version"].as_u64().unwrap_or(0).min(u64::from(u32::MAX)) as u32;
    if (OLDEST_VERSION..=CURRENT_VERSION).contains(&found) {
        return Ok(());
    }
    Err(ModelProblem::Version { found, oldest: OLDEST_VERSION, newest: CURRENT_VERSION })
}

fn part(part: &'static str, found: impl Into<String>, expected: impl Into<String>) -> ModelProblem {
    ModelProblem::Part { part, found: found.into(), expected: expected.into() }
}

/// Every number has a range, so that no score that a model gives is infinite or undefined, and the tokeniser is the one
/// that this format version knows: one of other parts could make a text grow without end.
fn check_parts(small: &SmallParts) -> Result<(), ModelProblem> {
    const MOST: f64 = 1e6;
    let parameter = |name, result: Result<()>| match result {
        Ok(()) => Ok(()),
        Err(Error::Parameter { found, expected, .. }) => Err(part(name, found, expected)),
        Err(other) => Err(part(name, other.to_string(), "numbers in their range")),
    };
    parameter("ngrams", small.ngrams.check())?;
    parameter("pooling", small.pooling.check())?;
    parameter("decision", small.decision.check())?;
    parameter("calibration", small.calibration.check())?;
    if !small.intercept.iter().all(|b| b.abs() <= MOST) {
        return Err(part("intercept", format!("{:?}", small.intercept), "three numbers from -1e6 to 1e6"));
    }
    let shares = &small.no_evidence;
    if !(shares.iter().all(|p| (0.0..=1.0).contains(p)) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6) {
        return Err(part("no_evidence", format!("{shares:?}"), "three shares that add up to 1"));
    }
    if small.tokenizer.to_json() != Tokenizer::default().to_json() {
        return Err(part("tokenizer", "another tokeniser", "that of this format version"));
    }
    Ok(())
}

fn read_linear(file: &SafeTensors<'_>, small: SmallParts) -> Result<Model, ModelProblem> {
    check_parts(&small)?;
    let hashes = numbers(file, "vocabulary", Dtype::U64, u64::from_le_bytes)?;
    let rows = hashes.len();
    let idf = numbers(file, "idf", Dtype::F64, f64::from_le_bytes)?;
    let ends = numbers(file, "name_ends", Dtype::U32, u32::from_le_bytes)?;
    let coef = numbers(file, "coef", Dtype::F32, f32::from_le_bytes)?;
    let names = numbers(file, "names", Dtype::U8, |[b]: [u8; 1]| b)?;
    if coef.len() != 3 * rows || !coef.iter().all(|v| v.abs() <= 1e6) {
        let expected = format!("{} numbers from -1e6 to 1e6", 3 * rows);
        return Err(part("coef", format!("{} numbers", coef.len()), expected));
    }
    if !idf.iter().all(|v| (0.0..=1e3).contains(v)) {
        return Err(part("idf", "a number out of range", "numbers from 0 to 1000"));
    }
    if ends.len() != rows {
        return Err(part("name_ends", format!("{} numbers", ends.len()), format!("{rows} numbers")));
    }
    let names = String::from_utf8(names).ok().and_then(|text| Names::from_parts(text, ends));
    let names = names.ok_or_else(|| part("names", "text that does not fit its ends", "UTF-8 and rising ends"))?;
    let vocabulary = Vocabulary::new(hashes).map_err(|e| part("vocabulary", e.to_string(), "sorted hashes"))?;
    let tfidf = Tfidf::from_parts(vocabulary, idf, small.sublinear_tf, small.norm)
        .map_err(|e| part("idf", e.to_string(), format!("{rows} finite numbers")))?;
    let linear = LinearModel {
        tokenizer: small.tokenizer,
        ngrams: small.ngrams,
        tfidf,
        names,
        coef: coef.chunks_exact(3).map(|w| [w[0], w[1], w[2]]).collect(),
        intercept: small.intercept,
    };
    let head = Head {
        pooling: small.pooling,
        calibration: small.calibration,
        decision: small.decision,
        no_evidence: small.no_evidence,
    };
    Ok(Model { evidence: Arc::new(linear), head })
}

fn numbers<const N: usize, T>(
    file: &SafeTensors<'_>,
    name: &'static str,
    dtype: Dtype,
    from: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, ModelProblem> {
    let tensor = file.tensor(name).map_err(|e| part(name, e.to_string(), "a tensor"))?;
    if tensor.dtype() != dtype {
        return Err(part(name, format!("{:?}", tensor.dtype()), format!("{dtype:?}")));
    }
    Ok(tensor.data().as_chunks::<N>().0.iter().map(|chunk| from(*chunk)).collect())
}
