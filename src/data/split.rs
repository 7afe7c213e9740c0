//! Rows divided into parts so that no part can be learnt by heart from another.
//!
//! Rows of one group stay together; so do rows of one text, and rows whose texts are near (see [`crate::data::audit`]). The
//! blocks that result are dealt out greedily, the largest first, blocks of one size in an order drawn from the seed. A
//! block goes where it lowers `Σ_p Σ_l r_p (n_pl / (r_p N_l) − 1)²` most: `r_p` is the ratio of part p, `N_l` the rows
//! with label l, and `n_pl` those of them in p so far.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::data::LabelledPair;
use crate::data::audit::Index;
use crate::error::{Error, Result};

/// How rows are divided.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitParams {
    /// The column whose equal values stay together; defaults to `group`. Rows without it are their text's.
    pub group: String,
    /// The column whose values are spread evenly; defaults to `label`.
    pub stratify: String,
    /// The share of each part; defaults to 0.8, 0.1, 0.1.
    pub ratios: Vec<f64>,
    /// Seed of the order; defaults to 0.
    pub seed: u64,
}

impl Default for SplitParams {
    fn default() -> Self {
        Self { group: "group".into(), stratify: "label".into(), ratios: vec![0.8, 0.1, 0.1], seed: 0 }
    }
}

/// The part of each row, from 0, and the number of blocks that the rows fell into.
///
/// # Errors
/// [`Error::Parameter`] if there are no ratios, one is not above 0, or they do not add up to 1.
pub fn split(pairs: &[LabelledPair], params: &SplitParams) -> Result<(Vec<usize>, usize)> {
    let pairs: Vec<&LabelledPair> = pairs.iter().collect();
    let sum: f64 = params.ratios.iter().sum();
    if !params.ratios.iter().all(|ratio| *ratio > 0.0) || (sum - 1.0).abs() > 1e-6 {
        let found = params.ratios.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        return Err(Error::Parameter { name: "ratios", found, expected: "numbers above 0 that add up to 1" });
    }
    let blocks = blocks(&pairs, params, Near::Together);
    Ok((deal(&pairs, &blocks, params), blocks.len()))
}

/// The fold of each row, and the number of folds: `folds`, or as many as there are blocks, if those are fewer. Rows of one
/// group and of one text stay together, and labels are spread evenly.
pub(crate) fn folds(pairs: &[&LabelledPair], folds: usize, seed: u64) -> (Vec<usize>, usize) {
    let params = SplitParams { seed, ..SplitParams::default() };
    let blocks = blocks(pairs, &params, Near::Apart);
    let folds = folds.min(blocks.len()).max(1);
    let params = SplitParams { ratios: vec![1.0 / folds as f64; folds], ..params };
    let mut parts = deal(pairs, &blocks, &params);
    // Where blocks are large, a fold may have none.
    let used: BTreeSet<usize> = parts.iter().copied().collect();
    let places: BTreeMap<usize, usize> = used.iter().copied().zip(0..).collect();
    parts.iter_mut().for_each(|part| *part = places[part]);
    (parts, used.len())
}

/// Deals blocks out to parts.
fn deal(pairs: &[&LabelledPair], blocks: &[Vec<usize>], params: &SplitParams) -> Vec<usize> {
    let mut strata: BTreeMap<&str, usize> = BTreeMap::new();
    for pair in pairs {
        let next = strata.len();
        strata.entry(pair.column(&params.stratify).unwrap_or_default()).or_insert(next);
    }
    let stratum = |row: usize| strata[pairs[row].column(&params.stratify).unwrap_or_default()];
    let mut totals = vec![0.0; strata.len()];
    (0..pairs.len()).for_each(|row| totals[stratum(row)] += 1.0);

    let mut counts = vec![vec![0.0; strata.len()]; params.ratios.len()];
    let mut sizes = vec![0; params.ratios.len()];
    let mut parts = vec![0; pairs.len()];
    for rows in blocks {
        // Of the strata only those of the block matter: to the others nothing is added.
        let mut adds: BTreeMap<usize, f64> = BTreeMap::new();
        rows.iter().for_each(|&row| *adds.entry(stratum(row)).or_default() += 1.0);
        let change = |part: usize| -> f64 {
            let ratio = params.ratios[part];
            let cost = |n: f64, total: f64| ratio * (n / (ratio * total) - 1.0).powi(2);
            let change = |(&s, add): (&usize, &f64)| {
                let n = counts[part][s];
                cost(n + add, totals[s]) - cost(n, totals[s])
            };
            adds.iter().map(change).sum()
        };
        let share = |part: usize| sizes[part] as f64 / params.ratios[part];
        // On a tie, the part that has least of its share.
        let better = |&a: &usize, &b: &usize| change(a).total_cmp(&change(b)).then(share(a).total_cmp(&share(b)));
        let best = (0..counts.len()).min_by(better).unwrap_or_default();
        adds.iter().for_each(|(&s, add)| counts[best][s] += add);
        sizes[best] += rows.len();
        rows.iter().for_each(|&row| parts[row] = best);
    }
    parts
}

