//! Which language a text is in, as far as it must be known: the models read English.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use whatlang::{Lang, detect};

use crate::article::{Article, Part};
use crate::swar;

/// Words that most sentences of a language have, and few of another. Letters alone tell languages apart only in long texts:
/// a sentence of names looks like any.
const COMMON: [(&str, &str); 17] = [
    (
        "en",
        "a after an and are as at been but by for from has have he in into is it its not of on or over said says she that the their this to two was were which who will with",
    ),
    ("cs", "aby ale byl jako je jeho jsou na nebo od po pro si tak už ve že"),
    ("da", "af at den der det efter en er et fra har med og om på som til ved"),
    ("de", "als am auf aus bei das dem den der des die ein eine für ist mit nach nicht sich und von werden wird zu"),
    ("es", "como con de del el en es este fue han la las los más para por que sin su una"),
    ("fi", "ei että hän ja joka kun mutta myös mukaan on ovat se sekä tai"),
    ("fr", "au aux avec ce dans de des du en est et il la le les ont par pas pour que qui sur un une"),
    ("hu", "az egy és ez hogy is már meg nem volt"),
    ("id", "akan dan dari dengan di ini itu ke oleh pada telah untuk yang"),
    ("it", "che con da dei del della di è gli ha in la le nel non per si sono un una"),
    ("nl", "aan dat de een en het in is met naar niet op te van voor werd zijn"),
    ("pl", "jest na nie od po przez się za że"),
    ("pt", "ao com da de dos em foi na no os para pela por que uma"),
    ("ro", "au care cu de din în la nu pe pentru şi și un"),
    ("sv", "att av den det en ett för från har i med och om på som till"),
    ("tr", "bir bu da de için ile olan olarak ve"),
    ("vi", "các cho của đã được không là một những và với"),
];

/// The place of English among [`COMMON`].
const ENGLISH: usize = 0;

/// The languages in which a word is common: a bit for each, by its place among [`COMMON`].
static LANGUAGES: LazyLock<FxHashMap<u64, u32>> = LazyLock::new(|| {
    let mut languages = FxHashMap::default();
    for (language, (_, common)) in COMMON.iter().enumerate() {
        let words = common.split(' ').filter_map(number);
        words.for_each(|word| *languages.entry(word).or_default() |= 1 << language);
    }
    languages
});

/// The common words of English.
static COMMON_ENGLISH: LazyLock<Places> =
    LazyLock::new(|| Places::new(COMMON[ENGLISH].1.split(' ').filter_map(number)));

/// A few words by their numbers, each in a place of its own; 0, which is no word's, is in those that are free.
struct Places([u64; 1 << Places::BITS]);

impl Places {
    const BITS: u32 = 7;

    fn new(words: impl Iterator<Item = u64>) -> Self {
        let mut all = Self([0; 1 << Self::BITS]);
        for word in words {
            let place = &mut all.0[Self::place(word)];
            debug_assert_eq!(*place, 0, "two words in one place");
            *place = word;
        }
        all
    }

    /// With this factor, found by trying, no two common words of English have the same place.
    #[inline]
    fn place(word: u64) -> usize {
        (word.wrapping_mul(0x3a18_90c7_8092_b4d5) >> (u64::BITS - Self::BITS)) as usize
    }

    #[inline]
    fn has(&self, word: u64) -> bool {
        self.0[Self::place(word)] == word
    }
}

/// The most bytes of a word that has a number.
const LONGEST: usize = swar::EIGHT;

/// A word as a number, capitals of ASCII as small letters; `None` of one that is longer than any common word.
fn number(word: &str) -> Option<u64> {
    (word.len() <= LONGEST).then(|| swar::lower_case(swar::eight_at(word.as_bytes(), 0)))
}

