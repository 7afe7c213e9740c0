//! What is wrong with the input, said once for each kind of fault.

use std::collections::BTreeMap;

use detente::Error;

use super::say;

/// How many faults of one kind are said one by one, if they differ in what was found.
const SAID: usize = 3;
/// The most kinds that are told apart; beyond that all are one.
const KINDS: usize = 1000;

/// Path, column, and what was expected.
type Kind = (String, Option<u64>, String);

/// The faults of a kind.
#[derive(Debug, Default)]
struct Faults {
    /// What was found in those that were said.
    said: Vec<String>,
    /// How many there were besides, and the line of the last.
    more: u64,
    last: u64,
}

/// Errors of many rows. The first few of a kind are said at once, of the others how many there are.
#[derive(Debug, Default)]
pub struct Complaints {
    kinds: BTreeMap<Kind, Faults>,
    any: bool,
    /// What was to be said, where it is kept, how much of it may be, and how much more there was.
    kept: Option<(Vec<String>, usize)>,
    lost: usize,
}

impl Complaints {
    /// Complaints of which the first `most` are kept in place of being said.
    pub fn kept(most: usize) -> Self {
        Self { kept: Some((Vec::new(), most)), ..Self::default() }
    }

    /// What was kept.
    pub fn into_kept(self) -> Vec<String> {
        let (mut kept, _) = self.kept.unwrap_or_default();
        if self.lost > 0 {
            kept.push(format!("and {} more", self.lost));
        }
        kept
    }

    /// Says something of the input as a whole that is wrong, or keeps it.
    pub fn tell(&mut self, message: String) {
        self.any = true;
        match &mut self.kept {
            Some((kept, most)) if kept.len() < *most => kept.push(message),
            Some(_) => self.lost += 1,
            None => say(format_args!("error: {message}")),
        }
    }

    /// Says an error, or counts it where enough of its kind were said, or just the same.
    pub fn add(&mut self, error: &Error) {
        self.any = true;
        if let Error::Format { location, found, expected } = error
            && let Some(line) = location.line
        {
            let mut kind = (location.path.clone(), location.column, expected.clone());
            if self.kinds.len() >= KINDS && !self.kinds.contains_key(&kind) {
                kind = (location.path.clone(), None, String::new());
            }
            let faults = self.kinds.entry(kind).or_default();
            if faults.said.len() == SAID || faults.said.contains(found) {
                (faults.more, faults.last) = (faults.more + 1, line);
                return;
            }
            faults.said.push(found.clone());
        }
        self.tell(error.to_string());
    }

    /// Says how many faults of each kind there were beyond those said; gives whether there was any at all.
    pub fn finish(&mut self) -> bool {
        for ((path, _, expected), faults) in std::mem::take(&mut self.kinds) {
            if faults.more == 0 {
                continue;
            }
            let rows =
                if faults.more == 1 { "1 more row has".into() } else { format!("{} more rows have", faults.more) };
            let (path, expected) = (detente::visible(&path), detente::shortened(&expected));
            let last = faults.last;
            self.tell(format!("{path}: {rows} the same fault, the last on line {last} (expected {expected})"));
        }
        self.any
    }
}
