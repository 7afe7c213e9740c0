//! The prediction record: what a prediction is for everything that reads predictions.
//!
//! Files, tables, reports and bindings are made of records alone. A record owns what it says, goes to JSON and comes back,
//! and counts offsets in Unicode characters of the text as it was read, as files do.
//!
//! ```
//! use detente::{Article, Pipeline, Query, Record};
//!
//! let pipeline = Pipeline::fast();
//! let article = Article::new("Estonia condemned Russia's attack.").with_id("a1");
//! let query = Query::toward(["Russia"], pipeline.gazetteer())?;
//! let predictions = pipeline.predict(&article, &query);
//! let records: Vec<Record> = Record::all(&article, &predictions).collect();
//! assert_eq!((records[0].id.as_str(), records[0].state_code.as_str()), ("a1", "EST"));
//! assert_eq!(records[0].evidence[0].actor, [18, 24]);
//!
//! let line = serde_json::to_string(&records[0])?;
//! assert_eq!(serde_json::from_str::<Record>(&line)?, records[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod json;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::article::Part;
use crate::document::{Side, Strength};
use crate::stance::Stance;

/// The stance of one state toward one actor in one article. Its texts are its own, or lent by article and gazetteer where `S` is `&str`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record<S = String> {
    /// The article's identifier.
    pub id: S,
    /// The file that it was read from, as the user named it; `-` for standard input.
    #[serde(default)]
    pub path: S,
    /// Its title; empty when unknown, as are the next four.
    pub title: S,
    /// Its date as the source writes it.
    pub date: S,
    /// Its address.
    pub url: S,
    /// Its outlet or collection.
    pub source: S,
    /// Its language, as a BCP 47 tag.
    #[serde(default)]
    pub language: S,
    /// Whose stance: the entry's name.
    pub state: S,
    /// Its code.
    pub state_code: S,
    /// Toward whom.
    pub actor: S,
    /// Its code.
    pub actor_code: S,
    /// The class decided on.
    pub stance: Stance,
    /// Of each class; they sum to 1.
    pub probabilities: Probabilities,
    /// How often the article names the state.
    pub mentions: usize,
    /// Whether the article never connects the two, so that neutral is said for want of evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_evidence: bool,
    /// Fields of its row that were kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// The evidence, that which counts most first.
    pub evidence: Vec<EvidenceRecord<S>>,
}

/// Three probabilities by name: each 0 to 1, and together 1; others are not read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Probabilities {
    /// Of aligned.
    pub aligned: f64,
    /// Of neutral.
    pub neutral: f64,
    /// Of opposed.
    pub opposed: f64,
}

/// Probabilities as a file has them.
#[derive(Deserialize)]
struct Written {
    aligned: f64,
    neutral: f64,
    opposed: f64,
}

/// How far from 1 probabilities may add up to, as they may be rounded.
pub(crate) const ROUNDED: f64 = 2e-3;

impl TryFrom<Written> for Probabilities {
    type Error = String;

    fn try_from(Written { aligned, neutral, opposed }: Written) -> Result<Self, String> {
        let p = [aligned, neutral, opposed];
        let sum: f64 = p.iter().sum();
        if p.iter().any(|p| !(0.0..=1.0).contains(p)) || (sum - 1.0).abs() > ROUNDED {
            return Err(format!(
                "expected probabilities, 0 to 1, that add up to 1, found {aligned}, {neutral} and {opposed}"
            ));
        }
        Ok(p.into())
    }
}

impl Probabilities {
    /// In the order aligned, neutral, opposed.
    pub fn to_array(self) -> [f64; 3] {
        [self.aligned, self.neutral, self.opposed]
    }

    /// That of one class.
    pub fn of(self, stance: Stance) -> f64 {
        self.to_array()[stance.index()]
    }
}

impl From<[f64; 3]> for Probabilities {
    fn from([aligned, neutral, opposed]: [f64; 3]) -> Self {
        Self { aligned, neutral, opposed }
    }
}

/// A piece of evidence; offsets count Unicode characters of the part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRecord<S = String> {
    /// The sentence, or the two neighbours.
    pub text: S,
    /// The part of the article that the offsets point into.
    pub part: Part,
    /// Where the text begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How closely it connects the two.
    pub strength: Strength,
    /// Whether the model read a part of it only, around the pair, as it is too long; left out where it is not so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The class that this evidence alone would give.
    pub stance: Stance,
    /// The probability of that class, from this evidence alone.
    pub probability: f64,
    /// Where the state is named.
    pub state: [usize; 2],
    /// Where the actor is named.
    pub actor: [usize; 2],
    /// Which of the two is named by the title, where the text is a sentence that names the other; its place is one of the
    /// title. Left out where one part names both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_title: Option<Side>,
}

