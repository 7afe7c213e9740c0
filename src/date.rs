//! The month of an article, as far as its date says.

/// A month of a year; the earlier one is less.
///
/// ```
/// use detente::YearMonth;
/// let date = YearMonth::parse("Mon, 2 Mar 2026 10:31 GMT");
/// assert_eq!(date, YearMonth::parse("2026-03-02T10:31:00Z"));
/// assert!(date > YearMonth::parse("2025-12"));
/// assert_eq!(YearMonth::parse("02/03/2026"), None); // March or February?
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth(i32);

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Years that an article can be of; what else looks like one is a time, an offset, or none.
const YEARS: std::ops::RangeInclusive<u16> = 1800..=2200;

/// As `2026-03`.
impl std::fmt::Display for YearMonth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl YearMonth {
    /// The month from 1 to 12 of a year.
    pub fn new(year: u16, month: u8) -> Option<Self> {
        (1..=12).contains(&month).then(|| Self(i32::from(year) * 12 + i32::from(month) - 1))
    }

    /// Reads a date as sources write it: `2026-03-02` with or without a time, `2026-03`, `20260302`, or any order of
    /// day, English name of the month, and year. `None` if no month can be told, and of a year alone.
    pub fn parse(date: &str) -> Option<Self> {
        Self::numeric(date.trim()).or_else(|| Self::worded(date))
    }

    /// The first month (or, if `last`, the last) of a year, month or day as the gazetteer's files write it.
    pub(crate) fn of_office(date: &str, last: bool) -> Option<Self> {
        match date.len() {
            4 => Self::new(date.parse().ok()?, if last { 12 } else { 1 }),
            _ => Self::numeric(date),
        }
    }

    fn numeric(date: &str) -> Option<Self> {
        let (year, rest) = date.split_at_checked(4)?;
        let month = rest.trim_start_matches(['-', '/', '.']);
        let compact = month.len() == rest.len();
        let digits = month.bytes().take_while(u8::is_ascii_digit).count();
        // `20260302`: year, month and day without anything between.
        let month = match (compact, digits) {
            (true, 4) => month.get(..2)?,
            (false, 1 | 2) => month.get(..digits)?,
            _ => return None,
        };
        Self::new(Self::year(year)?, month.parse().ok()?)
    }

    fn worded(date: &str) -> Option<Self> {
        let words = || date.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let month = words().find_map(|word| {
            let word = word.to_ascii_lowercase();
            let place = MONTHS.iter().position(|name| word.len() >= 3 && name.starts_with(&word))?;
            Some(place as u8 + 1)
        })?;
        Self::new(words().find_map(Self::year)?, month)
    }

    fn year(word: &str) -> Option<u16> {
        let is_number = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| word.parse().ok())?.filter(|year| YEARS.contains(year))
    }

    /// So many months later, or, if negative, earlier.
    pub(crate) fn plus(self, months: i32) -> Self {
        Self(self.0.saturating_add(months))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_sources_write_them() {
        let march = YearMonth::new(2026, 3);
        for date in [
            "2026-03-02",
            "2026-03",
            "2026/3/2",
            "2026.03.02",
            "20260302",
            "20260302T101500Z",
            " 2026-03-02T10:31:00+01:00",
            "2 March 2026",
            "March 2, 2026",
            "Mon, 02 Mar 2026 10:31:00 GMT",
            "Published: 2nd march 2026, 10:31",
            "Mon Mar 02 10:31:00 +0100 2026",
        ] {
            assert_eq!(YearMonth::parse(date), march, "{date}");
        }
        for date in [
            "",
            "2026",
            "yesterday",
            "02/03/2026",
            "2026-13-01",
            "2026-00-01",
            "1234567",
            "0001-01-01T00:00:00Z",
            "1704067200000",
            "mardi 5 mai 2026",
            "é026-03",
            "March",
            "20é6",
        ] {
            assert_eq!(YearMonth::parse(date), None, "{date}");
        }
    }

    #[test]
    fn offices_may_be_known_by_the_year() {
        assert_eq!(YearMonth::of_office("2014", false), YearMonth::new(2014, 1));
        assert_eq!(YearMonth::of_office("2014", true), YearMonth::new(2014, 12));
        assert_eq!(YearMonth::of_office("2014-09", true), YearMonth::new(2014, 9));
        assert_eq!(YearMonth::of_office("2014-09-29", false), YearMonth::new(2014, 9));
        assert_eq!(YearMonth::of_office("soon", false), None);
        assert_eq!(YearMonth::new(2025, 11).map(|m| m.plus(3)), YearMonth::new(2026, 2));
    }
}
