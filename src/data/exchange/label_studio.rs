//! Label Studio: a list of tasks. A task has `data` and `annotations`, whose `result` holds regions (`labels`), choices
//! and relations. Each annotation is a reading of its own; who made it stands in the column `annotator`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Description, Draft, Place, Task, description, list, offset, plain};
use crate::article::Span;
use crate::error::{Error, Location, Result};
use crate::stance::Stance;

pub(super) fn pairs(task: &Value, location: Location) -> Result<Vec<Draft>> {
    let none = Map::new();
    let data = task["data"].as_object().unwrap_or(&none);
    let mut description = Description::read(&task["data"]["text"], data, &[], &location)?;
    if let Some(id) = plain(&task["id"]).filter(|_| data.get("id").is_none_or(Value::is_null)) {
        description.article.id = id;
    }
    let mut drafts = Vec::new();
    for annotation in list(&task["annotations"]) {
        if annotation["was_cancelled"].as_bool() == Some(true) {
            continue;
        }
        let mut found = reading(&description, list(&annotation["result"]), &location)?;
        let by = &annotation["completed_by"];
        let by = plain(by).or_else(|| plain(&by["email"])).or_else(|| plain(&by["id"]));
        if let Some(by) = by {
            found.iter_mut().for_each(|draft| drop(draft.columns.insert("annotator".into(), by.clone())));
        }
        drafts.extend(found);
    }
    Ok(drafts)
}

fn reading(description: &Description, result: &[Value], location: &Location) -> Result<Vec<Draft>> {
    let place = |region: &Value| -> Option<Place> {
        let value = &region["value"];
        // Line ends within a region are exported as the two characters `\n`.
        let words = value["text"].as_str().map(|words| words.replace("\\n", "\n"));
        Some(Place { start: offset(&value["start"])?, end: offset(&value["end"])?, words })
    };
    let with_id = result.iter().filter(|item| item["type"] == "labels" && !item["id"].is_null());
    let regions: BTreeMap<String, &Value> = with_id.map(|item| (item["id"].to_string(), item)).collect();
    let region = |id: &Value| regions.get(&id.to_string()).copied().and_then(place);
    let places = ["state", "actor"].map(|party| {
        let is = |label: &Value| label.as_str().is_some_and(|label| label.eq_ignore_ascii_case(party));
        result.iter().find(|item| list(&item["value"]["labels"]).iter().any(is)).and_then(place)
    });
    let mut drafts = Vec::new();
    // A project may ask other things, too: where a control is called `stance`, it is the one that counts.
    let is_stance = |item: &Value| item["from_name"] == "stance";
    let named = result.iter().any(is_stance);
    for item in result {
        match item["type"].as_str() {
            Some("choices") if named && !is_stance(item) => {}
            Some("choices") => {
                for label in list(&item["value"]["choices"]).iter().filter_map(Value::as_str) {
                    drafts.push(description.choice(label, places.clone(), location)?);
                }
            }
            Some("relation") => {
                let Some((from, to)) = region(&item["from_id"]).zip(region(&item["to_id"])) else {
                    let found = "a relation whose regions are not there";
                    return Err(Error::format(
                        location.clone(),
                        found,
                        "`from_id` and `to_id` of two labelled regions",
                    ));
                };
                let (state, actor) = if item["direction"] == "left" { (to, from) } else { (from, to) };
                for label in list(&item["labels"]).iter().filter_map(Value::as_str) {
                    drafts.push(description.relation(state.clone(), actor.clone(), label, location));
                    if item["direction"] == "bi" {
                        drafts.push(description.relation(actor.clone(), state.clone(), label, location));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(drafts)
}

/// The labelling interface that Label Studio needs to show the tasks.
pub const CONFIG: &str = r#"<View>
  <Header value="$state toward $actor"/>
  <Labels name="party" toName="text"><Label value="state"/><Label value="actor"/></Labels>
  <Text name="text" value="$text"/>
  <Choices name="stance" toName="text" choice="single">
    <Choice value="aligned"/><Choice value="neutral"/><Choice value="opposed"/>
  </Choices>
</View>"#;

pub(super) fn task(task: &Task<'_>) -> Value {
    let pair = task.pair;
    let text = &pair.article.text;
    let mut data = description(pair);
    data.insert("text".into(), text.as_str().into());
    let units = |end: usize| text[..end].encode_utf16().count();
    let region = |label: &str, span: &Span| {
        json!({
            "id": label, "from_name": "party", "to_name": "text", "type": "labels",
            "value": {"start": units(span.start), "end": units(span.end), "text": text[span.clone()], "labels": [label]},
        })
    };
    let spans = [("state", &pair.state_span), ("actor", &pair.actor_span)];
    let regions: Vec<Value> =
        spans.into_iter().filter_map(|(label, span)| Some(region(label, span.as_ref()?))).collect();
    let result = |stance: Stance| -> Value {
        let choice = json!({
            "id": "stance", "from_name": "stance", "to_name": "text", "type": "choices",
            "value": {"choices": [stance.as_str()]},
        });
        regions.iter().cloned().chain([choice]).collect()
    };
    let mut object = json!({"data": data});
    if let Some(stance) = pair.label {
        object["annotations"] = json!([{"result": result(stance)}]);
    }
    let version = concat!("detente ", env!("CARGO_PKG_VERSION"));
    if let Some((stance, probability)) = task.proposal {
        object["predictions"] = json!([{"model_version": version, "score": probability, "result": result(stance)}]);
    } else if pair.label.is_none() && !regions.is_empty() {
        object["predictions"] = json!([{"model_version": version, "result": regions}]);
    }
    object
}