/// The runs of letters of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    // Of what is not ASCII: how long the character is, and whether it is a letter.
    let beyond = |at: usize| text[at..].chars().next().map_or((1, false), |c| (c.len_utf8(), c.is_alphabetic()));
    let mut next = 0;
    std::iter::from_fn(move || {
        let mut at = next;
        let start = loop {
            match *bytes.get(at)? {
                byte if byte.is_ascii_alphabetic() => break at,
                byte if byte.is_ascii() => at += 1,
                _ => match beyond(at) {
                    (_, true) => break at,
                    (length, false) => at += length,
                },
            }
        };
        loop {
            match bytes.get(at) {
                Some(byte) if byte.is_ascii_alphabetic() => at += 1,
                Some(byte) if !byte.is_ascii() && beyond(at).1 => at += beyond(at).0,
                _ => break,
            }
        }
        next = at;
        Some(&text[start..at])
    })
}

/// The share of common words from which a text is in that language.
const SHARE: f64 = 0.12;

/// The letters from which on letters alone tell languages with the Latin alphabet apart, too.
const LONG: usize = 400;

/// The words from which on a text without common English words is in another language, whichever; and the share of such
/// words that is none.
const MANY: usize = 20;
const LITTLE: f64 = 0.04;

/// Fewer words than these tell nothing.
const FEW: usize = 5;

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 1_500;

/// The language of an article by its words, as a BCP 47 tag, `und` of one that is not English and not known;
/// `None` where there are too few words to tell.
///
/// ```
/// use detente::{Article, language};
/// let of = |text: &str| language::of(&Article::new(text));
/// assert_eq!(of("The president of Chile said on Monday that he would travel to Peru."), Some("en"));
/// assert_eq!(of("Le président du Chili a déclaré lundi qu'il se rendrait au Pérou pour y signer le traité."), Some("fr"));
/// assert_eq!(of("Oman waits"), None);
/// ```
pub fn of(article: &Article) -> Option<&'static str> {
    // A title alone is hardly enough; of a text the beginning is.
    let text = if article.text.trim().is_empty() { article.part(Part::Title) } else { &article.text };
    let text = &text[..text.floor_char_boundary(LOOKED_AT)];
    if is_english(text) {
        return Some("en");
    }
    let counted = Words::count(text);
    let in_english = counted.share(ENGLISH, 2);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|c| c.is_alphabetic() && (*c as u32) < 0x250).count() * 2 >= letters;
    if !latin {
        // A script of its own, or one of few languages.
        const LETTERS: usize = 15;
        let language = detect(text).filter(|_| letters >= LETTERS).map(|info| tag(info.lang()));
        // Two letters that Bulgarian does not have.
        return language.map(|found| if found == "bg" && text.contains(['ы', 'э']) { "ru" } else { found });
    }
    let best = (1..COMMON.len()).map(|language| (counted.share(language, 3), COMMON[language].0));
    // Any English text of some length has such words; a list of names has none in any language.
    let Words { words, lower, .. } = counted;
    let is_foreign = words >= MANY && lower * 2 >= words && counted.share(ENGLISH, 1) < LITTLE;
    let unknown = || is_foreign.then_some("und");
    let best =
        best.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(share, _)| *share >= SHARE && *share > 2.0 * in_english);
    let by_letters = || detect(text).filter(|info| letters >= LONG && info.is_reliable()).map(|info| tag(info.lang()));
    best.map(|(_, language)| language).or_else(by_letters).or_else(unknown)
}

