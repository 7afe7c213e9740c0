//! Parquet: a record a row.

use std::sync::Arc;

use chrono::{DateTime, Datelike};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, reader::RowIter};
use parquet::schema::types::Type;

use super::super::stream::{Binary, Unpacked};
use super::{Cell, Header, Row, Table};
use crate::source::guarded;
use crate::{Error, Location, Result};

const EXPECTED: &str = "a whole Parquet file";

/// The records of a file. One that is packed, or no regular file, is read as a whole first.
pub(super) fn open(unpacked: Unpacked) -> Result<Table> {
    let path = unpacked.input.name();
    let wrong = |found: String| Error::format(Location::file(path.clone()), found, EXPECTED);
    let unreadable = |error: &dyn std::fmt::Display| wrong(format!("a Parquet file that cannot be read ({error})"));
    let binary = unpacked.into_binary()?;
    // The library panics at some damaged files.
    let opened = guarded(|| -> parquet::errors::Result<Box<dyn FileReader>> {
        Ok(match binary {
            Binary::File(file) => Box::new(SerializedFileReader::new(file)?),
            Binary::Bytes(bytes) => Box::new(SerializedFileReader::new(bytes::Bytes::from(bytes))?),
        })
    });
    let reader = opened.ok_or_else(|| unreadable(&"damaged"))?.map_err(|error| unreadable(&error))?;
    let fields = reader.metadata().file_metadata().schema().get_fields().to_vec();
    let names = fields.iter().map(|field| field.name().to_owned()).collect();
    let header = Arc::new(Header { path: path.clone(), line: Some(1), names });
    header.check_names(header.location())?;
    let (mut line, mut ended) = (0, false);
    let mut records = RowIter::from_file_into(reader);
    let shared = header.clone();
    let rows = std::iter::from_fn(move || {
        if ended {
            return None;
        }
        line += 1;
        let next = guarded(|| {
            let record = records.next()?;
            Some(record.map(|record| {
                record.get_column_iter().zip(&fields).map(|((_, field), kind)| cell(field, kind)).collect::<Vec<Cell>>()
            }))
        });
        let broken = |error: &dyn std::fmt::Display| {
            let found = format!("a record that cannot be read ({error})");
            Error::format(Location::line(path.clone(), line), found, EXPECTED)
        };
        let row = match next {
            Some(None) => return None,
            Some(Some(Ok(cells))) => return Some(Ok(Row { header: shared.clone(), line, number: line, cells })),
            Some(Some(Err(error))) => broken(&error),
            None => broken(&"damaged"),
        };
        ended = true;
        Some(Err(row))
    });
    Ok(Table { header: Some(header), rows: Box::new(rows) })
}

fn cell(field: &Field, kind: &Type) -> Cell {
    const DAY: i64 = 86_400;
    let stamp = match kind.get_basic_info().logical_type_ref() {
        Some(LogicalType::Timestamp(stamp)) => Some(stamp),
        _ => None,
    };
    let nanoseconds = stamp.is_some_and(|stamp| matches!(stamp.unit, TimeUnit::NANOS));
    // A time of no zone is one of wherever it was written.
    let zone = if stamp.is_some_and(|stamp| !stamp.is_adjusted_to_u_t_c) { "" } else { "Z" };
    match field {
        Field::Null => Cell::Null,
        Field::Str(text) => Cell::Text(text.clone()),
        // An identifier in bytes; text is written so by nobody.
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Plain(bytes.data().iter().map(|byte| format!("{byte:02x}")).collect()),
        },
        Field::Date(days) => date(i64::from(*days) * DAY, ""),
        Field::TimestampMillis(at) => date(at.div_euclid(1_000), zone),
        Field::TimestampMicros(at) => date(at.div_euclid(1_000_000), zone),
        Field::Long(at) if nanoseconds => date(at.div_euclid(1_000_000_000), zone),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
            Cell::Nested(field.to_json_value().to_string())
        }
        Field::Double(number) => float(*number),
        Field::Float(number) => float(f64::from(*number)),
        _ => Cell::Plain(field.to_string()),
    }
}

/// A whole number as such: identifiers become floating where a column has gaps.
fn float(number: f64) -> Cell {
    if number.is_nan() { Cell::Null } else { Cell::Plain(number.to_string()) }
}

/// Seconds since 1970 as a date of ISO 8601, with the time where it is not midnight; null beyond any calendar.
fn date(seconds: i64, zone: &str) -> Cell {
    let Some(at) = DateTime::from_timestamp(seconds, 0).filter(|at| (0..=9_999).contains(&at.year())) else {
        return Cell::Null;
    };
    let midnight = seconds.rem_euclid(86_400) == 0;
    let time = if midnight { String::new() } else { format!("{}{zone}", at.format("T%H:%M:%S")) };
    Cell::Text(format!("{}{time}", at.format("%Y-%m-%d")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let text = |seconds| date(seconds, "Z").as_str().map(str::to_owned);
        assert_eq!(text(0).as_deref(), Some("1970-01-01"));
        assert_eq!(text(1_772_496_660).as_deref(), Some("2026-03-03T00:11:00Z"));
        assert_eq!(text(-86_400).as_deref(), Some("1969-12-31"));
        assert_eq!(text(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(text(i64::MIN / 1_000), None);
    }
}
