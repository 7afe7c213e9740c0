//! Records as lines of JSON.

use serde::Serialize;

use super::{EvidenceRecord, Record};

impl<S: Serialize> Record<S> {
    /// Appends the record to `out` as JSON: the bytes of [`serde_json::to_vec`], in less time, as names of fields are not searched
    /// for characters to escape.
    ///
    /// # Errors
    /// None that a record can bring about; what serde_json gives.
    ///
    /// ```
    /// # use detente::{Article, Pipeline, Query, Record};
    /// # let pipeline = Pipeline::fast();
    /// let article = Article::new("Estonia condemned Russia's attack.");
    /// let predictions = pipeline.predict(&article, &Query::default());
    /// for record in Record::lent(&article, &predictions) {
    ///     let mut line = Vec::new();
    ///     record.write_json(&mut line)?;
    ///     assert_eq!(line, serde_json::to_vec(&record)?);
    /// }
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn write_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        self.write_article(out)?;
        self.write_pair(out)
    }

    /// Appends the first part of what [`write_json`](Self::write_json) appends, which is no JSON by itself: the fields that all
    /// records of an article share, so that they can be written once.
    ///
    /// # Errors
    /// As [`write_json`](Self::write_json).
    pub fn write_article(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        field(out, r#"{"id":"#, &self.id)?;
        field(out, r#","path":"#, &self.path)?;
        field(out, r#","title":"#, &self.title)?;
        field(out, r#","date":"#, &self.date)?;
        field(out, r#","url":"#, &self.url)?;
        field(out, r#","source":"#, &self.source)?;
        field(out, r#","language":"#, &self.language)
    }

    /// Appends the rest of it, which follows that of any record of the same article.
    ///
    /// # Errors
    /// As [`write_json`](Self::write_json).
    pub fn write_pair(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        field(out, r#","state":"#, &self.state)?;
        field(out, r#","state_code":"#, &self.state_code)?;
        field(out, r#","actor":"#, &self.actor)?;
        field(out, r#","actor_code":"#, &self.actor_code)?;
        field(out, r#","stance":"#, &self.stance)?;
        field(out, r#","probabilities":{"aligned":"#, &self.probabilities.aligned)?;
        field(out, r#","neutral":"#, &self.probabilities.neutral)?;
        field(out, r#","opposed":"#, &self.probabilities.opposed)?;
        field(out, r#"},"mentions":"#, &self.mentions)?;
        if self.no_evidence {
            out.extend_from_slice(br#","no_evidence":true"#);
        }
        if !self.columns.is_empty() {
            field(out, r#","columns":"#, &self.columns)?;
        }
        out.extend_from_slice(br#","evidence":["#);
        for (at, evidence) in self.evidence.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            evidence.write_json(out)?;
        }
        out.extend_from_slice(b"]}");
        Ok(())
    }
}

impl<S: Serialize> EvidenceRecord<S> {
    fn write_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        field(out, r#"{"text":"#, &self.text)?;
        field(out, r#","part":"#, &self.part)?;
        field(out, r#","start":"#, &self.start)?;
        field(out, r#","end":"#, &self.end)?;
        field(out, r#","strength":"#, &self.strength)?;
        if self.cut {
            out.extend_from_slice(br#","cut":true"#);
        }
        field(out, r#","stance":"#, &self.stance)?;
        field(out, r#","probability":"#, &self.probability)?;
        field(out, r#","state":"#, &self.state)?;
        field(out, r#","actor":"#, &self.actor)?;
        if let Some(side) = self.in_title {
            field(out, r#","in_title":"#, &side)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// What stands before a value, and the value.
#[inline]
fn field(out: &mut Vec<u8>, before: &str, value: &impl Serialize) -> serde_json::Result<()> {
    out.extend_from_slice(before.as_bytes());
    serde_json::to_writer(out, value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::article::Part;
    use crate::document::{Side, Strength};
    use crate::stance::Stance;

    fn text() -> impl Strategy<Value = String> {
        "[a-z \"\\\\/\u{0}-\u{1f}é\u{2028}漢🇷🇺]{0,12}"
    }

    fn place() -> impl Strategy<Value = [usize; 2]> {
        proptest::array::uniform2(any::<usize>())
    }

    prop_compose! {
        fn evidence()(
            text in text(),
            [state, actor, [start, end]] in proptest::array::uniform3(place()),
            part in prop::sample::select(vec![Part::Title, Part::Text]),
            strength in prop::sample::select(vec![Strength::Direct, Strength::Carried, Strength::Neighbour, Strength::Title]),
            stance in prop::sample::select(Stance::ALL.to_vec()),
            cut in any::<bool>(),
            probability in prop::num::f64::ANY,
            in_title in prop::sample::select(vec![None, Some(Side::State), Some(Side::Actor)]),
        ) -> EvidenceRecord {
            EvidenceRecord { text, part, start, end, strength, cut, stance, probability, state, actor, in_title }
        }
    }

    proptest! {
        #[test]
        fn writes_the_bytes_of_serde_json(
            [id, path, title, date, url, source] in proptest::array::uniform6(text()),
            [language, state, state_code, actor, actor_code] in proptest::array::uniform5(text()),
            stance in prop::sample::select(Stance::ALL.to_vec()),
            probabilities in proptest::array::uniform3(prop::num::f64::ANY),
            mentions in any::<usize>(),
            no_evidence in any::<bool>(),
            columns in proptest::collection::btree_map(text(), text(), 0..3),
            evidence in proptest::collection::vec(evidence(), 0..4),
        ) {
            let probabilities = probabilities.into();
            let record = Record {
                id, path, title, date, url, source, language, state, state_code, actor, actor_code, stance,
                probabilities, mentions, no_evidence, columns, evidence,
            };
            let mut line = b"before".to_vec();
            record.write_json(&mut line).expect("memory takes all");
            prop_assert_eq!(&line[6..], &serde_json::to_vec(&record).expect("plain data"));
        }
    }
}
