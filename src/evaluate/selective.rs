//! What answers are worth when those that the model is least sure of are left out.

use serde::{Deserialize, Serialize};

use super::metrics::{self, ConfusionMatrix};
use crate::{Error, Result, Stance};

/// The shares of the rows that a [`SelectiveRecord`] is made for.
const SHARES: [f64; 6] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5];

/// The surest rows and how many of them are right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelectiveRecord {
    /// The share of the rows that is answered, 0 to 1: at least what was asked for, since rows that are equally sure are
    /// answered together.
    pub coverage: f64,
    /// The probability of the stance decided on, from which rows are answered.
    pub min_prob: f64,
    /// The share of the answers that is right.
    pub accuracy: f64,
    /// Macro-F1 of the answers.
    pub macro_f1: f64,
}

/// Rows with the probability of the stance that was decided on.
struct Sure<'a> {
    y_true: &'a [Stance],
    y_pred: &'a [Stance],
    /// Places of the rows, the surest first.
    order: Vec<usize>,
    sureness: Vec<f64>,
}

impl<'a> Sure<'a> {
    fn new(y_true: &'a [Stance], y_pred: &'a [Stance], probabilities: &[[f64; 3]]) -> Result<Self> {
        ConfusionMatrix::new(y_true, y_pred, None)?;
        if probabilities.len() != y_true.len() {
            let found = probabilities.len().to_string();
            return Err(Error::Shape { what: "rows of probabilities", found, expected: y_true.len().to_string() });
        }
        let sureness: Vec<f64> = y_pred.iter().zip(probabilities).map(|(stance, p)| p[stance.index()]).collect();
        let mut order: Vec<usize> = (0..y_true.len()).collect();
        order.sort_by(|&a, &b| sureness[b].total_cmp(&sureness[a]));
        Ok(Self { y_true, y_pred, order, sureness })
    }

    /// The ends of runs of equally sure rows.
    fn ends(&self) -> impl Iterator<Item = usize> {
        let last = self.order.len();
        (1..=last).filter(move |&n| n == last || self.sureness[self.order[n]] < self.sureness[self.order[n - 1]])
    }
}

/// The answers of the surest rows at several shares.
///
/// # Errors
/// [`Error::Shape`] for no rows or lengths that differ.
pub fn selective(y_true: &[Stance], y_pred: &[Stance], probabilities: &[[f64; 3]]) -> Result<Vec<SelectiveRecord>> {
    let sure = Sure::new(y_true, y_pred, probabilities)?;
    let rows = y_true.len();
    let record = |share: f64| -> Result<SelectiveRecord> {
        // What is 0.9 of 10 rows but for rounding is 9 of them.
        let n = sure.ends().find(|&n| n as f64 >= share * rows as f64 - 1e-9).unwrap_or(rows);
        let of = |stances: &[Stance]| sure.order[..n].iter().map(|&row| stances[row]).collect::<Vec<_>>();
        let (y_true, y_pred) = (of(sure.y_true), of(sure.y_pred));
        Ok(SelectiveRecord {
            coverage: n as f64 / rows as f64,
            min_prob: sure.sureness[sure.order[n - 1]],
            accuracy: metrics::accuracy_score(&y_true, &y_pred)?,
            macro_f1: metrics::f1_macro_score(&y_true, &y_pred)?,
        })
    };
    let mut records = SHARES.into_iter().map(record).collect::<Result<Vec<_>>>()?;
    // Rows that are equally sure come together, so that several shares may be answered by the same rows.
    records.dedup();
    Ok(records)
}

/// The area under the risk–coverage curve: the mean, over the number of rows that are answered, of the share of them that is
/// wrong, the surest answered first (Geifman and El-Yaniv 2017, "Selective classification for deep neural networks"). 0 to 1,
/// 0 where all are right; the share of wrong rows where sureness says nothing. Rows that are equally sure come together.
///
/// # Errors
/// As [`selective`].
pub fn area_under_risk_coverage(y_true: &[Stance], y_pred: &[Stance], probabilities: &[[f64; 3]]) -> Result<f64> {
    let sure = Sure::new(y_true, y_pred, probabilities)?;
    let (mut before, mut wrong, mut area) = (0, 0, 0.0);
    for n in sure.ends() {
        wrong += sure.order[before..n].iter().filter(|&&row| y_true[row] != y_pred[row]).count();
        area += (n - before) as f64 * wrong as f64 / n as f64;
        before = n;
    }
    Ok(area / y_true.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stance::{Aligned, Neutral, Opposed};

    /// Five rows, sure by 0.9, 0.8, 0.8, 0.6, 0.5; the third and the last are wrong.
    fn rows() -> (Vec<Stance>, Vec<Stance>, Vec<[f64; 3]>) {
        let y_true = vec![Aligned, Neutral, Opposed, Aligned, Opposed];
        let y_pred = vec![Aligned, Neutral, Neutral, Aligned, Aligned];
        let p = vec![[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2], [0.5, 0.3, 0.2]];
        (y_true, y_pred, p)
    }

    #[test]
    fn the_surest_are_answered_first_and_ties_together() {
        let (y, pred, p) = rows();
        let records = selective(&y, &pred, &p).expect("rows");
        let shown: Vec<[f64; 3]> = records.iter().map(|r| [r.coverage, r.min_prob, r.accuracy]).collect();
        let (all, four, three) = ([1.0, 0.5, 0.6], [0.8, 0.6, 0.75], [0.6, 0.8, 2.0 / 3.0]);
        assert_eq!(shown, [all, four, three]);
        // Risks after 1, 3, 4 and 5 rows: 0, 1/3 for both of the second step, 1/4, 2/5.
        let area = area_under_risk_coverage(&y, &pred, &p).expect("rows");
        assert!((area - (0.0 + 2.0 / 3.0 + 0.25 + 0.4) / 5.0).abs() < 1e-12, "{area}");
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(selective(&[], &[], &[]).is_err());
        assert!(area_under_risk_coverage(&[Aligned], &[Aligned], &[]).is_err());
    }
}
