//! Text to word pieces, by the WordPiece model of the `tokenizers` crate, cut to what the encoder takes.

use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{Model as _, Normalizer, OffsetType, PreTokenizedString, PreTokenizer};

use super::EncoderInput;

/// The most pieces of a window; a longer one is cut around the pair.
pub const MAX_PIECES: usize = 96;

const START: &str = "<s>";
const END: &str = "</s>";
const UNKNOWN: &str = "[UNK]";

/// A vocabulary of word pieces.
#[derive(Clone)]
pub struct Pieces {
    vocabulary: String,
    model: WordPiece,
    start: u32,
    end: u32,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").field("count", &self.len()).finish_non_exhaustive()
    }
}

/// A window as the encoder reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceWindow {
    /// Its pieces, the first and the last of which say that it begins and ends; at most [`MAX_PIECES`].
    pub ids: Vec<u32>,
    /// Which of them begins the name of the state.
    pub state: usize,
    /// Which of them begins the name of the actor.
    pub actor: usize,
    /// Whether it had more.
    pub is_cut: bool,
}

impl Pieces {
    /// The vocabulary whose pieces are the lines of a text, numbered from 0; `None` where one is there twice, or the three
    /// that mark a beginning, an end and an unknown word are not all there.
    pub fn new(vocabulary: String) -> Option<Self> {
        let lines = WordPiece::read_bytes(vocabulary.as_bytes()).ok()?;
        if lines.len() != vocabulary.lines().count() || !lines.contains_key(UNKNOWN) {
            return None;
        }
        let (start, end) = (*lines.get(START)?, *lines.get(END)?);
        let model = WordPiece::builder().vocab(lines).unk_token(UNKNOWN.into()).build().ok()?;
        Some(Self { vocabulary, model, start, end })
    }

    /// The pieces, one a line.
    pub fn vocabulary(&self) -> &str {
        &self.vocabulary
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.model.get_vocab_size()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces of a window; `None` where no piece stands where one of the two names begins.
    pub fn window(&self, input: &EncoderInput) -> Option<PieceWindow> {
        let normalizer = BertNormalizer::default();
        let mut text = PreTokenizedString::from(input.text.as_str());
        text.normalize(|part| normalizer.normalize(part)).ok()?;
        BertPreTokenizer.pre_tokenize(&mut text).ok()?;
        text.tokenize(|part| self.model.tokenize(part.get())).ok()?;
        let pieces = text.into_encoding(None, 0, OffsetType::Byte).ok()?;
        let place = |at: usize| pieces.get_offsets().iter().position(|&(from, to)| (from..to).contains(&at));
        let (state, actor) = (place(input.state.start)?, place(input.actor.start)?);
        let mut ids = Vec::with_capacity(pieces.len() + 2);
        ids.push(self.start);
        ids.extend_from_slice(pieces.get_ids());
        ids.push(self.end);
        Some(cut(PieceWindow { ids, state: state + 1, actor: actor + 1, is_cut: false }))
    }
}

/// At most [`MAX_PIECES`] of a window: the first and the last, and between them a run around the pair, or one around each
/// of the two where they stand too far apart.
fn cut(window: PieceWindow) -> PieceWindow {
    let room = MAX_PIECES - 2;
    let PieceWindow { ids, state, actor, .. } = &window;
    let inner = ids.len() - 2;
    if inner <= room {
        return window;
    }
    let (low, high) = (state.min(actor) - 1, state.max(actor) - 1);
    let kept: Vec<usize> = if high - low >= room {
        let half = room / 2;
        let first = low.saturating_sub(half / 2);
        let second = (high - half / 2).min(inner - (room - half)).max(first + half);
        (first..first + half).chain(second..second + room - half).collect()
    } else {
        let middle = usize::midpoint(low, high).saturating_sub(room / 2).min(inner - room);
        let start = middle.min(low).max((high + 1).saturating_sub(room));
        (start..start + room).collect()
    };
    let place = |of: usize| kept.iter().position(|&at| at + 1 == of).map_or(0, |at| at + 1);
    let (state, actor) = (place(*state), place(*actor));
    let mut cut = vec![ids[0]];
    cut.extend(kept.iter().map(|&at| ids[at + 1]));
    cut.push(ids[ids.len() - 1]);
    PieceWindow { ids: cut, state, actor, is_cut: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Pieces {
        let lines = "<s>\n</s>\n[UNK]\nnorway\nperu\nthank\n##ed\n,\n-\npro\ncafe";
        Pieces::new(lines.into()).expect("a vocabulary")
    }

    fn input(text: &str) -> EncoderInput {
        let place = |name: &str| text.find(name).map(|at| at..at + name.len()).expect("named");
        EncoderInput::masked(text, place("Norway"), place("Peru"))
    }

    #[test]
    fn the_longest_pieces_are_taken() {
        let window = pieces().window(&input("Pro-Norway Café thanked  Peru, sir")).expect("both named");
        assert_eq!(window.ids, [0, 9, 8, 3, 10, 5, 6, 4, 7, 2, 1]);
        assert_eq!((window.state, window.actor), (3, 7));
    }

    #[test]
    fn a_name_inside_a_word_stands_where_the_piece_does() {
        let window = pieces().window(&input("XPeru Norway")).expect("both named");
        assert_eq!((window.ids, window.state, window.actor), (vec![0, 2, 3, 1], 2, 1));
    }

    #[test]
    fn a_long_window_is_cut_around_the_pair() {
        let far = |before: usize, between: usize, after: usize| {
            let filler = |n| "thank ".repeat(n);
            let text = format!("{}Norway {}Peru {}", filler(before), filler(between), filler(after));
            pieces().window(&input(&text)).expect("both named")
        };
        for (before, between, after) in
            [(200, 5, 0), (0, 5, 200), (100, 50, 100), (50, 300, 50), (0, MAX_PIECES - 3, 0), (0, MAX_PIECES - 4, 1)]
        {
            let window = far(before, between, after);
            assert_eq!(window.ids.len(), MAX_PIECES, "{before}, {between}, {after}");
            assert_eq!((window.ids[window.state], window.ids[window.actor]), (3, 4));
            assert_eq!((window.ids[0], window.ids[MAX_PIECES - 1]), (0, 1));
        }
        assert_eq!(far(20, 20, MAX_PIECES - 44).ids.len(), MAX_PIECES);
        assert_eq!(far(20, 20, MAX_PIECES - 45).ids.len(), MAX_PIECES - 1);
    }

    #[test]
    fn a_vocabulary_has_each_piece_once_and_its_marks() {
        assert!(Pieces::new("<s>\n</s>\n[UNK]\na\na".into()).is_none());
        assert!(Pieces::new("<s>\n</s>\na".into()).is_none());
        assert!(Pieces::new(String::new()).is_none());
    }
}
