//! What a user should know about names of her own before she relies on them.

use std::fmt;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::Gazetteer;
use crate::error::Result;

/// Something about one row of a user's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NameFinding {
    /// The line of the file.
    pub line: u64,
    /// The entry that the row gives the name to.
    pub code: String,
    /// The name.
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
    /// It belongs to another entry, which loses it.
    Moved {
        /// The code of that entry.
        from: String,
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
            Self::Moved { from } => write!(f, "moved: {from} has it now, and loses it"),
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
    /// assert_eq!(findings[0].problem, NameProblem::Moved { from: "RUS".into() });
    /// # Ok::<(), detente::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`with_overrides`](Self::with_overrides).
    pub fn check_overrides(&self, source: &[u8], path: &str) -> Result<Vec<NameFinding>> {
        let changed = self.with_overrides(source, path)?;
        let mut owners: FxHashMap<&str, &str> = FxHashMap::default();
        for row in &self.tables.aliases {
            if let Some(entry) = row.entry {
                owners.insert(self.tables.get(&row.alias), &self.tables.entries[usize::from(entry)].code);
            }
        }
        let mut seen: FxHashMap<String, u64> = FxHashMap::default();
        let mut findings = Vec::new();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
        // What cannot be read was refused above.
        for record in reader.records().filter_map(std::result::Result::ok) {
            let line = record.position().map_or(0, csv::Position::line);
            let (code, alias) = (record.get(0).unwrap_or(""), record.get(4).unwrap_or(""));
            if alias.is_empty() || alias.starts_with('-') {
                continue;
            }
            let mut add = |problem| {
                findings.push(NameFinding { line, code: code.to_owned(), alias: alias.to_owned(), problem });
            };
            match seen.get(alias) {
                Some(&line) => add(NameProblem::Repeated { line }),
                None => drop(seen.insert(alias.to_owned(), line)),
            }
            match owners.get(alias) {
                Some(owner) if *owner == code => add(NameProblem::Known),
                Some(owner) => add(NameProblem::Moved { from: (*owner).to_owned() }),
                None => {}
            }
            let is_whole =
                |m: &super::Mention| (m.start, m.end) == (0, alias.len()) && changed.get(m.entry).code == code;
            if !changed.mentions(alias).iter().any(is_whole) {
                add(NameProblem::NotFoundAlone);
            }
            let longer = self.tables.aliases.iter().map(|row| self.tables.get(&row.alias));
            let mut by: Vec<String> = longer.filter(|longer| holds(longer, alias)).map(str::to_owned).collect();
            by.sort_by_key(|name| (name.len(), name.clone()));
            by.dedup();
            by.truncate(3);
            if !by.is_empty() {
                add(NameProblem::Shadowed { by });
            }
            if let Some(like) = likeness(self, alias) {
                add(NameProblem::Ambiguous { like });
            }
        }
        Ok(findings)
    }
}
