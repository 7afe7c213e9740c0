//! Looks up entries by what a person types.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::entries::EntryId;
use super::offices::NameForm;
use super::tables::{AliasRow, Tables, single_spaced};
use super::tokens::normal;

/// The two letters of ISO 3166-1: what people type, but no name that a text is searched for ("IT", "IN").
const TWO_LETTERS: &str = include_str!("../../datasets/gazetteer/iso2.csv");

/// Names that several have, the likeliest first.
const SEVERAL: [(&str, [&str; 2]); 2] = [("congo", ["COD", "COG"]), ("korea", ["KOR", "PRK"])];

/// Every code, name and alias in one spelling. Built when it is first needed: scanning text never needs it, and most people
/// type a code or a name.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// Codes and names.
    entries: OnceLock<FxHashMap<String, EntryId>>,
    all: OnceLock<Keys>,
}

#[derive(Debug, Clone)]
struct Keys {
    entries: FxHashMap<String, EntryId>,
    /// The same keys in order, so that suggestions do not depend on the map's.
    keys: Vec<(String, EntryId)>,
}

/// The key of each, with the first entry that has it.
fn by_key<'k>(keys: impl Iterator<Item = &'k (String, EntryId)>) -> FxHashMap<String, EntryId> {
    let mut map = FxHashMap::default();
    for (key, id) in keys {
        map.entry(key.clone()).or_insert(*id);
    }
    map
}

/// Codes, then names.
fn entry_keys(tables: &Tables) -> Vec<(String, EntryId)> {
    let entries = || tables.entries.iter().zip(0..).map(|(e, i)| (e, EntryId(i)));
    entries().map(|(e, id)| (key(&e.code), id)).chain(entries().map(|(e, id)| (key(&e.name), id))).collect()
}

/// Small letters, plain apostrophes, hyphens and blanks, no "the".
fn key(name: &str) -> String {
    // Most are plain already, but for their capitals.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'`';
    if name.bytes().all(is_plain)
        && name.as_bytes().windows(2).all(|two| two != b"  ")
        && name.trim_ascii().len() == name.len()
    {
        let mut lower = name.to_owned();
        lower.make_ascii_lowercase();
        if lower.starts_with("the ") {
            lower.drain(..4);
        }
        return lower;
    }
    let lower = single_spaced(name).chars().map(normal).flat_map(char::to_lowercase).collect::<String>();
    lower.strip_prefix("the ").map(str::to_owned).unwrap_or(lower)
}

impl Keys {
    fn new(tables: &Tables) -> Self {
        let mut keys = entry_keys(tables);
        // A surname that others share ("Lee") would name whoever stands first.
        let is_shared = |row: &AliasRow| row.office.is_some_and(|office| office.form == NameForm::Shared);
        let rows = tables.aliases.iter().filter(|row| !is_shared(row));
        keys.extend(rows.filter_map(|row| Some((key(tables.get(&row.alias)), EntryId(row.entry?)))));
        let by_code: FxHashMap<&str, EntryId> =
            tables.entries.iter().zip(0..).map(|(e, id)| (e.code.as_str(), EntryId(id))).collect();
        let two = TWO_LETTERS.lines().skip(1).filter_map(|line| line.split_once(','));
        keys.extend(two.filter_map(|(two, code)| Some((key(two), *by_code.get(code)?))));
        Self { entries: by_key(keys.iter()), keys }
    }
}

impl Search {
    fn all(&self, tables: &Tables) -> &Keys {
        self.all.get_or_init(|| Keys::new(tables))
    }

    pub fn find(&self, tables: &Tables, name: &str) -> Option<EntryId> {
        let key = key(name);
        let entries = self.entries.get_or_init(|| by_key(entry_keys(tables).iter()));
        entries.get(&key).or_else(|| self.all(tables).entries.get(&key)).copied()
    }

    /// Whom else the name may mean, as it is itself of several.
    pub fn others(&self, tables: &Tables, name: &str) -> Vec<EntryId> {
        let name = key(name);
        let several = SEVERAL.iter().find(|(known, _)| *known == name);
        several.map_or(Vec::new(), |(_, codes)| codes[1..].iter().filter_map(|code| self.find(tables, code)).collect())
    }

    /// The entries with the nearest keys, at most three, none further than a third of the letters.
    pub fn nearest(&self, tables: &Tables, name: &str) -> Vec<EntryId> {
        let name: String = key(name).chars().take(60).collect();
        let letters = name.chars().count();
        let most = letters.div_ceil(3);
        let mut found: Vec<(usize, usize, EntryId)> = vec![];
        for (order, (key, id)) in self.all(tables).keys.iter().enumerate() {
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
        for (name, expected) in [
            (" The  Côte d’Ivoire", "côte d'ivoire"),
            ("The UK", "uk"),
            ("the", "the"),
            ("Côte d`Ivoire", "côte d'ivoire"),
            ("d`Or  ", "d'or"),
            ("A  B", "a b"),
            ("", ""),
        ] {
            assert_eq!(key(name), expected, "{name:?}");
        }
    }
}
