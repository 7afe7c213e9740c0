//! Records as lines of JSON.

use serde::Serialize;

use super::{EvidenceRecord, Record};

impl<S: AsRef<str>> Record<S> {
    /// Appends the record to `out` as JSON: the bytes of [`serde_json::to_vec`] for texts that it writes as their `str`, in
    /// less time, as names of fields are not searched for characters to escape, and texts are searched many bytes at a time.
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
        text(out, r#"{"id":"#, self.id.as_ref())?;
        text(out, r#","path":"#, self.path.as_ref())?;
        text(out, r#","title":"#, self.title.as_ref())?;
        text(out, r#","date":"#, self.date.as_ref())?;
        text(out, r#","url":"#, self.url.as_ref())?;
        text(out, r#","source":"#, self.source.as_ref())?;
        text(out, r#","language":"#, self.language.as_ref())
    }

    /// Appends the rest of it, which follows that of any record of the same article.
    ///
    /// # Errors
    /// As [`write_json`](Self::write_json).
    pub fn write_pair(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        text(out, r#","state":"#, self.state.as_ref())?;
        text(out, r#","state_code":"#, self.state_code.as_ref())?;
        text(out, r#","actor":"#, self.actor.as_ref())?;
        text(out, r#","actor_code":"#, self.actor_code.as_ref())?;
        text(out, r#","stance":"#, self.stance.as_str())?;
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

impl<S: AsRef<str>> EvidenceRecord<S> {
    fn write_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        text(out, r#"{"text":"#, self.text.as_ref())?;
        field(out, r#","part":"#, &self.part)?;
        field(out, r#","start":"#, &self.start)?;
        field(out, r#","end":"#, &self.end)?;
        field(out, r#","strength":"#, &self.strength)?;
        if self.cut {
            out.extend_from_slice(br#","cut":true"#);
        }
        text(out, r#","stance":"#, self.stance.as_str())?;
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

/// The same of a text, most of which have nothing to escape: many bytes are looked at a time.
fn text(out: &mut Vec<u8>, before: &str, text: &str) -> serde_json::Result<()> {
    let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        return field(out, before, &text);
    }
    out.extend_from_slice(before.as_bytes());
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::article::Part;
    use crate::document::{Side, Strength};
    use crate::stance::Stance;

    fn text() -> impl Strategy<Value = String> {
        // Some of many bytes, one of which may be to escape.
        "[a-z \"\\\\/\u{0}-\u{1f}é\u{2028}漢🇷🇺]{0,12}|[a-zé]{0,40}[\"\\\\\u{0}\u{1f}\u{7f} !~]?[a-zé]{0,40}"
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
