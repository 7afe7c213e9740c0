//! Lines that show by their shape alone that they are not an article's text.

use rustc_hash::FxHashSet;

/// "Published 10:31 GMT", "3 March 2026", "Mon 2 Mar 2026 10.31 GMT", "2 hours ago".
pub(super) fn is_date_line(line: &str) -> bool {
    const WORDS: [&str; 64] = [
        "a",
        "ago",
        "am",
        "an",
        "and",
        "april",
        "at",
        "august",
        "by",
        "cest",
        "cet",
        "day",
        "days",
        "december",
        "edt",
        "est",
        "et",
        "february",
        "first",
        "friday",
        "gmt",
        "hour",
        "hours",
        "hrs",
        "ist",
        "january",
        "july",
        "june",
        "last",
        "local",
        "march",
        "may",
        "min",
        "mins",
        "minute",
        "minutes",
        "modified",
        "monday",
        "month",
        "months",
        "msk",
        "november",
        "october",
        "of",
        "on",
        "p",
        "pm",
        "posted",
        "published",
        "saturday",
        "september",
        "sunday",
        "the",
        "thursday",
        "time",
        "today",
        "tuesday",
        "update",
        "updated",
        "utc",
        "wednesday",
        "week",
        "weeks",
        "yesterday",
    ];
    let mut digits = false;
    let mut named = false;
    for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            digits = true;
            let tail = word.trim_start_matches(|c: char| c.is_ascii_digit());
            if !matches!(tail, "" | "st" | "nd" | "rd" | "th" | "am" | "pm" | "AM" | "PM" | "h" | "m" | "d")
                && !tail.starts_with(['T', 'Z'])
            {
                return false;
            }
            named |= !tail.is_empty();
            continue;
        }
        let word = word.to_ascii_lowercase();
        let short =
            word.len() >= 3 && WORDS.iter().any(|known| known.len() > 4 && known.starts_with(&word) && word.len() <= 4);
        if !short && WORDS.binary_search(&word.as_str()).is_err() {
            return false;
        }
        named = true;
    }
    digits && named
}

/// "2 min read", "12 comments", "1.2K shares".
pub(super) fn is_count(line: &str) -> bool {
    const COUNTED: [&str; 24] = [
        "comment",
        "comments",
        "follower",
        "followers",
        "like",
        "likes",
        "member",
        "minutes",
        "photos",
        "read",
        "reading",
        "replies",
        "reply",
        "response",
        "responses",
        "retweets",
        "share",
        "shares",
        "subscribers",
        "view",
        "views",
        "viewed",
        "votes",
        "watching",
    ];
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or("");
    let number = first.starts_with(|c: char| c.is_ascii_digit())
        && first.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | 'K' | 'k' | 'M' | '-'));
    let last = words.last().unwrap_or("").trim_end_matches(['.', ':']).to_ascii_lowercase();
    number && COUNTED.contains(&last.as_str())
}

pub(super) fn is_link(word: &str) -> bool {
    word.starts_with("http://")
        || word.starts_with("https://")
        || word.starts_with("www.")
        || word.starts_with("pic.twitter.com/")
}

/// "Vladimir_Putin_with_U_Min_Tein", "IMG-2041.jpg".
pub(super) fn is_file_name(word: &str) -> bool {
    let pieces = word.split('_').filter(|piece| piece.chars().any(char::is_alphanumeric)).count();
    let lower = word.len() <= 200
        && [".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".mp4"].iter().any(|ending| {
            word.len() > ending.len()
                && word.is_char_boundary(word.len() - ending.len())
                && word[word.len() - ending.len()..].eq_ignore_ascii_case(ending)
        });
    (pieces >= 3 && !word.contains("://") && !word.starts_with('@')) || lower
}

/// "Home > World > Asia", "News | Politics | Russia".
pub(super) fn is_breadcrumb(line: &str, at: usize, nav: &FxHashSet<&str>) -> bool {
    let separator = |c: char| matches!(c, '>' | '›' | '»' | '|' | '/' | '•' | '·' | '→' | '❯');
    let mut items = 0;
    let mut first = "";
    for item in line.split(separator) {
        let words = item.split_whitespace().count();
        if words > 4 {
            return false;
        }
        if words > 0 {
            if items == 0 {
                first = item.trim();
            }
            items += 1;
        }
    }
    let known = nav.contains(first.to_ascii_lowercase().as_str());
    items >= 3 || (items == 2 && known && at < 8)
}

/// Three or more words, most of them names of sections and services.
pub(super) fn is_menu(line: &str, nav: &FxHashSet<&str>) -> bool {
    let mut words = 0;
    let mut known = 0;
    let mut numbers = 0;
    for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words += 1;
        numbers += usize::from(word.starts_with(|c: char| c.is_ascii_digit()));
        known += usize::from(nav.contains(word.to_ascii_lowercase().as_str()));
    }
    words >= 3 && known >= 2 && (known + numbers) * 10 >= words * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_counts_and_file_names_are_told_from_sentences() {
        for line in
            ["3 March 2026", "Mon, 2 Mar 2026 10:31 GMT", "2026-03-03T10:31:00Z", "Updated 2 hours ago", "10:31 PM"]
        {
            assert!(is_date_line(line), "{line}");
        }
        for line in ["March on Moscow", "2026 summit", "24 February invasion", "May", "500 dead", "10:31"] {
            assert!(!is_date_line(line), "{line}");
        }
        assert!(
            is_count("5 minute read")
                && is_count("1,204 views")
                && !is_count("Two states read")
                && !is_count("5 states")
        );
        assert!(is_file_name("Putin_and_Xi_2026") && is_file_name("a.JPG") && !is_file_name("_emphasis_"));
        assert!(!is_file_name("https://example.org/a_b_c"));
    }
}
