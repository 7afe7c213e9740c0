//! How far two readings of the same rows agree.
//!
//! Rows are matched by `(id, state, actor)`; the categories are nominal: any two different labels differ alike. With
//! N matched rows, `p_o` the share of equal labels, and `n_ac`, `n_bc` how often each reading gives label c:
//!
//! - **raw agreement** is `p_o`;
//! - **Cohen's κ** is `(p_o − p_e) / (1 − p_e)` with `p_e = Σ_c n_ac n_bc / N²`: chance by each reader's own shares;
//! - **Krippendorff's α** is `1 − D_o / D_e` with `D_o = 1 − p_o`, `n_c = n_ac + n_bc`, `n = 2N` and
//!   `D_e = 1 − Σ_c n_c (n_c − 1) / (n (n − 1))`: chance by the labels of both together. Rows that only one reading
//!   has cannot be paired and count for nothing.
//!
//! κ and α are undefined where all labels are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::{LabelMap, LabelRow, label_rows, two_readings};
use crate::error::{Error, Result};
use crate::gazetteer::Gazetteer;
use crate::source::Warn;
use crate::stance::Stance;

/// What a row is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The text.
    pub id: String,
    /// The state.
    pub state: String,
    /// The actor.
    pub actor: String,
}

/// One reading: a label for each row.
pub type Reading = BTreeMap<Key, String>;

/// How far two readings agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Rows that both readings have.
    pub n: usize,
    /// Rows that only the first has.
    pub only_a: usize,
    /// Rows that only the second has.
    pub only_b: usize,
    /// Share of equal labels.
    pub raw: Option<f64>,
    /// Cohen's κ.
    pub cohen_kappa: Option<f64>,
    /// Krippendorff's α for nominal data.
    pub krippendorff_alpha: Option<f64>,
    /// The labels: the three stances that occur, in their order, then others by name.
    pub labels: Vec<String>,
    /// Rows by label: `confusion[i][j]` have label i in the first reading and label j in the second.
    pub confusion: Vec<Vec<usize>>,
    /// The rows labelled differently, with both labels.
    pub disagreements: Vec<(Key, String, String)>,
}

/// Reads the columns `id` (or `sentence`), `state`, `actor` and `label` of a CSV or JSONL file; texts are not needed.
/// A party that the gazetteer knows is called by its name there, so that codes and names of one state are one.
/// Labels that `map` does not know stand for themselves, so readings may have categories of their own.
///
/// # Errors
/// [`Error::Io`]; [`Error::Format`] for a row without one of them, or the second row of one key;
/// [`Error::Empty`] if there is no row.
pub fn read(path: &Path, map: &LabelMap, gazetteer: &Gazetteer, warn: &Warn) -> Result<Reading> {
    let mut reading = Reading::new();
    let mut reader = Reader { map, gazetteer, labels: BTreeSet::new() };
    for row in label_rows(path, warn)? {
        reader.take(row?, &mut reading)?;
    }
    Ok(reading)
}

/// Reads the columns `first` and `second` of a label file as two readings; rows that lack either are left out.
///
/// # Errors
/// As [`read`]; [`Error::Empty`] if no row has both.
pub fn read_columns(path: &Path, map: &LabelMap, gazetteer: &Gazetteer, warn: &Warn) -> Result<[Reading; 2]> {
    let mut readings = [Reading::new(), Reading::new()];
    let mut reader = Reader { map, gazetteer, labels: BTreeSet::new() };
    for rows in two_readings(path, warn)? {
        for (row, reading) in rows.into_iter().zip(&mut readings) {
            reader.take(row, reading)?;
        }
    }
    if readings[0].is_empty() {
        return Err(Error::Empty {
            path: path.display().to_string(),
            what: "row with a label in both `first` and `second`",
        });
    }
    Ok(readings)
}

/// Puts the rows of one file into readings.
struct Reader<'a> {
    map: &'a LabelMap,
    gazetteer: &'a Gazetteer,
    /// The different labels so far.
    labels: BTreeSet<String>,
}