/// Whether a text has that share of common English words, as [`Words::share`] finds it: in one pass, which ends as soon as no
/// words that follow could change it. Most texts are English, and a third of one shows it; others are then read once more.
fn is_english(text: &str) -> bool {
    let (bytes, common) = (text.as_bytes(), &*COMMON_ENGLISH);
    let (mut words, mut found, mut first, mut several) = (0, 0, 0, false);
    let is_enough = |words: usize, found: usize| found as f64 / words as f64 >= SHARE;
    let at_most = words_at_most(bytes);
    let mut at = 0;
    while at < bytes.len() {
        let eight = swar::eight_at(bytes, at);
        let length = swar::run_length(swar::letters(eight));
        let end = at + length;
        let rest = match bytes.get(end) {
            Some(byte) if byte.is_ascii_alphabetic() || !byte.is_ascii() => letters_end(text, end),
            _ => end,
        };
        if rest > end {
            // Longer than a common word, or with letters beyond ASCII.
            words += 1;
            at = rest;
            continue;
        }
        // What is behind a word is no letter.
        at = text.ceil_char_boundary(end + 1);
        if length == 0 {
            continue;
        }
        words += 1;
        let word = swar::lower_case(swar::first(length, eight));
        if common.has(word) {
            first = if found == 0 { word } else { first };
            several |= first != word;
            found += 1;
            if several && words >= FEW && is_enough(at_most, found) {
                return true;
            }
        }
    }
    several && words >= FEW && is_enough(words, found)
}

/// Where the run of letters ends that goes on at `at`, if one does.
fn letters_end(text: &str, mut at: usize) -> usize {
    loop {
        at = swar::run_end(text.as_bytes(), at, swar::letters);
        match text[at..].chars().next() {
            Some(c) if c.is_alphabetic() => at += c.len_utf8(),
            _ => return at,
        }
    }
}

/// No fewer words than a text has, counted many bytes at once: a word begins with a letter of ASCII after what is none, or with
/// a byte beyond ASCII.
fn words_at_most(bytes: &[u8]) -> usize {
    // As many ones as a byte can count.
    const TOGETHER: usize = u8::MAX as usize;
    let may_begin = |(before, byte): (&u8, &u8)| {
        u8::from(byte.is_ascii_alphabetic() & !before.is_ascii_alphabetic()) + u8::from(!byte.is_ascii())
    };
    let [first, rest @ ..] = bytes else { return 0 };
    let pairs = bytes.chunks(TOGETHER).zip(rest.chunks(TOGETHER));
    let of_chunk = |(before, these): (&[u8], &[u8])| before.iter().zip(these).map(may_begin).sum::<u8>();
    pairs.map(|chunks| usize::from(of_chunk(chunks))).sum::<usize>() + usize::from(may_begin((&b' ', first)))
}

