//! Stretches of time that stances are counted in.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate};
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
        }
    }
}