impl Reader<'_> {
    fn take(&mut self, row: LabelRow, reading: &mut Reading) -> Result<()> {
        let LabelRow { id, state, actor, label, location } = row;
        let label = self.map.stance(&label).map_or_else(|| label.trim().to_lowercase(), |stance| stance.to_string());
        self.labels.insert(label.clone());
        if self.labels.len() > MAX_LABELS {
            let expected = format!("at most {MAX_LABELS} different ones in a file");
            return Err(Error::format(location, "one label more", expected));
        }
        let entry = |name: String| match self.gazetteer.find(&name) {
            Some(id) => self.gazetteer.get(id).name.to_string(),
            None => name,
        };
        let key = Key { id, state: entry(state), actor: entry(actor) };
        let found = format!("a second row of `{}`, {} toward {}", key.id, key.state, key.actor);
        match reading.insert(key, label) {
            None => Ok(()),
            Some(_) => Err(Error::format(location, found, "one row for each id, state and actor")),
        }
    }
}

/// The most different labels of a reading: what has more is a column of something else.
const MAX_LABELS: usize = 1_000;

/// Compares two readings.
///
/// ```
/// use detente::data::agreement::{Key, Reading, compare};
/// let reading = |labels: &str| -> Reading {
///     let key = |i: usize| Key { id: i.to_string(), state: "Peru".into(), actor: "Chile".into() };
///     labels.chars().enumerate().map(|(i, c)| (key(i), c.to_string())).collect()
/// };
/// // The example of two observers in Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
/// let agreement = compare(&reading("aabbdcccedda"), &reading("babbbccceddd"));
/// assert_eq!(format!("{:.3}", agreement.krippendorff_alpha.unwrap()), "0.692");
/// ```
pub fn compare(a: &Reading, b: &Reading) -> Agreement {
    let both: Vec<(&Key, &str, &str)> =
        a.iter().filter_map(|(key, label)| Some((key, label.as_str(), b.get(key)?.as_str()))).collect();
    let found: BTreeSet<&str> = both.iter().flat_map(|(_, x, y)| [*x, *y]).collect();
    let stances = Stance::ALL.map(Stance::as_str);
    let mut labels: Vec<&str> = stances.into_iter().filter(|stance| found.contains(stance)).collect();
    labels.extend(found.iter().filter(|label| !stances.contains(label)));
    let places: BTreeMap<&str, usize> = labels.iter().copied().zip(0..).collect();
    let place = |label: &str| places[label];
    let mut confusion = vec![vec![0; labels.len()]; labels.len()];
    for (_, x, y) in &both {
        confusion[place(x)][place(y)] += 1;
    }
    let n = both.len();
    let (raw, cohen_kappa, krippendorff_alpha) = coefficients(&confusion);
    Agreement {
        n,
        only_a: a.len() - n,
        only_b: b.len() - n,
        raw,
        cohen_kappa,
        krippendorff_alpha,
        labels: labels.into_iter().map(String::from).collect(),
        confusion,
        disagreements: both
            .into_iter()
            .filter(|(_, x, y)| x != y)
            .map(|(key, x, y)| (key.clone(), x.to_owned(), y.to_owned()))
            .collect(),
    }
}

/// Raw agreement, κ and α of a confusion matrix.
fn coefficients(confusion: &[Vec<usize>]) -> (Option<f64>, Option<f64>, Option<f64>) {
    let n: usize = confusion.iter().flatten().sum();
    if n == 0 {
        return (None, None, None);
    }
    let equal: usize = (0..confusion.len()).map(|i| confusion[i][i]).sum();
    let p_o = equal as f64 / n as f64;
    let mut same = 0.0;
    for (i, row) in confusion.iter().enumerate() {
        let given = (row.iter().sum::<usize>() + confusion.iter().map(|row| row[i]).sum::<usize>()) as f64;
        same += given * (given - 1.0);
    }
    let kappa = kappa(confusion.len(), |i, j| confusion[i][j] as f64, |i, j| f64::from(u8::from(i != j)));
    let values = 2.0 * n as f64;
    let d_e = 1.0 - same / (values * (values - 1.0));
    let defined = confusion.len() > 1;
    (Some(p_o), defined.then_some(kappa), defined.then(|| 1.0 - (1.0 - p_o) / d_e))
}

