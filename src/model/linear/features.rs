//! From evidence to numbers: masked n-grams, weighted by TF-IDF.

use std::ops::Range;

use crate::article::{Part, Span};
use crate::document::party::{Mark, Party};
use crate::document::{Document, Strength};
use crate::model::linear::ngrams::{NgramParams, Words};
use crate::model::linear::tokenize::{Token, Tokenizer};

/// The counted features of one piece of evidence: `(hash, count)`, sorted by hash, each hash once.
#[derive(Debug, Clone, Default)]
pub struct Counts(Vec<(u64, f32)>);

impl Counts {
    /// Counts the features of a window anew.
    pub fn count(&mut self, params: &NgramParams, words: &Words<'_>, pair: (Party, Party), strength: Strength) {
        self.0.clear();
        params.features(words, pair, strength, |hash, _, _| self.0.push((hash, 1.0)));
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

/// A window in words.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowTokens {
    /// Its tokens, first those of the title.
    pub tokens: Vec<Token>,
    /// The names in it; each token's `mark` is an index into these.
    pub marks: Vec<Mark>,
    /// The part that each run of tokens is from, and how many tokens come before its end.
    ends: Vec<(Part, usize)>,
}

impl WindowTokens {
    /// Reads a window.
    pub fn read(document: &Document<'_>, sentences: (usize, usize), tokenizer: &Tokenizer) -> Self {
        let mut read = Self::default();
        read.read_into(document, sentences, tokenizer);
        read
    }

    /// Reads a window in the place of the one before.
    pub fn read_into(&mut self, document: &Document<'_>, sentences: (usize, usize), tokenizer: &Tokenizer) {
        let Self { tokens, marks, ends } = self;
        tokens.clear();
        marks.clear();
        ends.clear();
        let bytes: usize = document.stretches(sentences).map(|stretch| stretch.span.len()).sum();
        // A token for four bytes: more than most English has.
        tokens.reserve(bytes / 4);
        for stretch in document.stretches(sentences) {
            let before = marks.len();
            if let Some(last) =
                tokens.last().filter(|last| last.word.contains(char::is_alphanumeric) || last.mark.is_some())
            {
                // A title has no stop of its own.
                let at = last.span.end;
                tokens.push(Token { word: ".".into(), span: at..at, mark: None, capitalised: false });
                ends[0].1 += 1;
            }
            marks.extend(stretch.sentences.iter().flat_map(|s| s.marks.iter().cloned()));
            let text = document.article.part(stretch.part);
            tokenizer.tokenize_into(text, stretch.span, &marks[before..], before, tokens);
            ends.push((stretch.part, tokens.len()));
        }
    }

    /// Where a run of tokens stands; of one that begins in the title and ends in the text, what is in the title.
    pub fn place(&self, at: &Range<usize>) -> (Part, Span) {
        let (part, end) = self.ends[self.ends.partition_point(|&(_, end)| end <= at.start)];
        (part, self.tokens[at.start].span.start..self.tokens[at.end.min(end) - 1].span.end)
    }
}
