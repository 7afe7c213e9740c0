//! Prodigy: an object a line. A choice has `accept` with the ids of `options`; relations have a `head_span`, a
//! `child_span` and a `label`. Only what was accepted counts.

use serde_json::{Map, Value, json};

use super::{Description, Draft, Place, Task, description, list, offset, plain};
use crate::characters::Characters;
use crate::error::{Error, Location, Result};
use crate::stance::Stance;

pub(super) fn pairs(task: &Value, location: Location) -> Result<Vec<Draft>> {
    if !task.is_object() {
        return Err(Error::format(location, "a line that is no object", "an object a line"));
    }
    if task["answer"] != "accept" {
        return Ok(Vec::new());
    }
    let none = Map::new();
    let mut description =
        Description::read(&task["text"], task["meta"].as_object().unwrap_or(&none), &["score"], &location)?;
    if let Some(hash) = plain(&task["_input_hash"]).filter(|_| task["meta"]["id"].is_null()) {
        description.article.id = hash;
    }
    let place = |span: &Value| -> Option<Place> {
        let words = span["text"].as_str().map(str::to_owned);
        Some(Place { start: offset(&span["start"])?, end: offset(&span["end"])?, words })
    };
    let mut drafts = Vec::new();
    for relation in list(&task["relations"]) {
        let ends = place(&relation["head_span"]).zip(place(&relation["child_span"]));
        let (Some((state, actor)), Some(label)) = (ends, relation["label"].as_str()) else {
            let found = "a relation without a label, or without its spans";
            return Err(Error::format(location, found, "`head_span`, `child_span` and `label`"));
        };
        drafts.push(description.relation(state, actor, label, &location));
    }
    let places = ["state", "actor"].map(|party| {
        let labelled = |span: &&Value| span["label"].as_str().is_some_and(|label| label.eq_ignore_ascii_case(party));
        list(&task["spans"]).iter().find(labelled).and_then(place)
    });
    for label in list(&task["accept"]).iter().filter_map(Value::as_str) {
        drafts.push(description.choice(label, places.clone(), &location)?);
    }
    Ok(drafts)
}

pub(super) fn task(task: &Task<'_>) -> Value {
    let pair = task.pair;
    let mut meta = description(pair);
    if let Some((_, probability)) = task.proposal {
        meta.insert("score".into(), probability.into());
    }
    let characters = Characters::new(&pair.article.text);
    let spans = [("state", &pair.state_span), ("actor", &pair.actor_span)].into_iter().filter_map(|(label, span)| {
        let span = span.as_ref()?;
        let [start, end] = characters.of_span(span);
        Some(json!({"start": start, "end": end, "label": label, "text": pair.article.text[span.clone()]}))
    });
    let mut object = json!({
        "text": pair.article.text,
        "spans": spans.collect::<Vec<Value>>(),
        "options": Stance::ALL.map(|stance| json!({"id": stance.as_str(), "text": stance.as_str()})),
        "meta": meta,
    });
    if let Some(stance) = pair.label.or(task.proposal.map(|(stance, _)| stance)) {
        object["accept"] = json!([stance.as_str()]);
    }
    if pair.label.is_some() {
        object["answer"] = "accept".into();
    }
    object
}
