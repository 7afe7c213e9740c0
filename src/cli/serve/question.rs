//! What a request asks: its options, and the articles that it brings.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use clap::ValueEnum;

use detente::Query;
use detente::gazetteer::{EntryId, Gazetteer};
use detente::source::{Format, Source};
use detente::trend::Granularity;

use super::super::trend::By;
use super::problem::Problem;

/// The options of the commands `predict`, `explain` and `trend`, by their names with `_` for `-`.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub actors: Vec<String>,
    pub all_actors: bool,
    pub states: Vec<String>,
    pub all_states: bool,
    pub evidence: usize,
    pub any_language: bool,
    pub by: Granularity,
    pub no_dedup: bool,
    pub no_correction: bool,
    pub seed: u64,
    /// Only the article of this id.
    pub id: Option<String>,
    /// What the articles' file is called.
    pub name: Option<String>,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            actors: Vec::new(),
            all_actors: false,
            states: Vec::new(),
            all_states: false,
            evidence: 1,
            any_language: false,
            by: Granularity::Year,
            no_dedup: false,
            no_correction: false,
            seed: 0,
            id: None,
            name: None,
        }
    }
}

/// Each piece is repeated for each pair that it connects.
const MOST_EVIDENCE: usize = 100;
/// Of a file; each record of it repeats its name.
pub const LONGEST_NAME: usize = 1000;

/// The options of each question.
pub const PREDICT: &[&str] = &["actor", "all_actors", "state", "all_states", "evidence", "any_language", "name"];
pub const EXPLAIN: &[&str] = &["actor", "state", "id", "name"];
pub const TREND: &[&str] =
    &["actor", "all_actors", "state", "by", "no_dedup", "no_correction", "seed", "any_language", "name"];

impl Question {
    /// The question of a query string, which may have the options `known`.
    pub fn parse(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut question = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let name = detente::shortened(&name);
                return Err(Problem::bad_request(format!("unknown option `{name}`; there are {}", known.join(", "))));
            }
            question.set(&name, &value)?;
        }
        Ok(question)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let wrong = |expected: &str| {
            Problem::bad_request(format!("{name}: found `{}`, expected {expected}", detente::shortened(value)))
        };
        let flag = || match value {
            "" | "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(wrong("true or false")),
        };
        match name {
            "actor" => self.actors.push(value.to_owned()),
            "state" => self.states.push(value.to_owned()),
            "all_actors" => self.all_actors = flag()?,
            "all_states" => self.all_states = flag()?,
            "any_language" => self.any_language = flag()?,
            "no_dedup" => self.no_dedup = flag()?,
            "no_correction" => self.no_correction = flag()?,
            "evidence" => {
                let most = value.parse().ok().filter(|evidence| *evidence <= MOST_EVIDENCE);
                self.evidence = most.ok_or_else(|| wrong("a number, 0 to 100"))?;
            }
            "seed" => self.seed = value.parse().map_err(|_| wrong("a number"))?,
            "by" => self.by = period(value).ok_or_else(|| wrong("year, quarter, month or week"))?,
            "id" => self.id = Some(value.to_owned()),
            "name" if value.len() > LONGEST_NAME => return Err(wrong("a name of at most 1,000 bytes")),
            "name" => self.name = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    /// What is asked of the pipeline, and which of several a name was read as. Toward whom must be said.
    pub fn query(&self, gazetteer: &Gazetteer) -> Result<(Query, Vec<String>), Problem> {
        match (self.actors.is_empty(), self.all_actors) {
            (true, false) => Err(Problem::bad_request("toward whom? Say actor=NAME, or all_actors=true")),
            (false, true) => Err(Problem::bad_request("either actor or all_actors")),
            _ => {
                let mut notes = Vec::new();
                let query = Query {
                    actors: find(gazetteer, &self.actors, &mut notes)?,
                    states: find(gazetteer, &self.states, &mut notes)?,
                    all_states: self.all_states,
                    evidence_limit: Some(self.evidence),
                };
                Ok((query, notes))
            }
        }
    }

    /// The one state and the one actor of a question that must have them, and which of several their names were read as.
    pub fn pair(&self, gazetteer: &Gazetteer) -> Result<(EntryId, EntryId, Vec<String>), Problem> {
        let mut notes = Vec::new();
        let mut one = |names: &[String], what: &str| match find(gazetteer, names, &mut notes)?[..] {
            [id] => Ok(id),
            _ => Err(Problem::bad_request(format!("expected one {what}=NAME"))),
        };
        Ok((one(&self.states, "state")?, one(&self.actors, "actor")?, notes))
    }
}

/// A length of periods.
pub fn period(name: &str) -> Option<Granularity> {
    By::from_str(name, false).ok().map(By::granularity)
}

