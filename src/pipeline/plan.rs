//! From a document to the windows that answer a query.

use rustc_hash::FxHashSet;

use super::Query;
use crate::document::{Document, Party};
use crate::gazetteer::EntryId;
use crate::model::EvidenceWindow;

/// What to score, and for which pairs to answer.
pub(super) struct Plan<'d> {
    /// In the order of the text; those of the same sentences together.
    pub windows: Vec<EvidenceWindow<'d>>,
    /// The states in the order of the query, or of first mention.
    pub states: Vec<Party>,
    /// The actors likewise.
    pub actors: Vec<Party>,
}

pub(super) fn plan<'d>(document: &'d Document<'d>, query: &Query) -> Plan<'d> {
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
    let windows = document.windows().flat_map(|window| {
        let pairs = window.pairs.into_iter();
        let pairs = pairs.filter(|(s, a)| is_wanted(&query.states, *s) && is_wanted(&query.actors, *a));
        let (sentences, strength) = (window.sentences, window.strength);
        pairs.map(move |pair| EvidenceWindow { document, sentences, strength, pair })
    });
    Plan { windows: windows.collect(), states: wanted(&query.states), actors: wanted(&query.actors) }
}
