//! Labels that are likely wrong, by the out-of-fold predictions of a training.
//!
//! After confident learning (Northcutt, Jiang, Chuang 2021): with `p(k)` a row's out-of-fold probability of class k, the
//! threshold of a class is the mean `p(k)` of the rows labelled k. A row is suspect when the probability of another
//! class reaches that class's threshold and is above that of its label. Suspects are ordered by their margin, the
//! probability of the likeliest such class less that of the label.

use crate::stance::Stance;
use crate::train::OutOfFold;

/// A row whose label may be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// The file, as an index into the data, and the row in it.
    pub row: (usize, usize),
    /// The label that it has.
    pub label: Stance,
    /// The label that the model would give.
    pub suggested: Stance,
    /// Probability of the suggested label less that of its own, 0 to 1.
    pub margin: f64,
}

/// The suspects among `rows`, the likeliest first; rows of one margin in the order of the data.
pub fn suspects(rows: &[OutOfFold]) -> Vec<Suspect> {
    let threshold = Stance::ALL.map(|class| {
        let own: Vec<f64> = rows.iter().filter(|r| r.label == class).map(|r| r.probabilities[class.index()]).collect();
        // A class that no row has suggests nothing.
        if own.is_empty() { f64::INFINITY } else { own.iter().sum::<f64>() / own.len() as f64 }
    });
    let suspect = |row: &OutOfFold| {
        let p = |class: Stance| row.probabilities[class.index()];
        let others = Stance::ALL.into_iter().filter(|&k| k != row.label && p(k) >= threshold[k.index()]);
        let suggested = others.max_by(|a, b| p(*a).total_cmp(&p(*b)))?;
        let margin = p(suggested) - p(row.label);
        (margin > 0.0).then_some(Suspect { row: row.row, label: row.label, suggested, margin })
    };
    let mut found: Vec<Suspect> = rows.iter().filter_map(suspect).collect();
    found.sort_by(|a, b| b.margin.total_cmp(&a.margin).then(a.row.cmp(&b.row)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stance::{Aligned, Neutral, Opposed};

    #[test]
    fn by_hand() {
        let row = |i, label, probabilities| OutOfFold { row: (0, i), fold: 0, label, stance: label, probabilities };
        let rows = [
            row(0, Aligned, [0.8, 0.1, 0.1]),
            row(1, Aligned, [0.2, 0.7, 0.1]), // threshold of aligned: 0.5; of neutral: 0.6; of opposed: none has it
            row(2, Neutral, [0.1, 0.6, 0.3]),
            row(3, Neutral, [0.3, 0.6, 0.1]),
            row(4, Neutral, [0.4, 0.6, 0.0]), // aligned is below its threshold
            row(5, Aligned, [0.5, 0.0, 0.5]), // nothing suggests a class that no row has
        ];
        let found = suspects(&rows);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].row, found[0].suggested), ((0, 1), Neutral));
        assert!((found[0].margin - 0.5).abs() < 1e-12);
        assert!(suspects(&[row(0, Opposed, [0.0, 0.0, 1.0])]).is_empty());
    }
}
