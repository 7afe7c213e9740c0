//! What the gazetteer holds: entries, their kinds, and the ways in which a name can stand for one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Index of an entry in [`Gazetteer::entries`](super::Gazetteer::entries), which is sorted by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryId(pub u16);

impl EntryId {
    /// The position in the list of entries.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A value that a column of the gazetteer's files does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {expected}")]
pub struct UnknownWord {
    /// What was found.
    pub found: String,
    /// The words that are allowed.
    pub expected: &'static str,
}

/// Defines an enum whose variants have one word each in the CSV files.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// All of them, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            const WORDS: &'static str = concat!($("`", $word, "` "),+);

            /// The word for it in the CSV files.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { found: word.to_owned(), expected: Self::WORDS.trim_ascii_end() }),
                }
            }
        }
    };
}

words! {
    /// What sort of actor an entry is.
    Kind {
        /// A sovereign state, an observer at the UN, Taiwan or Kosovo.
        State = "state",
        /// A dependent, disputed or self-governing territory.
        Territory = "territory",
        /// A state or alliance that is no more.
        Former = "former",
        /// States that act together: a union, an alliance, a forum.
        Bloc = "bloc",
        /// An organisation or court with members from many states.
        Body = "body",
        /// An armed group or movement.
        ArmedGroup = "armed_group",
    }
}

words! {
    /// How a name stands for its entry.
    MatchKind {
        /// The name, or another name in use.
        Name = "name",
        /// A name of former times.
        FormerName = "former_name",
        /// The long form.
        Official = "official",
        /// The adjective: "Russian".
        Adjective = "adjective",
        /// A word for its people: "Dane".
        Demonym = "demonym",
        /// Its people or members as a group: "Russians", "EU countries".
        Plural = "plural",
        /// The capital, used for the government.
        Capital = "capital",
        /// A palace, street or building, used for the government.
        Seat = "seat",
        /// A person who speaks for it, with or without the office.
        Leader = "leader",
        /// A ministry.
        Ministry = "ministry",
        /// Initials, with or without full stops.
        Abbreviation = "abbreviation",
        /// A parliament, an army, an agency, a ruling party, a commission.
        Institution = "institution",
    }
}

/// A state, or a body that acts like one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// ISO 3166-1 alpha-3 for states and territories that have one; else a code of our own.
    pub code: String,
    /// The name to show.
    pub name: String,
    /// What sort of actor it is.
    pub kind: Kind,
    /// Continent; empty for bodies.
    pub region: String,
    /// Part of the continent; empty for bodies.
    pub subregion: String,
    /// First year, where it matters.
    pub since: String,
    /// Last year, for what is no more.
    pub until: String,
    /// A remark for readers of the list.
    pub note: String,
}

/// One alias of an entry, as `detente gazetteer list` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias<'a> {
    /// As it stands in text.
    pub text: &'a str,
    /// How it stands for the entry.
    pub how: MatchKind,
    /// Day, month or year from which it holds; empty if it always did.
    pub from: &'a str,
    /// Day, month or year until which it holds; empty if it still does.
    pub until: &'a str,
    /// The office of a leader, or a remark.
    pub context: &'a str,
}

/// A place in a text that names an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mention {
    /// Whom it names.
    pub entry: EntryId,
    /// First byte.
    pub start: usize,
    /// One past the last byte. A possessive `'s` is not part of it.
    pub end: usize,
    /// How it names the entry.
    pub how: MatchKind,
}
