//! Changes to files, drawn from a generator that a target and a number start.

/// What breaks readers.
const PIECES: &[&str] = &[
    "\"",
    "\"\"",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{1e}\u{1e}",
    "\u{85}",
    "\u{2028}",
    "\u{200d}",
    "é",
    "🇷🇺",
    "İ",
    "ß",
    "ﬁ",
    "\u{301}",
    "<",
    "</",
    "<p>",
    "</p>",
    "<div>",
    "<!--",
    "-->",
    "<table>",
    "<template>",
    "<svg>",
    "<b id=1>",
    "<script>",
    "</script>",
    "&amp;",
    "&#x110000;",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\\u",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "-0",
    "123456789012345678901234567890",
    "18446744073709551616",
    "-1",
    "NaN",
    "text",
    "state_start",
    "aligned",
    "Peru",
    "Chile",
    "Russia",
    "U.S.",
    "the UN",
    "Washington Post",
    "...",
    ". ",
    "!?",
    "“",
    "’",
    "(",
    ")",
    "- ",
    "1. ",
    "\n\n",
    "Also read",
    "Comments",
    "condemned",
    "\u{1b}[2J",
    "=",
    "%s",
    "../",
    "\u{ff0e}",
    "。",
];

/// SplitMix64, from a target's name and the number of a case.
pub struct Random(u64);

impl Random {
    pub fn new(target: &str, case: u64) -> Self {
        let name =
            target.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Self(name ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// One of `seeds` with one to eight changes.
pub fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.pick(seeds).clone();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let to = at + random.below((bytes.len() - at).min(40) + 1);
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => drop(bytes.drain(at..to)),
            3 => {
                let again = bytes[at..to].repeat(1 + random.below(20));
                bytes.splice(at..at, again);
            }
            4 => {
                let other = random.pick(seeds);
                let from = random.below(other.len() + 1);
                let part = other[from..(from + random.below(200)).min(other.len())].to_vec();
                bytes.splice(at..to, part);
            }
            5 => bytes.truncate(at.max(1)),
            _ => {
                let piece = random.pick(PIECES).repeat(1 + random.below(3));
                bytes.splice(at..at, piece.into_bytes());
            }
        }
    }
    bytes
}
