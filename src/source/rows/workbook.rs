//! XLSX: the first sheet of a workbook, a header row and an article a row below it.

use std::io::{BufReader, Cursor, Read, Seek};
use std::sync::Arc;

use calamine::{DataRef, Reader, Xlsx, XlsxError};

use super::super::stream::{Binary, Unpacked};
use super::{Cell, Header, Row, Table};
use crate::source::{Warn, Warning, guarded};
use crate::{Error, Location, Result};

const EXPECTED: &str = "a workbook (.xlsx) with a header row and rows below it";

/// The most columns that are looked at, and the most bytes of text that a sheet may have.
const MAX_COLUMNS: usize = 2_000;
const MAX_TEXT: usize = 1 << 30;

/// Rows by their number from 1, each as long as its last cell.
type Rows = Vec<(u64, Vec<Cell>)>;

/// What was read of a workbook.
struct Sheet {
    /// The rows of the first sheet; `None` where they hold too much.
    rows: Option<Rows>,
    /// What the sheets behind it are called.
    others: Vec<String>,
}

/// The rows of the first sheet, which is held as a whole.
pub(super) fn open(unpacked: Unpacked, warn: &Warn) -> Result<Table> {
    let path = unpacked.input.name();
    let wrong = |found: String| Error::format(Location::file(path.clone()), found, EXPECTED);
    let binary = unpacked.into_binary()?;
    // The library panics at some damaged files.
    let read = guarded(|| match binary {
        Binary::File(file) => first_sheet(BufReader::new(file)),
        Binary::Bytes(bytes) => first_sheet(Cursor::new(bytes)),
    });
    let unreadable = |error: &dyn std::fmt::Display| wrong(format!("a workbook that cannot be read ({error})"));
    let sheet = read.ok_or_else(|| unreadable(&"damaged"))?.map_err(|error| match error {
        XlsxError::FileNotFound(_) => wrong("a ZIP archive that is no workbook".into()),
        error => unreadable(&error),
    })?;
    if !sheet.others.is_empty() {
        let names: Vec<String> = sheet.others.iter().map(|name| format!("`{name}`")).collect();
        let message =
            format!("only the first sheet is read, not {}; save others as files of their own", names.join(", "));
        warn(Warning { location: Location::file(path.clone()), message });
    }
    let Some(rows) = sheet.rows else { return Err(wrong(format!("more than {} MiB of text", MAX_TEXT >> 20))) };
    let mut rows = rows.into_iter().filter(|(_, cells)| cells.iter().any(|cell| *cell != Cell::Null));
    let (line, first) = rows.next().ok_or_else(|| wrong("an empty sheet".into()))?;
    let names: Vec<String> = first.iter().map(|cell| cell.as_str().unwrap_or("").trim().to_owned()).collect();
    let header = Arc::new(Header { path, line: Some(line), names });
    header.check_names(header.location())?;
    let shared = header.clone();
    let rows = rows.map(move |(line, mut cells)| {
        cells.resize(shared.names.len(), Cell::Null);
        Ok(Row { header: shared.clone(), line, number: line, cells })
    });
    Ok(Table { header: Some(header), rows: Box::new(rows) })
}

/// The cells of the first sheet, row by row: a cell far away makes no room for those between.
fn first_sheet(reader: impl Read + Seek) -> std::result::Result<Sheet, XlsxError> {
    let mut workbook = Xlsx::new(reader)?;
    let mut names = workbook.sheet_names().into_iter();
    let Some(name) = names.next() else { return Ok(Sheet { rows: Some(Rows::new()), others: Vec::new() }) };
    let others: Vec<String> = names.collect();
    let mut is_filled = |name: &String| -> std::result::Result<bool, XlsxError> {
        // A sheet of charts has no cells to read.
        let Ok(mut cells) = workbook.worksheet_cells_reader(name) else { return Ok(false) };
        while let Some(found) = cells.next_cell()? {
            if cell(found.get_value()) != Cell::Null {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let mut filled = Vec::new();
    for name in others {
        if is_filled(&name)? {
            filled.push(name);
        }
    }
    let mut cells = workbook.worksheet_cells_reader(&name)?;
    let mut rows = Rows::new();
    let mut bytes = 0;
    while let Some(found) = cells.next_cell()? {
        let (row, column) = found.get_position();
        let value = cell(found.get_value());
        if value == Cell::Null || column as usize >= MAX_COLUMNS {
            continue;
        }
        bytes += value.as_str().map_or(0, str::len) + 24;
        if bytes > MAX_TEXT {
            return Ok(Sheet { rows: None, others: filled });
        }
        let number = u64::from(row) + 1;
        if rows.last().is_none_or(|(last, _)| *last != number) {
            rows.push((number, Vec::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            cells.resize((column as usize + 1).max(cells.len()), Cell::Null);
            cells[column as usize] = value;
        }
    }
    Ok(Sheet { rows: Some(rows), others: filled })
}

fn cell(data: &DataRef<'_>) -> Cell {
    let text = |text: &str| if text.trim().is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) };
    match data {
        // "#N/A" says that there is nothing.
        DataRef::Empty | DataRef::Error(_) => Cell::Null,
        DataRef::String(value) => text(value),
        DataRef::SharedString(value) => text(value),
        DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => text(value),
        DataRef::Int(value) => Cell::Plain(value.to_string()),
        DataRef::Float(value) => Cell::Plain(value.to_string()),
        DataRef::Bool(value) => Cell::Plain(value.to_string()),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            let time = format!("T{hour:02}:{minute:02}:{second:02}");
            // A time of no day.
            if at.as_f64() < 1.0 {
                return Cell::Text(time[1..].to_owned());
            }
            let midnight = (hour, minute, second) == (0, 0, 0);
            Cell::Text(format!("{year:04}-{month:02}-{day:02}{}", if midnight { "" } else { &time }))
        }
        DataRef::DateTime(at) => Cell::Plain(at.as_f64().to_string()),
    }
}
