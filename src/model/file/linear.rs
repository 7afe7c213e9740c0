//! What a file keeps of a linear model.

use rustc_hash::FxHashMap;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

use super::{Named, Tensor, chunks, in_range, numbers, part, small};
use crate::error::{Error, ModelProblem, Result};
use crate::model::linear::LinearModel;
use crate::model::linear::groups::Groups;
use crate::model::linear::index::{Index, Texts};
use crate::model::linear::lexicon::{Feature, Lexicon, MOST_WEIGHT, weights};
use crate::model::linear::model::Weights;
use crate::model::linear::ngrams::{NgramParams, hash_of, text_hash};
use crate::model::linear::tfidf::{Norm, Tfidf, Weighting};
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
    let Weighting { sublinear_tf, norm, .. } = match &model.weights {
        Weights::ByText(_, weighting) => *weighting,
        Weights::ByName(tfidf, _) => tfidf.weighting(),
    };
    let parts = Parts {
        tokenizer: model.tokenizer.clone(),
        ngrams: model.ngrams.clone(),
        sublinear_tf,
        norm,
        intercept: model.intercept,
    };
    serde_json::to_value(&parts).expect("parameters are plain data")
}

/// The tensors: by the words of the features, by their names where only the hashes of these are known; `named` says whether a
/// reader asks for names.
pub(super) fn tensors(model: &LinearModel, named: bool) -> Vec<Tensor> {
    let coef =
        |rows: &[[f32; 3]]| Tensor::new("coef", Dtype::F32, &[rows.len(), 3], rows.as_flattened(), f32::to_le_bytes);
    match &model.weights {
        Weights::ByText(index, _) => {
            let (lexicon, texts) = (index.lexicon(), index.packed_texts());
            let (bytes, idf) = (lexicon.bytes(), lexicon.idf());
            vec![
                Tensor::new("lexicon", Dtype::U8, &[bytes.len()], bytes, |byte| [byte]),
                Tensor::new("idf", Dtype::F64, &[idf.len()], idf, f64::to_le_bytes),
                Tensor::new("names", Dtype::U8, &[texts.len()], texts, |byte| [byte]),
            ]
        }
        Weights::ByName(tfidf, rows) => {
            let hashes = tfidf.vocabulary().hashes();
            let mut tensors =
                vec![coef(rows), Tensor::new("vocabulary", Dtype::U64, &[rows.len()], hashes, u64::to_le_bytes)];
            tensors.extend(idf_tensors(tfidf.idf()));
            tensors.extend(named.then(|| Tensor::new("names", Dtype::U8, &[0], &[], |byte: u8| [byte])));
            tensors
        }
    }
}

