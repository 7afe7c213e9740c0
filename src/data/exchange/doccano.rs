//! doccano: an object a line. A text classification has `label` as a list of names; a relation extraction has `entities`
//! with `start_offset` and `end_offset`, and `relations` with `from_id`, `to_id` and `type`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Description, Draft, Place, Task, description, list, offset};
use crate::characters::Characters;
use crate::error::{Error, Location, Result};

pub(super) fn pairs(task: &Value, location: Location) -> Result<Vec<Draft>> {
    let Some(fields) = task.as_object() else {
        return Err(Error::format(location, "a line that is no object", "an object a line"));
    };
    let known = [
        "label",
        "labels",
        "entities",
        "relations",
        "Comments",
        "state_start",
        "state_end",
        "actor_start",
        "actor_end",
    ];
    let text = if task["text"].is_null() { &task["data"] } else { &task["text"] };
    let description = Description::read(text, fields, &known, &location)?;
    let mut drafts = Vec::new();
    let with_id = list(&task["entities"]).iter().filter(|entity| !entity["id"].is_null());
    let entities: BTreeMap<String, &Value> = with_id.map(|entity| (entity["id"].to_string(), entity)).collect();
    for relation in list(&task["relations"]) {
        let place = |id: &Value| -> Option<Place> {
            let entity = entities.get(&id.to_string())?;
            Some(Place { start: offset(&entity["start_offset"])?, end: offset(&entity["end_offset"])?, words: None })
        };
        let ends = place(&relation["from_id"]).zip(place(&relation["to_id"]));
        let (Some((state, actor)), Some(label)) = (ends, relation["type"].as_str()) else {
            let found = "a relation without a type, or whose entities are not there";
            return Err(Error::format(location, found, "`from_id`, `to_id` and `type`"));
        };
        drafts.push(description.relation(state, actor, label, &location));
    }
    let places = ["state", "actor"].map(|party| {
        let end = |which: &str| offset(&task[format!("{party}_{which}")]);
        Some(Place { start: end("start")?, end: end("end")?, words: None })
    });
    let labels = if task["label"].is_null() { &task["labels"] } else { &task["label"] };
    let one = labels.as_str().into_iter();
    for label in one.chain(list(labels).iter().filter_map(Value::as_str)) {
        drafts.push(description.choice(label, places.clone(), &location)?);
    }
    Ok(drafts)
}

pub(super) fn task(task: &Task<'_>) -> Value {
    let pair = task.pair;
    let mut fields = description(pair);
    let characters = Characters::new(&pair.article.text);
    for (party, span) in [("state", &pair.state_span), ("actor", &pair.actor_span)] {
        if let Some(span) = span {
            let [start, end] = characters.of_span(span);
            fields.insert(format!("{party}_start"), start.into());
            fields.insert(format!("{party}_end"), end.into());
        }
    }
    let stance = pair.label.or(task.proposal.map(|(stance, _)| stance));
    fields.insert("text".into(), pair.article.text.as_str().into());
    fields.insert("label".into(), stance.map_or(json!([]), |stance| json!([stance.as_str()])));
    fields.into()
}
