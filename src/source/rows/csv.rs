//! CSV: a header row, then an article or a labelled pair a row; divided by commas, semicolons, tabs or bars.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use super::super::MAX_LINE;
use super::super::encoding::{Decoder, Fault};
use super::super::stream::{Stream, read_error};
use super::{Cell, Header, Row};
use crate::source::fields::Columns;
use crate::{Error, Location, Result};

/// The rows below the header.
pub(crate) struct Rows {
    reader: csv::Reader<Guard>,
    /// Where the guard ended the file, if it did.
    broken: Arc<OnceLock<Broken>>,
    decoder: Decoder,
    header: Arc<Header>,
    record: csv::ByteRecord,
    /// How many lines stand before the header.
    before: u64,
    /// What divides the fields.
    mark: u8,
    ended: bool,
}

/// The fields of a row, and the line that it begins on.
struct Fields {
    line: u64,
    fields: Vec<String>,
}

/// What may divide the fields of a row.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What divides the fields of a file that begins with `head`, and how many bytes of a line `sep=;` stand before the header.
fn delimiter(head: &[u8]) -> (u8, usize) {
    let line = |from: usize| {
        let end = memchr::memchr(b'\n', &head[from..]).map_or(head.len(), |end| from + end);
        &head[from..end]
    };
    let first = line(0);
    if let Some(rest) = first.strip_prefix(b"sep=")
        && let [mark] | [mark, b'\r'] = rest
    {
        return (*mark, (first.len() + 1).min(head.len()));
    }
    let blank = head.iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != b'\t').count();
    let header = String::from_utf8_lossy(line(blank));
    // Known names say more than marks: a title may hold any of these.
    let fit = |mark: &u8| {
        let names: Vec<String> =
            header.split(char::from(*mark)).map(|name| name.trim().trim_matches('"').to_owned()).collect();
        let known = Columns::text_and_title(&names).into_iter().flatten().count();
        (known, names.len())
    };
    let best = DELIMITERS.iter().rev().max_by_key(|mark| fit(mark));
    (best.copied().unwrap_or(b','), 0)
}

impl Rows {
    /// Reads the header; what divides the fields is told from it, unless it is given.
    pub(crate) fn new(mut stream: Stream, given: Option<u8>) -> Result<Self> {
        let fail = |error| read_error(&stream.path, None, error);
        let (mark, skipped) = delimiter(stream.reader.fill_buf().map_err(fail)?);
        stream.reader.consume(skipped);
        let mark = given.unwrap_or(mark);
        let broken = Arc::new(OnceLock::new());
        let guard = Guard::new(stream.reader, Arc::clone(&broken), mark);
        let before = u64::from(skipped > 0);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(mark)
            .buffer_capacity(64 << 10)
            // A carriage return before it is taken off below; so every line end counts as one line.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(guard);
        let header = Arc::new(Header { path: stream.path, line: Some(1), names: Vec::new() });
        let record = csv::ByteRecord::new();
        let mut rows = Self { reader, broken, decoder: stream.decoder, header, record, before, mark, ended: false };
        let Some(first) = rows.read()? else {
            let location = Location::file(rows.header.path.clone());
            return Err(Error::format(location, "an empty file", "a header row and rows below it"));
        };
        let names: Vec<String> = first.fields.iter().map(|name| name.trim().to_owned()).collect();
        rows.header = Arc::new(Header { path: rows.header.path.clone(), line: Some(first.line), names });
        let names = &rows.header.names;
        let location = || Location::line(rows.header.path.clone(), first.line);
        rows.header.check_names(location())?;
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

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// The next row, however many fields it has; `None` at the end.
    fn read(&mut self) -> Result<Option<Fields>> {
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
            let line = after.saturating_sub(ended + inside as u64).max(1) + self.before;
            for (at, field) in self.record.iter().enumerate() {
                let field = if at == last { field.strip_suffix(b"\r").unwrap_or(field) } else { field };
                fields.push(self.decoder.decode(field.to_vec(), line, None)?);
            }
            // A line of white space.
            if matches!(fields.as_slice(), [only] if only.trim().is_empty()) {
                continue;
            }
            // Programs that write tabs seldom quote; what looks like a quoted field then is several rows.
            if self.mark == b'\t' && fields.iter().any(|field| field.contains('\t') && field.contains('\n')) {
                let found = "a quoted field with tabs and line ends in it: several rows, of which the first begins and the last ends \
                             with a quote?";
                let expected = "fields without quotes, or tables divided by commas; the rows are not read";
                return Err(Error::format(Location::line(self.header.path.clone(), line), found, expected));
            }
            return Ok(Some(Fields { line, fields }));
        }
    }

