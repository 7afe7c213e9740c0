//! Predictions that another program made of labelled rows, as if they were a model's.
//!
//! A file of rows (CSV, JSONL, Parquet …) with `id` and the class that was predicted, `stance`, `prediction` or, where there
//! is neither, `label`; with `state` and `actor` where a text has several pairs; and, or not, with the probabilities
//! `p_aligned`, `p_neutral` and `p_opposed`. What `evaluate --predictions` and `train --out-of-fold` write is such a file.

use std::collections::{BTreeMap, VecDeque};

use crate::data::{LabelMap, LabelledPair, prediction_rows};
use crate::evaluate::report::Scored;
use crate::gazetteer::Gazetteer;
use crate::record::ROUNDED;
use crate::source::{Source, Warn, Warning};
use crate::{Error, Location, Result, Stance};

/// The columns of such a file as the program writes it.
pub const COLUMNS: [&str; 8] = ["id", "state", "actor", "label", "stance", "p_aligned", "p_neutral", "p_opposed"];

/// A row of it: a pair, its label, and what is predicted; probabilities that are not known are empty.
pub fn row(pair: &LabelledPair, label: Stance, stance: Stance, probabilities: Option<[f64; 3]>) -> [String; 8] {
    let [aligned, neutral, opposed] = probabilities.map_or_else(Default::default, |p| p.map(|p| p.to_string()));
    let LabelledPair { article, state, actor, .. } = pair;
    let (label, stance) = (label.to_string(), stance.to_string());
    [article.id.clone(), state.clone(), actor.clone(), label, stance, aligned, neutral, opposed]
}

