//! JSONL: an object a line.

use super::super::MAX_LINE;
use super::super::stream::{LineRead, Stream, read_error, read_line};
use super::Row;
use super::object::Objects;
use crate::{Error, Location, Result};

/// A line, and its number from 1.
pub(crate) type Line = (u64, String);

/// The objects of a file.
pub(super) fn rows(stream: Stream) -> impl Iterator<Item = Result<Row>> + Send {
    let mut objects = Objects::new(&stream.path);
    lines(stream).map(move |line| line.and_then(|(number, json)| objects.row(&json, number)))
}

/// The lines of a stream that are not blank.
pub(super) fn lines(stream: Stream) -> impl Iterator<Item = Result<Line>> + Send {
    Lines { stream, line: 0, buffer: Vec::new(), ended: false }
}

struct Lines {
    stream: Stream,
    /// The line read last, from 1.
    line: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl Iterator for Lines {
    type Item = Result<Line>;

    fn next(&mut self) -> Option<Result<Line>> {
        if self.ended { None } else { self.read().transpose() }
    }
}

impl Lines {
    fn read(&mut self) -> Result<Option<Line>> {
        loop {
            let read = read_line(&mut *self.stream.reader, &mut self.buffer).map_err(|error| {
                self.ended = true;
                read_error(&self.stream.path, Some(self.line + 1), error)
            })?;
            self.line += 1;
            match read {
                LineRead::End => {
                    self.ended = true;
                    return Ok(None);
                }
                LineRead::TooLong => {
                    let found = format!("a line of more than {} MiB", MAX_LINE >> 20);
                    let location = Location::line(self.stream.path.clone(), self.line);
                    return Err(Error::format(location, found, "a JSON object on each line"));
                }
                LineRead::Line if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                LineRead::Line => {
                    let bytes = std::mem::take(&mut self.buffer);
                    return self.stream.decoder.decode(bytes, self.line, None).map(|text| Some((self.line, text)));
                }
            }
        }
    }
}
