//! CSV: a header row, then an article or a labelled pair a row.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashSet;

use super::encoding::{Decoder, Fault};
use super::stream::{Stream, read_error};
use super::{MAX_LINE, check_size, filled};
use crate::{Article, Error, Location, Result};

/// The articles of a table with a column `text` or `title`.
pub(crate) fn articles(stream: Stream, id: &str) -> Result<impl Iterator<Item = Result<Article>> + Send + use<>> {
    let rows = Rows::new(stream)?;
    let header = rows.header();
    let column = |name: &str| header.find(name);
    let (title, text) = (column("title"), column("text"));
    if text.is_none() && title.is_none() {
        return Err(header.missing(&["text"], "`text` (or `title`)"));
    }
    let [row_id, date, url, source, language] = ["id", "date", "url", "source", "language"].map(column);
    let id = id.to_owned();
    let mut seen = false;
    let path = rows.header.path.clone();
    let mut rows = rows;
    Ok(std::iter::from_fn(move || {
        let Some(row) = rows.next() else {
            let first = !std::mem::replace(&mut seen, true);
            return first.then(|| Err(Error::Empty { path: path.clone(), what: "article" }));
        };
        seen = true;
        Some(row.and_then(|row| {
            let location = row.location(&path);
            let title = filled(row.get(title));
            let text = row.get(text).unwrap_or("").to_owned();
            if title.is_none() && text.trim().is_empty() {
                return Err(Error::format(location, "an empty text", "the text of an article"));
            }
            check_size(&text, &location)?;
            Ok(Article {
                id: filled(row.get(row_id)).unwrap_or_else(|| format!("{id}:{}", row.line)),
                title,
                text,
                date: filled(row.get(date)),
                url: filled(row.get(url)),
                source: filled(row.get(source)),
                language: filled(row.get(language)),
            })
        }))
    }))
}

/// The names of the columns.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    path: String,
    line: u64,
    pub(crate) names: Vec<String>,
}

impl Header {
    /// The place of the column `name`, from 0.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|found| found == name)
    }

    /// The error that the columns `missing` are not there; `expected` names what was wanted.
    pub(crate) fn missing(&self, missing: &[&str], expected: &str) -> Error {
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let found = format!("the columns {}", names.join(", "));
        let near: Vec<String> = missing
            .iter()
            .filter_map(|want| {
                let near = self.names.iter().find(|name| name.trim().eq_ignore_ascii_case(want))?;
                Some(format!("; `{near}` should be written `{want}`"))
            })
            .collect();
        let mut hint = near.concat();
        if let [only] = self.names.as_slice() {
            let other = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
            if let Some((_, name)) = other.into_iter().find(|&(mark, _)| only.contains(mark)) {
                hint.push_str(&format!("; the fields seem to be divided by {name}, and should be by commas"));
            }
        }
        let column = if missing.len() > 1 { "columns" } else { "a column" };
        Error::format(Location::line(self.path.clone(), self.line), found, format!("{column} {expected}{hint}"))
    }
}

/// A row with as many fields as the header.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line of the file that it begins on.
    pub(crate) line: u64,
    fields: Vec<String>,
}

impl Row {
    /// The field of a column that may not be there.
    pub(crate) fn get(&self, column: Option<usize>) -> Option<&str> {
        column.and_then(|column| self.fields.get(column)).map(String::as_str)
    }

    pub(crate) fn location(&self, path: &str) -> Location {
        Location::line(path, self.line)
    }
}

/// The rows below the header.
pub(crate) struct Rows {
    reader: csv::Reader<Guard>,
    /// Where the guard ended the file, if it did.
    broken: Arc<OnceLock<Broken>>,
    decoder: Decoder,
    header: Header,
    record: csv::ByteRecord,
    ended: bool,
}

