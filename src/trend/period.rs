//! Stretches of time that stances are counted in.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Serialize, Serializer};

use crate::date::Date;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// January to December.
    Year,
    /// Three months.
    Quarter,
    /// A month.
    Month,
    /// Monday to Sunday, numbered as ISO 8601 does.
    Week,
}

/// One period; the earlier one is less.
///
/// ```
/// use detente::Date;
/// use detente::trend::{Granularity, Period};
///
/// let date = Date::parse("2014-02-23").unwrap();
/// let quarter = Period::of(date, Granularity::Quarter).unwrap();
/// assert_eq!((quarter.to_string(), quarter.next().to_string()), ("2014-Q1".into(), "2014-Q2".into()));
/// assert_eq!(Period::of(date, Granularity::Week).unwrap().to_string(), "2014-W08");
/// // A week needs a day.
/// assert_eq!(Period::of(Date::parse("2014-02").unwrap(), Granularity::Week), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    first: NaiveDate,
    granularity: Granularity,
}

impl Period {
    /// The period that a date lies in; `None` where the date is not known closely enough.
    pub fn of(date: Date, granularity: Granularity) -> Option<Self> {
        let (year, month) = (date.month().year_number(), date.month().month_number());
        let first = match granularity {
            Granularity::Year => NaiveDate::from_ymd_opt(year, 1, 1),
            Granularity::Quarter => NaiveDate::from_ymd_opt(year, (month - 1) / 3 * 3 + 1, 1),
            Granularity::Month => NaiveDate::from_ymd_opt(year, month, 1),
            Granularity::Week => {
                let day = NaiveDate::from_ymd_opt(year, month, u32::from(date.day()?))?;
                day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())))
            }
        };
        Some(Self { first: first?, granularity })
    }

    /// The first day.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The period after this one.
    pub fn next(self) -> Self {
        let months = |count| self.first.checked_add_months(chrono::Months::new(count));
        let first = match self.granularity {
            Granularity::Year => months(12),
            Granularity::Quarter => months(3),
            Granularity::Month => months(1),
            Granularity::Week => self.first.checked_add_days(Days::new(7)),
        };
        Self { first: first.unwrap_or(self.first), ..self }
    }
}

/// `2014`, `2014-Q1`, `2014-02`, `2014-W08`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (self.first.year(), self.first.month());
        let name = match self.granularity {
            Granularity::Year => format!("{year:04}"),
            Granularity::Quarter => format!("{year:04}-Q{}", (month - 1) / 3 + 1),
            Granularity::Month => format!("{year:04}-{month:02}"),
            Granularity::Week => {
                let week = self.first.iso_week();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
        };
        f.pad(&name)
    }
}

/// `2014`, `2014-Q1`, `2014-02`, `2014-W08`.
impl FromStr for Period {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let parse = || -> Option<Self> {
            let (year, rest) = name.split_once('-').map_or((name, None), |(year, rest)| (year, Some(rest)));
            let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
            let number = year.parse::<i32>().ok().filter(|_| year.len() == 4 && is_number(year))?;
            let within = |digits: &str| digits.parse::<u32>().ok().filter(|_| digits.len() <= 2 && is_number(digits));
            let Some(rest) = rest else {
                return Some(Self { first: NaiveDate::from_ymd_opt(number, 1, 1)?, granularity: Granularity::Year });
            };
            let (first, granularity) = if let Some(quarter) = rest.strip_prefix(['Q', 'q']) {
                let quarter = within(quarter).filter(|quarter| (1..=4).contains(quarter))?;
                (NaiveDate::from_ymd_opt(number, quarter * 3 - 2, 1), Granularity::Quarter)
            } else if let Some(week) = rest.strip_prefix(['W', 'w']) {
                (NaiveDate::from_isoywd_opt(number, within(week)?, Weekday::Mon), Granularity::Week)
            } else {
                (NaiveDate::from_ymd_opt(number, within(rest)?, 1), Granularity::Month)
            };
            Some(Self { first: first?, granularity })
        };
        parse().ok_or_else(|| format!("expected a period such as 2014, 2014-Q1, 2014-02 or 2014-W08, found `{name}`"))
    }
}

