//! What is wrong with labelled files, and which texts stand in several.
//!
//! Errors are rows that cannot be read, pairs labelled differently in equal texts, and leaks: rows of one file whose
//! text stands in another, word for word (the same characters) or nearly (see [`crate::data::audit`]). All else is for a
//! person to judge: repeated rows, texts that are nearly the same within a file, names that the gazetteer lacks, pairs
//! that the text does not mention, one id for two texts, offsets that seem to count bytes.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::DataFile;
use super::stats::canonical;
use crate::article::{Part, Span};
use crate::characters::Characters;
use crate::data::LabelledPair;
use crate::data::audit::Index;
use crate::gazetteer::{EntryId, Gazetteer};
use crate::stance::Stance;

/// All findings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// By file, in the order given.
    pub files: Vec<FileReport>,
    /// For each two files, both ways.
    pub leaks: Vec<Leaks>,
}

impl Report {
    /// Whether there are no errors and no leaks.
    pub fn is_clean(&self) -> bool {
        self.files.iter().all(|file| file.errors.is_empty() && file.conflicts.is_empty())
            && self.leaks.iter().all(|leaks| leaks.exact.is_empty() && leaks.near.is_empty())
    }
}

/// What was found in one file. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// The file.
    pub path: String,
    /// Rows that can be read.
    pub rows: usize,
    /// Different texts.
    pub texts: usize,
    /// Rows that cannot be read, each with its place and why.
    pub errors: Vec<String>,
    /// Pairs labelled differently in equal texts.
    pub conflicts: Vec<Conflict>,
    /// Pairs that say again what an earlier one says; see [`LabelledPair::identity`].
    pub repeated: Vec<Repeat>,
    /// Texts that are nearly the same as an earlier one; lines of the first row of each.
    pub near: Vec<Repeat>,
    /// One id for different texts.
    pub shared_ids: Vec<SharedId>,
    /// Names without offsets that the gazetteer lacks.
    pub unknown: Vec<Unknown>,
    /// Lines of rows without offsets of which a known name is not found in title and text, and lines of the
    /// directed-sentiment format that do not mark two names.
    pub not_found: Vec<u64>,
    /// Lines whose offsets fall within words as characters, but not as bytes.
    pub byte_offsets: Vec<u64>,
    /// Labels by state, the most frequent first.
    pub states: Vec<Balance>,
    /// Labels by actor.
    pub actors: Vec<Balance>,
}

/// A row and what it repeats.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeat {
    /// The row.
    pub line: u64,
    /// The row that it repeats.
    pub of: u64,
    /// Share of common word 3-grams; 1 where all characters are the same.
    pub overlap: f64,
}

/// A pair with more than one label in equal texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// The state.
    pub state: String,
    /// The actor.
    pub actor: String,
    /// The lines, each with its label.
    pub rows: Vec<(u64, Stance)>,
}

/// An id of different texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharedId {
    /// The id.
    pub id: String,
    /// The first line of each text.
    pub lines: Vec<u64>,
}

/// A name that the gazetteer lacks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unknown {
    /// The name.
    pub name: String,
    /// The lines that have it.
    pub lines: Vec<u64>,
    /// Names that are spelled like it.
    pub nearest: Vec<String>,
}

/// How the rows of one state or actor are labelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Balance {
    /// The name in the gazetteer.
    pub name: String,
    /// Rows.
    pub rows: usize,
    /// Rows labelled aligned, neutral, opposed.
    pub labels: [usize; 3],
}

/// The rows of one file whose text stands in another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaks {
    /// The file whose rows were looked up.
    pub path: String,
    /// The file that they were looked up in.
    pub within: String,
    /// How many rows were looked up.
    pub rows: usize,
    /// Rows whose text stands there word for word, character for character.
    pub exact: Vec<Repeat>,
    /// Rows beyond these whose text is nearly the same as one there, or a part of one.
    pub near: Vec<Repeat>,
}

/// The different texts of a file, with the lines of their rows.
struct Texts<'f> {
    path: &'f str,
    rows: usize,
    texts: Vec<(&'f str, Vec<u64>)>,
    /// Where each text is in `texts`.
    places: FxHashMap<&'f str, usize>,
    index: Index,
}

impl<'f> Texts<'f> {
    fn new(file: &'f DataFile) -> Self {
        let mut places = FxHashMap::default();
        let mut texts: Vec<(&str, Vec<u64>)> = Vec::new();
        for (line, text) in &file.rows {
            let place = *places.entry(text.as_str()).or_insert(texts.len());
            if place == texts.len() {
                texts.push((text, Vec::new()));
            }
            texts[place].1.push(*line);
        }
        let index = Index::new(texts.iter().map(|(text, _)| *text));
        Self { path: &file.path, rows: file.rows.len(), texts, places, index }
    }