/// What the file of `source` predicts for each labelled pair, in the order of the pairs. Rows that answer to no labelled pair
/// are counted in a warning.
///
/// # Errors
/// What reading gives; and where pairs of one text cannot be told apart for want of their names, for a class that `labels` lacks, probabilities of some classes only or that do not add up to 1, a
/// pair that is answered twice, and one that is not answered.
pub fn read<'d>(
    source: &Source,
    pairs: &'d [LabelledPair],
    labels: &LabelMap,
    gazetteer: &Gazetteer,
    warn: &Warn,
) -> Result<Vec<Scored<'d>>> {
    let labelled: Vec<(&'d LabelledPair, Stance)> = pairs.iter().filter_map(|pair| Some((pair, pair.label?))).collect();
    let code =
        |name: &str| gazetteer.find(name).map_or_else(|| name.to_lowercase(), |id| gazetteer.get(id).code.clone());
    let mut answers: BTreeMap<(String, Option<[String; 2]>), VecDeque<Answer>> = BTreeMap::new();
    let mut named = true;
    for row in prediction_rows(source, warn)? {
        let row = row?;
        let who = match (&row.state, &row.actor) {
            (Some(state), Some(actor)) => Some([code(state), code(actor)]),
            _ => None,
        };
        named &= who.is_some();
        let stance = labels.stance(&row.stance).ok_or_else(|| {
            Error::format(row.location.clone(), format!("the class `{}`", row.stance), labels.expected())
        })?;
        let probabilities = probabilities(&row.probabilities, &row.location)?;
        answers.entry((row.id, who)).or_default().push_back(Answer { stance, probabilities, location: row.location });
    }
    let key = |pair: &LabelledPair| {
        let who = named.then(|| [code(&pair.state), code(&pair.actor)]);
        (pair.article.id.clone(), who)
    };
    let mut wanted: BTreeMap<_, usize> = BTreeMap::new();
    labelled.iter().for_each(|(pair, _)| *wanted.entry(key(pair)).or_default() += 1);
    // Without the names, several pairs of one text would be told apart by their order alone.
    let first: BTreeMap<&str, &LabelledPair> =
        labelled.iter().rev().map(|(pair, _)| (pair.article.id.as_str(), *pair)).collect();
    let other = labelled.iter().find(|(pair, _)| {
        let first = first[pair.article.id.as_str()];
        !named && (code(&pair.state), code(&pair.actor)) != (code(&first.state), code(&first.actor))
    });
    if let Some((pair, _)) = other {
        let found = format!("no columns `state` and `actor`, though `{}` has several pairs", pair.article.id);
        return Err(Error::format(
            Location::file(source.input.name()),
            found,
            "the two, to tell the pairs of a text apart",
        ));
    }
    let mut unasked = 0;
    for (key, found) in &answers {
        match wanted.get(key) {
            None => unasked += found.len(),
            Some(&n) if found.len() > n => {
                let found = format!("a prediction more for `{}` ({n} labelled)", key.0);
                let expected = match named {
                    true => "one prediction for each labelled row",
                    false => {
                        "one prediction for each labelled row; columns `state` and `actor` tell pairs of one text apart"
                    }
                };
                return Err(Error::format(answers[key][n].location.clone(), found, expected));
            }
            Some(_) => {}
        }
    }
    if unasked > 0 {
        let message = format!("{unasked} predictions answer to no labelled row, and are left out");
        warn(Warning { location: Location::file(source.input.name()), message });
    }
    let answer = |(pair, label): &(&'d LabelledPair, Stance)| -> Result<Scored<'d>> {
        let answer = answers.get_mut(&key(pair)).and_then(VecDeque::pop_front).ok_or_else(|| {
            let found = format!("no prediction for `{}` ({} toward {})", pair.article.id, pair.state, pair.actor);
            Error::format(Location::file(source.input.name()), found, "one for each labelled row")
        })?;
        let Answer { stance, probabilities, .. } = answer;
        Ok(Scored { pair, label: *label, stance, probabilities, missing: false })
    };
    labelled.iter().map(answer).collect()
}

struct Answer {
    stance: Stance,
    probabilities: Option<[f64; 3]>,
    location: Location,
}

fn probabilities(cells: &[Option<String>; 3], location: &Location) -> Result<Option<[f64; 3]>> {
    let wrong =
        |found: String| Err(Error::format(location.clone(), found, "three probabilities, 0 to 1, that add up to 1"));
    let [Some(aligned), Some(neutral), Some(opposed)] = cells else {
        return match cells.iter().flatten().next() {
            None => Ok(None),
            Some(_) => wrong("probabilities of some classes only".into()),
        };
    };
    let mut p = [0.0; 3];
    for (p, text) in p.iter_mut().zip([aligned, neutral, opposed]) {
        match text.trim().parse::<f64>() {
            Ok(value) if (0.0..=1.0).contains(&value) => *p = value,
            _ => return wrong(format!("the probability `{text}`")),
        }
    }
    let sum: f64 = p.iter().sum();
    if (sum - 1.0).abs() > ROUNDED {
        return wrong(format!("probabilities that add up to {sum:.4}"));
    }
    Ok(Some(p.map(|p| p / sum)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stance::{Aligned, Neutral, Opposed};
    use crate::data::example;
    use crate::source::ignore_warnings;

    fn pairs() -> Vec<LabelledPair> {
        [("Peru", "Chile", Aligned), ("Chile", "Peru", Opposed), ("Oman", "Iran", Neutral)]
            .into_iter()
            .zip([1, 1, 2])
            .map(|((state, actor, label), line)| example("A text.", state, actor, label, line))
            .collect()
    }

    fn read_text(text: &str) -> Result<Vec<(Stance, Option<[f64; 3]>)>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("p.csv");
        std::fs::write(&path, text).expect("a file");
        let pairs = pairs();
        let read = read(&Source::file(&path), &pairs, &LabelMap::default(), Gazetteer::embedded(), &ignore_warnings())?;
        Ok(read.into_iter().map(|s| (s.stance, s.probabilities)).collect())
    }

    #[test]
    fn rows_are_joined_by_id_and_pair() {
        let text =
            "id,state,actor,label\n2,Oman,IRN,neutral\n1,CHL,Peru,opposed\n1,Peru,Chile,neutral\n9,Oman,Iran,neutral\n";
        assert_eq!(read_text(text).expect("predictions"), [(Neutral, None), (Opposed, None), (Neutral, None)]);
        // What the program writes: the label is not the prediction.
        let text = "id,state,actor,label,stance,p_aligned,p_neutral,p_opposed\n1,Peru,Chile,aligned,neutral,0.2,0.5,0.3\n\
            1,Chile,Peru,opposed,opposed,0,0,1\n2,Oman,Iran,neutral,aligned,0.999,0,0\n";
        let found = read_text(text).expect("predictions");
        assert_eq!(found[0], (Neutral, Some([0.2, 0.5, 0.3])));
        assert_eq!((found[1].0, found[2]), (Opposed, (Aligned, Some([1.0, 0.0, 0.0]))));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (text, expected) in [
            (
                "id,stance\n1,aligned\n1,opposed\n2,neutral\n",
                "found no columns `state` and `actor`, though `1` has several",
            ),
            (
                "id,state,actor,stance\n1,Peru,Chile,aligned\n1,Chile,Peru,opposed\n",
                "found no prediction for `2` (Oman toward Iran)",
            ),
            (
                "id,state,actor,stance\n1,Peru,Chile,aligned\n1,PER,CHL,opposed\n1,Chile,Peru,opposed\n2,Oman,Iran,neutral\n",
                "p.csv:3: found a prediction more for `1`",
            ),
            ("id,stance\n1,good\n", "p.csv:2: found the class `good`"),
            ("id,stance,p_aligned\n1,aligned,1\n", "p.csv:2: found probabilities of some classes only"),
            ("id,stance,p_aligned,p_neutral,p_opposed\n1,aligned,0.5,0.2,0.2\n", "add up to 0.9000"),
            ("id,stance,p_aligned,p_neutral,p_opposed\n1,aligned,x,0.2,0.2\n", "the probability `x`"),
            ("id,class\n1,aligned\n", "expected a column `stance` or `prediction` or `label`"),
        ] {
            let said = read_text(text).expect_err(expected).to_string();
            assert!(said.contains(expected), "\n  found    {said}\n  expected {expected}");
        }
    }
}
