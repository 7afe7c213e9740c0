//! Masked n-grams fitted to rows.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array1;
use rayon::prelude::*;
use sprs::CsMat;

use super::rows::{Row, visit};
use super::{Dataset, TrainParams};
use crate::error::{Error, Result};
use crate::gazetteer::Gazetteer;
use crate::model::linear::features::WindowTokens;
use crate::model::linear::model::Weights;
use crate::model::linear::ngrams::Words;
use crate::model::linear::tfidf::Tfidf;
use crate::model::linear::tokenize::Tokenizer;
use crate::model::linear::{LinearModel, LogisticRegression, SparseRecords};
use crate::stance::Stance;

/// What was fitted to some rows.
pub(super) struct Fitted {
    tfidf: Tfidf,
    pub model: LogisticRegression,
}

pub(super) fn fit(rows: &[&Row], params: &TrainParams) -> Result<Fitted> {
    let counts: Vec<&[(u64, f32)]> = rows.iter().flat_map(|r| r.evidence.iter().map(|(c, _)| c.as_slice())).collect();
    let tfidf = params.tfidf.fit(&counts)?;
    let pooled: Vec<Vec<(u32, f64)>> = rows.par_iter().map(|row| pooled_row(row, &tfidf)).collect();
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in pooled {
        for (column, value) in row {
            indices.push(column as usize);
            values.push(value);
        }
        indptr.push(indices.len());
    }
    let x = CsMat::new((rows.len(), tfidf.vocabulary().len()), indptr, indices, values);
    let labels: Vec<Stance> = rows.iter().map(|r| r.label).collect();
    let weights = rows.iter().map(|r| r.weight as f32).collect();
    let dataset = DatasetBase::new(SparseRecords(x), Array1::from(labels)).with_weights(weights);
    let model = params.logistic.fit(&dataset)?;
    Ok(Fitted { tfidf, model })
}

/// The weighted mean of the rows of a pair's evidence.
fn pooled_row(row: &Row, tfidf: &Tfidf) -> Vec<(u32, f64)> {
    if let [(counts, _)] = &row.evidence[..] {
        return tfidf.transform(counts.as_slice());
    }
    let total: f64 = row.evidence.iter().map(|(_, w)| w).sum();
    let mut sum = BTreeMap::new();
    for (counts, weight) in &row.evidence {
        for (column, value) in tfidf.transform(counts.as_slice()) {
            *sum.entry(column).or_insert(0.0) += weight / total * value;
        }
    }
    sum.into_iter().collect()
}

impl Fitted {
    /// The score of each piece of a row's evidence.
    pub(super) fn scores(&self, row: &Row) -> Vec<[f64; 3]> {
        let score = |counts: &[(u64, f32)]| self.model.decision_function(&self.tfidf.transform(counts));
        row.evidence.iter().map(|(counts, _)| score(counts.as_slice())).collect()
    }

    /// The model, without names of its features.
    pub(super) fn into_model(self, params: &TrainParams) -> LinearModel {
        let columns = self.tfidf.vocabulary().len();
        let coef = self.model.coef();
        let coef = (0..columns).map(|c| std::array::from_fn(|k| coef[[k, c]] as f32)).collect();
        LinearModel {
            tokenizer: Tokenizer::default(),
            ngrams: params.ngrams.clone(),
            intercept: self.model.intercept(),
            weights: Weights::ByName(self.tfidf, coef),
        }
    }
}

/// The model with the names of its features, as they come up in the rows.
pub(super) fn named(data: &[Dataset], model: LinearModel, gazetteer: &Gazetteer) -> Result<LinearModel> {
    let Weights::ByName(tfidf, _) = &model.weights else { return Ok(model) };
    let vocabulary = tfidf.vocabulary();
    let mut names: Vec<Option<Box<str>>> = vec![None; vocabulary.len()];
    for pair in data.iter().flat_map(|d| &d.pairs) {
        visit(pair, gazetteer, |document, parties| -> Result<()> {
            for evidence in document.evidence(parties.0, parties.1) {
                let WindowTokens { tokens, marks, .. } =
                    WindowTokens::read(document, evidence.sentences, &model.tokenizer);
                let words = Words::new(&tokens, &marks, model.ngrams.mask_names);
                let mut clash = Ok(());
                model.ngrams.features(&words, parties, evidence.strength, |hash, name, _| {
                    let Some(column) = vocabulary.get(hash) else { return };
                    match &names[column as usize] {
                        None => names[column as usize] = Some(name.into()),
                        Some(known) if **known != *name => {
                            clash = Err(Error::Shape {
                                what: "feature hash",
                                found: format!("`{known}` and `{name}` under {hash:016x}"),
                                expected: "one name; leave one row out and train again".into(),
                            });
                        }
                        Some(_) => {}
                    }
                });
                clash?;
            }
            Ok(())
        })??;
    }
    let names: Vec<Box<str>> = names.into_iter().map(Option::unwrap_or_default).collect();
    Ok(model.with_names(&names))
}