    /// Texts that are near an earlier one.
    fn near(&self) -> Vec<Repeat> {
        let near = |(place, (text, lines)): (usize, &(&str, Vec<u64>))| {
            let earlier = self.index.find_first(text).into_iter().filter(|leak| leak.text < place);
            let best = earlier.max_by(|a, b| a.overlap.total_cmp(&b.overlap).then(b.text.cmp(&a.text)))?;
            Some(Repeat { line: lines[0], of: self.texts[best.text].1[0], overlap: best.overlap })
        };
        self.texts.par_iter().enumerate().filter_map(near).collect()
    }

    /// The rows whose text stands in `other`.
    fn within(&self, other: &Self) -> Leaks {
        let find = |(text, lines): &(&str, Vec<u64>)| {
            let (exact, place, overlap) = match other.places.get(text) {
                Some(&place) => (true, place, 1.0),
                None => other.index.find(text).map(|leak| (false, leak.text, leak.overlap))?,
            };
            let of = other.texts[place].1[0];
            Some((exact, lines.iter().map(|&line| Repeat { line, of, overlap }).collect::<Vec<_>>()))
        };
        let found: Vec<_> = self.texts.par_iter().filter_map(find).collect();
        let (mut exact, mut near) = (Vec::new(), Vec::new());
        for (is_exact, repeats) in found {
            if is_exact { &mut exact } else { &mut near }.extend(repeats);
        }
        exact.sort_by_key(|repeat| repeat.line);
        near.sort_by_key(|repeat| repeat.line);
        Leaks { path: self.path.into(), within: other.path.into(), rows: self.rows, exact, near }
    }
}

/// Examines files, and each against each other. The files of `against` are not compared among themselves, and of their
/// rows nothing is reported but errors and leaks, and the counts.
pub fn check(files: &[DataFile], against: &[DataFile], gazetteer: &Gazetteer) -> Report {
    let texts: Vec<Texts<'_>> = files.iter().chain(against).map(Texts::new).collect();
    let mut leaks = Vec::new();
    for (i, a) in texts.iter().enumerate().take(files.len()) {
        for b in &texts[i + 1..] {
            leaks.extend([b.within(a), a.within(b)]);
        }
    }
    let mut reports: Vec<FileReport> =
        files.iter().zip(&texts).map(|(file, texts)| examine(file, texts, gazetteer)).collect();
    reports.extend(against.iter().zip(&texts[files.len()..]).map(|(file, texts)| outline(file, texts)));
    Report { files: reports, leaks }
}

/// Counts and errors alone.
fn outline(file: &DataFile, texts: &Texts<'_>) -> FileReport {
    FileReport {
        path: file.path.clone(),
        rows: file.rows.len(),
        texts: texts.texts.len(),
        errors: file.errors.iter().map(ToString::to_string).collect(),
        conflicts: Vec::new(),
        repeated: Vec::new(),
        near: Vec::new(),
        shared_ids: Vec::new(),
        unknown: Vec::new(),
        not_found: Vec::new(),
        byte_offsets: Vec::new(),
        states: Vec::new(),
        actors: Vec::new(),
    }
}

fn examine(file: &DataFile, texts: &Texts<'_>, gazetteer: &Gazetteer) -> FileReport {
    let mut not_found = not_found(&file.pairs, gazetteer);
    not_found.extend(&file.unmarked);
    not_found.sort_unstable();
    FileReport {
        conflicts: conflicts(&file.pairs, gazetteer),
        repeated: repeated(&file.pairs, gazetteer),
        near: texts.near(),
        shared_ids: shared_ids(&file.pairs),
        unknown: unknown(&file.pairs, gazetteer),
        not_found,
        byte_offsets: file.pairs.iter().filter(|pair| seems_bytes(pair)).map(line).collect(),
        states: balance(&file.pairs, |pair| canonical(gazetteer, &pair.state)),
        actors: balance(&file.pairs, |pair| canonical(gazetteer, &pair.actor)),
        ..outline(file, texts)
    }
}

fn line(pair: &LabelledPair) -> u64 {
    pair.location.line.unwrap_or_default()
}

