//! Text to tokens, by the normaliser and pre-tokeniser of the `tokenizers` crate.
//!
//! Every token keeps its byte range in the text as it was read. Named spans ([`Mark`]) are not tokenised: each
//! becomes one token of its own, and the text between them is tokenised without sight of the names. So no token, and
//! nothing computed from tokens, depends on how a marked name is spelled.

use tokenizers::normalizers::replace::Replace;
use tokenizers::normalizers::unicode::NFKC;
use tokenizers::normalizers::utils::Lowercase;
use tokenizers::normalizers::{NormalizerWrapper, Sequence};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use std::sync::{Arc, LazyLock};

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::plain;
use crate::Span;
use crate::document::party::Mark;
use crate::error::{Error, Result};

/// A word (with an inner apostrophe), a number (with inner stops and commas), or one other visible character.
const TOKEN_PATTERN: &str = r"\p{L}+(?:'\p{L}+)*|\p{N}+(?:[.,]\p{N}+)*|[^\s\p{L}\p{N}]";

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The normalised word; empty for a mark.
    pub word: CompactString,
    /// Byte range in the part of the article.
    pub span: Span,
    /// The index of the mark that this token stands for.
    pub mark: Option<usize>,
    /// Whether the word as written starts with a capital.
    pub capitalised: bool,
}

/// The normaliser and pre-tokeniser, as saved with a model.
///
/// ```
/// use detente::model::linear::tokenize::Tokenizer;
/// let tokens = Tokenizer::default().tokenize("It didn’t sign.", 0..17, &[]);
/// let words: Vec<&str> = tokens.iter().map(|token| &*token.word).collect();
/// assert_eq!(words, ["it", "didn't", "sign", "."]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tokenizer {
    /// Steps of its own; `None` for the usual ones, which are made when a text first needs them: to compile the patterns
    /// takes longer than to tokenise an article.
    steps: Option<Arc<Steps>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Steps {
    normalizer: NormalizerWrapper,
    pre_tokenizer: PreTokenizerWrapper,
}

/// The usual steps.
static USUAL: LazyLock<Steps> = LazyLock::new(Steps::new);

/// How they are written.
const WRITTEN: &str = include_str!("tokenizer.json");

impl Serialize for Tokenizer {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.steps().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tokenizer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let written = serde_json::Value::deserialize(deserializer)?;
        if serde_json::from_str::<serde_json::Value>(WRITTEN).is_ok_and(|usual| usual == written) {
            return Ok(Self::default());
        }
        let steps = Steps::deserialize(written).map_err(serde::de::Error::custom)?;
        Ok(Self { steps: Some(Arc::new(steps)) })
    }
}

impl Steps {
    fn new() -> Self {
        let replace =
            |from: &str, to: &str| NormalizerWrapper::from(Replace::new(from, to).expect("a literal pattern compiles"));
        let normalizer = Sequence::new(vec![
            NFKC.into(),
            replace("’", "'"),
            replace("‘", "'"),
            replace("“", "\""),
            replace("”", "\""),
            Lowercase.into(),
        ]);
        let pre_tokenizer =
            Split::new(SplitPattern::Regex(TOKEN_PATTERN.into()), SplitDelimiterBehavior::Removed, true)
                .expect("the token pattern compiles");
        Self { normalizer: normalizer.into(), pre_tokenizer: pre_tokenizer.into() }
    }
}

impl Tokenizer {
    /// Whether it is the one that [`Default`] gives.
    pub(crate) fn is_usual(&self) -> bool {
        self.steps.is_none()
    }

    fn steps(&self) -> &Steps {
        self.steps.as_deref().unwrap_or_else(|| &USUAL)
    }

    /// The tokens of `text[range]`, marks as single tokens.
    ///
    /// `marks` are sorted, do not overlap and lie within `range`; all offsets point into `text`.
    pub fn tokenize(&self, text: &str, range: Span, marks: &[Mark]) -> Vec<Token> {
        let mut tokens = Vec::with_capacity(range.len() / 5 + 1);
        self.tokenize_into(text, range, marks, 0, &mut tokens);
        tokens
    }

    /// Appends the tokens of `text[range]` to `tokens`; the first of the marks is the one number `first`.
    pub(crate) fn tokenize_into(&self, text: &str, range: Span, marks: &[Mark], first: usize, tokens: &mut Vec<Token>) {
        let mut position = range.start;
        for (index, mark) in (first..).zip(marks) {
            self.tokenize_gap(text, position..mark.span.start, tokens);
            let word = CompactString::const_new("");
            tokens.push(Token { word, span: mark.span.clone(), mark: Some(index), capitalised: true });
            position = mark.span.end;
        }
        self.tokenize_gap(text, position..range.end, tokens);
    }

