//! The model file: [safetensors](https://github.com/huggingface/safetensors) with one JSON value as metadata.
//!
//! The metadata key `detente` holds `{"sha256": …, "manifest": …}`. The checksum covers the manifest and every
//! tensor, so a flipped byte is found wherever it is. The same parts always give the same bytes. What each kind of model
//! keeps is in the modules of its name.

mod linear;
mod stacked;

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
use crate::model::reference::Reference;
use crate::model::seen::Seen;
use crate::model::{EvidenceModel, Head, Kind, Model};

/// The format that this version writes.
pub const CURRENT_VERSION: u32 = 5;
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
    /// How it did on rows that it had not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The sentences that it learnt from; a tensor of the file, not part of the JSON.
    #[serde(skip)]
    pub seen: Seen,
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

/// The kind that a file names; one that names none is linear.
const LINEAR: &str = "linear";
const STACKED: &str = "stacked";

/// The tensor of fingerprints of the sentences that the model learnt from.
const SEEN: &str = "seen";

fn linear_kind() -> String {
    LINEAR.into()
}

#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    manifest: Manifest,
    #[serde(default = "linear_kind")]
    kind: String,
    /// What scoring needs beside the tensors.
    parts: serde_json::Value,
}

/// What makes stances of scores, as every kind has it.
#[derive(Serialize, Deserialize)]
struct HeadParts {
    calibration: Calibration,
    pooling: Pooling,
    no_evidence: [f64; 3],
    decision: Decision,
}

/// A tensor to be written.
struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    fn new<const N: usize, T: Copy>(
        name: impl Into<String>,
        dtype: Dtype,
        shape: &[usize],
        values: &[T],
        to: impl Fn(T) -> [u8; N],
    ) -> Self {
        let bytes = values.iter().flat_map(|value| to(*value)).collect();
        Self { name: name.into(), dtype, shape: shape.to_vec(), bytes }
    }
}

pub(crate) fn to_bytes(model: &Model, manifest: &Manifest) -> Vec<u8> {
    let (kind, mut parts, mut tensors) = match model.evidence.kind() {
        Kind::Linear(model) => (LINEAR, linear::parts(model), linear::tensors(model, true)),
        Kind::Stacked(model) => (STACKED, stacked::parts(model), stacked::tensors(model)),
    };
    let head = &model.head;
    let head = HeadParts {
        calibration: head.calibration,
        pooling: head.pooling.clone(),
        no_evidence: head.no_evidence,
        decision: head.decision.clone(),
    };
    let head = serde_json::to_value(&head).expect("numbers are plain data");
    if let (Some(parts), serde_json::Value::Object(head)) = (parts.as_object_mut(), head) {
        parts.extend(head);
    }
    let seen = manifest.seen.prints();
    if !seen.is_empty() {
        tensors.push(Tensor::new(SEEN, Dtype::U32, &[seen.len()], seen, u32::to_le_bytes));
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = Manifest { format_version: CURRENT_VERSION, ..manifest.clone() };
    let content = Content { manifest, kind: kind.into(), parts };
    let content = serde_json::to_value(&content).expect("the manifest is plain data");
    let sha256 = checksum(&content, tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.bytes.as_slice())));
    let metadata = serde_json::to_string(&Metadata { sha256, manifest: content }).expect("plain data");
    let views = tensors.iter().map(|Tensor { name, dtype, shape, bytes }| {
        (name, TensorView::new(*dtype, shape.clone(), bytes).expect("shape and bytes agree by construction"))
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

/// The bytes of a file, where they are part of this program, for as long as it runs: a model keeps them without a copy, and without
/// proof of their numbers, as a test reads the file as any other.
type Own<'f> = fn(&'f [u8]) -> Option<&'static [u8]>;

/// What there is to know of a file whose features have names.
#[derive(Clone, Copy)]
struct Named<'f> {
    version: u32,
    own: Own<'f>,
}

/// Reads a model and proves that every byte is as it was written.
pub(crate) fn read(bytes: &[u8]) -> Result<(Model, Manifest), ModelProblem> {
    read_checked(bytes, true, |_| None)
}

/// Reads a model that is part of this program, whose checksum a test has proved.
pub(crate) fn read_trusted(bytes: &'static [u8]) -> Result<(Model, Manifest), ModelProblem> {
    read_checked(bytes, false, Some)
}

fn read_checked<'f>(bytes: &'f [u8], verify: bool, own: Own<'f>) -> Result<(Model, Manifest), ModelProblem> {
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
    let head = read_head(&content.parts)?;
    let evidence: Arc<dyn EvidenceModel> = match content.kind.as_str() {
        LINEAR => {
            let named = Named { version: content.manifest.format_version, own };
            Arc::new(linear::read(&file, &content.parts, Some(named))?)
        }
        STACKED => Arc::new(stacked::read(&file, &content.parts)?),
        other => {
            let expected = "`linear` or `stacked`; another kind needs a later version";
            return Err(part("kind", format!("`{other}`"), expected));
        }
    };
    let seen = match file.tensor(SEEN) {
        Ok(_) => Seen::new(numbers(&file, SEEN, Dtype::U32, u32::from_le_bytes)?),
        Err(_) => Seen::default(),
    };
    Ok((Model { evidence, head }, Manifest { seen, ..content.manifest }))
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

fn part(part: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> ModelProblem {
    ModelProblem::Part { part: part.into(), found: found.into(), expected: expected.into() }
}

fn read_head(parts: &serde_json::Value) -> Result<Head, ModelProblem> {
    let HeadParts { calibration, pooling, no_evidence, decision } = small(parts)?;
    in_range("pooling", pooling.check())?;
    in_range("decision", decision.check())?;
    in_range("calibration", calibration.check())?;
    if !(no_evidence.iter().all(|p| (0.0..=1.0).contains(p)) && (no_evidence.iter().sum::<f64>() - 1.0).abs() < 1e-6) {
        return Err(part("no_evidence", format!("{no_evidence:?}"), "three shares that add up to 1"));
    }
    Ok(Head { pooling, calibration, decision, no_evidence })
}

/// The parts that `T` names, of those that a file has.
fn small<T: for<'de> Deserialize<'de>>(parts: &serde_json::Value) -> Result<T, ModelProblem> {
    T::deserialize(parts).map_err(|e| part("metadata", e.to_string(), "the manifest of this format version"))
}

/// A check of parameters as one of a part of the file.
fn in_range(name: &'static str, result: Result<()>) -> Result<(), ModelProblem> {
    match result {
        Ok(()) => Ok(()),
        Err(Error::Parameter { found, expected, .. }) => Err(part(name, found, expected)),
        Err(other) => Err(part(name, other.to_string(), "numbers in their range")),
    }
}

fn numbers<const N: usize, T>(
    file: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    from: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, ModelProblem> {
    Ok(chunks(file, name, dtype)?.iter().map(|chunk| from(*chunk)).collect())
}

/// The bytes of a tensor, so many at a time.
fn chunks<'f, const N: usize>(file: &SafeTensors<'f>, name: &str, dtype: Dtype) -> Result<&'f [[u8; N]], ModelProblem> {
    let tensor = file.tensor(name).map_err(|e| part(name, e.to_string(), "a tensor"))?;
    if tensor.dtype() != dtype {
        return Err(part(name, format!("{:?}", tensor.dtype()), format!("{dtype:?}")));
    }
    match tensor.data().as_chunks::<N>() {
        (chunks, []) => Ok(chunks),
        (_, rest) => Err(part(name, format!("{} bytes left over", rest.len()), format!("{N} bytes at a time"))),
    }
}