fn conflicts(pairs: &[LabelledPair], gazetteer: &Gazetteer) -> Vec<Conflict> {
    let mut rows: BTreeMap<_, Vec<(u64, Stance)>> = BTreeMap::new();
    for pair in pairs {
        let Some(label) = pair.label else { continue };
        let names = [&pair.state, &pair.actor].map(|name| canonical(gazetteer, name));
        // Two names of one entry, as "US" and "Washington": which is which cannot be told from the names.
        if names[0] == names[1] {
            continue;
        }
        rows.entry((pair.article.title.as_deref(), pair.article.text.as_str(), names))
            .or_default()
            .push((line(pair), label));
    }
    let differ = |rows: &Vec<(u64, Stance)>| rows.iter().any(|(_, label)| *label != rows[0].1);
    let rows = rows.into_iter().filter(|(_, rows)| differ(rows));
    let mut found: Vec<Conflict> = rows.map(|((_, _, [state, actor]), rows)| Conflict { state, actor, rows }).collect();
    found.sort_by_key(|conflict| conflict.rows[0].0);
    found
}

fn repeated(pairs: &[LabelledPair], gazetteer: &Gazetteer) -> Vec<Repeat> {
    let mut first = FxHashMap::default();
    let mut found = Vec::new();
    for pair in pairs {
        let of = *first.entry(pair.identity(gazetteer)).or_insert_with(|| line(pair));
        if of != line(pair) {
            found.push(Repeat { line: line(pair), of, overlap: 1.0 });
        }
    }
    found
}

fn shared_ids(pairs: &[LabelledPair]) -> Vec<SharedId> {
    let mut first_lines: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for pair in pairs {
        first_lines.entry(&pair.article.id).or_default().entry(&pair.article.text).or_insert_with(|| line(pair));
    }
    let several = first_lines.into_iter().filter(|(_, texts)| texts.len() > 1);
    let sorted = |texts: BTreeMap<&str, u64>| BTreeSet::from_iter(texts.into_values()).into_iter().collect();
    several.map(|(id, texts)| SharedId { id: id.into(), lines: sorted(texts) }).collect()
}

fn unknown(pairs: &[LabelledPair], gazetteer: &Gazetteer) -> Vec<Unknown> {
    let mut lines: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.state_span.is_none()) {
        for name in [&pair.state, &pair.actor] {
            if gazetteer.find(name).is_none() {
                lines.entry(name).or_default().push(line(pair));
            }
        }
    }
    let lines: Vec<_> = lines.into_iter().collect();
    let suggest = |(name, lines): (&str, Vec<u64>)| {
        let nearest = gazetteer.suggest(name).into_iter().map(String::from).collect();
        Unknown { name: name.into(), lines, nearest }
    };
    lines.into_par_iter().map(suggest).collect()
}

/// A row whose state and actor the gazetteer holds.
type FoundPair<'p> = (&'p LabelledPair, EntryId, EntryId);

fn not_found(pairs: &[LabelledPair], gazetteer: &Gazetteer) -> Vec<u64> {
    let mut by_text: BTreeMap<(&str, &str), Vec<FoundPair<'_>>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.state_span.is_none()) {
        if let (Some(state), Some(actor)) = (gazetteer.find(&pair.state), gazetteer.find(&pair.actor)) {
            let text = (pair.article.part(Part::Title), pair.article.text.as_str());
            by_text.entry(text).or_default().push((pair, state, actor));
        }
    }
    let by_text: Vec<_> = by_text.into_iter().collect();
    let lines = |((title, text), pairs): &((&str, &str), Vec<FoundPair<'_>>)| {
        let mut scan = gazetteer.scan(pairs.first().and_then(|(pair, ..)| pair.article.month()));
        let found = [scan.mentions(text), scan.mentions(title)];
        let entries: BTreeSet<usize> = found.iter().flatten().map(|mention| mention.entry.index()).collect();
        let missing = pairs.iter().filter(|(_, s, a)| !entries.contains(&s.index()) || !entries.contains(&a.index()));
        missing.map(|(pair, ..)| line(pair)).collect::<Vec<_>>()
    };
    by_text.par_iter().flat_map_iter(lines).collect()
}

/// Whether a span falls within words as it was read, and on their bounds when its numbers are taken as bytes.
fn seems_bytes(pair: &LabelledPair) -> bool {
    let text = pair.article.text.as_str();
    let whole = |span: &Span| {
        let inside = |at: usize| {
            let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            before && text[at..].chars().next().is_some_and(char::is_alphanumeric)
        };
        let named = text[span.clone()].trim();
        !inside(span.start) && !inside(span.end) && named.len() == span.len()
    };
    let characters = Characters::new(text);
    let as_bytes = |span: &Span| {
        let [start, end] = characters.of_span(span);
        (text.is_char_boundary(start) && text.is_char_boundary(end)).then_some(start..end)
    };
    let spans = || [&pair.state_span, &pair.actor_span].into_iter().flatten();
    spans().any(|span| !whole(span)) && spans().all(|span| as_bytes(span).is_some_and(|bytes| whole(&bytes)))
}

