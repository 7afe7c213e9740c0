//! Parameters chosen by cross-validation, and a score that knows nothing of the choice.
//!
//! A small grid is tried, one line each: words alone, bigrams, or all features; the penalty ten times as strong, as given, or a
//! tenth; classes by their number, or balanced. Of the best of these, words that occur once and words that occur three times are
//! tried, and evidence that all counts alike. Of all that are within one standard error (over the folds) of the best mean
//! macro-F1, the first is taken: the simplest (Breiman, Friedman, Olshen and Stone 1984, "Classification and regression trees").
//!
//! A score of the chosen parameters on the folds that chose them is too good. So all is done again without each fold, the choice
//! on three folds of the rest included, and what that says of the fold is reported (nested cross-validation; Varma and Simon
//! 2006, "Bias in error estimation when using cross-validation for model selection").

use rayon::prelude::*;

use super::head::{self, HeldOut};
use super::rows::{Inputs, Row, read_rows};
use super::{Dataset, MAX_FOLDS, OutOfFold, Step, TrainParams, check_data, linear};
use crate::data::LabelledPair;
use crate::data::split::folds;
use crate::error::{Error, Result};
use crate::evaluate::metrics::f1_macro_score;
use crate::gazetteer::Gazetteer;
use crate::model::head::Pooling;
use crate::model::linear::ClassWeight;
use crate::model::linear::ngrams::NgramParams;
use crate::stance::Stance;

/// Folds on which parameters are chosen without an outer fold.
const INNER: usize = 3;

/// Parameters that were tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// What is different about them.
    pub name: String,
    /// The mean of macro-F1 over the folds.
    pub macro_f1: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Whether they were taken.
    pub chosen: bool,
}

/// What [`tune`] chose.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The parameters.
    pub params: TrainParams,
    /// All that were tried, the simplest first.
    pub tried: Vec<Tried>,
    /// Every row's answer where all choices were made without its fold.
    pub nested: Vec<OutOfFold>,
}

/// Parameters to try, with the place of the features that they ask for.
#[derive(Clone)]
struct Candidate {
    name: String,
    features: usize,
    params: TrainParams,
}

/// Which features are tried.
fn features(base: &TrainParams) -> [(&'static str, NgramParams); 3] {
    let words = NgramParams { max_n: 1, max_region_n: 1, context: 0, stems: false, ..base.ngrams.clone() };
    let bigrams = NgramParams { max_n: 2, max_region_n: 2, ..base.ngrams.clone() };
    [("words", words), ("bigrams", bigrams), ("all features", base.ngrams.clone())]
}

fn grid(base: &TrainParams) -> Vec<Candidate> {
    let mut grid = Vec::new();
    for (at, (name, ngrams)) in features(base).into_iter().enumerate() {
        for (penalty, factor) in [("strong", 0.1), ("usual", 1.0), ("weak", 10.0)] {
            for (classes, weight) in [("", None), (", classes balanced", Some(ClassWeight::Balanced))] {
                let logistic = base.logistic.clone().scale_c(factor);
                let logistic = weight.map_or(logistic.clone(), |weight| logistic.class_weight(weight));
                let params = TrainParams { ngrams: ngrams.clone(), logistic, ..base.clone() };
                grid.push(Candidate { name: format!("{name}, {penalty} penalty{classes}"), features: at, params });
            }
        }
    }
    grid
}

/// What is tried of the best.
fn refinements(best: &Candidate) -> Vec<Candidate> {
    let of =
        |name: &str, params: TrainParams| Candidate { name: format!("{}; {name}", best.name), params, ..best.clone() };
    let with_min_df = |rows| TrainParams { tfidf: best.params.tfidf.clone().min_df(rows), ..best.params.clone() };
    let alike = Pooling { title: 1.0, neighbour: 1.0, carried: 1.0, sharpness: 0.0 };
    vec![
        of("words of three rows", with_min_df(3)),
        of("words of one row", with_min_df(1)),
        of("evidence counts alike", TrainParams { pooling: alike, ..best.params.clone() }),
    ]
}

/// All that is the same for each candidate.
struct Search<'a> {
    /// The rows, once for each kind of features.
    rows: Vec<Vec<Row>>,
    pairs: Vec<&'a LabelledPair>,
    seed: u64,
}

