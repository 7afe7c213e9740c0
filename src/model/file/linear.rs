//! What a file keeps of a linear model.

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

use super::{Tensor, in_range, numbers, part, small};
use crate::error::ModelProblem;
use crate::model::linear::LinearModel;
use crate::model::linear::names::Names;
use crate::model::linear::ngrams::NgramParams;
use crate::model::linear::tfidf::{Norm, Tfidf};
use crate::model::linear::tokenize::Tokenizer;
use crate::model::linear::vocabulary::Vocabulary;

#[derive(Serialize, Deserialize)]
struct Parts {
    tokenizer: Tokenizer,
    ngrams: NgramParams,
    sublinear_tf: bool,
    norm: Norm,
    intercept: [f64; 3],
}

pub(super) fn parts(model: &LinearModel) -> serde_json::Value {
    let parts = Parts {
        tokenizer: model.tokenizer.clone(),
        ngrams: model.ngrams.clone(),
        sublinear_tf: model.tfidf.sublinear_tf(),
        norm: model.tfidf.norm(),
        intercept: model.intercept,
    };
    serde_json::to_value(&parts).expect("parameters are plain data")
}

/// The tensors; `named` says whether the names of the features are kept.
///
/// Features of one document frequency have one idf, so there are few: each is kept once, and for each feature its place
/// among them.
pub(super) fn tensors(model: &LinearModel, named: bool) -> Vec<Tensor> {
    let rows = model.coef.len();
    let idf = model.tfidf.idf();
    let mut values = idf.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let place = |idf: f64| values.partition_point(|value| *value < idf) as u32;
    let mut tensors = vec![
        Tensor::new("coef", Dtype::F32, &[rows, 3], model.coef.as_flattened(), f32::to_le_bytes),
        Tensor::new("idf", Dtype::F64, &[values.len()], &values, f64::to_le_bytes),
        match values.len() {
            0..=0x1_0000 => Tensor::new("idf_of", Dtype::U16, &[rows], idf, |idf| (place(idf) as u16).to_le_bytes()),
            _ => Tensor::new("idf_of", Dtype::U32, &[rows], idf, |idf| place(idf).to_le_bytes()),
        },
        Tensor::new("vocabulary", Dtype::U64, &[rows], model.tfidf.vocabulary().hashes(), u64::to_le_bytes),
    ];
    if named {
        let names = model.names.packed();
        tensors.push(Tensor::new("names", Dtype::U8, &[names.len()], &names, |byte| [byte]));
    }
    tensors
}

/// Every number has a range, so that no score that a model gives is infinite or undefined, and the tokeniser is the one
/// that this format version knows: one of other parts could make a text grow without end.
fn check(parts: &Parts) -> Result<(), ModelProblem> {
    const MOST: f64 = 1e6;
    in_range("ngrams", parts.ngrams.check())?;
    if !parts.intercept.iter().all(|b| b.abs() <= MOST) {
        return Err(part("intercept", format!("{:?}", parts.intercept), "three numbers from -1e6 to 1e6"));
    }
    if !parts.tokenizer.is_usual() {
        return Err(part("tokenizer", "another tokeniser", "that of this format version"));
    }
    Ok(())
}

/// The model; `named` says whether the names of its features were kept.
pub(super) fn read(
    file: &SafeTensors<'_>,
    parts: &serde_json::Value,
    named: bool,
) -> Result<LinearModel, ModelProblem> {
    let parts: Parts = small(parts)?;
    check(&parts)?;
    let hashes = numbers(file, "vocabulary", Dtype::U64, u64::from_le_bytes)?;
    let rows = hashes.len();
    let idf = read_idf(file, rows)?;
    let coef = numbers(file, "coef", Dtype::F32, f32::from_le_bytes)?;
    if coef.len() != 3 * rows || !coef.iter().fold(true, |all, v| all & (v.abs() <= 1e6)) {
        let expected = format!("{} numbers from -1e6 to 1e6", 3 * rows);
        return Err(part("coef", format!("{} numbers", coef.len()), expected));
    }
    let names = if named { read_names(file, rows)? } else { Names::default() };
    let vocabulary = Vocabulary::new(hashes).map_err(|e| part("vocabulary", e.to_string(), "sorted hashes"))?;
    let tfidf = Tfidf::from_parts(vocabulary, idf, parts.sublinear_tf, parts.norm)
        .map_err(|e| part("idf", e.to_string(), format!("{rows} finite numbers")))?;
    Ok(LinearModel {
        tokenizer: parts.tokenizer,
        ngrams: parts.ngrams,
        tfidf,
        names,
        coef: coef.as_chunks().0.to_vec(),
        intercept: parts.intercept,
    })
}

fn read_idf(file: &SafeTensors<'_>, rows: usize) -> Result<Vec<f64>, ModelProblem> {
    let values = numbers(file, "idf", Dtype::F64, f64::from_le_bytes)?;
    if !values.iter().all(|v| (0.0..=1e3).contains(v)) {
        return Err(part("idf", "a number out of range", "numbers from 0 to 1000"));
    }
    // Format 1 has a number for each feature.
    let Ok(places) = file.tensor("idf_of") else { return Ok(values) };
    let places = match places.dtype() {
        Dtype::U16 => numbers(file, "idf_of", Dtype::U16, |bytes| u32::from(u16::from_le_bytes(bytes)))?,
        _ => numbers(file, "idf_of", Dtype::U32, u32::from_le_bytes)?,
    };
    if places.len() != rows || places.iter().max().is_some_and(|&most| most as usize >= values.len()) {
        return Err(part("idf_of", format!("{} numbers", places.len()), format!("{rows} places in `idf`")));
    }
    Ok(places.iter().map(|&place| values[place as usize]).collect())
}

fn read_names(file: &SafeTensors<'_>, rows: usize) -> Result<Names, ModelProblem> {
    // Format 1 has the names side by side in the order of the columns, and where each ends.
    if file.tensor("name_ends").is_err() {
        return Ok(Names::from_packed(numbers(file, "names", Dtype::U8, |[b]: [u8; 1]| b)?));
    }
    let ends = numbers(file, "name_ends", Dtype::U32, u32::from_le_bytes)?;
    let names = numbers(file, "names", Dtype::U8, |[b]: [u8; 1]| b)?;
    if ends.len() != rows {
        return Err(part("name_ends", format!("{} numbers", ends.len()), format!("{rows} numbers")));
    }
    let starts = std::iter::once(0).chain(ends.iter().map(|&end| end as usize));
    let columns = String::from_utf8(names).ok().filter(|text| text.len() == ends.last().map_or(0, |&end| end as usize));
    let columns = columns.and_then(|text| {
        starts.zip(&ends).map(|(start, &end)| text.get(start..end as usize).map(Box::from)).collect::<Option<_>>()
    });
    columns.map(Names::new).ok_or_else(|| part("names", "text that does not fit its ends", "UTF-8 and rising ends"))
}