/// Whether texts that are nearly the same stay together, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Near {
    Together,
    Apart,
}

/// The rows that stay together, the largest block first.
fn blocks(pairs: &[&LabelledPair], params: &SplitParams, near: Near) -> Vec<Vec<usize>> {
    let mut sets = Sets((0..pairs.len()).collect());
    let (mut texts, mut groups) = (BTreeMap::new(), BTreeMap::new());
    for (row, pair) in pairs.iter().enumerate() {
        let first = *texts.entry(pair.article.text.as_str()).or_insert(row);
        sets.join(row, first);
        if let Some(group) = pair.column(&params.group) {
            let first = *groups.entry(group).or_insert(row);
            sets.join(row, first);
        }
    }
    if near == Near::Together {
        let texts: Vec<(&str, usize)> = texts.into_iter().collect();
        let index = Index::new(texts.iter().map(|(text, _)| *text));
        let near: Vec<_> = texts.par_iter().map(|(text, _)| index.find_first(text)).collect();
        for ((_, row), near) in texts.iter().zip(near) {
            near.iter().for_each(|leak| sets.join(*row, texts[leak.text].1));
        }
    }
    let mut blocks: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..pairs.len() {
        blocks.entry(sets.root(row)).or_default().push(row);
    }
    let mut blocks: Vec<(u64, Vec<usize>)> = blocks
        .into_values()
        .map(|rows| {
            // The order depends on the texts alone, not on where the rows stand in the file.
            let texts = rows.iter().map(|&row| xxh3_64_with_seed(pairs[row].article.text.as_bytes(), params.seed));
            (texts.min().unwrap_or_default(), rows)
        })
        .collect();
    blocks.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    blocks.into_iter().map(|(_, rows)| rows).collect()
}

/// Disjoint sets of rows, each known by its smallest.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, mut row: usize) -> usize {
        while self.0[row] != row {
            self.0[row] = self.0[self.0[row]];
            row = self.0[row];
        }
        row
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::example;
    use crate::stance::Stance;

    fn rows() -> Vec<LabelledPair> {
        let label = |i: u64| Stance::ALL[usize::from(i.is_multiple_of(10)) + usize::from(i.is_multiple_of(5))];
        (0..400).map(|i| example(&format!("text {}", i / 2), "Peru", "Chile", label(i), i)).collect()
    }

    #[test]
    fn shares_and_labels_are_as_asked() {
        let rows = rows();
        let (parts, blocks) = split(&rows, &SplitParams::default()).expect("valid ratios");
        assert_eq!(blocks, 200);
        // 400 rows: 320 aligned, 40 neutral, 40 opposed; the parts get 80, 10 and 10 per cent of each.
        for (part, of_ten) in [(0, 8), (1, 1), (2, 1)] {
            let count = |label| (0..400).filter(|&r| parts[r] == part && rows[r].label == Some(label)).count();
            for (label, wanted) in [(Stance::Aligned, 32), (Stance::Neutral, 4), (Stance::Opposed, 4)] {
                assert!(count(label).abs_diff(wanted * of_ten) <= 2, "{part} {label}: {}", count(label));
            }
        }
        assert!((0..200).all(|text| parts[2 * text] == parts[2 * text + 1]));
    }

    #[test]
    fn the_seed_decides_and_the_order_of_the_rows_does_not() {
        let mut rows = rows();
        let params = |seed| SplitParams { seed, ..SplitParams::default() };
        let (first, _) = split(&rows, &params(1)).expect("valid ratios");
        assert_ne!(first, split(&rows, &params(2)).expect("valid ratios").0);
        rows.reverse();
        let (mut turned, _) = split(&rows, &params(1)).expect("valid ratios");
        turned.reverse();
        assert_eq!(first, turned);
    }

    #[test]
    fn groups_and_near_texts_stay_together() {
        let near = [
            "Minsk thanked Moscow for the loan that it had long asked for.",
            "Minsk thanked Moscow for the loan that it had long asked for again.",
        ];
        let mut rows: Vec<_> = near.iter().map(|text| example(text, "Belarus", "Russia", Stance::Aligned, 2)).collect();
        rows.push(example("Rain.", "Peru", "Chile", Stance::Neutral, 3));
        rows[2].group = Some("story".into());
        rows[0].group = Some("story".into());
        rows.push(example("Snow.", "Peru", "Chile", Stance::Neutral, 4));
        let (parts, blocks) =
            split(&rows, &SplitParams { ratios: vec![0.5, 0.5], ..Default::default() }).expect("valid");
        assert_eq!(blocks, 2);
        assert_eq!((parts[0], parts[0]), (parts[1], parts[2]));
        assert_ne!(parts[0], parts[3]);
    }

    #[test]
    fn ratios_are_checked() {
        for ratios in [vec![], vec![0.5, 0.4], vec![1.5, -0.5], vec![f64::NAN]] {
            let error = split(&[], &SplitParams { ratios, ..Default::default() }).unwrap_err();
            assert!(error.to_string().starts_with("ratios is"), "{error}");
        }
    }
}
