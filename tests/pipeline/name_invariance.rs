//! Who is named changes nothing: the two names of a pair may be exchanged for those of any other two states.

use std::path::PathBuf;
use std::sync::OnceLock;

use detente::data::{LabelledOptions, labelled};
use detente::gazetteer::{EntryId, Gazetteer, Kind};
use detente::source::{Source, ignore_warnings};
use detente::{Article, Pipeline, Span};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const TOLERANCE: f64 = 1e-12;

/// `{S}` is the state, `{A}` the actor; other names stay.
const SENTENCES: [&str; 20] = [
    "{S} condemned the attack and recalled its ambassador from {A}.",
    "The president of {S} thanked {A} for its help after the earthquake.",
    "{A} and {S} signed an agreement on fishing rights on Thursday.",
    "Troops from {S} crossed into {A} before dawn, and {A} called up its reserves.",
    "{S} said it would stand by {A}, whatever Portugal might say.",
    "While Brazil hesitated, {S} voted against the resolution that {A} had tabled.",
    "A delegation from {S} arrived in {A} for talks about grain.",
    "\"We will not forget what {A} did,\" the foreign minister of {S} told reporters.",
    "{A} accused {S} of hiding the results; {S} denied it.",
    "The foreign ministers of {S}, {A} and Peru met for 90 minutes.",
    "After 12 years of silence, {S} reopened its embassy in {A}.",
    "{S} has no quarrel with {A}.",
    "Neither {S} nor {A} wanted a third round of sanctions.",
    "Exports from {A} to {S} rose by 4.5 percent, according to a report by the European Union.",
    "{S}, which shares a long border with {A}, closed every crossing on Monday night.",
    "Fans of {A} booed when the team from {S} came out.",
    "It was not {S} but Norway that had armed the rebels in {A}, Maria Lopez wrote.",
    "{S} lent {A} $2 billion and asked for nothing in return.",
    "Under pressure from {A}, {S} handed over the two men.",
    "Many in {S} admire {A}; few say so.",
];

/// Articles of several sentences, some of which name only one of the two.
const ARTICLES: [&str; 3] = [
    "{S} praised {A} on Monday. The two sides signed a treaty. Critics in {A} were not convinced.\n\n\
     In {S}, the opposition called the treaty a mistake. Brazil offered to mediate.",
    "Nobody in {S} expected the ruling. {A} had rejected it twice. Then {A} imposed sanctions on {S}, and Portugal \
     followed.",
    "Talks broke down again. {A} blamed {S} for the failure. {S} blamed the weather, and Peru blamed {A}.",
];

/// The names of all sovereign states.
fn names() -> &'static [(EntryId, String)] {
    static NAMES: OnceLock<Vec<(EntryId, String)>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let entries = Gazetteer::embedded().entries().iter().zip(0..);
        let states = entries.filter(|(entry, _)| entry.kind == Kind::State);
        states.map(|(entry, id)| (EntryId(id), entry.name.clone())).collect()
    })
}

/// A template with names in its slots.
struct Filled {
    article: Article,
    state: Vec<Span>,
    actor: Vec<Span>,
}

fn fill(template: &str, state: &str, actor: &str) -> Filled {
    let (mut text, mut rest) = (String::new(), template);
    let (mut states, mut actors) = (Vec::new(), Vec::new());
    while let Some(at) = rest.find(['{']) {
        text.push_str(&rest[..at]);
        let (name, spans) = if rest[at..].starts_with("{S}") { (state, &mut states) } else { (actor, &mut actors) };
        spans.push(text.len()..text.len() + name.len());
        text.push_str(name);
        rest = &rest[at + 3..];
    }
    text.push_str(rest);
    Filled { article: Article::new(text), state: states, actor: actors }
}

impl Filled {
    /// Whether exactly the slots are read as these two entries, and nothing else than in `template` is found. Some names need
    /// more context than a slot gives them ("Georgia"), and some would not be found as they are shown.
    fn is_read_as_meant(&self, template: &str, state: EntryId, actor: EntryId) -> bool {
        let gazetteer = Gazetteer::embedded();
        let mut slots: Vec<(EntryId, Span)> = self.state.iter().map(|span| (state, span.clone())).collect();
        slots.extend(self.actor.iter().map(|span| (actor, span.clone())));
        let blank = template.replace("{S}", "it").replace("{A}", "it");
        let others = gazetteer.mentions(&blank);
        if others.iter().any(|m| m.entry == state || m.entry == actor) {
            return false;
        }
        let found = gazetteer.mentions(&self.article.text);
        let is_slot = |m: &detente::Mention| slots.contains(&(m.entry, m.start..m.end));
        found.iter().filter(|m| is_slot(m)).count() == slots.len() && found.len() == slots.len() + others.len()
    }

