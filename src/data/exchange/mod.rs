//! Labelled pairs from and to annotation tools: Label Studio, doccano, Prodigy.
//!
//! A pair is a task of its own: a text with two marked names, and a choice of one stance. So it is written; read are
//! such choices, and texts whose marked names are connected by relations that are called as a stance (state to actor).
//!
//! | | file | the choice | relations | offsets count |
//! |---|---|---|---|---|
//! | [`ExchangeFormat::LabelStudio`] | JSON, a list of tasks | `choices` | `relation` between `labels` | UTF-16 units |
//! | [`ExchangeFormat::Doccano`] | JSONL | `label` | `relations` between `entities` | characters |
//! | [`ExchangeFormat::Prodigy`] | JSONL | `accept` | `relations` | characters |
//!
//! In what unit a file to be read counts is told by where its offsets fall (see [`offsets`](super::offsets)).

mod doccano;
mod label_studio;
mod prodigy;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value};

use super::labelled::check_places;
use super::offsets::{OffsetUnit, Tally};
use super::{COLUMNS, LabelledOptions, LabelledPair};
use crate::characters::Characters;
use crate::error::{Error, Location, Result};
use crate::source::{self, Input, Warn};
use crate::{Article, Span, Stance, input_file};

/// The most bytes of a file of tasks that is read whole: 256 MiB.
const MAX_TASKS: u64 = 256 << 20;

pub use label_studio::CONFIG as LABEL_STUDIO_CONFIG;

/// The file of an annotation tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeFormat {
    /// Label Studio's JSON.
    LabelStudio,
    /// doccano's JSONL.
    Doccano,
    /// Prodigy's JSONL.
    Prodigy,
}

/// What came of reading a file of tasks.
#[derive(Debug, Default)]
pub struct Imported {
    /// The pairs.
    pub pairs: Vec<LabelledPair>,
    /// Tasks that nobody has labelled, or that were skipped or rejected.
    pub unlabelled: usize,
    /// Tasks that are not as they should be.
    pub errors: Vec<Error>,
}

/// A pair as a tool knows it.
#[derive(Debug)]
struct Draft {
    article: Article,
    state: Name,
    actor: Name,
    label: String,
    group: Option<String>,
    columns: BTreeMap<String, String>,
    location: Location,
}

/// A party: by name, by place, or both.
#[derive(Debug, Clone, Default)]
struct Name {
    name: String,
    place: Option<Place>,
}

/// Where a name stands, in whatever unit, and what stands there, if the file says so.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    start: usize,
    end: usize,
    words: Option<String>,
}

/// Reads a file of tasks.
///
/// # Errors
/// [`Error::Io`]; [`Error::Format`] for a file that is no such list. What is wrong with single tasks stands in
/// [`Imported::errors`].
pub fn read(path: &Path, format: ExchangeFormat, options: &LabelledOptions, warn: &Warn) -> Result<Imported> {
    let mut imported = Imported::default();
    let mut drafts = Vec::new();
    let mut take = |task: Result<Vec<Draft>>| match task {
        Ok(found) if found.is_empty() => imported.unlabelled += 1,
        Ok(found) => drafts.extend(found),
        Err(error) => imported.errors.push(error),
    };
    let name = path.display().to_string();
    if format == ExchangeFormat::LabelStudio {
        let tasks: Vec<Value> = serde_json::from_slice(&input_file::read(path, MAX_TASKS)?).map_err(|error| {
            let location = Location { line: Some(error.line() as u64), ..Location::file(&name) };
            Error::format(
                location,
                format!("what is not JSON of tasks ({error})"),
                "a list of tasks, as exported by JSON",
            )
        })?;
        for (number, task) in (1..).zip(&tasks) {
            take(label_studio::pairs(task, Location::file(format!("{name}, task {number}"))));
        }
    } else {
        let parse = if format == ExchangeFormat::Doccano { doccano::pairs } else { prodigy::pairs };
        for (number, line) in (1..).zip(source::text_lines(&Input::Path(path.into()), warn)?) {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let location = Location::line(&name, number);
            let task = serde_json::from_str::<Value>(&line);
            let task = task.map_err(|e| {
                Error::format(location.clone(), format!("a line that is not JSON ({e})"), "an object a line")
            });
            take(task.and_then(|task| parse(&task, location)));
        }
    }
    let mut tally = Tally::default();
    for draft in &drafts {
        for Place { start, end, words } in [&draft.state, &draft.actor].into_iter().filter_map(|n| n.place.as_ref()) {
            tally.add(&draft.article, *start, *end, words.as_deref());
        }
    }
    let unit = tally.unit(&name, warn);
    for draft in drafts {
        match draft.pair(unit, options) {
            Ok(pair) => imported.pairs.push(pair),
            Err(error) => imported.errors.push(error),
        }
    }
    Ok(imported)
}

