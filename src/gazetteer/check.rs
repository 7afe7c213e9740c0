//! What a user should know about names of her own before she relies on them.

use std::fmt;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::Gazetteer;
use super::tables::single_spaced;
use crate::error::Result;

/// Something about one row of a user's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NameFinding {
    /// The line of the file.
    pub line: u64,
    /// The entry that the row gives the name to.
    pub code: String,
    /// The name: an alias, or that of a new entry.
    pub alias: String,
    /// What there is to know.
    pub problem: NameProblem,
}

/// What may surprise about a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NameProblem {
    /// It stands in an earlier line, too.
    Repeated {
        /// That line.
        line: u64,
    },
    /// It belongs to other entries, which lose it.
    Moved {
        /// The codes of those entries.
        from: Vec<String>,
    },
    /// The entry has it without this file.
    Known,
    /// It is not found where it stands alone: a rule about the words around it turns it down.
    NotFoundAlone,
    /// Longer names hold it, and go first.
    Shadowed {
        /// At most three of them.
        by: Vec<String>,
    },
    /// Texts use it for other things, too.
    Ambiguous {
        /// As what.
        like: &'static str,
    },
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated { line } => write!(f, "repeated: it stands in line {line}, too"),
            Self::Moved { from } => write!(f, "moved from {}: no longer found for it", from.join(", ")),
            Self::Known => write!(f, "known: the entry has it already"),
            Self::NotFoundAlone => write!(f, "not found alone: a rule about the words around it turns it down"),
            Self::Shadowed { by } => write!(f, "shadowed: longer names go first: {}", by.join(", ")),
            Self::Ambiguous { like } => write!(f, "ambiguous: it is also {like}"),
        }
    }
}

/// Whether `alias` stands in `longer` as whole words.
fn holds(longer: &str, alias: &str) -> bool {
    longer.len() > alias.len()
        && longer.match_indices(alias).any(|(at, _)| {
            !longer[..at].ends_with(char::is_alphanumeric)
                && !longer[at + alias.len()..].starts_with(char::is_alphanumeric)
        })
}

/// A name that a row of the file gives to an entry.
struct NameRow {
    line: u64,
    code: String,
    name: String,
}

/// The names that the file gives: aliases, and the names of new entries.
fn names(gazetteer: &Gazetteer, source: &[u8]) -> Vec<NameRow> {
    let mut codes: FxHashSet<String> = gazetteer.entries().iter().map(|entry| entry.code.clone()).collect();
    let mut rows = Vec::new();
    let mut reader = csv::Reader::from_reader(source);
    // What cannot be read was refused before.
    for record in reader.records().filter_map(std::result::Result::ok) {
        let line = record.position().map_or(0, csv::Position::line);
        let [code, name, alias] = [0, 1, 4].map(|i| single_spaced(record.get(i).unwrap_or("")).into_owned());
        let is_new = codes.insert(code.clone());
        let is_name = |name: &String| !name.is_empty() && !name.starts_with('-');
        let alias = Some(alias).filter(|alias| *alias != name || !is_new);
        for name in [Some(name).filter(|_| is_new), alias].into_iter().flatten().filter(is_name) {
            rows.push(NameRow { line, code: code.clone(), name });
        }
    }
    rows
}

/// The codes of the entries that have each name.
fn owners(gazetteer: &Gazetteer) -> FxHashMap<&str, Vec<&str>> {
    let mut owners: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for row in &gazetteer.tables.aliases {
        if let Some(entry) = row.entry {
            let code = &*gazetteer.tables.entries[usize::from(entry)].code;
            let known = owners.entry(gazetteer.tables.get(&row.alias)).or_default();
            if !known.contains(&code) {
                known.push(code);
            }
        }
    }
    owners
}

/// All names by the words in them.
struct Longer<'g>(FxHashMap<&'g str, Vec<&'g str>>);

impl<'g> Longer<'g> {
    fn new(gazetteer: &'g Gazetteer) -> Self {
        let mut by_word: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for row in &gazetteer.tables.aliases {
            let name = gazetteer.tables.get(&row.alias);
            for word in words(name) {
                by_word.entry(word).or_default().push(name);
            }
        }
        Self(by_word)
    }

    /// At most three names that hold this one, the shortest first.
    fn than(&self, name: &str) -> Vec<String> {
        let rarest =
            words(name).map(|word| self.0.get(word).map_or(&[][..], Vec::as_slice)).min_by_key(|names| names.len());
        let mut by: Vec<&str> = rarest.unwrap_or(&[]).iter().copied().filter(|longer| holds(longer, name)).collect();
        by.sort_by_key(|name| (name.len(), *name));
        by.dedup();
        by.into_iter().take(3).map(str::to_owned).collect()
    }
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// What texts use such a word for.
fn likeness(gazetteer: &Gazetteer, alias: &str) -> Option<&'static str> {
    if alias.starts_with(char::is_lowercase) {
        return Some("a word in small letters");
    }
    if alias.chars().count() < 3 {
        return Some("a very short word");
    }
    gazetteer.tables.given_names.iter().any(|name| **name == *alias).then_some("a first name")
}

impl Gazetteer {
    /// What there is to know about a user's names, in the order of the file: `source` as
    /// [`with_overrides`](Self::with_overrides) takes it.
    ///
    /// ```
    /// use detente::gazetteer::{Gazetteer, NameProblem};
    /// let rows = "code,name,kind,region,alias,how\nUSA,,,,Moscow,capital\n";
    /// let findings = Gazetteer::embedded().check_overrides(rows.as_bytes(), "mine.csv")?;
    /// assert_eq!(findings[0].problem, NameProblem::Moved { from: vec!["RUS".into()] });
    /// # Ok::<(), detente::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`with_overrides`](Self::with_overrides).
    pub fn check_overrides(&self, source: &[u8], path: &str) -> Result<Vec<NameFinding>> {
        let changed = self.with_overrides(source, path)?;
        let rows = names(self, source);
        let owners = owners(self);
        let longer = Longer::new(&changed);
        let last: FxHashMap<&str, usize> = rows.iter().enumerate().map(|(i, row)| (&*row.name, i)).collect();
        let mut seen: FxHashMap<&str, u64> = FxHashMap::default();
        let mut findings = Vec::new();
        for (i, NameRow { line, code, name }) in rows.iter().enumerate() {
            let mut add = |problem| {
                findings.push(NameFinding { line: *line, code: code.clone(), alias: name.clone(), problem });
            };
            match seen.get(&**name) {
                Some(&line) => add(NameProblem::Repeated { line }),
                None => drop(seen.insert(name, *line)),
            }
            let known = owners.get(&**name).map_or(&[][..], Vec::as_slice);
            if known.contains(&&**code) {
                add(NameProblem::Known);
            }
            let from: Vec<String> = known.iter().filter(|owner| *owner != code).map(|&owner| owner.into()).collect();
            if !from.is_empty() {
                add(NameProblem::Moved { from });
            }
            let is_whole =
                |m: &super::Mention| (m.start, m.end) == (0, name.len()) && changed.get(m.entry).code == *code;
            // Where a later line gives the name to another, that line is the one to judge.
            if last[&**name] == i && !changed.mentions(name).iter().any(is_whole) {
                add(NameProblem::NotFoundAlone);
            }
            let by = longer.than(name);
            if !by.is_empty() {
                add(NameProblem::Shadowed { by });
            }
            if let Some(like) = likeness(self, name) {
                add(NameProblem::Ambiguous { like });
            }
        }
        Ok(findings)
    }
}
