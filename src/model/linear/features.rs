//! From evidence to numbers: masked n-grams, weighted by TF-IDF.

use crate::document::party::{Mark, Party};
use crate::document::{Document, Sentence, Strength};
use crate::model::linear::ngrams::NgramParams;
use crate::model::linear::tokenize::{Token, Tokenizer};

/// The counted features of one piece of evidence: `(hash, count)`, sorted by hash, each hash once.
#[derive(Debug, Clone, Default)]
pub struct Counts(Vec<(u64, f32)>);

impl Counts {
    /// Counts the features of a window anew.
    pub fn count(
        &mut self,
        params: &NgramParams,
        tokens: &[Token],
        marks: &[Mark],
        pair: (Party, Party),
        strength: Strength,
    ) {
        self.0.clear();
        params.features(tokens, marks, pair, strength, |hash, _, _| self.0.push((hash, 1.0)));
        self.0.sort_unstable_by_key(|&(hash, _)| hash);
        self.0.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }

    /// The counts.
    pub fn as_slice(&self) -> &[(u64, f32)] {
        &self.0
    }
}

/// The names of a vocabulary's features, in the order of its columns.
#[derive(Debug, Clone, Default)]
pub struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    /// Puts names together.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut all = Self::default();
        for name in names {
            all.text.push_str(name);
            all.ends.push(all.text.len() as u32);
        }
        all
    }

    /// From the joined names and the byte at which each ends; `None` where the two do not fit.
    pub fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let ordered = ends.windows(2).all(|w| w[0] <= w[1]) && ends.iter().all(|&e| text.is_char_boundary(e as usize));
        (ordered && ends.last().map_or(0, |&e| e as usize) == text.len()).then_some(Self { text, ends })
    }

    /// The joined names, and the byte at which each ends.
    pub fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// The name of a column's feature.
    pub fn get(&self, column: usize) -> &str {
        let start = if column == 0 { 0 } else { self.ends[column - 1] as usize };
        &self.text[start..self.ends[column] as usize]
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Tokens and marks of a run of sentences, from the first to the last.
pub(crate) fn window(
    document: &Document<'_>,
    (first, last): (usize, usize),
    tokenizer: &Tokenizer,
) -> (Vec<Token>, Vec<Mark>) {
    let sentences = &document.sentences[first..=last];
    let text = document.article.part(sentences[0].part);
    let marks: Vec<Mark> = sentences.iter().flat_map(|s: &Sentence| s.marks.iter().cloned()).collect();
    let span = sentences[0].span.start..sentences[last - first].span.end;
    (tokenizer.tokenize(text, span, &marks), marks)
}
