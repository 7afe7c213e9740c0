//! The groups of features: the same words mean another thing before, between and after the two names.
//!
//! | group | words |
//! |---|---|
//! | `w` | n-grams anywhere in the sentence |
//! | `l`, `m`, `r` + `>` or `<` | n-grams before, between or after the two names, state first (`>`) or actor first (`<`); `L`, `M`, `R` when far |
//! | `S+`, `S-`, `A+`, `A-` | words within [`NgramParams::context`] words after (`+`) or before (`-`) the state or the actor |
//! | the same in `*` | the first five letters of those words, which stand for the lemma |
//! | `d` | the direction, the distance, names in between, and how strong the evidence is |

use super::ngrams::NgramParams;

/// The groups by their numbers.
pub(crate) const NAMES: [&str; 28] = [
    "w", "L>", "L<", "l>", "l<", "m>", "m<", "M>", "M<", "r>", "r<", "R>", "R<", "l>*", "l<*", "m>*", "m<*", "r>*",
    "r<*", "S-", "S+", "A-", "A+", "S-*", "S+*", "A-*", "A+*", "d",
];

/// A set of groups: the bit at the number of each.
pub(crate) type Groups = u32;

const ANYWHERE: Groups = 1;
// Where the state comes first; one further on, where the actor does.
const FAR_LEFT: Groups = 1 << 1;
const LEFT: Groups = 1 << 3;
const BETWEEN: Groups = 1 << 5;
const FAR_BETWEEN: Groups = 1 << 7;
const RIGHT: Groups = 1 << 9;
const FAR_RIGHT: Groups = 1 << 11;
const LEFT_STEMS: Groups = 1 << 13;
const BETWEEN_STEMS: Groups = 1 << 15;
const RIGHT_STEMS: Groups = 1 << 17;
// Of the state; two further on, of the actor.
const BEFORE: Groups = 1 << 19;
const AFTER: Groups = 1 << 20;
const BEFORE_STEMS: Groups = 1 << 23;
const AFTER_STEMS: Groups = 1 << 24;
/// What is no words of the sentence.
pub(crate) const SHAPE: Groups = 1 << 27;

const STEMS: Groups = 0b11_1111 << 13 | 0b1111 << 23;
const REGIONS: Groups = 0b1111_1111 << 3;
const FAR: Groups = 0b11 << 1 | 0b11 << 11;
const CONTEXTS: Groups = 0b1111 << 19;

/// The longest n-gram that can be asked for.
pub(crate) const LONGEST: usize = 8;

/// The numbers of the groups of a set, ascending.
pub(crate) fn numbers(mut groups: Groups) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let number = groups.trailing_zeros();
        groups &= groups.wrapping_sub(1);
        (number < Groups::BITS).then_some(number)
    })
}

/// Which groups features can have by what they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds {
    /// N-grams by their length; none are as long as 0.
    ngrams: [Groups; LONGEST + 1],
    /// Stems of words.
    pub stems: Groups,
    /// The longest n-gram that any group has.
    pub longest: usize,
}

impl Kinds {
    pub fn new(params: &NgramParams) -> Self {
        let mut ngrams = [0; LONGEST + 1];
        for (n, groups) in ngrams.iter_mut().enumerate().skip(1) {
            *groups |= if n <= params.max_n { ANYWHERE } else { 0 };
            *groups |= if n <= params.max_region_n { REGIONS } else { 0 };
            *groups |= if n == 1 && params.max_region_n > 0 { FAR } else { 0 };
            *groups |= if n == 1 { CONTEXTS } else { 0 };
        }
        let longest = ngrams.iter().rposition(|&groups| groups != 0).unwrap_or(0);
        Self { ngrams, stems: if params.stems { STEMS } else { 0 }, longest }
    }

    /// The groups that n-grams of `n` words can have.
    #[inline]
    pub fn of(&self, n: usize) -> Groups {
        self.ngrams[n]
    }
}

/// The groups that each word of a window is in: an n-gram is in those that its first and its last word are both in, as far
/// as n-grams of its length are in any.
///
/// The words of a window number `places.len()`; `state` and `actor` are those of the two names.
pub(crate) fn fill(places: &mut [Groups], params: &NgramParams, state: usize, actor: usize) {
    let (first, second) = (state.min(actor), state.max(actor));
    let end = places.len();
    let turn = u32::from(actor < state);
    let left = first.saturating_sub(params.near);
    let right = (second + 1 + params.near).min(end);
    let between = if second - first <= 2 * params.near { BETWEEN } else { FAR_BETWEEN };
    places.fill(ANYWHERE);
    let mut put = |from: usize, to: usize, groups: Groups| {
        if from < to {
            places[from..to].iter_mut().for_each(|place| *place |= groups);
        }
    };
    put(0, left, FAR_LEFT << turn);
    put(left, first, (LEFT | LEFT_STEMS) << turn);
    put(first, first + 1, (LEFT | between) << turn);
    put(first + 1, second, (between | BETWEEN_STEMS) << turn);
    put(second, second + 1, (between | RIGHT) << turn);
    put(second + 1, right, (RIGHT | RIGHT_STEMS) << turn);
    put(right, end, FAR_RIGHT << turn);
    for (position, of) in [(state, 0), (actor, 2)] {
        put(position.saturating_sub(params.context), position, (BEFORE | BEFORE_STEMS) << of);
        put(position + 1, (position + 1 + params.context).min(end), (AFTER | AFTER_STEMS) << of);
    }
}
