//! Finds every name of the gazetteer in one pass.
//!
//! Names begin where words begin, so the scan goes from word to word. Most words are ruled out by their first three
//! bytes. From the others a walk through a trie of steps (see `trie` and `tokens`) collects every name that begins there; the
//! longest whose capitals fit and whose rules (see `context`) allow it is taken, else the next shorter one, else the
//! scan goes on at the next word. So "leftmost, then longest, then whatever is left" holds even where the longest
//! candidate is turned down: in "Washington Postal" the exclusion "Washington Post" does not apply and "Washington" is
//! found.
//!
//! `aho-corasick` over the same names takes about ten times as long to build and cannot let a blank in a name stand for
//! a line break; figures are in `datasets/gazetteer/README.md`.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::asked::{Beginning, Beginnings};
use super::context::{Around, Rule, Verdict, before_gap, in_address, in_capitals};
use super::entries::{EntryId, MatchKind, Mention};
use super::offices::NameForm;
use super::starts::{Start, Starts};
use super::tables::{AliasRow, Tables};
use super::tokens::{Case, char_at, char_before, compare, first_step, next_step, word_starts};
use super::trie::{First, ROOT, Trie};
use crate::date::YearMonth;

const NONE: u32 = u32::MAX;

/// Names in capitals are taken for their names only from this many characters on: "IRAN", but not "XI".
const SHORTEST_IN_CAPITALS: usize = 4;

/// So many words that a name may begin with are looked up together: as many as two articles have.
const TOGETHER: usize = 64;

/// A name that ends at a node of the trie.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Name {
    /// Row of [`Tables::aliases`].
    row: u32,
    /// The next name that ends at the same node, or [`NONE`].
    next: u32,
    /// Index into [`Matcher::rules`], or [`NONE`].
    rules: u32,
    class: Class,
}

/// What the wildcard rules of `ambiguous.csv` go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Class {
    Name = 0,
    Adjective = 1,
    Capital = 2,
    /// A surname that stands alone.
    Surname = 3,
    /// A surname that must be introduced.
    Shared = 4,
    /// The full name of a person.
    Leader = 5,
    Other = 6,
}

impl Class {
    const PATTERNS: [&'static str; 6] = ["*name", "*adjective", "*capital", "*surname", "*shared", "*leader"];

    fn of(row: &AliasRow, alias: &str) -> Self {
        match (row.how, row.office) {
            (MatchKind::Name | MatchKind::FormerName, _) => Self::Name,
            (MatchKind::Adjective, _) => Self::Adjective,
            (MatchKind::Capital, _) => Self::Capital,
            (MatchKind::Leader, Some(office)) => match office.form {
                NameForm::Full => Self::Leader,
                NameForm::Unmistakable => Self::Surname,
                NameForm::Shared => Self::Shared,
            },
            (MatchKind::Leader, None) if alias.contains(' ') => Self::Leader,
            (MatchKind::Leader, None) => Self::Surname,
            _ => Self::Other,
        }
    }
}

/// The names, ready to be found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Matcher {
    /// How a name can begin.
    starts: Starts,
    trie: Trie,
    /// The first of the names that end at each node, or [`NONE`].
    ends: Vec<u32>,
    names: Vec<Name>,
    rules: Vec<Vec<Rule>>,
    wildcards: [Vec<Rule>; 6],
}

/// What is known while a text is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// When it was written.
    pub date: Option<YearMonth>,
    /// The persons it has introduced.
    pub introduced: FxHashSet<u16>,
}

/// A text, and what was found in it up to a place.
struct SoFar<'a> {
    tables: &'a Tables,
    text: &'a str,
    reading: &'a mut Reading,
    mentions: &'a mut Vec<Mention>,
    named: FxHashSet<EntryId>,
    /// Where what was found last ends.
    end: usize,
}

impl SoFar<'_> {
    fn add(&mut self, found: Found) {
        if let Some(mention) = found.mention {
            self.reading.introduced.extend(found.person);
            self.named.insert(mention.entry);
            self.mentions.push(mention);
        }
        self.end = found.end;
    }
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
struct Found {
    end: usize,
    /// Whom it names; nobody, for an exclusion.
    mention: Option<Mention>,
    person: Option<u16>,
    /// Whether it might as well name another.
    is_shared: bool,
}

impl Found {
    fn names_same(&self, other: &Self) -> bool {
        self.mention.map(|m| m.entry) == other.mention.map(|m| m.entry)
    }
}