/// Features of one document frequency have one idf, so there are few: each is kept once, and for each feature its place
/// among them.
fn idf_tensors(idf: &[f64]) -> [Tensor; 2] {
    let rows = idf.len();
    let mut values = idf.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let place = |idf: f64| values.partition_point(|value| *value < idf) as u32;
    [
        Tensor::new("idf", Dtype::F64, &[values.len()], &values, f64::to_le_bytes),
        match values.len() {
            0..=0x1_0000 => Tensor::new("idf_of", Dtype::U16, &[rows], idf, |idf| (place(idf) as u16).to_le_bytes()),
            _ => Tensor::new("idf_of", Dtype::U32, &[rows], idf, |idf| place(idf).to_le_bytes()),
        },
    ]
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

/// The model; `named` where the names of its features were kept.
pub(super) fn read<'f>(
    file: &SafeTensors<'f>,
    parts: &serde_json::Value,
    named: Option<Named<'f>>,
) -> Result<LinearModel, ModelProblem> {
    let parts: Parts = small(parts)?;
    check(&parts)?;
    let weighting = Weighting::new(parts.sublinear_tf, parts.norm);
    let (tokenizer, ngrams, intercept) = (parts.tokenizer, parts.ngrams, parts.intercept);
    if let Some(named) = named
        && file.tensor("lexicon").is_ok()
    {
        let weights = Weights::ByText(read_index(file, named)?, weighting);
        return Ok(LinearModel { tokenizer, ngrams, weights, intercept });
    }
    let coef = chunks::<12>(file, "coef", Dtype::F32)?;
    let is_weight = |w: &f32| w.abs() <= MOST_WEIGHT;
    if !coef.iter().map(weights).fold(true, |all, w| all & w.iter().fold(true, |all, w| all & is_weight(w))) {
        return Err(part("coef", "a number out of range", "numbers from -1e6 to 1e6"));
    }
    if named.is_some() && file.tensor("texts").is_ok() {
        let weights = Weights::ByText(read_columns(file, coef)?, weighting);
        return Ok(LinearModel { tokenizer, ngrams, weights, intercept });
    }
    let hashes = numbers(file, "vocabulary", Dtype::U64, u64::from_le_bytes)?;
    let names = if named.is_some() { read_names(file, &hashes)? } else { None };
    let vocabulary = Vocabulary::new(hashes).map_err(|e| part("vocabulary", e.to_string(), "sorted hashes"))?;
    if coef.len() != vocabulary.len() {
        return Err(part("coef", format!("{} rows", coef.len()), format!("{}, one per feature", vocabulary.len())));
    }
    let tfidf = Tfidf::from_parts(vocabulary, read_idf(file, coef.len())?, weighting.sublinear_tf, weighting.norm)
        .map_err(|e| part("idf", e.to_string(), format!("{} finite numbers", coef.len())))?;
    let weights = Weights::ByName(tfidf, coef.iter().map(weights).collect());
    let model = LinearModel { tokenizer, ngrams, weights, intercept };
    Ok(match names {
        Some(names) => model.with_names(&names),
        None => model,
    })
}

/// The index of a file of format 4 or later.
fn read_index<'f>(file: &SafeTensors<'f>, Named { version, own }: Named<'f>) -> Result<Index, ModelProblem> {
    let tensor = |name| Ok(chunks::<1>(file, name, Dtype::U8)?.as_flattened());
    let bad = |e: Error| part("lexicon", e.to_string(), "texts and their features");
    let (bytes, idf, packed) = (tensor("lexicon")?, read_idf_values(file)?, tensor("names")?);
    if let (Some(bytes), Some(packed)) = (own(bytes), own(packed)) {
        return Index::proven(bytes, idf, Texts::from_packed(packed)).map_err(bad);
    }
    let (lexicon, names) = (Lexicon::new(bytes.to_vec(), idf).map_err(bad)?, Texts::from_packed(packed.to_vec()));
    if version > LAST_BY_WHOLE_TEXT {
        return Index::new(lexicon, names).map_err(bad);
    }
    let features =
        |place| lexicon.features(place).features(Groups::MAX).map(|(place, _)| lexicon.feature(place)).collect();
    by_words(lexicon.texts().map(|text| (text.hash, text.groups, features(text.place))).collect(), names).map_err(bad)
}

/// The last format that knows a text by one hash of all of it; later ones know it by those of its words.
const LAST_BY_WHOLE_TEXT: u32 = 4;

/// The index of texts that are known by one hash each, and their features; their names say which words they have.
fn by_words(mut texts: Vec<(u64, Groups, Vec<Feature>)>, names: Texts) -> Result<Index> {
    let hashes: FxHashMap<u64, u64> = names.all(texts.len()).map(|text| (hash_of(text), text_hash(text))).collect();
    for (hash, ..) in &mut texts {
        let (what, found, expected) = ("names of texts", "a text without its name", "a name for each");
        let shape = || Error::Shape { what, found: found.into(), expected: expected.into() };
        *hash = *hashes.get(hash).ok_or_else(shape)?;
    }
    Index::new(Lexicon::of_texts(texts)?, names)
}