/// Cohen's κ = 1 − observed / expected disagreement of a square table of `classes` classes; NaN where all is one class.
pub(crate) fn kappa(
    classes: usize,
    cell: impl Fn(usize, usize) -> f64,
    disagreement: impl Fn(usize, usize) -> f64,
) -> f64 {
    let sum = |cell: &dyn Fn(usize) -> f64| (0..classes).map(cell).sum::<f64>();
    let rows: Vec<f64> = (0..classes).map(|i| sum(&|j| cell(i, j))).collect();
    let columns: Vec<f64> = (0..classes).map(|j| sum(&|i| cell(i, j))).collect();
    let total: f64 = rows.iter().sum();
    let (mut observed, mut expected) = (0.0, 0.0);
    for (i, row) in rows.iter().enumerate() {
        for (j, column) in columns.iter().enumerate() {
            observed += disagreement(i, j) * cell(i, j);
            expected += disagreement(i, j) * row * column / total;
        }
    }
    1.0 - observed / expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ignore_warnings;

    fn reading(labels: &[&str]) -> Reading {
        let key = |i: usize| Key { id: i.to_string(), state: "Peru".into(), actor: "Chile".into() };
        labels.iter().enumerate().map(|(i, label)| (key(i), (*label).to_string())).collect()
    }

    #[test]
    fn hand_computed() {
        // 10 rows; equal in 7. A: 4 aligned, 4 neutral, 2 opposed; B: 3, 5, 2.
        // κ: p_e = (12 + 20 + 4) / 100 = 0.36, (0.7 - 0.36) / 0.64 = 0.53125.
        // α: n_c = 7, 9, 4; Σ n(n-1) = 42 + 72 + 12 = 126; D_e = 1 - 126/380 = 254/380; 1 - 0.3 · 380/254 = 140/254.
        let a = reading(&[
            "aligned", "aligned", "aligned", "aligned", "neutral", "neutral", "neutral", "neutral", "opposed",
            "opposed",
        ]);
        let b = reading(&[
            "aligned", "aligned", "neutral", "neutral", "neutral", "neutral", "neutral", "aligned", "opposed",
            "opposed",
        ]);
        let agreement = compare(&a, &b);
        assert_eq!(agreement.confusion, [[2, 2, 0], [1, 3, 0], [0, 0, 2]]);
        assert_eq!(agreement.raw, Some(0.7));
        approx::assert_abs_diff_eq!(agreement.cohen_kappa.unwrap_or_default(), 0.53125, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(agreement.krippendorff_alpha.unwrap_or_default(), 140.0 / 254.0, epsilon = 1e-12);
        assert_eq!(agreement.disagreements.len(), 3);
    }

    #[test]
    fn one_label_alone_and_no_row_leave_the_coefficients_undefined() {
        let agreement = compare(&reading(&["neutral"; 3]), &reading(&["neutral"; 2]));
        assert_eq!((agreement.n, agreement.only_a, agreement.only_b), (2, 1, 0));
        assert_eq!((agreement.raw, agreement.cohen_kappa, agreement.krippendorff_alpha), (Some(1.0), None, None));
        assert_eq!(compare(&reading(&["neutral"]), &Reading::new()).raw, None);
    }

    #[test]
    fn readings_are_csv_or_jsonl_with_one_row_for_each_key() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let read = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("a file");
            read(&path, &LabelMap::default(), Gazetteer::embedded(), &ignore_warnings())
        };
        let csv = read("a.csv", "sentence,state,actor,label\n7,Peru,Chile,Aligned\n").expect("a reading");
        let jsonl = read("a.jsonl", "{\"id\":7,\"state\":\"Peru\",\"actor\":\"Chile\",\"label\":\"aligned\"}\n");
        assert_eq!(csv, jsonl.expect("a reading"));
        let codes = read("e.csv", "id,state,actor,label\n7,PER,Republic of Chile,Aligned\n").expect("a reading");
        assert_eq!(csv, codes);
        let twice = read("b.csv", "id,state,actor,label\n7,Peru,Chile,x\n7,Peru,Chile,y\n").unwrap_err().to_string();
        assert!(twice.contains("b.csv:3: found a second row"), "{twice}");
        assert!(
            read("c.csv", "id,state,label\n").unwrap_err().to_string().contains("the columns `id`, `state`, `label`")
        );
        assert!(matches!(read("d.csv", "id,state,actor,label\n"), Err(Error::Empty { .. })));
    }
}