/// Which of the names that are written alike is meant: the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    rank: Rank,
    /// Whether the text has named that entry before.
    is_known: bool,
    /// Whether the person is in office on that day.
    is_on: bool,
    since: Option<YearMonth>,
}

impl Order {
    fn ties(&self, other: &Self) -> bool {
        (self.rank, self.is_known, self.is_on) == (other.rank, other.is_known, other.is_on)
    }
}

/// What a candidate comes to, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A person out of office: names nobody, and hides the names within.
    Former,
    /// A surname that others share.
    Shared,
    /// The name of a person of whom only the past is known.
    Past,
    /// A name.
    Name,
    /// A person known for good, in an article without a date.
    Known,
    /// The surname of a person who was introduced before.
    Introduced,
    /// A phrase that only looks like a name.
    Exclusion,
}

impl Matcher {
    /// Builds the trie of all aliases and exclusions of `tables`.
    pub fn new(tables: &Tables) -> Self {
        let (trie, last) = Trie::new(tables.aliases.iter().map(|alias| tables.get(&alias.alias)));
        let mut matcher = Self {
            starts: Starts::default(),
            ends: vec![NONE; trie.len()],
            trie,
            names: Vec::with_capacity(tables.aliases.len()),
            rules: Vec::new(),
            wildcards: Default::default(),
        };
        let by_alias = matcher.read_rules(tables);
        for ((row, alias), node) in tables.aliases.iter().enumerate().zip(last) {
            let text = tables.get(&alias.alias);
            let rules = match alias.entry {
                Some(_) => by_alias.get(text).copied().unwrap_or(NONE),
                None => NONE,
            };
            matcher.insert(text, row as u32, rules, Class::of(alias, text), node);
        }
        matcher
    }