    fn tokenize_gap(&self, text: &str, gap: Span, tokens: &mut Vec<Token>) {
        let Some(piece) = text.get(gap.clone()) else { return };
        if piece.trim().is_empty() || self.is_usual() && plain::tokenize(piece, gap.start, tokens).is_some() {
            return;
        }
        self.tokenize_by_steps(text, gap, tokens);
    }

    fn tokenize_by_steps(&self, text: &str, gap: Span, tokens: &mut Vec<Token>) {
        let steps = self.steps();
        let mut split = PreTokenizedString::from(&text[gap.clone()]);
        // Neither step can fail on these fixed patterns; a piece that did would simply yield no tokens.
        let done = split
            .normalize(|s| tokenizers::Normalizer::normalize(&steps.normalizer, s))
            .and_then(|()| steps.pre_tokenizer.pre_tokenize(&mut split));
        if done.is_err() {
            return;
        }
        for (word, (start, end), _) in split.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            let span = gap.start + start..gap.start + end;
            let capitalised = text[span.clone()].chars().next().is_some_and(char::is_uppercase);
            tokens.push(Token { word: word.into(), span, mark: None, capitalised });
        }
    }

    /// All tokens of a text by the steps, whatever its characters.
    #[cfg(test)]
    pub(super) fn tokenize_any(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.tokenize_by_steps(text, 0..text.len(), &mut tokens);
        tokens
    }

    /// The tokeniser as JSON, to be saved with a model.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a tokeniser is plain data")
    }

    /// The tokeniser that [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`Error::Shape`] when the JSON describes no tokeniser.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|e| Error::Shape {
            what: "tokenizer",
            found: e.to_string(),
            expected: "the JSON of a normaliser and a pre-tokeniser".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::party::{Party, PartyKind};

    fn words(text: &str, marks: &[Mark]) -> Vec<String> {
        let tokens = Tokenizer::default().tokenize(text, 0..text.len(), marks);
        tokens.iter().map(|t| if t.mark.is_some() { "*".into() } else { t.word.to_string() }).collect()
    }

    #[test]
    fn keeps_words_numbers_and_signs_apart() {
        let text = "It won’t pay $3,500.50 — “never”, he said…";
        assert_eq!(
            words(text, &[]),
            ["it", "won't", "pay", "$", "3,500.50", "—", "\"", "never", "\"", ",", "he", "said", ".", ".", "."]
        );
    }

    #[test]
    fn offsets_point_to_the_original() {
        let text = "Don’t — Zürich’s ﬁrm";
        for token in Tokenizer::default().tokenize(text, 0..text.len(), &[]) {
            assert!(text.get(token.span.clone()).is_some());
        }
        let last = Tokenizer::default().tokenize(text, 0..text.len(), &[]).pop().expect("tokens");
        assert_eq!((&*last.word, &text[last.span]), ("firm", "ﬁrm"));
    }

    #[test]
    fn a_mark_is_one_token_and_hides_its_spelling() {
        let mark = |span: Span| Mark { span, party: Party::State, kind: PartyKind::State, carried: false };
        assert_eq!(words("pro-U.S. forces", &[mark(4..8)]), ["pro", "-", "*", "forces"]);
        assert_eq!(words("pro-Papua New Guinea forces", &[mark(4..20)]), ["pro", "-", "*", "forces"]);
        assert_eq!(words("Chad's army", &[mark(0..4)]), ["*", "'", "s", "army"]);
    }

    #[test]
    fn marks_beyond_sixteen_bits_are_themselves() {
        let text = "a b ".repeat(70_000);
        let mark = |at| Mark { span: at..at + 1, party: Party::State, kind: PartyKind::State, carried: false };
        let marks: Vec<Mark> = (0..70_000).map(|i| mark(4 * i)).collect();
        let tokens = Tokenizer::default().tokenize(&text, 0..text.len(), &marks);
        let found: Vec<usize> = tokens.iter().filter_map(|t| t.mark).collect();
        assert!(found.into_iter().eq(0..70_000));
    }

    #[test]
    fn survives_saving() {
        let json = Tokenizer::default().to_json();
        let again = Tokenizer::from_json(&json).expect("its own JSON");
        let text = "Moscow didn't say.";
        assert_eq!(again.tokenize(text, 0..text.len(), &[]), Tokenizer::default().tokenize(text, 0..text.len(), &[]));
        assert!(Tokenizer::from_json("{}").is_err());
        assert!(again.is_usual(), "the usual tokeniser is known by how it is written");
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
        assert_eq!(value(&json), value(WRITTEN));
    }
}