/// Chooses parameters for the rows of all files.
///
/// # Errors
/// As [`train`](super::train()).
pub fn tune(
    data: &[Dataset],
    base: &TrainParams,
    gazetteer: &Gazetteer,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Tuned> {
    base.check()?;
    check_data(data)?;
    progress(Step::Features);
    let read = |(_, ngrams): (&str, NgramParams)| {
        let params = TrainParams { ngrams, ..base.clone() };
        Ok(read_rows(data, &params, gazetteer, Inputs::Left)?.rows)
    };
    let rows: Vec<Vec<Row>> = features(base).into_iter().map(read).collect::<Result<_>>()?;
    let pairs: Vec<&LabelledPair> = rows[0].iter().map(|row| &data[row.origin.0].pairs[row.origin.1]).collect();
    let search = Search { rows, pairs, seed: base.seed };
    let all: Vec<usize> = (0..search.pairs.len()).collect();
    let (fold_of, n) = folds(&search.pairs, base.folds.min(MAX_FOLDS), base.seed);
    if n < 3 {
        let expected =
            "at least three, to choose on some and score another; name a column with more values by --group".into();
        return Err(Error::Shape { what: "groups for the folds", found: n.to_string(), expected });
    }
    let mut nested = Vec::new();
    for fold in 0..n {
        progress(Step::Fold(fold, n));
        let (inside, outside): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&row| fold_of[row] == fold);
        nested.extend(search.nested(&outside, &inside, base)?.into_iter().map(|row| OutOfFold { fold, ..row }));
    }
    nested.sort_by_key(|row| row.row);
    progress(Step::Fit);
    let (chosen, tried) = search.choose(&all, &fold_of, n, base)?;
    Ok(Tuned { params: chosen.params, tried, nested })
}

