//! Who or what a name stands for, within one document.

use crate::article::Span;
use crate::gazetteer::EntryId;

/// A party of a document. Which one it is never reaches a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// An entry of the gazetteer.
    Entry(EntryId),
    /// The state of a labelled pair whose place in the text is given, whatever its name.
    State,
    /// The actor of such a pair.
    Actor,
}

impl From<EntryId> for Party {
    fn from(entry: EntryId) -> Self {
        Self::Entry(entry)
    }
}

/// How a name that is neither the state nor the actor of a pair shows in the features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// A state or territory.
    State,
    /// A bloc or world body.
    Body,
    /// An armed group.
    ArmedGroup,
}

/// A named span of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Byte range in the part of the article.
    pub span: Span,
    /// Whom it names.
    pub party: Party,
    /// What kind of party that is.
    pub kind: PartyKind,
    /// Whether the words only take up the subject of the sentence before ("It", "The kingdom"), and name nobody.
    pub carried: bool,
}
