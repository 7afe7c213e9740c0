//! When an article appeared, as far as its date says.

use chrono::{DateTime, Datelike, NaiveDate};

/// A date as sources write it: known to the month, to the day, or, with a time and its zone, to the second.
///
/// Dates are ordered by time: one that is known to the day stands for its beginning in UTC, one that is known to the month
/// for the beginning of the month.
///
/// ```
/// use detente::Date;
/// let date = Date::parse("Mon, 2 Mar 2026 10:31:00 +0100").unwrap();
/// assert_eq!((date.month().to_string(), date.day()), ("2026-03".to_owned(), Some(2)));
/// assert!(date > Date::parse("2026-03-02T09:00:00Z").unwrap());
/// assert_eq!(Date::parse("23/02/2014"), Date::parse("2014-02-23"));
/// assert_eq!(Date::parse("02/03/2026"), None); // March or February?
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Seconds since 1970.
    time: i64,
    month: YearMonth,
    day: Option<u8>,
}

impl Date {
    /// Reads a date as sources write it: `2026-03-02` with or without a time, `2026-03`, `20260302`, any order of day,
    /// English name of the month, and year, day and month in figures where only one can be the month (`23.2.2014`), and
    /// seconds or milliseconds since 1970. `None` if no month can be told, and of a year alone.
    pub fn parse(date: &str) -> Option<Self> {
        let date = date.trim();
        if let Some(seconds) = epoch(date) {
            return DateTime::from_timestamp(seconds, 0).and_then(Self::at);
        }
        let with_zone = || {
            let stamp = DateTime::parse_from_rfc3339(date).or_else(|_| DateTime::parse_from_rfc2822(date));
            stamp.or_else(|_| DateTime::parse_from_str(date, "%Y-%m-%d %H:%M:%S%.f%#z")).ok()
        };
        if let Some(stamp) = date.contains(':').then(with_zone).flatten() {
            return Self::at(stamp);
        }
        if let Some((day, month, year)) = day_first(date) {
            return Self::of(YearMonth::new(year, month)?, Some(day)).filter(|date| date.day.is_some());
        }
        let month = YearMonth::numeric(date).or_else(|| YearMonth::worded(date))?;
        Self::of(month, day_of(date))
    }

    /// The month.
    pub fn month(self) -> YearMonth {
        self.month
    }

    /// Seconds since 1970: of the beginning of the day or the month where the date says no more.
    pub fn seconds(self) -> i64 {
        self.time
    }

    /// The day of the month, from 1, where it is told.
    pub fn day(self) -> Option<u8> {
        self.day
    }

    /// The first and the last day that it may be.
    pub(crate) fn days(self) -> Option<(NaiveDate, NaiveDate)> {
        let (year, month) = (self.month.year_number(), self.month.month_number());
        let first = NaiveDate::from_ymd_opt(year, month, u32::from(self.day.unwrap_or(1)))?;
        let last =
            if self.day.is_some() { first } else { first.checked_add_months(chrono::Months::new(1))?.pred_opt()? };
        Some((first, last))
    }

    /// The date where it was written.
    fn at<Zone: chrono::TimeZone>(stamp: DateTime<Zone>) -> Option<Self> {
        let year = u16::try_from(stamp.year()).ok().filter(|year| YEARS.contains(year))?;
        let month = YearMonth::new(year, stamp.month() as u8)?;
        Some(Self { time: stamp.timestamp(), month, day: Some(stamp.day() as u8) })
    }

    /// A day that the month does not have is none.
    fn of(month: YearMonth, day: Option<u8>) -> Option<Self> {
        let (year, number) = (month.0.div_euclid(12), month.0.rem_euclid(12) as u32 + 1);
        let on = |day: u8| NaiveDate::from_ymd_opt(year, number, u32::from(day));
        let day = day.filter(|&day| on(day).is_some());
        let time = on(day.unwrap_or(1))?.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
        Some(Self { time, month, day })
    }
}

/// Seconds since 1970, of a number that can be nothing else: ten digits are of the years 2001 to 2100, thirteen count
/// milliseconds.
fn epoch(date: &str) -> Option<i64> {
    let digits = date.strip_suffix(".0").unwrap_or(date);
    let number: i64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    let seconds = match digits.len() {
        10 => number,
        13 => number / 1_000,
        _ => return None,
    };
    (1_000_000_000..4_102_444_800).contains(&seconds).then_some(seconds)
}

