//! What is wrong with the input, said once for each kind of fault.

use std::collections::BTreeMap;

use detente::Error;

use super::say;

/// Kinds of fault that are told apart; beyond that each is said.
const KINDS: usize = 1000;

/// Path, column, what was found and what was expected.
type Kind = (String, Option<u64>, String, String);

/// Errors of many rows. The first of a kind is said at once, of the others how many there are.
#[derive(Debug, Default)]
pub struct Complaints {
    /// How many there were after the first, and the line of the last.
    more: BTreeMap<Kind, (u64, u64)>,
    any: bool,
}

impl Complaints {
    /// Says an error, or counts it where the same stood on another line.
    pub fn add(&mut self, error: &Error) {
        self.any = true;
        if let Error::Format { location, found, expected } = error
            && let Some(line) = location.line
            && self.more.len() < KINDS
        {
            let kind = (location.path.clone(), location.column, found.clone(), expected.clone());
            if let Some((count, last)) = self.more.get_mut(&kind) {
                (*count, *last) = (*count + 1, line);
                return;
            }
            self.more.insert(kind, (0, line));
        }
        say(format_args!("error: {error}"));
    }

    /// Says how many faults of each kind there were beyond the first; gives whether there was any at all.
    pub fn finish(self) -> bool {
        for ((path, _, found, _), (count, last)) in self.more.into_iter().filter(|(_, (count, _))| *count > 0) {
            let rows = if count == 1 { "1 more row has".into() } else { format!("{count} more rows have") };
            let (path, found) = (detente::visible(&path), detente::shortened(&found));
            say(format_args!("error: {path}: {rows} the same fault ({found}), the last on line {last}"));
        }
        self.any
    }
}