impl Rows {
    /// Reads the header.
    pub(crate) fn new(stream: Stream) -> Result<Self> {
        let broken = Arc::new(OnceLock::new());
        let guard = Guard::new(stream.reader, Arc::clone(&broken));
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(64 << 10)
            // A carriage return before it is taken off below; so every line end counts as one line.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(guard);
        let header = Header { path: stream.path, line: 1, names: Vec::new() };
        let mut rows =
            Self { reader, broken, decoder: stream.decoder, header, record: csv::ByteRecord::new(), ended: false };
        let Some(first) = rows.read()? else {
            let location = Location::file(rows.header.path);
            return Err(Error::format(location, "an empty file", "a header row and rows below it"));
        };
        let names: Vec<String> = first.fields.iter().map(|name| name.trim().to_owned()).collect();
        rows.header = Header { path: rows.header.path, line: first.line, names };
        let names = &rows.header.names;
        let mut seen = FxHashSet::default();
        let location = || Location::line(rows.header.path.clone(), first.line);
        if let Some((at, name)) =
            names.iter().enumerate().find(|(_, name)| !name.is_empty() && !seen.insert(name.as_str()))
        {
            let found = format!("the column `{name}` twice");
            return Err(Error::format(location().at_column(at as u64 + 1), found, "a name for each column"));
        }
        if let Some((at, name)) = names.iter().enumerate().find(|(_, name)| name.len() > MAX_NAME) {
            let found = format!("the name of a column of {} bytes", name.len());
            let expected = format!("at most {MAX_NAME}");
            return Err(Error::format(location().at_column(at as u64 + 1), found, expected));
        }
        if names.iter().any(|name| name.contains('\r')) {
            return Err(Error::format(
                location(),
                "lines that end in carriage returns only",
                "lines that end in \\n or \\r\\n",
            ));
        }
        Ok(rows)
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The next row, however many fields it has; `None` at the end.
    fn read(&mut self) -> Result<Option<Row>> {
        if self.ended {
            return Ok(None);
        }
        loop {
            let before = self.reader.position().line();
            let read = self.reader.read_byte_record(&mut self.record);
            if let Some(broken) = self.broken.get()
                && (self.reader.position().byte() > broken.row_start || matches!(read, Ok(false)))
            {
                self.ended = true;
                return Err(self.broken_error(broken));
            }
            match read {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return Ok(None);
                }
                Err(error) => {
                    // The parser cannot find the next row again.
                    self.ended = true;
                    return Err(self.read_error(error, before));
                }
            }
            let inside: usize = self.record.iter().map(|field| memchr::memchr_iter(b'\n', field).count()).sum();
            let after = self.reader.position().line();
            let mut fields = Vec::with_capacity(self.record.len());
            let last = self.record.len().saturating_sub(1);
            let ended = u64::from(!self.at_end());
            let line = after.saturating_sub(ended + inside as u64).max(1);
            for (at, field) in self.record.iter().enumerate() {
                let field = if at == last { field.strip_suffix(b"\r").unwrap_or(field) } else { field };
                fields.push(self.decoder.decode(field.to_vec(), line, None)?);
            }
            // A line of white space.
            if matches!(fields.as_slice(), [only] if only.trim().is_empty()) {
                continue;
            }
            return Ok(Some(Row { line, fields }));
        }
    }

    /// Whether the record read last is the file's last and has no line end.
    fn at_end(&self) -> bool {
        let guard = self.reader.get_ref();
        self.reader.position().byte() == guard.total && (guard.place, guard.column) != (Place::FieldStart, 1)
    }

    fn broken_error(&self, broken: &Broken) -> Error {
        let location = Location::line(self.header.path.clone(), broken.line).at_column(broken.column);
        match broken.what {
            What::NeverClosed => Error::format(location, "a quote that is never closed", "a closing `\"`"),
            What::TooManyFields => {
                Error::format(location, "a row without end", format!("at most {MAX_FIELDS} fields in a row"))
            }
            What::TextAfter(line) => Error::format(
                location,
                format!("a quoted field with text behind its closing quote, on line {line}"),
                "a comma or the end of the row there; write a quote within a field twice, and close each quote (the rows \
                 from here on were not read)",
            ),
        }
    }