/// The index of a file of format 3, which has a column for each number, and texts in the order of their hashes. More than 65,536
/// values of idf, which only rows by the billion could bring about, are refused.
fn read_columns(file: &SafeTensors<'_>, coef: &[[u8; 12]]) -> Result<Index, ModelProblem> {
    let hashes = numbers(file, "texts", Dtype::U64, u64::from_le_bytes)?;
    let groups = numbers(file, "groups", Dtype::U32, u32::from_le_bytes)?;
    let ranks = numbers(file, "ranks", Dtype::U32, u32::from_le_bytes)?;
    let names = Texts::from_packed(numbers(file, "names", Dtype::U8, |[byte]: [u8; 1]| byte)?);
    let idf = read_idf(file, coef.len())?;
    let counts = (groups.len(), ranks.len(), groups.iter().map(|groups| groups.count_ones() as usize).sum());
    if counts != (hashes.len(), coef.len(), coef.len()) {
        let expected = format!("numbers for {} texts and {} features", hashes.len(), coef.len());
        return Err(part("texts", format!("{counts:?}"), expected));
    }
    let mut features =
        ranks.into_iter().zip(coef).zip(idf).map(|((rank, coef), idf)| Feature { rank, weights: weights(coef), idf });
    let with_features =
        |(hash, groups): (u64, u32)| (hash, groups, features.by_ref().take(groups.count_ones() as usize).collect());
    by_words(hashes.into_iter().zip(groups).map(with_features).collect(), names)
        .map_err(|e| part("texts", e.to_string(), "texts and features that fit"))
}

fn read_idf_values(file: &SafeTensors<'_>) -> Result<Vec<f64>, ModelProblem> {
    let values = numbers(file, "idf", Dtype::F64, f64::from_le_bytes)?;
    if !values.iter().all(|v| *v > 0.0 && *v <= 1e3) {
        return Err(part("idf", "a number out of range", "numbers above 0, up to 1000"));
    }
    Ok(values)
}

/// The idf of each feature.
fn read_idf(file: &SafeTensors<'_>, rows: usize) -> Result<Vec<f64>, ModelProblem> {
    let values = read_idf_values(file)?;
    let places: Vec<usize> = match file.tensor("idf_of").map(|places| places.dtype()) {
        // Format 1 has a number for each feature.
        Err(_) => (0..values.len()).collect(),
        Ok(Dtype::U16) => numbers(file, "idf_of", Dtype::U16, |place| usize::from(u16::from_le_bytes(place)))?,
        Ok(_) => numbers(file, "idf_of", Dtype::U32, |place| u32::from_le_bytes(place) as usize)?,
    };
    let picked: Option<Vec<f64>> = places.into_iter().map(|place| values.get(place).copied()).collect();
    picked
        .filter(|idf| idf.len() == rows)
        .ok_or_else(|| part("idf_of", "places that do not fit", format!("{rows} places in `idf`")))
}

