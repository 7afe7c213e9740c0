//! What a file keeps of a linear model.

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

use super::{Tensor, in_range, numbers, part, small};
use crate::error::ModelProblem;
use crate::model::linear::LinearModel;
use crate::model::linear::features::Names;
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
pub(super) fn tensors(model: &LinearModel, named: bool) -> Vec<Tensor> {
    let rows = model.coef.len();
    let mut tensors = vec![
        Tensor::new("coef", Dtype::F32, &[rows, 3], model.coef.as_flattened(), f32::to_le_bytes),
        Tensor::new("idf", Dtype::F64, &[rows], model.tfidf.idf(), f64::to_le_bytes),
        Tensor::new("vocabulary", Dtype::U64, &[rows], model.tfidf.vocabulary().hashes(), u64::to_le_bytes),
    ];
    if named {
        let (names, ends) = model.names.parts();
        tensors.push(Tensor::new("name_ends", Dtype::U32, &[rows], ends, u32::to_le_bytes));
        tensors.push(Tensor::new("names", Dtype::U8, &[names.len()], names.as_bytes(), |byte| [byte]));
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
    let idf = numbers(file, "idf", Dtype::F64, f64::from_le_bytes)?;
    let coef = numbers(file, "coef", Dtype::F32, f32::from_le_bytes)?;
    if coef.len() != 3 * rows || !coef.iter().all(|v| v.abs() <= 1e6) {
        let expected = format!("{} numbers from -1e6 to 1e6", 3 * rows);
        return Err(part("coef", format!("{} numbers", coef.len()), expected));
    }
    if !idf.iter().all(|v| (0.0..=1e3).contains(v)) {
        return Err(part("idf", "a number out of range", "numbers from 0 to 1000"));
    }
    let names = if named { read_names(file, rows)? } else { Names::new(std::iter::repeat_n("", rows)) };
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

fn read_names(file: &SafeTensors<'_>, rows: usize) -> Result<Names, ModelProblem> {
    let ends = numbers(file, "name_ends", Dtype::U32, u32::from_le_bytes)?;
    let names = numbers(file, "names", Dtype::U8, |[b]: [u8; 1]| b)?;
    if ends.len() != rows {
        return Err(part("name_ends", format!("{} numbers", ends.len()), format!("{rows} numbers")));
    }
    let names = String::from_utf8(names).ok().and_then(|text| Names::from_parts(text, ends));
    names.ok_or_else(|| part("names", "text that does not fit its ends", "UTF-8 and rising ends"))
}
