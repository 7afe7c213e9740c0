//! XLSX: the first sheet of a workbook, a header row and an article a row below it.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::sync::Arc;

use calamine::{Data, Range, Reader, Xlsx, XlsxError};

use super::super::stream::Unpacked;
use super::super::{Input, MAX_BINARY};
use super::{Cell, Header, Row, Table};
use crate::{Error, Location, Result};

const EXPECTED: &str = "a workbook (.xlsx) with a header row and rows below it";

/// The rows of the first sheet, which is held as a whole.
pub(super) fn open(unpacked: Unpacked) -> Result<Table> {
    let path = unpacked.input.name();
    let range = match &unpacked.input {
        Input::Path(file) => {
            let opened = File::open(file).map_err(|source| Error::io(file, source))?;
            first_sheet(BufReader::new(opened))
        }
        Input::Stdin => {
            let mut bytes = Vec::new();
            let read = unpacked.reader.take(MAX_BINARY).read_to_end(&mut bytes);
            read.map_err(|source| Error::io(&path, source))?;
            first_sheet(Cursor::new(bytes))
        }
    };
    let wrong = |found: String| Error::format(Location::file(path.clone()), found, EXPECTED);
    let range = range.map_err(|error| wrong(format!("a workbook that cannot be read ({error})")))?;
    let top = u64::from(range.start().map_or(0, |(row, _)| row)) + 1;
    let mut filled =
        (0..range.height()).filter(|&at| range.rows().nth(at).is_some_and(|row| row.iter().any(|c| *c != Data::Empty)));
    let first = filled.next().ok_or_else(|| wrong("an empty sheet".into()))?;
    let names: Vec<String> =
        range.rows().nth(first).into_iter().flatten().map(|cell| text(cell).trim().to_owned()).collect();
    let header = Arc::new(Header { path, line: Some(top + first as u64), names });
    let shared = header.clone();
    let mut at = first;
    let rows = std::iter::from_fn(move || {
        loop {
            at += 1;
            if at >= range.height() {
                return None;
            }
            let cells: Vec<Cell> = (0..range.width()).map(|column| cell(range.get((at, column)))).collect();
            if cells.iter().any(|cell| *cell != Cell::Null) {
                return Some(Ok(Row { header: shared.clone(), line: top + at as u64, cells }));
            }
        }
    });
    Ok(Table { header: Some(header), rows: Box::new(rows) })
}

fn first_sheet(reader: impl Read + Seek) -> std::result::Result<Range<Data>, XlsxError> {
    let mut workbook = Xlsx::new(reader)?;
    workbook.worksheet_range_at(0).unwrap_or_else(|| Ok(Range::empty()))
}

fn cell(data: Option<&Data>) -> Cell {
    match data {
        None | Some(Data::Empty) => Cell::Null,
        Some(Data::Int(_) | Data::Float(_) | Data::Bool(_)) => Cell::Plain(data.map(text).unwrap_or_default()),
        Some(data) => Cell::Text(text(data)),
    }
}

fn text(data: &Data) -> String {
    match data {
        Data::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            let time = format!("T{hour:02}:{minute:02}:{second:02}");
            let midnight = (hour, minute, second) == (0, 0, 0);
            format!("{year:04}-{month:02}-{day:02}{}", if midnight { "" } else { &time })
        }
        data => data.to_string(),
    }
}