/// The names of the features, in the order of the columns, as formats before 3 have them.
fn read_names(file: &SafeTensors<'_>, hashes: &[u64]) -> Result<Option<Vec<Box<str>>>, ModelProblem> {
    let rows = hashes.len();
    let names = numbers(file, "names", Dtype::U8, |[b]: [u8; 1]| b)?;
    // Format 1 has the names side by side in the order of the columns, and where each ends; format 2 in alphabetical order,
    // compressed.
    if file.tensor("name_ends").is_err() {
        let mut columns = vec![Box::default(); rows];
        for name in Texts::from_packed(names).all(rows) {
            if let Ok(column) = hashes.binary_search(&hash_of(name)) {
                columns[column] = name.into();
            }
        }
        return Ok(Some(columns));
    }
    let ends = numbers(file, "name_ends", Dtype::U32, u32::from_le_bytes)?;
    if ends.len() != rows {
        return Err(part("name_ends", format!("{} numbers", ends.len()), format!("{rows} numbers")));
    }
    let starts = std::iter::once(0).chain(ends.iter().map(|&end| end as usize));
    let columns = String::from_utf8(names).ok().filter(|text| text.len() == ends.last().map_or(0, |&end| end as usize));
    let columns = columns.and_then(|text| {
        starts.zip(&ends).map(|(start, &end)| text.get(start..end as usize).map(Box::from)).collect::<Option<_>>()
    });
    // Names that are not those of the hashes say nothing.
    let are_right = |columns: &Vec<Box<str>>| columns.iter().zip(hashes).all(|(name, hash)| hash_of(name) == *hash);
    columns
        .map(|columns| are_right(&columns).then_some(columns))
        .ok_or_else(|| part("names", "text that does not fit its ends", "UTF-8 and rising ends"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EvidenceModel, Kind, Model};
    use crate::{Article, Pipeline, Query};
    use std::sync::Arc;

    #[test]
    fn a_model_without_names_comes_back() {
        let fast = Pipeline::fast();
        let Kind::Linear(linear) = fast.model().evidence.kind() else { panic!("a linear model") };
        let (tfidf, coef) = linear.by_name().expect("all names");
        let weights = Weights::ByName(tfidf, coef);
        let evidence: Arc<dyn EvidenceModel> = Arc::new(LinearModel { weights, ..linear.clone() });
        let unnamed = Pipeline::new(Model { evidence, head: fast.model().head.clone() }, fast.manifest().clone());
        let again = Pipeline::from_bytes(&unnamed.to_bytes()).expect("its own bytes");
        let article = Article::new("Chad expelled the envoy of Peru. It also thanked Oman.");
        let said = |pipeline: &Pipeline| format!("{:?}", pipeline.predict(&article, &Query::default()));
        assert_eq!(said(&again), said(fast));
    }

    #[test]
    fn texts_of_earlier_formats_need_their_names() {
        let texts = || ["visit", "sanctions on"].map(|text| (hash_of(text), 1, vec![]));
        let with = |names: &[&str]| by_words(texts().into(), Texts::new(names));
        for names in [&["visit"][..], &["sanctions", "visit"], &[]] {
            assert!(matches!(with(names), Err(Error::Shape { what: "names of texts", .. })), "{names:?}");
        }
    }

    #[test]
    fn models_of_no_feature_and_of_many_idf_come_back() {
        let fast = Pipeline::fast();
        let Kind::Linear(linear) = fast.model().evidence.kind() else { panic!("a linear model") };
        let Weights::ByText(_, weighting) = linear.weights else { panic!("by text") };
        // As many as 16 bits tell apart.
        for count in [0, 1 << 16] {
            let mut names: Vec<String> = (0..count).map(|n| format!("w|word{n}")).collect();
            names.sort_unstable_by_key(|name| hash_of(name));
            let features = names.iter().enumerate().map(|(n, name)| (&**name, [0.5; 3], 1.0 + 1e-6 * n as f64));
            let weights = Weights::ByText(Index::of_named(features).expect("good names"), weighting);
            let evidence: Arc<dyn EvidenceModel> = Arc::new(LinearModel { weights, ..linear.clone() });
            let model = Model { evidence, head: fast.model().head.clone() };
            let bytes = Pipeline::new(model, fast.manifest().clone()).to_bytes();
            let again = Pipeline::from_bytes(&bytes).expect("its own bytes");
            assert_eq!(again.to_bytes(), bytes);
            let Kind::Linear(read) = again.model().evidence.kind() else { panic!("a linear model") };
            let Weights::ByText(index, _) = &read.weights else { panic!("by text") };
            assert!(index.lexicon().idf().iter().copied().eq((0..count).map(|n| 1.0 + 1e-6 * f64::from(n))));
            again.predict(&Article::new("Chad expelled the envoy of Peru, word7."), &Query::default());
        }
        let names: Vec<String> = (0..=1 << 16).map(|n| format!("w|word{n}")).collect();
        let features = names.iter().enumerate().map(|(n, name)| (&**name, [0.5; 3], 1.0 + 1e-6 * n as f64));
        assert!(Index::of_named(features).is_none(), "more than 16 bits tell apart");
    }
}
