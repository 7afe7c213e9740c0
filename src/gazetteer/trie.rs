//! From step to step through all names.

use std::hint::black_box;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::compiled::whole;
use super::tokens::{Step, first_step, next_step};

/// Where every name begins.
pub(super) const ROOT: u32 = 0;

/// The nodes that names lead to, by number; the root is 0.
///
/// Steps are told apart by hashes, so whoever walks compares the text with the names at the end. Most words of a text begin no
/// name, and few words after one go on with it: they are ruled out by a bit, most often, before the table of edges is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Keys", into = "Keys")]
pub(super) struct Trie {
    /// The keys of the edges tell apart those whose lower halves are alike.
    keys: Keys,
    /// An edge is the lower half of its key, above the node that it leads to. It lies where the upper bits of its key say, or in
    /// the next slot that was free.
    slots: Vec<u64>,
    shift: u32,
    /// Which keys there are: a bit for each value of the upper bits.
    known: Vec<u64>,
}

/// What is saved of a trie: the rest follows from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Keys {
    /// The key of the edge to each node but the root: one edge leads to each.
    #[serde(with = "whole")]
    edges: Vec<u64>,
    /// Whether an edge leaves each node: a bit for each.
    #[serde(with = "whole")]
    goes_on: Vec<u64>,
}

/// A word of a text that a name may begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    pub start: usize,
    pub end: usize,
    /// Of its edge from the root.
    key: u64,
}

impl First {
    /// A word that begins at `start`.
    pub fn new(start: usize, step: Step) -> Self {
        Self { start, end: step.end, key: key(ROOT, step) }
    }
}

/// A bit for each of so many values of the upper bits of a key says whether an edge has such a key: about eighteen for each of the
/// 29,052 edges of the program's own gazetteer.
const KNOWN_BITS: u32 = 19;

/// A slot without an edge: no node has that number.
const FREE: u64 = u64::MAX;

/// The key of a step after a node, all of whose bits are spread evenly.
fn key(node: u32, step: Step) -> u64 {
    let spread = (step.hash.rotate_left(23) ^ u64::from(node)).wrapping_mul(0x517c_c1b7_2722_0a95);
    spread ^ spread >> 32
}

/// The bit of a key among those that are known.
fn known_bit(key: u64) -> (usize, u32) {
    let index = (key >> (u64::BITS - KNOWN_BITS)) as usize;
    (index / 64, index as u32 % 64)
}

/// The bit of a node among all.
fn node_bit(node: u32) -> (usize, u32) {
    (node as usize / 64, node % 64)
}