impl<S> Record<S> {
    /// The probability of the stance.
    pub fn probability(&self) -> f64 {
        self.probabilities.of(self.stance)
    }

    /// Whether another class is more probable, so that an advantage of the model's
    /// [`Decision`](crate::model::head::Decision) decided.
    pub fn by_advantage(&self) -> bool {
        self.probability() < self.probabilities.of(Stance::argmax(&self.probabilities.to_array()))
    }

    /// The same with each of its texts, and those of its evidence, made into another kind.
    fn map<T>(self, text: impl Fn(S) -> T) -> Record<T> {
        let evidence = |of: EvidenceRecord<S>| EvidenceRecord {
            text: text(of.text),
            part: of.part,
            start: of.start,
            end: of.end,
            strength: of.strength,
            cut: of.cut,
            stance: of.stance,
            probability: of.probability,
            state: of.state,
            actor: of.actor,
            in_title: of.in_title,
        };
        Record {
            evidence: self.evidence.into_iter().map(evidence).collect(),
            id: text(self.id),
            path: text(self.path),
            title: text(self.title),
            date: text(self.date),
            url: text(self.url),
            source: text(self.source),
            language: text(self.language),
            state: text(self.state),
            state_code: text(self.state_code),
            actor: text(self.actor),
            actor_code: text(self.actor_code),
            stance: self.stance,
            probabilities: self.probabilities,
            mentions: self.mentions,
            no_evidence: self.no_evidence,
            columns: self.columns,
        }
    }
}

impl Record<&str> {
    /// The same with texts of its own.
    pub fn into_owned(self) -> Record {
        self.map(str::to_owned)
    }
}

impl Record {
    /// The columns of the CSV form, before those that were kept; `evidence` is one JSON value.
    pub const COLUMNS: [&str; 19] = [
        "id",
        "path",
        "title",
        "date",
        "url",
        "source",
        "language",
        "state",
        "state_code",
        "actor",
        "actor_code",
        "stance",
        "p_aligned",
        "p_neutral",
        "p_opposed",
        "mentions",
        "no_evidence",
        "evidence_text",
        "evidence",
    ];

    /// The row of the CSV form.
    ///
    /// # Errors
    /// None that a record can bring about; what serde_json gives.
    pub fn row(&self) -> serde_json::Result<[String; 19]> {
        let Probabilities { aligned, neutral, opposed } = self.probabilities;
        Ok([
            self.id.clone(),
            self.path.clone(),
            self.title.clone(),
            self.date.clone(),
            self.url.clone(),
            self.source.clone(),
            self.language.clone(),
            self.state.clone(),
            self.state_code.clone(),
            self.actor.clone(),
            self.actor_code.clone(),
            self.stance.to_string(),
            aligned.to_string(),
            neutral.to_string(),
            opposed.to_string(),
            self.mentions.to_string(),
            self.no_evidence.to_string(),
            self.evidence.first().map(|e| e.text.clone()).unwrap_or_default(),
            serde_json::to_string(&self.evidence)?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Article;
    use crate::{Pipeline, Query};

    #[test]
    fn offsets_are_characters_of_the_part() {
        let text = "Ängstlich: Côte d’Ivoire lobte Türkiye.\n\n🇷🇺 Côte d’Ivoire praised Türkiye.";
        let article = Article { url: Some("https://example.org/1".into()), ..Article::new(text) }
            .with_title("Türkiye – Côte d’Ivoire");
        let query = Query { all_states: true, ..Query::default() };
        let predictions = Pipeline::fast().predict(&article, &query);
        let records: Vec<Record> = Record::all(&article, &predictions).collect();
        assert_eq!(records.len(), 2);
        let slice = |part: Part, [start, end]: [usize; 2]| -> String {
            article.part(part).chars().skip(start).take(end - start).collect()
        };
        for record in &records {
            assert_eq!((record.url.as_str(), record.date.as_str()), ("https://example.org/1", ""));
            assert_eq!(record.evidence.len(), 3);
            for e in &record.evidence {
                assert_eq!(slice(e.part, [e.start, e.end]), e.text);
                let names = [slice(e.part, e.state), slice(e.part, e.actor)];
                assert!(names.iter().all(|name| ["Côte d’Ivoire", "Türkiye"].contains(&name.as_str())), "{names:?}");
            }
            let line = serde_json::to_string(record).expect("plain data");
            assert_eq!(&serde_json::from_str::<Record>(&line).expect("its own JSON"), record);
        }
    }
}