/// Day, month and year of `23.2.2014` and `2/23/2014`, where only one number can be the month.
fn day_first(date: &str) -> Option<(u8, u8, u16)> {
    let date = date.split_ascii_whitespace().next()?.trim_end_matches(',');
    let mark = date.chars().find(|c| !c.is_ascii_digit()).filter(|mark| matches!(mark, '.' | '/' | '-'))?;
    let mut parts = date.split(mark);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if first.len() > 2 || second.len() > 2 || parts.next().is_some() {
        return None;
    }
    let (first, second): (u8, u8) = (first.parse().ok()?, second.parse().ok()?);
    let year = YearMonth::year(year)?;
    match (first, second) {
        (day, month) if day == month || (day > 12 && month <= 12) => Some((day, month, year)),
        (month, day) if day > 12 && month <= 12 => Some((day, month, year)),
        _ => None,
    }
}

/// The number that can only be the day, beside a month that is known.
fn day_of(date: &str) -> Option<u8> {
    // `2026-03-02`, `2026/3/2 10:31`, `20260302T1015`: what follows year and month.
    if let Some((year, rest)) = date.split_at_checked(4)
        && YearMonth::year(year).is_some()
    {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        if matches!(digits(rest), 4 | 10) {
            return rest.get(2..4)?.parse().ok();
        }
        let month = rest.get(1..)?;
        let day = month.get(digits(month)..)?.strip_prefix(['-', '/', '.'])?;
        return day.get(..digits(day))?.parse().ok();
    }
    // `2 March 2026`, `March 2nd, 2026`, `Mon Mar 02 10:31:00 +0100 2026`: the first that is no time.
    let words = date.split(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '/' | '.'));
    let day = |word: &str| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let ordinal = matches!(word[digits..].to_ascii_lowercase().as_str(), "" | "st" | "nd" | "rd" | "th");
        (ordinal && (1..=2).contains(&digits)).then(|| word[..digits].parse().ok())?
    };
    words.into_iter().find_map(day)
}

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

    /// The month of a date as sources write it, see [`Date::parse`].
    pub fn parse(date: &str) -> Option<Self> {
        Date::parse(date).map(Date::month)
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
        // `20260302`, `20260302101500`: year, month and day without anything between.
        let month = match (compact, digits) {
            (true, 4 | 10) => month.get(..2)?,
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

    /// The year.
    pub(crate) fn year_number(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The month, 1 to 12.
    pub(crate) fn month_number(self) -> u32 {
        self.0.rem_euclid(12) as u32 + 1
    }

    /// The months since the year 0.
    pub(crate) fn number(self) -> i32 {
        self.0
    }

    /// The month so many months after the first of the year 0.
    pub(crate) fn from_number(months: i32) -> Self {
        Self(months)
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
            "99999999999",
            "31/31/2020",
            "0000000013",
            "mardi 5 mai 2026",
            "é026-03",
            "March",
            "20é6",
        ] {
            assert_eq!(YearMonth::parse(date), None, "{date}");
        }
    }

    #[test]
    fn the_day_is_told_and_never_guessed() {
        let day = |date: &str| Date::parse(date).map(|date| (date.month().to_string(), date.day()));
        for date in [
            "2014-02-23",
            "2014/2/23",
            "20140223",
            "20140223T101500Z",
            "20140223101500",
            "2014-02-23 10:31",
            "2014-02-23T23:31:00-08:00",
            "2014-02-23 10:31:00+00",
            "23 February 2014",
            "February 23rd, 2014",
            "Sun Feb 23 10:31:00 +0100 2014",
            "Sun, 23 Feb 2014 10:31 GMT",
            "23.2.2014",
            "02/23/2014",
            "23-02-2014 10:31",
            "1393113600",
            "1393113600000",
        ] {
            assert_eq!(day(date), Some(("2014-02".to_owned(), Some(23))), "{date}");
        }
        assert_eq!(day("2014-02"), Some(("2014-02".to_owned(), None)));
        assert_eq!(day("February 2014, 10:31"), Some(("2014-02".to_owned(), None)));
        assert_eq!(day("2014-02-31"), Some(("2014-02".to_owned(), None)));
        assert_eq!(day("4.4.2014"), Some(("2014-04".to_owned(), Some(4))));
        for date in ["02/03/2014", "2.3.2014", "23/02/14", "40/2/2014"] {
            assert_eq!(day(date), None, "{date}");
        }
    }

    #[test]
    fn dates_are_ordered_by_time() {
        let ordered = [
            "2014-02",
            "Feb 2, 2014",
            "2014-02-03T01:00:00+09:00",
            "2014-02-02T17:00:00Z",
            "2014-02-02 12:30:00-05:00",
            "3 February 2014",
        ];
        let dates: Vec<Date> = ordered.iter().filter_map(|date| Date::parse(date)).collect();
        assert!(dates.len() == ordered.len() && dates.is_sorted(), "{dates:?}");
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
