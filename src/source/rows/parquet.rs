//! Parquet: a record a row.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, reader::RowIter};

use super::super::stream::Unpacked;
use super::super::{Input, MAX_BINARY};
use super::{Cell, Header, Row, Table};
use crate::{Error, Location, Result};

const EXPECTED: &str = "a whole Parquet file";

/// The records of a file. Standard input is read as a whole first.
pub(super) fn open(unpacked: Unpacked) -> Result<Table> {
    let path = unpacked.input.name();
    let wrong = |error: parquet::errors::ParquetError| {
        Error::format(Location::file(path.clone()), format!("a Parquet file that cannot be read ({error})"), EXPECTED)
    };
    let reader: Box<dyn FileReader> = match &unpacked.input {
        Input::Path(file) => {
            let file = File::open(file).map_err(|source| Error::io(file, source))?;
            Box::new(SerializedFileReader::new(file).map_err(wrong)?)
        }
        Input::Stdin => {
            let mut bytes = Vec::new();
            let read = unpacked.reader.take(MAX_BINARY).read_to_end(&mut bytes);
            read.map_err(|source| Error::io(&path, source))?;
            Box::new(SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(wrong)?)
        }
    };
    let names = reader.metadata().file_metadata().schema().get_fields().iter().map(|f| f.name().to_owned()).collect();
    let header = Arc::new(Header { path: path.clone(), line: Some(1), names });
    let (mut line, mut ended) = (0, false);
    let mut records = RowIter::from_file_into(reader);
    let shared = header.clone();
    let rows = std::iter::from_fn(move || {
        if ended {
            return None;
        }
        line += 1;
        Some(
            records
                .next()?
                .map_err(|error| {
                    ended = true;
                    let found = format!("a record that cannot be read ({error})");
                    Error::format(Location::line(path.clone(), line), found, EXPECTED)
                })
                .map(|record| {
                    let cells = record.get_column_iter().map(|(_, field)| cell(field)).collect();
                    Row { header: shared.clone(), line, cells }
                }),
        )
    });
    Ok(Table { header: Some(header), rows: Box::new(rows) })
}

fn cell(field: &Field) -> Cell {
    match field {
        Field::Null => Cell::Null,
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Null,
        },
        Field::Date(_) | Field::TimestampMillis(_) | Field::TimestampMicros(_) => Cell::Text(field.to_string()),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
            Cell::Nested(field.to_json_value().to_string())
        }
        _ => Cell::Plain(field.to_string()),
    }
}