impl Search<'_> {
    /// What a model whose parameters were chosen on `outside` says of the rows `inside`.
    fn nested(&self, outside: &[usize], inside: &[usize], base: &TrainParams) -> Result<Vec<OutOfFold>> {
        let pairs: Vec<&LabelledPair> = outside.iter().map(|&row| self.pairs[row]).collect();
        let (fold_of_place, n) = folds(&pairs, INNER, self.seed);
        let mut fold_of = vec![0; self.pairs.len()];
        outside.iter().zip(fold_of_place).for_each(|(&row, fold)| fold_of[row] = fold);
        let chosen = if n < 2 { grid(base).swap_remove(0) } else { self.choose(outside, &fold_of, n, base)?.0 };
        let head = head::choose(&self.held_out(outside, &fold_of, n, &chosen)?, n.max(1))?;
        let rows = &self.rows[chosen.features];
        let fitted = linear::fit(&outside.iter().map(|&row| &rows[row]).collect::<Vec<_>>(), &chosen.params)?;
        let answer = |&row: &usize| {
            let row = &rows[row];
            let probabilities = head.calibration.probabilities(row.pooled(&fitted.scores(row), &chosen.params.pooling));
            let stance = head.decision.stance(&probabilities);
            OutOfFold { row: row.origin, fold: 0, label: row.label, stance, probabilities }
        };
        Ok(inside.iter().map(answer).collect())
    }

    /// The candidate that the standard-error rule takes, of the grid and of what is tried of its best.
    fn choose(&self, of: &[usize], fold_of: &[usize], n: usize, base: &TrainParams) -> Result<(Candidate, Vec<Tried>)> {
        let measure = |candidate: &Candidate| self.measure(of, fold_of, n, candidate);
        let mut candidates = grid(base);
        let mut scores: Vec<(f64, f64)> = candidates.par_iter().map(measure).collect::<Result<_>>()?;
        let more = refinements(&candidates[best(&scores)]);
        scores.extend(more.par_iter().map(measure).collect::<Result<Vec<_>>>()?);
        candidates.extend(more);
        let (most, error) = scores[best(&scores)];
        let chosen = scores.iter().position(|(mean, _)| *mean >= most - error).unwrap_or(0);
        let tried = candidates.iter().zip(&scores).enumerate().map(|(at, (candidate, score))| Tried {
            name: candidate.name.clone(),
            macro_f1: score.0,
            standard_error: score.1,
            chosen: at == chosen,
        });
        let tried = tried.collect();
        Ok((candidates.swap_remove(chosen), tried))
    }

    /// Macro-F1 on the folds, its mean and standard error.
    fn measure(&self, of: &[usize], fold_of: &[usize], n: usize, candidate: &Candidate) -> Result<(f64, f64)> {
        let held_out = self.held_out(of, fold_of, n, candidate)?;
        let head = head::choose(&held_out, n)?;
        let mut folds: Vec<(Vec<Stance>, Vec<Stance>)> = vec![(Vec::new(), Vec::new()); n];
        for (row, stance) in held_out.iter().zip(&head.stances).filter(|(row, _)| row.used) {
            folds[row.fold].0.push(row.label);
            folds[row.fold].1.push(*stance);
        }
        let filled = folds.iter().filter(|(labels, _)| !labels.is_empty());
        let scores = filled.map(|(labels, stances)| f1_macro_score(labels, stances)).collect::<Result<Vec<f64>>>()?;
        Ok(mean_and_error(&scores))
    }

    /// The scores of rows by models that were fitted without their fold.
    fn held_out(&self, of: &[usize], fold_of: &[usize], n: usize, candidate: &Candidate) -> Result<Vec<HeldOut>> {
        let rows = &self.rows[candidate.features];
        let any = of.iter().any(|&row| rows[row].calibrate);
        let mut held_out = vec![None; rows.len()];
        for fold in 0..n {
            let outside: Vec<&Row> = of.iter().filter(|&&row| fold_of[row] != fold).map(|&row| &rows[row]).collect();
            let fitted = linear::fit(&outside, &candidate.params)?;
            for &at in of.iter().filter(|&&row| fold_of[row] == fold) {
                let row = &rows[at];
                let logits = row.pooled(&fitted.scores(row), &candidate.params.pooling);
                held_out[at] = Some(HeldOut { logits, label: row.label, fold, used: row.calibrate || !any });
            }
        }
        Ok(of.iter().filter_map(|&row| held_out[row]).collect())
    }
}

/// The first of the best.
fn best(scores: &[(f64, f64)]) -> usize {
    (1..scores.len()).fold(0, |best, at| if scores[at].0 > scores[best].0 { at } else { best })
}

/// The mean of some numbers and its standard error; 0 of one number.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::example;

    #[test]
    fn the_mean_has_its_error() {
        // Standard deviation 1, of four: half.
        let (mean, error) = mean_and_error(&[1.0, 1.0, 3.0, 3.0]);
        assert_eq!(mean, 2.0);
        assert!((error - (4.0f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(mean_and_error(&[0.5]), (0.5, 0.0));
    }

    #[test]
    fn what_words_alone_tell_is_left_to_words() {
        let verbs = [("thanked", Stance::Aligned), ("met", Stance::Neutral), ("condemned", Stance::Opposed)];
        let pairs: Vec<LabelledPair> = (0..90)
            .map(|i| {
                let (verb, label) = verbs[i % 3];
                example(&format!("Peru {verb} Chile over matter number {i}."), "Peru", "Chile", label, i as u64)
            })
            .collect();
        let data = [Dataset {
            name: "rows.csv".into(),
            sha256: String::new(),
            texts: None,
            weight: 1.0,
            calibrate: true,
            pairs,
        }];
        let tuned = tune(&data, &TrainParams::default(), Gazetteer::embedded(), &|_| {}).expect("rows enough");
        assert_eq!(tuned.tried.len(), 21);
        let chosen: Vec<&str> = tuned.tried.iter().filter(|t| t.chosen).map(|t| t.name.as_str()).collect();
        assert_eq!(chosen, ["words, strong penalty"]);
        assert_eq!(tuned.params.ngrams.max_n, 1);
        assert_eq!(tuned.nested.len(), 90);
        assert!(tuned.nested.iter().all(|row| row.label == row.stance));
    }
}
