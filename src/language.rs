//! Which language a text is in, as far as it must be known: the models read English.

use whatlang::{Lang, detect};

use crate::article::{Article, Part};

/// Words that most English sentences have, and few others.
const ENGLISH: [&str; 14] =
    ["and", "for", "from", "has", "have", "in", "is", "of", "on", "said", "that", "the", "to", "with"];

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 1_500;

/// The language of an article by its words, as a BCP 47 tag; `None` where there are too few to tell.
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
    let (mut words, mut english) = (0, 0);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        english += usize::from(ENGLISH.iter().any(|known| word.eq_ignore_ascii_case(known)));
    }
    if words >= 5 && english * 8 >= words {
        return Some("en");
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    // Scripts with a sign a word say more in fewer letters.
    let wide = text.chars().filter(|c| ('\u{2e80}'..='\u{d7ff}').contains(c)).count() * 2 > letters;
    let info = detect(text).filter(|_| letters >= if wide { 15 } else { 60 })?;
    match info.lang() {
        Lang::Eng => Some("en"),
        _ if !info.is_reliable() && info.confidence() < 0.5 => None,
        other => Some(tag(other)),
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
