//! When a person stands for a state.

use serde::{Deserialize, Serialize};

use crate::date::YearMonth;

/// A new holder is in the news this many months before taking office, and an old one this many after leaving it.
const AROUND: i32 = 3;

/// An article without a date is taken to be no older than from this month on, some years before these files were written.
const RECENT: (u16, u8) = (2024, 1);

/// Which of a person's names an alias is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum NameForm {
    /// A full name.
    Full,
    /// A surname that stands for this person alone.
    Unmistakable,
    /// A surname that others share: it must be introduced by a title, or by the full name earlier in the text.
    Shared,
}

/// One term of a person in an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Office {
    /// The same for all terms and names of one person.
    pub person: u16,
    #[serde(with = "numbers")]
    pub from: Option<YearMonth>,
    /// `None` for an office still held.
    #[serde(with = "numbers")]
    pub until: Option<YearMonth>,
    /// Whether readers know the person by this name decades later.
    pub known: bool,
    pub form: NameForm,
}

impl Office {
    /// Whether the person stands for the state in an article of this date. In one without a date, everybody does whose full
    /// name stands there, as leaders are in the news while in office; of the others those of today, and who is known for good.
    pub fn holds(&self, date: Option<YearMonth>) -> bool {
        match date {
            Some(date) => {
                self.from.is_none_or(|from| from.plus(-AROUND) <= date)
                    && self.until.is_none_or(|until| date <= until.plus(AROUND))
            }
            None => self.known || self.is_recent() || self.form == NameForm::Full,
        }
    }

    /// Whether the term covers that month, not only its surroundings; without a date, whether it has no end.
    pub fn is_on(&self, date: Option<YearMonth>) -> bool {
        match date {
            Some(date) => self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until),
            None => self.until.is_none(),
        }
    }

    /// Whether the term is still on, or ended not long ago.
    pub fn is_recent(&self) -> bool {
        self.until.is_none_or(|until| Some(until) >= YearMonth::new(RECENT.0, RECENT.1))
    }
}

/// Months as the compiled gazetteer has them.
mod numbers {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::date::YearMonth;

    pub fn serialize<S: Serializer>(month: &Option<YearMonth>, serializer: S) -> Result<S::Ok, S::Error> {
        month.map(YearMonth::number).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<YearMonth>, D::Error> {
        Ok(Option::<i32>::deserialize(deserializer)?.map(YearMonth::from_number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_stands_for_the_state_while_in_office() {
        let month = |year, month| YearMonth::new(year, month);
        let office =
            Office { person: 0, from: month(2017, 1), until: month(2021, 1), known: false, form: NameForm::Full };
        assert!(office.holds(month(2016, 11)) && office.holds(month(2019, 5)) && office.holds(month(2021, 4)));
        assert!(!office.holds(month(2016, 9)) && !office.holds(month(2021, 5)) && office.holds(None));
        let office = Office { form: NameForm::Unmistakable, ..office };
        assert!(!office.holds(None));
        assert!(Office { known: true, ..office }.holds(None) && Office { until: None, ..office }.holds(None));
        assert!(!Office { known: true, ..office }.holds(month(2024, 1)));
    }
}
