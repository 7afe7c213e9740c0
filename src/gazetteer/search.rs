//! Looks up entries by what a person types.

use rustc_hash::FxHashMap;

use super::entries::EntryId;
use super::offices::NameForm;
use super::tables::{AliasRow, Tables};
use super::tokens::normal;

/// The two letters of ISO 3166-1: what people type, but no name that a text is searched for ("IT", "IN").
const TWO_LETTERS: &str = include_str!("../../datasets/gazetteer/iso2.csv");

/// Names that several have, the likeliest first.
const SEVERAL: [(&str, [&str; 2]); 2] = [("congo", ["COD", "COG"]), ("korea", ["KOR", "PRK"])];

/// Every code, name and alias in one spelling. Built when it is first needed: scanning text never needs it.
#[derive(Debug, Clone)]
pub(super) struct Search {
    entries: FxHashMap<String, EntryId>,
    /// The same keys in order, so that suggestions do not depend on the map's.
    keys: Vec<(String, EntryId)>,
}

/// Small letters, plain apostrophes, hyphens and blanks, no "the".
fn key(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let lower = words.join(" ").chars().map(normal).flat_map(char::to_lowercase).collect::<String>();
    lower.strip_prefix("the ").map(str::to_owned).unwrap_or(lower)
}

impl Search {
    pub fn new(tables: &Tables) -> Self {
        let mut keys = Vec::with_capacity(tables.aliases.len() + tables.entries.len() * 2);
        let entries = || tables.entries.iter().zip(0..).map(|(e, i)| (e, EntryId(i)));
        keys.extend(entries().map(|(e, id)| (key(&e.code), id)));
        keys.extend(entries().map(|(e, id)| (key(&e.name), id)));
        // A surname that others share ("Lee") would name whoever stands first.
        let is_shared = |row: &AliasRow| row.office.is_some_and(|office| office.form == NameForm::Shared);
        let rows = tables.aliases.iter().filter(|row| !is_shared(row));
        keys.extend(rows.filter_map(|row| Some((key(tables.get(&row.alias)), EntryId(row.entry?)))));
        let by_code: FxHashMap<&str, EntryId> = entries().map(|(e, id)| (e.code.as_str(), id)).collect();
        let two = TWO_LETTERS.lines().skip(1).filter_map(|line| line.split_once(','));
        keys.extend(two.filter_map(|(two, code)| Some((key(two), *by_code.get(code)?))));
        let mut map = FxHashMap::with_capacity_and_hasher(keys.len(), Default::default());
        for (key, id) in &keys {
            map.entry(key.clone()).or_insert(*id);
        }
        Self { entries: map, keys }
    }

    pub fn find(&self, name: &str) -> Option<EntryId> {
        self.entries.get(&key(name)).copied()
    }

    /// Whom else the name may mean, as it is itself of several.
    pub fn others(&self, name: &str) -> Vec<EntryId> {
        let name = key(name);
        let several = SEVERAL.iter().find(|(known, _)| *known == name);
        several.map_or(Vec::new(), |(_, codes)| codes[1..].iter().filter_map(|code| self.find(code)).collect())
    }

    /// The entries with the nearest keys, at most three, none further than a third of the letters.
    pub fn nearest(&self, name: &str) -> Vec<EntryId> {
        let name: String = key(name).chars().take(60).collect();
        let letters = name.chars().count();
        let most = letters.div_ceil(3);
        let mut found: Vec<(usize, usize, EntryId)> = vec![];
        for (order, (key, id)) in self.keys.iter().enumerate() {
            if key.chars().count().abs_diff(letters) > most {
                continue;
            }
            let distance = strsim::levenshtein(&name, key);
            if distance <= most {
                match found.iter_mut().find(|f| f.2 == *id) {
                    Some(f) => f.0 = f.0.min(distance),
                    None => found.push((distance, order, *id)),
                }
            }
        }
        found.sort_unstable();
        found.into_iter().take(3).map(|(_, _, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_normalised() {
        assert_eq!(key(" The  Côte d’Ivoire"), "côte d'ivoire");
    }
}