impl Draft {
    fn pair(self, unit: OffsetUnit, options: &LabelledOptions) -> Result<LabelledPair> {
        let Self { article, state, actor, label, group, columns, location } = self;
        source::check_size(&article.text, &location)?;
        let Some(stance) = options.labels.stance(&label) else {
            return Err(Error::format(location, format!("the label `{label}`"), options.labels.expected()));
        };
        let text = Characters::new(&article.text);
        let resolve = |name: Name| -> Result<(String, Option<Span>)> {
            let Some(place) = name.place else { return Ok((name.name, None)) };
            let span = unit.span(&text, place.start, place.end).ok_or_else(|| {
                let found =
                    format!("a name from {} to {} in a text of {} characters", place.start, place.end, text.count());
                Error::format(location.clone(), found, format!("offsets within the text, in {unit}"))
            })?;
            if let Some(words) = place.words.as_deref().filter(|words| article.text[span.clone()] != **words) {
                let found = format!("`{}` where the file says `{words}`", &article.text[span]);
                return Err(Error::format(location.clone(), found, "offsets that fit the text"));
            }
            let named = if name.name.is_empty() { article.text[span.clone()].to_owned() } else { name.name };
            Ok((named, Some(span)))
        };
        let ((state, state_span), (actor, actor_span)) = (resolve(state)?, resolve(actor)?);
        // Either both places are known or neither is.
        let places = state_span.zip(actor_span);
        if let Some((state, actor)) = &places
            && let Some((found, expected)) = check_places(&article.text, state, actor)
        {
            return Err(Error::format(location, found, expected));
        }
        let (state_span, actor_span) = places.unzip();
        Ok(LabelledPair {
            state,
            actor,
            label: Some(stance),
            state_span,
            actor_span,
            group,
            columns,
            location,
            article,
        })
    }
}

/// A pair as it is to be written, with what a model says of it, if that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Task<'p> {
    /// The pair; its label, if it has one, is written as an annotation.
    pub pair: &'p LabelledPair,
    /// Stance and probability that a model proposes.
    pub proposal: Option<(Stance, f64)>,
}