/// The words of a text.
#[derive(Default)]
struct Words<'t> {
    words: usize,
    /// Those that begin with a small letter.
    lower: usize,
    /// For each language how many are common in it, which came first, and whether another came after it.
    common: [(usize, &'t str, bool); COMMON.len()],
}

impl<'t> Words<'t> {
    fn count(text: &'t str) -> Self {
        let mut counted = Self::default();
        let common = &*LANGUAGES;
        for word in words(text) {
            counted.words += 1;
            counted.lower += usize::from(word.starts_with(char::is_lowercase));
            let Some(&(mut languages)) = number(word).and_then(|word| common.get(&word)) else { continue };
            while languages != 0 {
                let (found, first, several) = &mut counted.common[languages.trailing_zeros() as usize];
                if *found == 0 {
                    *first = word;
                }
                *several |= !first.eq_ignore_ascii_case(word);
                *found += 1;
                languages &= languages - 1;
            }
        }
        counted
    }

    /// The share of the words that are common in a language; 0 of fewer than `least`.
    fn share(&self, language: usize, least: usize) -> f64 {
        let (found, _, several) = self.common[language];
        // One or two may be parts of names: "Tour de France", "Al Mahmoudi".
        let too_few = self.words < FEW || found < least || (least > 1 && !several);
        if too_few { 0.0 } else { found as f64 / self.words as f64 }
    }
}

/// The language of a BCP 47 tag, or of an English name: "en" of `en-GB`, `EN` and `English`.
pub fn primary(tag: &str) -> String {
    let first = tag.trim().split(['-', '_']).next().unwrap_or("").to_lowercase();
    match first.as_str() {
        "" | "eng" | "english" | "und" | "mul" | "unknown" => "en".to_owned(),
        _ => first,
    }
}

/// The two letters of ISO 639-1 where there are such.
fn tag(language: Lang) -> &'static str {
    match language {
        Lang::Ara => "ar",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jpn => "ja",
        Lang::Kat => "ka",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mkd => "mk",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tha => "th",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        other => other.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_short_and_written_once() {
        for (language, common) in COMMON {
            let words: Vec<&str> = common.split(' ').collect();
            assert!(words.iter().all(|word| number(word).is_some() && *word == word.to_lowercase()), "{language}");
            assert_eq!(words.iter().collect::<std::collections::BTreeSet<_>>().len(), words.len(), "{language}");
        }
        assert!(COMMON[ENGLISH].1.is_ascii(), "as `is_english` takes them");
        let mut english = COMMON[ENGLISH].1.split(' ').filter_map(number);
        assert!(english.all(|word| COMMON_ENGLISH.has(word)), "each has a place of its own");
    }

    proptest::proptest! {
        #[test]
        fn words_are_the_runs_of_letters(text in "[a-zA-Zé漢ы' .1\\-]{0,40}") {
            let split = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
            proptest::prop_assert!(words(&text).eq(split));
        }
    }

    proptest::proptest! {
        #[test]
        fn english_is_seen_before_the_end(
            text in "((the|The|of|in|into|le|für|Peru|x|naïve|ünder|abcdefghthe|abcdefgh|abcdefgé|abthe|the’|漢|1|’)([ .,-]|, )){0,40}[a-z é]{0,60}",
        ) {
            proptest::prop_assert_eq!(is_english(&text), Words::count(&text).share(ENGLISH, 2) >= SHARE);
            proptest::prop_assert!(words_at_most(text.as_bytes()) >= words(&text).count());
        }
    }

    #[test]
    fn words_are_counted_across_lots() {
        for n in [0, 1, 127, 128, 129, 255, 256, 511, 600] {
            assert_eq!(words_at_most("a ".repeat(n).as_bytes()), n);
            assert_eq!(words_at_most(" a".repeat(n).as_bytes()), n);
            assert_eq!(words_at_most("é".repeat(n).as_bytes()), 2 * n);
            assert_eq!(words_at_most("a".repeat(n).as_bytes()), n.min(1));
        }
    }

    #[test]
    fn sentences_of_names_are_in_no_other_language() {
        let of = |text: &str| super::of(&Article::new(text));
        for text in [
            "Somalia's Transitional Federal Government collapses after Al-Shabaab captures Baidoa.",
            "Serbian Minister on Kosovo Slobodan Samardžić submits to UNMIK a plan suggesting Kosovo's division into cantons.",
            "United States President Barack Obama addresses graduates in Moscow, Russia.",
            "Global Green USA attends BioShield 2010 Tabletop Exercise in Tbilisi, Georgia.",
            "El Salvador recognises Palestine, Guatemala recognises Israel",
            "Al Qaeda claims Mali attack",
            "Oman",
            "",
        ] {
            assert!(matches!(of(text), None | Some("en")), "{text}: {:?}", of(text));
        }
        for (text, language) in [
            (
                "Der Präsident von Chile sagte am Montag, dass er nach Peru reisen werde, um den Vertrag zu unterzeichnen.",
                "de",
            ),
            ("El presidente de Chile dijo el lunes que viajará al Perú para firmar el tratado con su vecino.", "es"),
            (
                "O presidente do Chile disse que vai ao Peru para assinar o tratado com o vizinho na segunda-feira.",
                "pt",
            ),
            ("Президент Чили сообщил, что поедет в Перу для подписания договора.", "ru"),
            ("智利总统星期一表示，他将前往秘鲁签署条约，以加强两国关系。", "zh"),
            ("قال رئيس تشيلي يوم الاثنين إنه سيسافر إلى بيرو لتوقيع المعاهدة", "ar"),
        ] {
            assert_eq!(of(text), Some(language), "{text}");
        }
        assert_eq!(of("Iran en Oman bespreken Israel in een overleg."), Some("nl"));
        assert_eq!(["en-GB", "English", "pl_PL", ""].map(primary), ["en", "en", "pl", "en"]);
    }
}
