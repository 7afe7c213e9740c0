//! How much there is of what in labelled files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::data::LabelledPair;
use crate::gazetteer::Gazetteer;
use crate::stance::Stance;

/// The counts of one file, or of several together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// The file, or `all`.
    pub path: String,
    /// Labelled pairs.
    pub rows: usize,
    /// Different texts.
    pub texts: usize,
    /// Different groups; a row without one is in the group of its text.
    pub groups: usize,
    /// Rows by label.
    pub labels: BTreeMap<Stance, usize>,
    /// Different states; names of one gazetteer entry count once.
    pub states: usize,
    /// Different actors.
    pub actors: usize,
    /// The state with the most rows.
    pub top_state: Option<String>,
    /// Its share of the rows.
    pub top_state_share: f64,
    /// Mean number of words of the different texts.
    pub words_per_text: f64,
}

/// The gazetteer's name for `name`, or else the name in small letters.
pub(super) fn canonical(gazetteer: &Gazetteer, name: &str) -> String {
    gazetteer.find(name).map_or_else(|| name.to_lowercase(), |id| gazetteer.get(id).name.clone())
}

impl Stats {
    /// Counts pairs.
    ///
    /// ```
    /// use detente::{data::stats::Stats, gazetteer::Gazetteer};
    /// let stats = Stats::new("none.csv", [], Gazetteer::embedded());
    /// assert_eq!((stats.rows, stats.top_state), (0, None));
    /// ```
    pub fn new<'p>(path: &str, pairs: impl IntoIterator<Item = &'p LabelledPair>, gazetteer: &Gazetteer) -> Self {
        let (mut texts, mut groups, mut actors) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut labels: BTreeMap<Stance, usize> = Stance::ALL.map(|stance| (stance, 0)).into();
        let mut states: BTreeMap<String, usize> = BTreeMap::new();
        let mut rows = 0;
        for pair in pairs {
            rows += 1;
            let text = pair.article.text.as_str();
            texts.insert(text);
            groups.insert(pair.group.as_deref().unwrap_or(text));
            *states.entry(canonical(gazetteer, &pair.state)).or_default() += 1;
            actors.insert(canonical(gazetteer, &pair.actor));
            if let Some(label) = pair.label {
                *labels.entry(label).or_default() += 1;
            }
        }
        let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
        // Of states with as many rows the first by name.
        let top = states.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        Self {
            path: path.into(),
            rows,
            texts: texts.len(),
            groups: groups.len(),
            labels,
            states: states.len(),
            actors: actors.len(),
            top_state: top.map(|(name, _)| name.clone()),
            top_state_share: top.map_or(0.0, |(_, &n)| n as f64 / rows as f64),
            words_per_text: if texts.is_empty() { 0.0 } else { words as f64 / texts.len() as f64 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::example;

    #[test]
    fn counts_by_hand() {
        let mut pairs = [
            example("Russia hit Ukraine.", "Russia", "Ukraine", Stance::Opposed, 2),
            example("Russia hit Ukraine.", "Ukraine", "Moscow", Stance::Neutral, 3),
            example("The Kremlin thanked Minsk and Oz.", "Kremlin", "Oz", Stance::Aligned, 4),
        ];
        pairs[1].group = Some("other".into());
        let stats = Stats::new("x", &pairs, Gazetteer::embedded());
        assert_eq!((stats.rows, stats.texts, stats.groups, stats.states, stats.actors), (3, 2, 3, 2, 3));
        assert_eq!(stats.labels.values().sum::<usize>(), 3);
        assert_eq!(stats.top_state.as_deref(), Some("Russia"));
        assert_eq!((stats.top_state_share, stats.words_per_text), (2.0 / 3.0, 4.5));
    }
}
