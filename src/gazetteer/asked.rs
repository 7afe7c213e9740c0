//! Whether a text can name somebody at all: most articles do not name who is asked for, and need not be read.

use rustc_hash::FxHashSet;

use super::Gazetteer;
use super::entries::EntryId;
use super::starts::{Start, Starts};
use super::tokens::{first_step, next_step, word_starts};
use super::written::Plain;

/// How the names of one entry can begin, once for each beginning.
pub(super) type Beginnings = Vec<Beginning>;

/// How a name can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Beginning {
    /// The hash of its first word, and of the second, if it has one: many names begin as "President Putin" does.
    pub hashes: (u64, Option<u64>),
    /// As the name is written, and with a capital.
    pub starts: [Start; 2],
}

/// The beginnings of the names of some entries.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    starts: Starts,
    /// First words that are a name, and those with the second words of others.
    words: FxHashSet<u64>,
    pairs: FxHashSet<(u64, u64)>,
}

impl Asked {
    /// For these entries.
    pub fn new(gazetteer: &Gazetteer, entries: &[EntryId]) -> Self {
        let mut asked = Self { starts: Starts::default(), words: Default::default(), pairs: Default::default() };
        for beginning in entries.iter().flat_map(|id| gazetteer.beginnings(*id)) {
            match beginning.hashes {
                (first, None) => asked.words.insert(first),
                (first, Some(second)) => asked.pairs.insert((first, second)),
            };
            beginning.starts.into_iter().for_each(|start| asked.starts.add(start));
        }
        asked
    }

    /// Whether a name of one of them may begin somewhere in `text`. Where none does, the text names none of them.
    pub fn may_be_in(&self, text: &str) -> bool {
        let plain = Plain::new(text);
        let text = plain.as_ref().map_or(text, |plain| &plain.text);
        let mut found = false;
        word_starts(text.as_bytes(), |at| {
            // A letter beyond ASCII may be a capital of one within: the sign of Kelvin is one of "k".
            let is_plain = text.as_bytes()[at..].iter().take(3).all(u8::is_ascii);
            if (!is_plain || self.starts.has(Start::of(text.as_bytes(), at))) && !found {
                found = self.begins_at(text, at);
            }
        });
        found
    }

    fn begins_at(&self, text: &str, at: usize) -> bool {
        let Some(first) = first_step(text, at) else { return false };
        self.words.contains(&first.hash)
            || next_step(text, first.end).is_some_and(|second| self.pairs.contains(&(first.hash, second.hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_may_be() {
        let gazetteer = Gazetteer::embedded();
        // Each alias by itself, as it is written and in capitals, and in texts with rules for it.
        let texts = gazetteer.entries().iter().flat_map(|entry| {
            let id = gazetteer.find(&entry.code).expect("its code");
            gazetteer.aliases(id).flat_map(|alias| {
                let name = alias.text;
                [
                    name.to_owned(),
                    name.to_uppercase(),
                    format!("In 2004 President {name}\u{2019}s envoy of {name} left."),
                ]
            })
        });
        let mut texts: Vec<String> = texts.collect();
        texts.extend(
            [
                "Georgia’s Tbilisi and Georgia in Atlanta",
                "Congo (Kinshasa), Seoul and Korea",
                "the West",
                "\u{212a}enya left U\u{212a}RAINE.",
            ]
            .map(String::from),
        );
        for text in texts {
            for mention in gazetteer.mentions(&text) {
                assert!(Asked::new(gazetteer, &[mention.entry]).may_be_in(&text), "{text}");
            }
        }
    }

    #[test]
    fn who_is_not_named_is_ruled_out() {
        let gazetteer = Gazetteer::embedded();
        let asked = |name| Asked::new(gazetteer, &[gazetteer.find(name).expect("a name")]);
        let text = "Chad recalled its envoy from Lima; the ministry in N’Djamena gave no reason.";
        assert!(asked("Chad").may_be_in(text) && asked("Peru").may_be_in(text));
        assert!(!asked("Russia").may_be_in(text) && !asked("Oman").may_be_in(text));
        assert!(!asked("Chad").may_be_in("") && !Asked::new(gazetteer, &[]).may_be_in(text));
    }
}