fn balance(pairs: &[LabelledPair], name: impl Fn(&LabelledPair) -> String) -> Vec<Balance> {
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for pair in pairs {
        if let Some(label) = pair.label {
            counts.entry(name(pair)).or_default()[label.index()] += 1;
        }
    }
    let mut found: Vec<Balance> =
        counts.into_iter().map(|(name, labels)| Balance { name, rows: labels.iter().sum(), labels }).collect();
    found.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::example;

    fn file(path: &str, pairs: Vec<LabelledPair>) -> DataFile {
        let rows = pairs.iter().map(|pair| (line(pair), pair.article.text.clone())).collect();
        DataFile { path: path.into(), pairs, rows, errors: Vec::new(), unmarked: Vec::new() }
    }

    const LOAN: &str = "Minsk thanked Moscow for the loan that it had long asked for.";

    #[test]
    fn leaks_are_told_apart_and_counted_by_row() {
        let near = format!("{LOAN} It rained.");
        let train = file("train", vec![example(LOAN, "Belarus", "Russia", Stance::Aligned, 2)]);
        let test = file(
            "test",
            vec![
                example(LOAN, "Belarus", "Russia", Stance::Aligned, 2),
                example(LOAN, "Russia", "Belarus", Stance::Aligned, 3),
                example(&near, "Belarus", "Russia", Stance::Aligned, 4),
                example("Russia hit Ukraine.", "Russia", "Ukraine", Stance::Opposed, 5),
            ],
        );
        let report = check(&[train], &[test], Gazetteer::embedded());
        let lines = |leaks: &[Repeat]| leaks.iter().map(|leak| leak.line).collect::<Vec<_>>();
        let [test_in_train, train_in_test] = &report.leaks[..] else { panic!("both ways") };
        assert_eq!((test_in_train.path.as_str(), test_in_train.rows), ("test", 4));
        assert_eq!((lines(&test_in_train.exact), lines(&test_in_train.near)), (vec![2, 3], vec![4]));
        assert_eq!((lines(&train_in_test.exact), lines(&train_in_test.near)), (vec![2], vec![]));
        assert!(!report.is_clean());
    }

    #[test]
    fn a_file_is_examined() {
        let mut pairs = vec![
            example("Russia hit Ukraine.", "Russia", "Ukraine", Stance::Opposed, 2),
            example("Russia hit Ukraine.", "Moscow", "Ukraine", Stance::Neutral, 3),
            example("Russia hit Ukraine.", "Russia", "Ukraine", Stance::Opposed, 4),
            example("Russia hit Ukraine.", "Peru", "Ukraine", Stance::Neutral, 5),
            example("Russia hit Ukraine.", "Rusia", "Ukraine", Stance::Neutral, 6),
        ];
        pairs[4].article.id = "2".into();
        pairs.push(example(LOAN, "Belarus", "Russia", Stance::Aligned, 7));
        pairs[5].article.id = "2".into();
        let report = check(&[file("rows.csv", pairs)], &[], Gazetteer::embedded());
        let found = &report.files[0];
        assert_eq!((found.rows, found.texts), (6, 2));
        let labels = vec![(2, Stance::Opposed), (3, Stance::Neutral), (4, Stance::Opposed)];
        assert_eq!(found.conflicts, [Conflict { state: "Russia".into(), actor: "Ukraine".into(), rows: labels }]);
        assert_eq!(found.repeated, [Repeat { line: 4, of: 2, overlap: 1.0 }]);
        assert_eq!(found.not_found, [5]);
        assert_eq!(found.shared_ids, [SharedId { id: "2".into(), lines: vec![2, 7] }]);
        assert_eq!((found.unknown[0].name.as_str(), found.unknown[0].nearest[0].as_str()), ("Rusia", "Russia"));
        assert_eq!(found.states[0], Balance { name: "Russia".into(), rows: 3, labels: [0, 1, 2] });
        assert!(found.near.is_empty() && found.byte_offsets.is_empty());
    }

    #[test]
    fn offsets_in_bytes_show() {
        // `Perú` has four characters and five bytes: `Chile` stands at 15 to 20, and as bytes at 16 to 21.
        let mut pair = example("Perú denounced Chile again", "Perú", "Chile", Stance::Opposed, 2);
        (pair.state_span, pair.actor_span) = (Some(0..5), Some(16..21));
        assert!(!seems_bytes(&pair));
        (pair.state_span, pair.actor_span) = (Some(0..6), Some(17..22));
        assert!(seems_bytes(&pair));
    }
}