    /// The probabilities of the pair, in both directions, found by name and as marked.
    fn probabilities(&self, state: EntryId, actor: EntryId) -> Vec<[f64; 3]> {
        let pipeline = Pipeline::fast();
        let mut found = Vec::new();
        for (state, actor) in [(state, actor), (actor, state)] {
            let query = detente::Query { states: vec![state], actors: vec![actor], ..detente::Query::default() };
            let predictions = pipeline.predict(&self.article, &query);
            assert_eq!(predictions.len(), 1, "{}", self.article.text);
            found.push(predictions[0].probabilities);
        }
        for (state, actor) in [(&self.state, &self.actor), (&self.actor, &self.state)] {
            found.push(pipeline.predict_marked(&self.article, &state[0], &actor[0]).probabilities);
        }
        found
    }
}

fn largest_change(before: &[[f64; 3]], after: &[[f64; 3]]) -> f64 {
    assert_eq!(before.len(), after.len());
    let pairs = before.iter().flatten().zip(after.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn reference(template: &str) -> Vec<[f64; 3]> {
    let find = |name| Gazetteer::embedded().find(name).expect("a state");
    let (state, actor) = (find("Norway"), find("Chile"));
    let (state, actor) = if template.contains("Norway") { (find("Kenya"), actor) } else { (state, actor) };
    let name = |id| Gazetteer::embedded().get(id).name.as_str();
    let filled = fill(template, name(state), name(actor));
    assert!(filled.is_read_as_meant(template, state, actor), "{}", filled.article.text);
    filled.probabilities(state, actor)
}

/// A template, and the probabilities that any names should give.
type Reference = (&'static str, Vec<[f64; 3]>);

fn references() -> &'static [Reference] {
    static REFERENCES: OnceLock<Vec<Reference>> = OnceLock::new();
    REFERENCES.get_or_init(|| SENTENCES.into_iter().chain(ARTICLES).map(|t| (t, reference(t))).collect())
}

/// Every state stands once in each slot of every sentence.
#[test]
fn every_name_gives_the_same_probabilities() {
    let names = names();
    let (mut tried, mut skipped) = (0, std::collections::BTreeMap::<&str, usize>::new());
    for (template, before) in references() {
        for (i, (state, state_name)) in names.iter().enumerate() {
            let (actor, actor_name) = &names[(i + 61) % names.len()];
            let filled = fill(template, state_name, actor_name);
            if !filled.is_read_as_meant(template, *state, *actor) {
                *skipped.entry(state_name).or_default() += 1;
                *skipped.entry(actor_name).or_default() += 1;
                continue;
            }
            tried += 1;
            let change = largest_change(before, &filled.probabilities(*state, *actor));
            assert!(change <= TOLERANCE, "{change:e}: {}", filled.article.text);
        }
    }
    let all = references().len() * names.len();
    assert!(tried * 10 >= all * 8, "only {tried} of {all} were read as meant; skipped: {skipped:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_names_give_the_same_probabilities(
        template in 0..SENTENCES.len() + ARTICLES.len(),
        (state, state_name) in select(names()),
        (actor, actor_name) in select(names()),
    ) {
        prop_assume!(state != actor);
        let (template, before) = &references()[template];
        let filled = fill(template, &state_name, &actor_name);
        prop_assume!(filled.is_read_as_meant(template, state, actor));
        let change = largest_change(before, &filled.probabilities(state, actor));
        prop_assert!(change <= TOLERANCE, "{:e}: {}", change, filled.article.text);
    }
}

/// A sentence of the dev set with its two names marked. Its text is not ours to show, so failures name the row only.
#[derive(Debug, Clone)]
struct DevRow {
    id: String,
    article: Article,
    state: Span,
    actor: Span,
}

/// The dev set where it is at hand.
fn dev_rows() -> Result<Vec<DevRow>, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let given = std::env::var_os("DETENTE_SHARED").map(PathBuf::from);
    let folders = given.into_iter().chain([root.join("../shared"), root.join("../../shared")]);
    let mut files = folders.map(|folder| folder.join("data/gold/dev.csv"));
    let Some(path) = files.find(|path| path.is_file()) else {
        return Err("no data/gold/dev.csv in DETENTE_SHARED, ../shared or ../../shared".into());
    };
    let options = LabelledOptions { label_required: false, ..LabelledOptions::default() };
    let pairs = labelled(&Source::file(path), &options, &ignore_warnings()).map_err(|error| error.to_string())?;
    let gazetteer = Gazetteer::embedded();
    let mut rows = Vec::new();
    for pair in pairs {
        let pair = pair.map_err(|error| error.to_string())?;
        let mentions = gazetteer.mentions(&pair.article.text);
        let only = |name: &str| -> Option<Span> {
            let entry = gazetteer.find(name)?;
            let mut spans = mentions.iter().filter(|m| m.entry == entry).map(|m| m.start..m.end);
            spans.next().filter(|_| spans.next().is_none())
        };
        // A party that is named twice would have to be exchanged twice, in forms that are not names.
        let (Some(state), Some(actor)) = (only(&pair.state), only(&pair.actor)) else { continue };
        rows.push(DevRow { id: pair.article.id.clone(), article: pair.article, state, actor });
    }
    Ok(rows)
}

impl DevRow {
    /// The row with other words in place of the two names.
    fn with_names(&self, state: &str, actor: &str) -> Self {
        let mut text = self.article.text.clone();
        let swapped = self.actor.start < self.state.start;
        let (first, second) = if swapped { (&self.actor, &self.state) } else { (&self.state, &self.actor) };
        let (a, b) = if swapped { (actor, state) } else { (state, actor) };
        text.replace_range(second.clone(), b);
        text.replace_range(first.clone(), a);
        let new_first = first.start..first.start + a.len();
        let start = second.start + a.len() - first.len();
        let new_second = start..start + b.len();
        let (state, actor) = if swapped { (new_second, new_first) } else { (new_first, new_second) };
        Self { id: self.id.clone(), article: Article::new(text), state, actor }
    }

    /// The mentions outside the two names, and what they are.
    fn others(&self) -> Vec<EntryId> {
        let outside = |m: &detente::Mention| {
            [&self.state, &self.actor].into_iter().all(|span| m.end <= span.start || span.end <= m.start)
        };
        Gazetteer::embedded().mentions(&self.article.text).into_iter().filter(outside).map(|m| m.entry).collect()
    }

    /// Whether the two names are found where they stand, as these two, and all else is found as in `original`.
    fn is_read_as_meant(&self, original: &Self, state: EntryId, actor: EntryId) -> bool {
        let mentions = Gazetteer::embedded().mentions(&self.article.text);
        let found = |entry, span: &Span| mentions.iter().any(|m| m.entry == entry && (m.start..m.end) == *span);
        let others = self.others();
        found(state, &self.state)
            && found(actor, &self.actor)
            && !others.contains(&state)
            && !others.contains(&actor)
            && others == original.others()
    }

    fn probabilities(&self) -> Vec<[f64; 3]> {
        let pipeline = Pipeline::fast();
        let marked = |state, actor| pipeline.predict_marked(&self.article, state, actor).probabilities;
        vec![marked(&self.state, &self.actor), marked(&self.actor, &self.state)]
    }
}

#[test]
#[ignore = "needs ../shared"]
fn needs_shared_names_in_the_dev_set_may_be_exchanged() {
    let rows = dev_rows().expect("the dev set");
    assert!(!rows.is_empty());
    // The names of the reference are read as names in any sentence; so both sides are names of states.
    let find = |name| Gazetteer::embedded().find(name).expect("a state");
    let (norway, chile) = (find("Norway"), find("Chile"));
    let references: Vec<(DevRow, Vec<[f64; 3]>)> = rows
        .iter()
        .map(|row| (row, row.with_names("Norway", "Chile")))
        .filter(|(row, reference)| reference.is_read_as_meant(row, norway, chile))
        .map(|(_, reference)| (reference.clone(), reference.probabilities()))
        .collect();
    assert!(references.len() * 2 > rows.len(), "{} of {} rows can be used", references.len(), rows.len());
    let config = ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let strategy = (any::<Index>(), select(names()), select(names()));
    let outcome = runner.run(&strategy, |(at, (state, state_name), (actor, actor_name))| {
        prop_assume!(state != actor);
        let (row, before) = at.get(&references);
        let exchanged = row.with_names(&state_name, &actor_name);
        prop_assume!(exchanged.is_read_as_meant(row, state, actor));
        let change = largest_change(before, &exchanged.probabilities());
        prop_assert!(change <= TOLERANCE, "{:e}: row {} with {} and {}", change, row.id, state_name, actor_name);
        Ok(())
    });
    if let Err(error) = outcome {
        // The message alone: the values that it fails on would show the text.
        let reason = match error {
            proptest::test_runner::TestError::Fail(reason, _) | proptest::test_runner::TestError::Abort(reason) => {
                reason
            }
        };
        panic!("{reason}");
    }
}