    fn read_error(&self, error: csv::Error, line: u64) -> Error {
        let location = Location::line(self.header.path.clone(), line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => read_error(&self.header.path, Some(line), source),
            // Nothing else can come of reading bytes with any number of fields.
            _ => Error::format(location, "a row that cannot be read", "comma-separated fields"),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.read() {
            Ok(row) => row?,
            Err(error) => return Some(Err(error)),
        };
        let (found, expected) = (row.fields.len(), self.header.names.len());
        if found == expected {
            return Some(Ok(row));
        }
        let lines: usize = row.fields.iter().map(|field| memchr::memchr_iter(b'\n', field.as_bytes()).count()).sum();
        let spread = match lines {
            0 => String::new(),
            _ => format!(" on lines {} to {} (is a quote not closed?)", row.line, row.line + lines as u64),
        };
        let found = format!("{found} field{}{spread}", if found == 1 { "" } else { "s" });
        Some(Err(Error::format(row.location(&self.header.path), found, format!("{expected}, as in the header"))))
    }
}

/// A place at which a table can't be read on: the quote that opens at `line` and `column` goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    line: u64,
    column: u64,
    /// The byte that the row begins at.
    row_start: u64,
    what: What,
}

/// What is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    NeverClosed,
    /// Text stands behind the closing quote, on this line.
    TextAfter(u64),
    /// The row has more fields than [`MAX_FIELDS`].
    TooManyFields,
}

/// The most bytes of a column's name: every row holds the names of its fields.
const MAX_NAME: usize = 1_000;
/// The most fields of a row: each takes memory, even when it is empty.
const MAX_FIELDS: u64 = 200_000;

/// Where in a row the last byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quote within a quoted field: the first of two, or the closing one.
    Quote,
    /// Behind the closing quote, where only white space may stand.
    Closed,
}

/// Stands between the file and the CSV parser, which closes an open quote at the end of the file and takes text behind a
/// closing quote into the field, both without a word: ends the file before such a row, and bounds the length of a row.
struct Guard {
    inner: Box<dyn io::BufRead + Send>,
    broken: Arc<OnceLock<Broken>>,
    place: Place,
    total: u64,
    row_start: u64,
    line: u64,
    column: u64,
    /// Line and column at which the last quoted field opened.
    opened: (u64, u64),
}

impl Guard {
    fn new(inner: Box<dyn io::BufRead + Send>, broken: Arc<OnceLock<Broken>>) -> Self {
        Self { inner, broken, place: Place::FieldStart, total: 0, row_start: 0, line: 1, column: 1, opened: (1, 1) }
    }