/// Writes tasks.
///
/// # Errors
/// What writing gives.
pub fn write(mut out: impl Write, format: ExchangeFormat, tasks: &[Task<'_>]) -> std::io::Result<()> {
    if format == ExchangeFormat::LabelStudio {
        let tasks: Vec<Value> = tasks.iter().map(label_studio::task).collect();
        serde_json::to_writer_pretty(&mut out, &tasks)?;
        writeln!(out)?;
        return out.flush();
    }
    for task in tasks {
        let value = if format == ExchangeFormat::Doccano { doccano::task(task) } else { prodigy::task(task) };
        serde_json::to_writer(&mut out, &value)?;
        writeln!(out)?;
    }
    out.flush()
}

/// The fields of a task that describe its text.
const ARTICLE: [&str; 6] = ["id", "title", "date", "url", "source", "language"];

/// What a task says of its text beside the text: the fields of the article, state, actor, group, and other columns.
fn description(pair: &LabelledPair) -> Map<String, Value> {
    let mut fields = Map::new();
    for name in ARTICLE.iter().chain(&["state", "actor", "group"]) {
        if let Some(value) = pair.column(name).filter(|value| !value.is_empty()) {
            fields.insert((*name).into(), value.into());
        }
    }
    for (name, value) in &pair.columns {
        fields.insert(name.clone(), value.as_str().into());
    }
    fields
}

/// What a task says of its text, taken apart.
struct Description {
    article: Article,
    state: String,
    actor: String,
    group: Option<String>,
    columns: BTreeMap<String, String>,
}

impl Description {
    /// `known` are fields that mean something else to the tool.
    fn read(text: &Value, fields: &Map<String, Value>, known: &[&str], location: &Location) -> Result<Self> {
        let Some(text) = text.as_str().filter(|text| !text.trim().is_empty()) else {
            return Err(Error::format(location.clone(), "a task without `text`", "the text that was labelled"));
        };
        let get = |name: &str| fields.get(name).and_then(plain).filter(|value| !value.trim().is_empty());
        let [id, title, date, url, source, language] = ARTICLE.map(get);
        let id = id.unwrap_or_else(|| location.to_string());
        let special = |name: &str| COLUMNS.contains(&name) || ARTICLE.contains(&name) || known.contains(&name);
        let columns = fields.iter().filter(|(name, _)| !special(name));
        Ok(Self {
            article: Article { id, title, text: text.into(), date, url, source, language, ..Article::default() },
            state: get("state").unwrap_or_default(),
            actor: get("actor").unwrap_or_default(),
            group: get("group"),
            columns: columns.filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect(),
        })
    }

    /// A choice about the pair that the task names, whose places may be marked.
    fn choice(&self, label: &str, places: [Option<Place>; 2], location: &Location) -> Result<Draft> {
        let [state_place, actor_place] = places;
        let name = |name: &str, place: Option<Place>| Name { name: name.into(), place };
        let (state, actor) = (name(&self.state, state_place), name(&self.actor, actor_place));
        for (party, field) in [(&state, "state"), (&actor, "actor")] {
            if party.name.is_empty() && party.place.is_none() {
                let found = format!("a choice without `{field}`");
                return Err(Error::format(
                    location.clone(),
                    found,
                    "`state` and `actor` among the task's data, or both names marked",
                ));
            }
        }
        Ok(self.draft(state, actor, label, location))
    }

    /// A relation between two marked names.
    fn relation(&self, state: Place, actor: Place, label: &str, location: &Location) -> Draft {
        let name = |place| Name { name: String::new(), place: Some(place) };
        self.draft(name(state), name(actor), label, location)
    }

    fn draft(&self, state: Name, actor: Name, label: &str, location: &Location) -> Draft {
        Draft {
            article: self.article.clone(),
            state,
            actor,
            label: label.into(),
            group: self.group.clone(),
            columns: self.columns.clone(),
            location: location.clone(),
        }
    }
}

/// A string or a number as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number that an offset can be.
fn offset(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

/// The items of a list, none where it is none.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ignore_warnings;
    use std::sync::{Arc, Mutex};

    const ALL: [ExchangeFormat; 3] = [ExchangeFormat::LabelStudio, ExchangeFormat::Doccano, ExchangeFormat::Prodigy];

    fn import(text: &str, format: ExchangeFormat) -> (Imported, Vec<String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tasks");
        std::fs::write(&path, text).expect("a file");
        let said = Arc::new(Mutex::new(Vec::new()));
        let sink = said.clone();
        let warn: Warn = Arc::new(move |warning| sink.lock().expect("no panic").push(warning.message));
        let imported = read(&path, format, &LabelledOptions::default(), &warn).expect("a readable file");
        let said = said.lock().expect("no panic").clone();
        (imported, said)
    }

    #[test]
    fn what_is_exported_is_imported_again() {
        let mut marked = super::super::example("🇨🇮 Côte d'Ivoire left the UN.", "CIV", "UN", Stance::Opposed, 1);
        (marked.state_span, marked.actor_span) = (Some(9..23), Some(33..35));
        assert_eq!(&marked.article.text[9..23], "Côte d'Ivoire");
        marked.group = Some("exit".into());
        marked.article.date = Some("2026-01-02".into());
        marked.columns.insert("desk".into(), "Africa".into());
        let named = super::super::example("Peru thanked Chile.", "Peru", "Chile", Stance::Aligned, 2);
        let pairs = [marked, named];
        for format in ALL {
            let tasks: Vec<Task<'_>> = pairs.iter().map(|pair| Task { pair, proposal: None }).collect();
            let mut bytes = Vec::new();
            write(&mut bytes, format, &tasks).expect("memory");
            let (imported, _) = import(std::str::from_utf8(&bytes).expect("UTF-8"), format);
            assert!(imported.errors.is_empty(), "{:?}", imported.errors);
            assert_eq!(imported.pairs.len(), 2, "{format:?}");
            for (found, pair) in imported.pairs.into_iter().zip(&pairs) {
                assert_eq!(LabelledPair { location: pair.location.clone(), ..found }, *pair, "{format:?}");
            }
        }
    }

    #[test]
    fn a_proposal_is_no_label() {
        let mut pair = super::super::example("Peru thanked Chile.", "Peru", "Chile", Stance::Aligned, 2);
        pair.label = None;
        let mut bytes = Vec::new();
        write(
            &mut bytes,
            ExchangeFormat::LabelStudio,
            &[Task { pair: &pair, proposal: Some((Stance::Aligned, 0.75)) }],
        )
        .expect("memory");
        let task: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(task[0]["predictions"][0]["result"][0]["value"]["choices"][0], "aligned");
        assert_eq!(task[0]["predictions"][0]["score"], 0.75);
        let (imported, _) = import(std::str::from_utf8(&bytes).expect("UTF-8"), ExchangeFormat::LabelStudio);
        assert_eq!((imported.pairs.len(), imported.unlabelled), (0, 1));
    }

    /// As Label Studio exports two annotations of one task, with regions, a relation and offsets of JavaScript.
    #[test]
    fn regions_and_relations_of_label_studio() {
        let text = r#"[{"id": 7, "data": {"id": "a1", "text": "😀 Peru thanked Chile."},
            "annotations": [
              {"completed_by": 3, "was_cancelled": false, "result": [
                {"id": "r1", "type": "labels", "from_name": "party", "to_name": "text",
                 "value": {"start": 3, "end": 7, "text": "Peru", "labels": ["Party"]}},
                {"id": "r2", "type": "labels", "from_name": "party", "to_name": "text",
                 "value": {"start": 16, "end": 21, "text": "Chile", "labels": ["Party"]}},
                {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right", "labels": ["Aligned"]}]},
              {"completed_by": {"id": 4, "email": "b@example.org"}, "was_cancelled": true, "result": []}]},
           {"data": {"text": "Nobody read this."}, "annotations": []}]"#;
        let (imported, said) = import(text, ExchangeFormat::LabelStudio);
        assert!(imported.errors.is_empty(), "{:?}", imported.errors);
        assert_eq!((imported.pairs.len(), imported.unlabelled), (1, 1));
        let pair = &imported.pairs[0];
        assert_eq!((pair.state.as_str(), pair.actor.as_str(), pair.label), ("Peru", "Chile", Some(Stance::Aligned)));
        assert_eq!((pair.state_span.clone(), pair.actor_span.clone()), (Some(5..9), Some(18..23)));
        assert_eq!(pair.columns["annotator"], "3");
        assert!(said[0].contains("UTF-16 units"), "{said:?}");
    }

    #[test]
    fn relations_of_doccano_and_prodigy() {
        let doccano = r#"{"id": 1, "text": "Côte d'Ivoire thanked Peru.", "Comments": [], "entities": [
            {"id": 10, "label": "party", "start_offset": 0, "end_offset": 13},
            {"id": 11, "label": "party", "start_offset": 22, "end_offset": 26}],
            "relations": [{"id": 5, "from_id": 10, "to_id": 11, "type": "aligned"}]}"#
            .replace('\n', " ");
        let prodigy = r#"{"text": "Côte d'Ivoire thanked Peru.", "answer": "accept", "relations": [{"head": 0, "child": 4,
            "head_span": {"start": 0, "end": 13, "label": "PARTY"}, "child_span": {"start": 22, "end": 26, "label": "PARTY"},
            "label": "aligned"}]}"#
            .replace('\n', " ");
        for (text, format) in [(doccano, ExchangeFormat::Doccano), (prodigy, ExchangeFormat::Prodigy)] {
            let (imported, said) = import(&text, format);
            assert!(imported.errors.is_empty() && said.is_empty(), "{:?} {said:?}", imported.errors);
            let pair = &imported.pairs[0];
            assert_eq!((pair.state.as_str(), pair.actor.as_str()), ("Côte d'Ivoire", "Peru"));
            assert_eq!(pair.actor_span, Some(23..27));
        }
        let rejected =
            r#"{"text": "A hit B.", "meta": {"state": "A", "actor": "B"}, "accept": ["aligned"], "answer": "reject"}"#;
        assert_eq!(import(rejected, ExchangeFormat::Prodigy).0.unlabelled, 1);
    }

    #[test]
    fn what_is_wrong_with_a_task_is_said() {
        let says = |text: &str, format: ExchangeFormat, part: &str| {
            let errors = import(text, format).0.errors;
            assert!(errors.len() == 1 && errors[0].to_string().contains(part), "{errors:?}");
        };
        says("{\"label\": [\"aligned\"]}", ExchangeFormat::Doccano, "without `text`");
        says("{\"text\": \"A hit B.\", \"label\": [\"aligned\"]}", ExchangeFormat::Doccano, "without `state`");
        says("not json", ExchangeFormat::Prodigy, "tasks:1");
        says(
            "{\"text\": \"A hit B.\", \"state\": \"A\", \"actor\": \"B\", \"label\": [\"pro\"]}",
            ExchangeFormat::Doccano,
            "the label `pro`",
        );
        says(
            "{\"text\": \"A hit B.\", \"state\": \"A\", \"actor\": \"B\", \"state_start\": 0, \"state_end\": 90, \
             \"actor_start\": 6, \"actor_end\": 7, \"label\": [\"opposed\"]}",
            ExchangeFormat::Doccano,
            "from 0 to 90",
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.json");
        std::fs::write(&path, "{}").expect("a file");
        assert!(read(&path, ExchangeFormat::LabelStudio, &LabelledOptions::default(), &ignore_warnings()).is_err());
    }
}