    /// Whether the record read last is the file's last and has no line end.
    fn at_end(&self) -> bool {
        let guard = self.reader.get_ref();
        self.reader.position().byte() == guard.total && (guard.place, guard.column) != (Place::FieldStart, 1)
    }

    fn broken_error(&self, broken: &Broken) -> Error {
        let location = Location::line(self.header.path.clone(), broken.line + self.before).at_column(broken.column);
        match broken.what {
            What::NeverClosed => Error::format(location, "a quote that is never closed", "a closing `\"`"),
            What::TooManyFields => {
                Error::format(location, "a row without end", format!("at most {MAX_FIELDS} fields in a row"))
            }
            What::TextAfter(line) => Error::format(
                location,
                format!("a quoted field with text behind its closing quote, on line {}", line + self.before),
                "a comma or the end of the row there; write a quote within a field twice, and close each quote (the rows \
                 from here on were not read)",
            ),
        }
    }

    fn read_error(&self, error: csv::Error, line: u64) -> Error {
        let line = line + self.before;
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
            let cells = row.fields.into_iter().map(Cell::Text).collect();
            return Some(Ok(Row { header: self.header.clone(), line: row.line, number: row.line, cells }));
        }
        let lines: usize = row.fields.iter().map(|field| memchr::memchr_iter(b'\n', field.as_bytes()).count()).sum();
        let spread = match lines {
            0 => String::new(),
            _ => format!(" on lines {} to {} (is a quote not closed?)", row.line, row.line + lines as u64),
        };
        let found = format!("{found} field{}{spread}", if found == 1 { "" } else { "s" });
        let location = Location::line(self.header.path.clone(), row.line);
        Some(Err(Error::format(location, found, format!("{expected}, as in the header"))))
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
    mark: u8,
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
    fn new(inner: Box<dyn io::BufRead + Send>, broken: Arc<OnceLock<Broken>>, mark: u8) -> Self {
        Self {
            inner,
            mark,
            broken,
            place: Place::FieldStart,
            total: 0,
            row_start: 0,
            line: 1,
            column: 1,
            opened: (1, 1),
        }
    }

    /// Looks at bytes on their way to the parser; `Err` where they must not go on.
    fn look_at(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        for &byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Quoted, b'"') => Place::Quote,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Quote, b'"') => Place::Quoted,
                (_, byte) if byte == self.mark => {
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
    use super::*;
    use crate::source::stream;

    /// The line and the fields of a row, or what its error says.
    type Found = Result<(u64, Vec<String>), String>;

    fn rows(text: &str) -> Result<Vec<Found>> {
        let stream = stream::from_bytes(text.to_owned().into_bytes())?;
        let rows = Rows::new(stream, None)?;
        let fields = |row: Row| row.cells.iter().map(|cell| cell.as_str().unwrap_or("").to_owned()).collect();
        Ok(rows.map(|row| row.map(|row| (row.line, fields(row))).map_err(|error| error.to_string())).collect())
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

    #[test]
    fn the_mark_between_fields_is_told_from_the_header() {
        for (head, mark, skipped) in [
            ("id,text\n", b',', 0),
            ("id;text;date\r\n1;a,b,c,d;x", b';', 0),
            ("id\ttext\n", b'\t', 0),
            ("id|text\n", b'|', 0),
            ("text\n", b',', 0),
            ("title;text, as read,x,y\n", b';', 0),
            ("sep=;\nid,x;text\n", b';', 6),
            ("\n\nid;text\n", b';', 0),
        ] {
            assert_eq!(delimiter(head.as_bytes()), (mark, skipped), "{head:?}");
        }
        assert_eq!(rows("sep=;\r\na;b\n1;\"2;3\"\n").expect("a header"), [Ok((3, vec!["1".into(), "2;3".into()]))]);
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