    /// Looks at bytes on their way to the parser; `Err` where they must not go on.
    fn look_at(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        for &byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Quoted, b'"') => Place::Quote,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Quote, b'"') => Place::Quoted,
                (_, b',') => {
                    self.column += 1;
                    if self.column > MAX_FIELDS {
                        self.opened = (self.line, self.column);
                        return Err(self.broken(What::TooManyFields));
                    }
                    Place::FieldStart
                }
                (_, b'\n') => {
                    (self.column, self.row_start) = (1, self.total + 1);
                    Place::FieldStart
                }
                (Place::FieldStart, b'"') => {
                    self.opened = (self.line, self.column);
                    Place::Quoted
                }
                (Place::FieldStart | Place::Unquoted, _) => Place::Unquoted,
                (Place::Quote | Place::Closed, b' ' | b'\t' | b'\r') => Place::Closed,
                (Place::Quote | Place::Closed, _) => return Err(self.broken(What::TextAfter(self.line))),
            };
            self.total += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(())
    }

    fn broken(&self, what: What) -> Broken {
        Broken { line: self.opened.0, column: self.opened.1, row_start: self.row_start, what }
    }
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.broken.get().is_some() {
            return Ok(0);
        }
        if self.total - self.row_start > MAX_LINE as u64 {
            return Err(io::Error::other(Fault::RowTooLong));
        }
        let before = self.total;
        let count = self.inner.read(buffer)?;
        let looked = if count == 0 && self.place == Place::Quoted {
            Err(self.broken(What::NeverClosed))
        } else {
            self.look_at(&buffer[..count])
        };
        match looked {
            Ok(()) => Ok(count),
            Err(broken) => {
                self.broken.get_or_init(|| broken);
                Ok(broken.row_start.saturating_sub(before) as usize)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::source::{ignore_warnings, stream};

    /// The line and the fields of a row, or what its error says.
    type Found = Result<(u64, Vec<String>), String>;

    fn rows(text: &str) -> Result<Vec<Found>> {
        let stream =
            stream::from_reader(Box::new(Cursor::new(text.to_owned().into_bytes())), "f".into(), &ignore_warnings())?;
        let rows = Rows::new(stream)?;
        Ok(rows.map(|row| row.map(|row| (row.line, row.fields)).map_err(|error| error.to_string())).collect())
    }

    fn lines(text: &str) -> Vec<u64> {
        rows(text).expect("a header").into_iter().map(|row| row.expect("a row").0).collect()
    }

    #[test]
    fn rows_know_the_line_they_begin_on() {
        assert_eq!(lines("a,b\n1,2\n\"x\ny\",2\n3,4\n"), [2, 3, 5]);
        assert_eq!(lines("a,b\r\n1,2\r\n\"x\r\ny\",\"2\"\r\n\r\n\r\n3,4"), [2, 3, 7]);
        assert_eq!(lines("\n\na,b\n\n1,2\n \n3,4"), [5, 7]);
    }

    #[test]
    fn fields_are_kept_to_the_byte_but_for_the_line_end() {
        let found = rows("a,b\r\n\" x \",\"say \"\"no\"\"\r\nor yes\"\r\n").expect("a header");
        assert_eq!(found, [Ok((2, vec![" x ".to_owned(), "say \"no\"\r\nor yes".to_owned()]))]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found_where_it_opens() {
        let found = rows("a,b\n1,2\n3,\"four\n5,6\n7,8\n").expect("a header");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Err("f:3:2: found a quote that is never closed, expected a closing `\"`".into()));
        assert!(rows("a,\"b\n1,2").unwrap_err().to_string().starts_with("f:1:2: found a quote"));
    }

    #[test]
    fn text_behind_a_closing_quote_is_found() {
        let found = rows("a,b\n0,x\n1,\"Kenya thanked Uganda.\n2,\"Peru thanked Chile.\"\n3,y\n").expect("a header");
        assert_eq!(found.len(), 2);
        let said = found[1].as_ref().expect_err("two rows in one");
        assert!(
            said.starts_with("f:3:2: found a quoted field with text behind its closing quote, on line 4"),
            "{said}"
        );
        // White space there does no harm, nor does a quote within a field without quotes.
        assert_eq!(rows("a,b\n\"1\" ,5\"\n").expect("a header"), [Ok((2, vec!["1 ".into(), "5\"".into()]))]);
    }

    #[test]
    fn separators_of_other_centuries_end_no_file() {
        let text = format!("{},b\n1,x\u{1e}\u{1e}\n2,y\n\u{1e}\u{1e},z", "a".repeat(200));
        let found = rows(&text).expect("a header");
        assert_eq!(found.len(), 3);
        assert_eq!(found[2], Ok((4, vec!["\u{1e}\u{1e}".into(), "z".into()])));
        assert_eq!(lines("a,b\n1,"), [2]);
    }

    proptest::proptest! {
        /// What the csv crate writes is read as it was, on the line where it begins.
        #[test]
        fn what_is_written_is_read(table in proptest::collection::vec(proptest::array::uniform2("[ab,\"\n\u{1e}é]{0,6}"), 1..8)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            let mut expected = Vec::new();
            // Long enough for the few control characters not to count.
            writer.write_record(["x".repeat(900), "y".repeat(900)]).expect("memory");
            let mut line = 2;
            for row in &table {
                writer.write_record(row).expect("memory");
                expected.push(Ok((line, row.to_vec())));
                line += 1 + row.concat().matches('\n').count() as u64;
            }
            let text = String::from_utf8(writer.into_inner().expect("memory")).expect("UTF-8");
            proptest::prop_assert_eq!(rows(&text).expect("a header"), expected);
        }
    }

    #[test]
    fn ragged_rows_are_errors_and_reading_goes_on() {
        let found = rows("a,b\n1,2,3\n4,5\n\"6\n7\"\n8,9").expect("a header");
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], Err("f:2: found 3 fields, expected 2, as in the header".into()));
        assert_eq!(
            found[2],
            Err("f:4: found 1 field on lines 4 to 5 (is a quote not closed?), expected 2, as in the header".into())
        );
        assert!(found[3].is_ok());
    }
}
