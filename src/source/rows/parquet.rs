//! Parquet: a record a row.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, reader::RowIter};
use parquet::schema::types::Type;

use super::super::stream::{Binary, Unpacked};
use super::{Cell, Header, Row, Table};
use crate::{Error, Location, Result};

const EXPECTED: &str = "a whole Parquet file";

/// The records of a file. One that is packed, or no regular file, is read as a whole first.
pub(super) fn open(unpacked: Unpacked) -> Result<Table> {
    let path = unpacked.input.name();
    let wrong = |found: String| Error::format(Location::file(path.clone()), found, EXPECTED);
    let unreadable = |error: &dyn std::fmt::Display| wrong(format!("a Parquet file that cannot be read ({error})"));
    let binary = unpacked.into_binary()?;
    // The library panics at some damaged files.
    let opened = catch_unwind(AssertUnwindSafe(|| -> parquet::errors::Result<Box<dyn FileReader>> {
        Ok(match binary {
            Binary::File(file) => Box::new(SerializedFileReader::new(file)?),
            Binary::Bytes(bytes) => Box::new(SerializedFileReader::new(bytes::Bytes::from(bytes))?),
        })
    }));
    let reader = opened.map_err(|_| unreadable(&"damaged"))?.map_err(|error| unreadable(&error))?;
    let fields = reader.metadata().file_metadata().schema().get_fields().to_vec();
    let names = fields.iter().map(|field| field.name().to_owned()).collect();
    let header = Arc::new(Header { path: path.clone(), line: Some(1), names });
    let (mut line, mut ended) = (0, false);
    let mut records = RowIter::from_file_into(reader);
    let shared = header.clone();
    let rows = std::iter::from_fn(move || {
        if ended {
            return None;
        }
        line += 1;
        let next = catch_unwind(AssertUnwindSafe(|| {
            let record = records.next()?;
            Some(record.map(|record| {
                record.get_column_iter().zip(&fields).map(|((_, field), kind)| cell(field, kind)).collect::<Vec<Cell>>()
            }))
        }));
        let broken = |error: &dyn std::fmt::Display| {
            let found = format!("a record that cannot be read ({error})");
            Error::format(Location::line(path.clone(), line), found, EXPECTED)
        };
        let row = match next {
            Ok(None) => return None,
            Ok(Some(Ok(cells))) => return Some(Ok(Row { header: shared.clone(), line, number: line, cells })),
            Ok(Some(Err(error))) => broken(&error),
            Err(_) => broken(&"damaged"),
        };
        ended = true;
        Some(Err(row))
    });
    Ok(Table { header: Some(header), rows: Box::new(rows) })
}

fn cell(field: &Field, kind: &Type) -> Cell {
    const DAY: i64 = 86_400;
    let nanoseconds = matches!(
        kind.get_basic_info().logical_type_ref(),
        Some(LogicalType::Timestamp(stamp)) if matches!(stamp.unit, TimeUnit::NANOS)
    );
    match field {
        Field::Null => Cell::Null,
        Field::Str(text) => Cell::Text(text.clone()),
        // An identifier in bytes; text is written so by nobody.
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Plain(bytes.data().iter().map(|byte| format!("{byte:02x}")).collect()),
        },
        Field::Date(days) => date(i64::from(*days) * DAY),
        Field::TimestampMillis(at) => date(at.div_euclid(1_000)),
        Field::TimestampMicros(at) => date(at.div_euclid(1_000_000)),
        Field::Long(at) if nanoseconds => date(at.div_euclid(1_000_000_000)),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
            Cell::Nested(field.to_json_value().to_string())
        }
        _ => Cell::Plain(field.to_string()),
    }
}

/// Seconds since 1970 as a date of ISO 8601, with the time where it is not midnight; null beyond any calendar.
fn date(seconds: i64) -> Cell {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    if days.abs() > 4_000_000 {
        return Cell::Null;
    }
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let time = format!("T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60);
    Cell::Text(format!("{year:04}-{month:02}-{day:02}{}", if second == 0 { "" } else { &time }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let text = |seconds| date(seconds).as_str().map(str::to_owned);
        assert_eq!(text(0).as_deref(), Some("1970-01-01"));
        assert_eq!(text(1_772_496_660).as_deref(), Some("2026-03-03T00:11:00Z"));
        assert_eq!(text(-86_400).as_deref(), Some("1969-12-31"));
        assert_eq!(text(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(text(i64::MIN / 1_000), None);
    }
}
