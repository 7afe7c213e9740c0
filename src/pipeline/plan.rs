//! From documents to the windows that answer a query.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::Query;
use crate::document::{Document, Party};
use crate::gazetteer::EntryId;
use crate::model::EvidenceWindow;

/// Which windows answer for one article, and for which pairs.
pub(super) struct Plan {
    /// Its windows among all: in the order of the text, those of the same sentences together.
    pub windows: Range<usize>,
    /// The states in the order of the query, or of first mention.
    pub states: Vec<Party>,
    /// The actors likewise.
    pub actors: Vec<Party>,
}

/// Appends the windows of one more document to `all`.
pub(super) fn plan<'d>(document: &'d Document<'d>, query: &Query, all: &mut Vec<EvidenceWindow<'d>>) -> Plan {
    let wanted = |asked: &[EntryId]| -> Vec<Party> {
        if asked.is_empty() {
            document.parties().to_vec()
        } else {
            let mut seen = FxHashSet::default();
            asked.iter().copied().filter(|id| seen.insert(*id)).map(Party::Entry).collect()
        }
    };
    let is_wanted =
        |asked: &[EntryId], party| matches!(party, Party::Entry(id) if asked.is_empty() || asked.contains(&id));
    let windows = document.windows().into_iter().flat_map(|window| {
        let pairs = window.pairs.into_iter();
        let pairs = pairs.filter(|(s, a)| is_wanted(&query.states, *s) && is_wanted(&query.actors, *a));
        let (sentences, strength) = (window.sentences, window.strength);
        pairs.map(move |pair| EvidenceWindow { document, sentences, strength, pair })
    });
    let start = all.len();
    all.extend(windows);
    Plan { windows: start..all.len(), states: wanted(&query.states), actors: wanted(&query.actors) }
}
