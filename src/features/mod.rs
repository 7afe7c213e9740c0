//! From evidence to numbers: masked n-grams, weighted by TF-IDF.

pub mod ngrams;
pub mod tfidf;

use std::collections::BTreeMap;

use crate::evidence::{Document, Evidence, Sentence, Strength};
use crate::features::ngrams::NgramParams;
use crate::text::tokenize::{Mark, Party, Token, Tokenizer};

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

/// The tokens of a document's evidence, made when first asked for.
#[derive(Debug)]
pub(crate) struct Windows<'d> {
    document: &'d Document<'d>,
    cache: BTreeMap<(usize, usize), (Vec<Token>, Vec<Mark>)>,
}

impl<'d> Windows<'d> {
    pub fn new(document: &'d Document<'d>) -> Self {
        Self { document, cache: BTreeMap::new() }
    }

    /// Tokens and marks of the sentence, or of the two neighbours, that hold a piece of evidence.
    pub fn get(&mut self, evidence: &Evidence, tokenizer: &Tokenizer) -> (&[Token], &[Mark]) {
        let (first, last) = evidence.sentences;
        let document = self.document;
        let (tokens, marks) = self.cache.entry((first, last)).or_insert_with(|| {
            let sentences = &document.sentences[first..=last];
            let text = document.article.part(evidence.part);
            let marks: Vec<Mark> = sentences.iter().flat_map(|s: &Sentence| s.marks.iter().cloned()).collect();
            (tokenizer.tokenize(text, evidence.span.clone(), &marks), marks)
        });
        (tokens, marks)
    }
}