impl Trie {
    /// Of these names, and the node that each leads to: the root, for what is no name.
    pub fn new<'n>(names: impl Iterator<Item = &'n str>) -> (Self, Vec<u32>) {
        let mut keys = Keys { edges: Vec::new(), goes_on: vec![0] };
        let mut nodes = FxHashMap::default();
        let mut ends = Vec::with_capacity(names.size_hint().0);
        for name in names {
            let mut node = ROOT;
            let mut step = first_step(name, 0);
            while let Some(found) = step {
                let (word, bit) = node_bit(node);
                keys.goes_on[word] |= 1 << bit;
                let key = key(node, found);
                node = *nodes.entry(key).or_insert_with(|| {
                    keys.edges.push(key);
                    keys.goes_on.resize(keys.edges.len() / 64 + 1, 0);
                    keys.edges.len() as u32
                });
                step = next_step(name, found.end);
            }
            ends.push(node);
        }
        (keys.into(), ends)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.keys.edges.len() + 1
    }

    /// Whether a name goes on after a node.
    #[inline]
    pub fn goes_on(&self, node: u32) -> bool {
        let (word, bit) = node_bit(node);
        self.keys.goes_on[word] >> bit & 1 == 1
    }

    /// The node that a step after another leads to.
    #[inline]
    pub fn next(&self, node: u32, step: Step) -> Option<u32> {
        let key = key(node, step);
        if self.is_known(key) { self.find(key) } else { None }
    }

    /// The node that a first word leads to.
    #[inline]
    pub fn first(&self, word: First) -> Option<u32> {
        self.find(word.key)
    }

    /// Leaves out words that no name begins with; some of those that stay may be none either.
    ///
    /// There is no branch between, as the processor cannot guess which stay.
    pub fn keep_known(&self, words: &mut Vec<First>) {
        let mut kept = 0;
        for at in 0..words.len() {
            words[kept] = words[at];
            kept += usize::from(self.is_known(words[at].key));
        }
        words.truncate(kept);
        // Only asks for the edges, one right after the other; what comes of it is of no use.
        black_box(words.iter().fold(0, |all, word| all ^ self.slots[(word.key >> self.shift) as usize]));
    }

    #[inline]
    fn is_known(&self, key: u64) -> bool {
        let (word, bit) = known_bit(key);
        self.known[word] >> bit & 1 == 1
    }

    fn find(&self, key: u64) -> Option<u32> {
        let mut at = (key >> self.shift) as usize;
        loop {
            let slot = self.slots[at];
            if slot == FREE {
                return None;
            }
            let node = slot as u32;
            if slot >> 32 == key & u64::from(u32::MAX) && self.keys.edges[node as usize - 1] == key {
                return Some(node);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

impl From<Keys> for Trie {
    fn from(keys: Keys) -> Self {
        // Half of the slots at least stay free.
        let bits = (2 * keys.edges.len().max(1)).next_power_of_two().ilog2();
        let shift = u64::BITS - bits;
        let (mut slots, mut known) = (vec![FREE; 1 << bits], vec![0; (1 << KNOWN_BITS) / 64]);
        for (key, node) in keys.edges.iter().zip(1u64..) {
            let (word, bit) = known_bit(*key);
            known[word] |= 1 << bit;
            let mut at = (key >> shift) as usize;
            while slots[at] != FREE {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = key << 32 | node;
        }
        Self { keys, slots, shift, known }
    }
}

impl From<Trie> for Keys {
    fn from(trie: Trie) -> Self {
        trie.keys
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Where the steps of a text lead to, as far as they go.
    fn walk(trie: &Trie, text: &str) -> Vec<u32> {
        let Some(first) = first_step(text, 0) else { return vec![ROOT] };
        let Some(mut node) = trie.next(ROOT, first) else { return vec![ROOT] };
        let (mut nodes, mut end) = (vec![ROOT, node], first.end);
        while trie.goes_on(node)
            && let Some(step) = next_step(text, end)
            && let Some(next) = trie.next(node, step)
        {
            (node, end) = (next, step.end);
            nodes.push(node);
        }
        nodes
    }

    #[test]
    fn names_that_begin_alike_share_their_nodes() {
        let names = ["South Korea", "South Africa", "South", "Korea", "", "South Korea", "Côte d'Ivoire"];
        let (trie, ends) = Trie::new(names.into_iter());
        assert_eq!(ends, [2, 3, 1, 4, ROOT, 2, 7]);
        assert_eq!(trie.len(), 8);
        assert_eq!(walk(&trie, "SOUTH KOREA’s envoy"), [ROOT, 1, 2]);
        assert_eq!(walk(&trie, "South of Korea"), [ROOT, 1]);
        assert_eq!(walk(&trie, "Cote d’Ivoire"), [ROOT]);
        assert_eq!(walk(&trie, "Côte d’Ivoire"), [ROOT, 5, 6, 7]);
        assert!(trie.goes_on(1) && !trie.goes_on(2));
        assert_eq!(walk(&Trie::new(std::iter::empty()).0, "South Korea"), [ROOT]);
    }

    proptest! {
        #[test]
        fn leads_to_every_name_and_to_nothing_else(
            names in proptest::collection::vec("[a-c]{1,2}( [a-c]{1,2}){0,3}", 0..60),
            others in proptest::collection::vec("[a-d]{1,2}( [a-d]{1,2}){0,3}", 20),
        ) {
            let (trie, ends) = Trie::new(names.iter().map(String::as_str));
            let saved = postcard::to_stdvec(&trie).expect("memory takes all");
            let again: Trie = postcard::from_bytes(&saved).expect("its own bytes");
            let heads = |name: &str| -> Vec<String> {
                let words: Vec<&str> = name.split(' ').collect();
                (1..=words.len()).map(|count| words[..count].join(" ")).collect()
            };
            let known: BTreeSet<String> = names.iter().flat_map(|name| heads(name)).collect();
            prop_assert_eq!(trie.len(), known.len() + 1);
            for (name, end) in names.iter().zip(&ends) {
                prop_assert_eq!(walk(&trie, name).pop(), Some(*end));
            }
            let firsts = || names.iter().chain(&others).filter_map(|text| first_step(text, 0)).zip(0..);
            let mut words: Vec<First> = firsts().map(|(step, start)| First::new(start, step)).collect();
            trie.keep_known(&mut words);
            let kept: Vec<_> = words.iter().filter_map(|word| Some((word.start, trie.first(*word)?))).collect();
            let expected: Vec<_> = firsts().filter_map(|(step, start)| Some((start, trie.next(ROOT, step)?))).collect();
            prop_assert_eq!(kept, expected);
            for text in names.iter().chain(&others) {
                let nodes = walk(&trie, text);
                prop_assert_eq!(&walk(&again, text), &nodes);
                let length = heads(text).iter().take_while(|head| known.contains(*head)).count();
                prop_assert_eq!(nodes.len(), length + 1, "{}", text);
            }
        }
    }
}
