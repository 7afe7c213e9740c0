//! Pages that are no article: error pages, walls of consent and of payment.

/// Words of those who ask for consent.
const CONSENT: [&str; 16] = [
    "cookie",
    "consent",
    "tracking",
    "device identifier",
    "advertising",
    "data protection",
    "personal data",
    "legitimate interest",
    "our partners",
    "privacy policy",
    "personalised ads",
    "personalized ads",
    "store and/or access",
    "your choices",
    "accept all",
    "reject all",
];

/// Words of those who want to be paid first.
const WALL: [&str; 17] = [
    "unlock this story",
    "cancel any time",
    "cancel anytime",
    "digital access",
    "digital edition",
    "subscribe to continue",
    "subscribe to read",
    "continue reading",
    "already a subscriber",
    "log in to read",
    "sign in to read",
    "to read the full",
    "subscribers only",
    "start your free trial",
    "create a free account",
    "register to continue",
    "unlock this article",
];

/// Words of pages that say that there is no page.
const MISSING: [&str; 14] = [
    "error 404",
    "404 error",
    "404 -",
    "404 not found",
    "404: ",
    "nothing was found",
    "not found",
    "page doesn't exist",
    "page does not exist",
    "page you were looking for",
    "page you are looking for",
    "page you requested",
    "no longer available",
    "can't find that page",
];

/// Whether the text of a page says why there is no article.
pub(super) fn is_no_article(text: &str, title: Option<&str>) -> bool {
    let plain = |text: &str| text.to_lowercase().replace('’', "'");
    let has = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    let paragraphs: Vec<String> = text.split("\n\n").map(plain).filter(|paragraph| !paragraph.is_empty()).collect();
    let all: usize = paragraphs.iter().map(String::len).sum();
    let share = |words: &[&str]| {
        let length: usize = paragraphs.iter().filter(|paragraph| has(paragraph, words)).map(String::len).sum();
        length as f64 / all.max(1) as f64
    };
    let title = title.map(plain).unwrap_or_default();
    // A sentence of an article may say that somebody was not found.
    let head = paragraphs.iter().take(3).any(|paragraph| has(paragraph, &MISSING) && paragraph.len() < 80);
    (share(&CONSENT) > 0.35 && share(&["your ", "you "]) > 0.35)
        || (all < 1_500 && share(&WALL) > 0.3)
        || (all < 1_500 && (has(&title, &MISSING) || head) && share(&MISSING) > 0.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_and_errors_are_told_from_articles() {
        assert!(is_no_article("We value your privacy.\n\nWe and our partners store cookies on your device.", None));
        assert!(is_no_article("Subscribe to continue reading.\n\nOne month for 1 euro.", Some("Oman leaves")));
        assert!(is_no_article("Page not found\n\nSorry, it has moved.", Some("404 - Wire")));
        let article = "Oman left the pact on Monday.\n\nIt wants a new law on cookies and consent, its minister said.\n\nIran \
                       protested, and called the envoy of Oman to its foreign ministry, where he was not found.";
        assert!(!is_no_article(article, Some("Oman leaves")) && !is_no_article("Oman left.", None));
    }
}