    /// Takes the rules and returns which of them belong to which alias.
    fn read_rules<'t>(&mut self, tables: &'t Tables) -> FxHashMap<&'t str, u32> {
        let mut by_alias = FxHashMap::default();
        for row in &tables.rules {
            let verdict = match row.code.as_str() {
                "-" => Verdict::Nobody,
                "=" => Verdict::Own,
                code => tables.position(code).map_or(Verdict::Own, |e| Verdict::Entry(EntryId(e))),
            };
            let rule = Rule { verdict, condition: row.condition };
            match Class::PATTERNS.iter().position(|p| *p == row.alias) {
                Some(class) => self.wildcards[class].push(rule),
                None => {
                    let index = *by_alias.entry(row.alias.as_str()).or_insert(self.rules.len() as u32);
                    if index as usize == self.rules.len() {
                        self.rules.push(vec![]);
                    }
                    self.rules[index as usize].push(rule);
                }
            }
        }
        by_alias
    }

    /// Keeps a name, which leads to `node`; the root, where it is none.
    fn insert(&mut self, text: &str, row: u32, rules: u32, class: Class, node: u32) {
        if node == ROOT {
            return;
        }
        self.names.push(Name { row, next: self.ends[node as usize], rules, class });
        self.ends[node as usize] = self.names.len() as u32 - 1;
        Start::both_of(text).into_iter().for_each(|start| self.starts.add(start));
    }

    /// How the names of each entry can begin, those that rules make its names included.
    pub fn beginnings(&self, tables: &Tables) -> Vec<Beginnings> {
        let mut all = vec![Vec::new(); tables.entries.len()];
        for name in &self.names {
            let row = &tables.aliases[name.row as usize];
            let text = tables.get(&row.alias);
            let Some(first) = first_step(text, 0) else { continue };
            let second = next_step(text, first.end).map(|step| step.hash);
            let special = if name.rules == NONE { &[][..] } else { &self.rules[name.rules as usize] };
            let rules = special.iter().chain(self.wildcards.iter().flatten());
            let by_rule = rules.filter_map(|rule| match rule.verdict {
                Verdict::Entry(entry) => Some(entry.index()),
                Verdict::Own | Verdict::Nobody => None,
            });
            for entry in row.entry.map(usize::from).into_iter().chain(by_rule) {
                all[entry].push(Beginning { hashes: (first.hash, second), starts: Start::both_of(text) });
            }
        }
        for beginnings in &mut all {
            beginnings.sort_unstable();
            beginnings.dedup();
        }
        all
    }

    /// Appends the mentions of `text` to `out`, in order and without overlap.
    ///
    /// Words that a name may begin with are looked up many at a time, as what is waited for is more than what is computed.
    pub fn find(&self, tables: &Tables, text: &str, reading: &mut Reading, out: &mut Vec<Mention>) {
        let mut so_far = SoFar { tables, text, reading, mentions: out, named: FxHashSet::default(), end: 0 };
        let (mut starts, mut count, mut words) = ([0; TOGETHER], 0, Vec::with_capacity(TOGETHER));
        word_starts(text.as_bytes(), |at| {
            // Written whether a name can begin here or not: then the next takes its place.
            starts[count] = at;
            count += usize::from(self.starts.has(Start::of(text.as_bytes(), at)));
            if count == TOGETHER {
                self.find_from(&starts, &mut words, &mut so_far);
                count = 0;
            }
        });
        self.find_from(&starts[..count], &mut words, &mut so_far);
    }

    /// Adds the names that begin with the words at some of these places, which come next in the text; `words` is memory for them.
    fn find_from(&self, starts: &[usize], words: &mut Vec<First>, so_far: &mut SoFar<'_>) {
        words.clear();
        words.extend(starts.iter().filter_map(|at| first_word(so_far.text, *at)));
        self.trie.keep_known(words);
        for word in words {
            if word.start >= so_far.end
                && let Some(node) = self.trie.first(*word)
                && let Some(found) = self.longest(so_far, word.start, (node, word.end))
            {
                so_far.add(found);
            }
        }
    }

    /// The longest name at `start` that may stand there, and whom it names: nobody, for an exclusion. The first word of
    /// it leads to a node, and ends at `end`.
    fn longest(&self, so_far: &SoFar<'_>, start: usize, (mut node, mut end): (u32, usize)) -> Option<Found> {
        // No name has more steps than this; a longer one would be cut to its first candidates.
        const MOST: usize = 16;
        let mut candidates = [(NONE, 0); MOST];
        let mut count = 0;
        loop {
            if self.ends[node as usize] != NONE && count < MOST {
                candidates[count] = (self.ends[node as usize], end);
                count += 1;
            }
            if !self.trie.goes_on(node) {
                break;
            }
            let Some(step) = next_step(so_far.text, end) else { break };
            let Some(next) = self.trie.next(node, step) else { break };
            (node, end) = (next, step.end);
        }
        candidates[..count].iter().rev().find_map(|&(name, end)| self.best(so_far, (start, end), name))
    }

    /// The best of the names that are written alike.
    fn best(&self, so_far: &SoFar<'_>, span: (usize, usize), mut name: u32) -> Option<Found> {
        let mut best: Option<(Order, Found)> = None;
        while name != NONE {
            let candidate = self.names[name as usize];
            name = candidate.next;
            let Some((rank, mention)) = self.judge(so_far, span, candidate) else { continue };
            let office = so_far.tables.aliases[candidate.row as usize].office;
            let found = Found { end: span.1, mention, person: office.map(|office| office.person), is_shared: false };
            if name == NONE && best.is_none() {
                return Some(found);
            }
            let is_known = mention.is_some_and(|m| so_far.named.contains(&m.entry));
            let is_on = office.is_some_and(|office| office.is_on(so_far.reading.date));
            let order = Order { rank, is_known, is_on, since: office.and_then(|office| office.from) };
            best = match best {
                None => Some((order, found)),
                // Two of one surname, and nothing tells which: neither.
                Some((other, before)) if rank == Rank::Shared && order.ties(&other) && !before.names_same(&found) => {
                    Some((other, Found { is_shared: true, ..before }))
                }
                Some((other, before)) if order > other => {
                    let is_shared = before.is_shared && order.ties(&other);
                    Some((order, Found { is_shared, ..found }))
                }
                kept => kept,
            };
        }
        best.map(|(_, found)| found).filter(|found| !found.is_shared)
    }

    /// Whether `name` may stand at `start..end`, and whom it then names.
    fn judge(&self, so_far: &SoFar<'_>, (start, end): (usize, usize), name: Name) -> Option<(Rank, Option<Mention>)> {
        let SoFar { tables, text, reading, .. } = so_far;
        let row = &tables.aliases[name.row as usize];
        let alias = tables.get(&row.alias);
        let surface = &text[start..end];
        if compare(surface, alias)? == Case::Capitals
            && surface.len() < SHORTEST_IN_CAPITALS
            && !in_capitals(text, start, end)
        {
            return None;
        }
        if within_initials(text, start, end) {
            return None;
        }
        let own = EntryId(match row.entry {
            Some(entry) => entry,
            None => return Some((Rank::Exclusion, None)),
        });
        let office = row.office;
        let introduced = office.is_some_and(|office| reading.introduced.contains(&office.person));
        let past = office.is_some_and(|office| !office.holds(reading.date));
        if past && reading.date.is_some() {
            return office.filter(|office| office.form == NameForm::Full).map(|_| (Rank::Former, None));
        }
        let entry = match self.verdict(so_far, (start, end), name, (introduced, past)) {
            _ if in_address(text, start, end) => return None,
            Verdict::Nobody => return None,
            // A rule about one person does not make another of that surname hers.
            Verdict::Entry(entry) if office.is_some() && entry != own => return None,
            Verdict::Entry(entry) => entry,
            Verdict::Own => own,
        };
        let rank = match office {
            Some(_) if introduced => Rank::Introduced,
            Some(office) if office.form == NameForm::Shared => Rank::Shared,
            Some(office) if reading.date.is_none() && office.known => Rank::Known,
            Some(office) if reading.date.is_none() && !office.is_recent() => Rank::Past,
            _ => Rank::Name,
        };
        Some((rank, Some(Mention { entry, start, end, how: row.how })))
    }

    /// What the rules make of `name` at `start..end`.
    fn verdict(
        &self,
        so_far: &SoFar<'_>,
        (start, end): (usize, usize),
        name: Name,
        (introduced, past): (bool, bool),
    ) -> Verdict {
        let SoFar { tables, text, mentions, .. } = so_far;
        let last = mentions.last();
        let special = if name.rules == NONE { &[][..] } else { &self.rules[name.rules as usize] };
        let of_class = |class: Class| self.wildcards.get(class as usize).map_or(&[][..], Vec::as_slice);
        if special.is_empty() && (past && !introduced || of_class(name.class).is_empty()) {
            return if past && !introduced { Verdict::Nobody } else { Verdict::Own };
        }
        let row = &tables.aliases[name.row as usize];
        // What stands between the name before and the blanks before this one.
        let between = last.and_then(|last| before_gap(&text[last.end..start]));
        let mut around = Around::new(text, start, end);
        around.follows_name = between == Some("");
        around.first_names = row.office.map_or(&[], |office| tables.first_names(office.person));
        let first = |rules: &[Rule]| {
            rules.iter().find(|rule| rule.condition.holds(&tables.lists, &around)).map(|rule| rule.verdict)
        };
        let is_surname = matches!(name.class, Class::Surname | Class::Shared);
        match first(special) {
            // Whoever stands near, "Kim Beazley" is another.
            Some(_) if is_surname && first(of_class(Class::Surname)) == Some(Verdict::Nobody) => {
                return Verdict::Nobody;
            }
            Some(verdict) => return verdict,
            None => {}
        }
        // Without a date, a surname of the past counts once it was introduced, or by what stands near it.
        if past && !introduced {
            return Verdict::Nobody;
        }
        if name.class != Class::Shared {
            return first(of_class(name.class)).unwrap_or(Verdict::Own);
        }
        // "Botswana's Masisi", "the Canadian Carney".
        let follows_own = last.is_some_and(|last| row.entry == Some(last.entry.0))
            && matches!(between, Some("" | "'s" | "\u{2019}s"));
        match introduced || follows_own || first(of_class(Class::Shared)) == Some(Verdict::Own) {
            true => first(of_class(Class::Surname)).unwrap_or(Verdict::Own),
            false => Verdict::Nobody,
        }
    }
}

/// The word that begins at `at`, which may be the first of a name.
fn first_word(text: &str, at: usize) -> Option<First> {
    if at > 0 && text.as_bytes()[at - 1] >= 0x80 && char_before(text, at)?.is_alphanumeric() {
        return None;
    }
    Some(First::new(at, first_step(text, at)?))
}

/// Whether the match is cut out of longer initials: the "U.S" of "U.S.S. Cole".
fn within_initials(text: &str, start: usize, end: usize) -> bool {
    let surface = &text[start..end];
    let last_is_letter = surface.len() >= 3 && surface.as_bytes()[surface.len() - 2] == b'.';
    last_is_letter
        && surface.ends_with(|c: char| c.is_ascii_uppercase())
        && text.as_bytes().get(end) == Some(&b'.')
        && char_at(text, end + 1).is_some_and(char::is_alphanumeric)
}