/// From the first day of one period to the last of another.
///
/// ```
/// use detente::Date;
/// use detente::trend::Span;
///
/// let span: Span = "2013..2014-Q2".parse()?;
/// let holds = |day| span.holds(Date::parse(day).unwrap());
/// assert_eq!(holds("2013-01-01"), Some(true));
/// assert_eq!(holds("2014-07-01"), Some(false));
/// // Some of a month lies within the week, and some does not.
/// assert_eq!("2014-W05".parse::<Span>()?.holds(Date::parse("2014-01").unwrap()), None);
/// assert_eq!("2014".parse::<Span>()?.to_string(), "2014");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    first: Period,
    last: Period,
}

impl Span {
    /// Whether a date lies within; `None` where it is not known closely enough.
    pub fn holds(self, date: Date) -> Option<bool> {
        let (first, last) = date.days()?;
        let (from, end) = (self.first.first, self.last.next().first);
        match (from <= first && last < end, last < from || end <= first) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// Whether its last day is before the first of the other.
    pub fn is_before(self, other: Self) -> bool {
        self.last.next().first <= other.first.first
    }

    /// Whether some day is of both.
    pub fn overlaps(self, other: Self) -> bool {
        self.first.first < other.last.next().first && other.first.first < self.last.next().first
    }
}

/// `2014`, `2013..2014-Q2`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        f.pad(&if first == last { first.to_string() } else { format!("{first}..{last}") })
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let (first, last) = name.split_once("..").unwrap_or((name, name));
        let span = Self { first: first.parse()?, last: last.parse()? };
        if span.last.next().first <= span.first.first {
            return Err(format!("`{first}` is after `{last}`"));
        }
        Ok(span)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Granularity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "year" => Ok(Self::Year),
            "quarter" => Ok(Self::Quarter),
            "month" => Ok(Self::Month),
            "week" => Ok(Self::Week),
            _ => Err("expected `year`, `quarter`, `month` or `week`".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_named_and_follow_each_other() {
        for (date, granularity, name, next) in [
            ("2014-12-31", Granularity::Year, "2014", "2015"),
            ("2014-12-31", Granularity::Quarter, "2014-Q4", "2015-Q1"),
            ("2014-12", Granularity::Month, "2014-12", "2015-01"),
            // The last days of 2014 are of the first week of 2015.
            ("2014-12-31", Granularity::Week, "2015-W01", "2015-W02"),
            ("2021-01-03", Granularity::Week, "2020-W53", "2021-W01"),
        ] {
            let period = Period::of(Date::parse(date).unwrap(), granularity).unwrap();
            assert_eq!((period.to_string(), period.next().to_string()), (name.into(), next.into()), "{date}");
            assert!(period < period.next());
            assert_eq!(name.parse(), Ok(period));
        }
        for name in [
            "", "14", "2014-", "2014-Q", "2014-Q5", "2014-W54", "2014-13", "2014-1-1", "20140", "2014-é", "+201",
            "2014-+5", "2014-Q+1",
        ] {
            assert!(name.parse::<Period>().is_err(), "{name}");
        }
        assert!("2014-Q2..2014".parse::<Span>().is_ok());
        assert!("2015..2014".parse::<Span>().is_err() && "2014..".parse::<Span>().is_err());
    }

    #[test]
    fn spans_overlap_where_a_day_is_of_both() {
        let overlaps = |a: &str, b: &str| a.parse::<Span>().unwrap().overlaps(b.parse().unwrap());
        assert!(overlaps("2014", "2014-Q4..2015") && overlaps("2014-W01", "2013"));
        assert!(!overlaps("2014", "2015") && !overlaps("2015-01", "2014-Q1..2014-Q4"));
        let is_before = |a: &str, b: &str| a.parse::<Span>().unwrap().is_before(b.parse().unwrap());
        assert!(is_before("2014", "2015") && is_before("2014-Q1..2014-Q4", "2015-01"));
        assert!(!is_before("2015", "2014") && !is_before("2014", "2014-Q4..2015"));
    }
}