fn find(gazetteer: &Gazetteer, names: &[String], notes: &mut Vec<String>) -> Result<Vec<EntryId>, Problem> {
    let found = |name: &String| {
        let (found, note) = super::super::find(gazetteer, name)?;
        notes.extend(note);
        Ok(found)
    };
    names.iter().map(found).collect()
}

/// All of a body.
pub async fn bytes(body: Body, limit: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, limit).await.map_err(|error| too_large_or_broken(&error, limit))
}

/// The articles that a request's body is, in the format that its Content-Type says, or that they show themselves.
pub fn source(headers: &HeaderMap, bytes: Bytes, name: Option<&str>) -> Result<Source, Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(packed());
    }
    let stated = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let stated = match stated {
        Some(stated) => format(stated).ok_or_else(|| {
            let known: Vec<&str> = CONTENT_TYPES.iter().map(|(name, _)| *name).collect();
            let detail =
                format!("Content-Type: found {}, expected one of {}", detente::shortened(stated), known.join(", "));
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
        })?,
        None => Format::Auto,
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::bad_request("an empty body; expected articles"));
    }
    if is_packed(&bytes) {
        return Err(packed());
    }
    let source = Source::bytes(name.unwrap_or("-"), bytes);
    Ok(if stated == Format::Auto { source } else { Source { format: stated, ..source } })
}

fn too_large_or_broken(error: &axum::Error, limit: usize) -> Problem {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return Problem::too_large(limit);
        }
        cause = error.source();
    }
    Problem::bad_request("the body ends too early, or is not as HTTP has it")
}

fn packed() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, PACKED)
}

/// What is said of a packed file.
pub const PACKED: &str = "a workbook, Parquet or packed data; expected text, HTML, CSV, JSON or a feed, unpacked: a workbook can be saved as CSV";

/// Whether bytes may become many times as many: gzip, zstd, and ZIP, as of workbooks; Parquet is packed within.
pub fn is_packed(bytes: &Bytes) -> bool {
    let magic: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"];
    magic.iter().any(|magic| bytes.starts_with(magic))
}

/// What a body may be.
const CONTENT_TYPES: [(&str, Format); 17] = [
    ("text/plain", Format::Text),
    ("text/html", Format::Html),
    ("application/xhtml+xml", Format::Html),
    ("text/csv", Format::Csv),
    ("text/tab-separated-values", Format::Tsv),
    ("application/json", Format::Json),
    ("application/jsonl", Format::Jsonl),
    ("application/x-ndjson", Format::Jsonl),
    ("application/x-jsonlines", Format::Jsonl),
    ("message/rfc822", Format::Mhtml),
    ("multipart/related", Format::Mhtml),
    ("application/rss+xml", Format::Feed),
    ("application/atom+xml", Format::Feed),
    ("application/xml", Format::Feed),
    ("text/xml", Format::Feed),
    ("application/octet-stream", Format::Auto),
    // What curl says of whatever it sends.
    ("application/x-www-form-urlencoded", Format::Auto),
];

/// The format of a Content-Type; its parameters say nothing that the bytes do not.
fn format(content_type: &str) -> Option<Format> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    CONTENT_TYPES.iter().find(|(name, _)| *name == essence).map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_commands() {
        let question = Question::parse(Some("actor=Russia&actor=C%C3%B4te+d%27Ivoire&evidence=3&all_states"), PREDICT);
        let expected = Question {
            actors: vec!["Russia".into(), "Côte d'Ivoire".into()],
            evidence: 3,
            all_states: true,
            ..Question::default()
        };
        assert_eq!(question, Ok(expected));
        assert_eq!(Question::parse(None, PREDICT), Ok(Question::default()));
    }

    #[test]
    fn what_is_no_option_or_no_value_is_said() {
        let said = |query, known| Question::parse(Some(query), known).map_err(|problem| problem.detail);
        assert_eq!(said("by=decade", TREND), Err("by: found `decade`, expected year, quarter, month or week".into()));
        assert_eq!(said("by=year", EXPLAIN), Err("unknown option `by`; there are actor, state, id, name".into()));
        assert!(said("evidence=-1", PREDICT).is_err() && said("all_actors=perhaps", PREDICT).is_err());
    }

    #[test]
    fn toward_whom_is_said_once() {
        let gazetteer = Gazetteer::embedded();
        let status = |question: Question| question.query(gazetteer).map_err(|problem| problem.status.as_u16());
        assert_eq!(status(Question::default()), Err(400));
        let both = Question { actors: vec!["Russia".into()], all_actors: true, ..Question::default() };
        assert_eq!(status(both), Err(400));
        assert_eq!(status(Question { actors: vec!["Rusia".into()], ..Question::default() }), Err(422));
        assert!(status(Question { all_actors: true, ..Question::default() }).is_ok());
    }
}
