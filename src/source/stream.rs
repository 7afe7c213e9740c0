//! The bytes of an input: opened, unpacked, and looked at.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::encoding::{Decoder, Fault, Utf16Reader, not_text, utf16_mark};
use super::fields::BytesRead;
use super::{Format, Input, MAX_ARTICLE, MAX_BINARY, MAX_LINE, Warn, Warning, sniff, too_large};
use crate::{Error, Location, Result};

/// How many bytes are looked at to tell text from the rest.
const HEAD: usize = 8 << 10;
const BUFFER: usize = 64 << 10;

/// An open input: bytes without byte-order mark, in UTF-8 unless they are in an encoding without one.
pub(crate) struct Stream {
    pub(crate) reader: Box<dyn BufRead + Send>,
    /// The file as the user named it, or `-`.
    pub(crate) path: String,
    pub(crate) decoder: Decoder,
}

/// An input that is unpacked, before it is known to be text.
pub(crate) struct Unpacked {
    pub(crate) input: Input,
    /// Its first bytes, which `reader` gives once more.
    pub(crate) head: Vec<u8>,
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) packed: bool,
}

/// A reader whose bytes are counted.
struct Counted<R>(R, BytesRead);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.read(buffer)?;
        self.1.add(bytes as u64);
        Ok(bytes)
    }
}

/// Opens `input`, and unpacks it where it is packed. Its bytes are counted as they lie there.
pub(crate) fn unpack(input: &Input, count: &BytesRead, warn: &Warn) -> Result<Unpacked> {
    unpacked(Box::new(Counted(raw(input)?, count.clone())), input, warn)
}

fn unpacked(raw: Box<dyn Read + Send>, input: &Input, warn: &Warn) -> Result<Unpacked> {
    let fail = |error| read_error(&input.name(), None, error);
    let (mut head, mut reader) = peek(raw).map_err(fail)?;
    let packing = Packing::of(&head);
    if let Some(packing) = packing {
        let whole = BufReader::with_capacity(BUFFER, reader);
        let (warn, location) = (warn.clone(), Location::file(input.name()));
        let behind = move || {
            let message = format!("what stands behind the {} data is no such data, and is left out", packing.name());
            warn(Warning { location: location.clone(), message });
        };
        (head, reader) = peek(packing.unpack(whole, Box::new(behind)).map_err(fail)?).map_err(fail)?;
    }
    Ok(Unpacked { input: input.clone(), head, reader, packed: packing.is_some() })
}

/// The first bytes of `input`, unpacked: `most` of them, or as many as there are before its end or what is damaged.
///
/// # Errors
/// If it cannot be opened, or there are none before what is damaged.
pub(crate) fn beginning(input: &Input, most: usize) -> Result<Vec<u8>> {
    let fail = |error| read_error(&input.name(), None, error);
    let (head, reader) = peek(raw(input)?).map_err(fail)?;
    let mut reader = match Packing::of(&head) {
        Some(packing) => packing.unpack(BufReader::new(reader), Box::new(|| {})).map_err(fail)?,
        None => reader,
    };
    let mut bytes = Vec::new();
    match reader.by_ref().take(most as u64).read_to_end(&mut bytes) {
        Err(error) if bytes.is_empty() => Err(fail(error)),
        _ => Ok(bytes),
    }
}

/// The bytes of an input as they lie there.
fn raw(input: &Input) -> Result<Box<dyn Read + Send>> {
    Ok(match input {
        Input::Path(path) => Box::new(File::open(path).map_err(|source| Error::io(path, source))?),
        Input::Stdin => Box::new(io::stdin()),
        Input::Bytes(_, bytes) => Box::new(Cursor::new(bytes.clone())),
    })
}

/// Opens `input` as text.
pub(crate) fn open(input: &Input, warn: &Warn) -> Result<Stream> {
    unpack(input, &BytesRead::default(), warn)?.into_stream(warn)
}

/// An input that is no text.
pub(crate) enum Binary {
    File(File),
    Bytes(Vec<u8>),
}

impl Unpacked {
    /// The input as it is: its file, or all its bytes where it was packed or is no regular file.
    pub(crate) fn into_binary(self) -> Result<Binary> {
        if let Input::Path(path) = &self.input
            && !self.packed
            && std::fs::metadata(path).is_ok_and(|found| found.is_file())
        {
            return Ok(Binary::File(File::open(path).map_err(|source| Error::io(path, source))?));
        }
        let name = self.input.name();
        let mut bytes = Vec::new();
        let read = self.reader.take(MAX_BINARY + 1).read_to_end(&mut bytes);
        read.map_err(|error| read_error(&name, None, error))?;
        if bytes.len() as u64 > MAX_BINARY {
            let found = format!("more than {} MiB", MAX_BINARY >> 20);
            return Err(Error::format(Location::file(name), found, "a smaller file, or one that is not packed"));
        }
        Ok(Binary::Bytes(bytes))
    }

    /// The format that was stated, or the one that the first bytes show.
    pub(crate) fn format(&self, stated: Format) -> Format {
        if stated != Format::Auto {
            return stated;
        }
        match utf16_mark(&self.head) {
            Some(encoding) => sniff::format(encoding.decode_with_bom_removal(&self.head).0.as_bytes()),
            None => sniff::format(&self.head),
        }
    }

    /// The input as text.
    pub(crate) fn into_stream(self, warn: &Warn) -> Result<Stream> {
        let Self { input, head, reader, .. } = self;
        let path = input.name();
        let fail = |error| read_error(&path, None, error);
        if let Some(found) = not_text(&head) {
            let expected =
                "text, HTML, CSV, JSON, a feed, Parquet or XLSX, the text formats also packed by gzip or zstd";
            return Err(Error::format(Location::file(path), found, expected));
        }
        let mut reader: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(BUFFER, reader));
        if let Some(encoding) = utf16_mark(&head) {
            reader = Box::new(BufReader::with_capacity(BUFFER, Utf16Reader::new(reader, encoding)));
        } else if head.starts_with(b"\xEF\xBB\xBF") {
            io::copy(&mut reader.by_ref().take(3), &mut io::sink()).map_err(fail)?;
        }
        let decoder = Decoder::new(path.clone(), warn.clone());
        Ok(Stream { reader, path, decoder })
    }
}

/// The first bytes of `reader`, and a reader that still begins with them.
fn peek(mut reader: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::with_capacity(HEAD);
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x1F\x8B") {
            Some(Self::Gzip)
        } else if head.starts_with(b"\x28\xB5\x2F\xFD") {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn unpack(
        self,
        packed: impl BufRead + Send + 'static,
        behind: Box<dyn Fn() + Send>,
    ) -> io::Result<Box<dyn Read + Send>> {
        let inner: Box<dyn Read + Send> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
        };
        Ok(Box::new(PackedReader { inner, packing: self, any: false, ended: false, behind }))
    }
}

/// Says what is wrong with packed data. Bytes behind it that are none, as padding is, end it.
struct PackedReader {
    inner: Box<dyn Read + Send>,
    packing: Packing,
    any: bool,
    ended: bool,
    /// Called where there are bytes behind the data.
    behind: Box<dyn Fn() + Send>,
}

impl Read for PackedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packing = self.packing.name();
        if self.ended {
            return Ok(0);
        }
        let read = match self.inner.read(buffer) {
            Err(error) if self.any && is_no_header(&error) => {
                self.ended = true;
                (self.behind)();
                return Ok(0);
            }
            read => read,
        };
        self.any |= read.is_ok();
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other(Fault::CutShort(packing)),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                io::Error::other(Fault::Damaged(packing, error.to_string()))
            }
            // What the zstd library says of its data.
            io::ErrorKind::Other if self.packing == Packing::Zstd => {
                io::Error::other(Fault::Damaged(packing, error.to_string()))
            }
            _ => error,
        })
    }
}

/// Whether bytes do not begin as packed data does, in the words of the two libraries.
fn is_no_header(error: &io::Error) -> bool {
    let said = error.to_string();
    said.contains("invalid gzip header") || said.contains("Unknown frame descriptor")
}

/// What went wrong while reading `path`.
pub(crate) fn read_error(path: &str, line: Option<u64>, error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
        Some(fault) => {
            let location = Location { path: path.into(), line, column: None };
            Error::format(location, fault.to_string(), fault.expected())
        }
        None => Error::io(path, error),
    }
}

/// All bytes of a stream that holds one article.
pub(crate) fn read_document(stream: &mut Stream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_ARTICLE as u64 + 1;
    stream
        .reader
        .by_ref()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| read_error(&stream.path, None, error))?;
    if bytes.len() > MAX_ARTICLE {
        return Err(too_large(Location::file(stream.path.clone())));
    }
    Ok(bytes)
}

/// What came of reading a line.
pub(crate) enum LineRead {
    /// It is in the buffer, without its end.
    Line,
    /// It was longer than [`MAX_LINE`] and was passed over.
    TooLong,
    End,
}

/// Reads a line into `line`, which is emptied first; holds at most [`MAX_LINE`] bytes of it.
pub(crate) fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    line.clear();
    let mut any = false;
    let mut too_long = false;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', chunk);
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if line.len() + part.len() > MAX_LINE {
            too_long = true;
            // Gives the memory back.
            *line = Vec::new();
        }
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => LineRead::End,
        (_, true) => LineRead::TooLong,
        _ => LineRead::Line,
    })
}

/// The lines of a stream, decoded; the iteration ends after an error of reading.
pub(crate) fn lines(mut stream: Stream) -> impl Iterator<Item = Result<String>> + use<> {
    let (mut line, mut number, mut failed) = (Vec::new(), 0, false);
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        number += 1;
        match read_line(&mut *stream.reader, &mut line) {
            Ok(LineRead::End) => None,
            Ok(LineRead::Line) => Some(stream.decoder.decode(std::mem::take(&mut line), number, None)),
            Ok(LineRead::TooLong) => Some(Err(too_large(Location::line(stream.path.clone(), number)))),
            Err(error) => {
                failed = true;
                Some(Err(read_error(&stream.path, Some(number), error)))
            }
        }
    })
}

/// Bytes as an input called `f`.
#[cfg(test)]
pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Stream> {
    let warn = super::ignore_warnings();
    unpacked(Box::new(Cursor::new(bytes)), &Input::Path("f".into()), &warn)?.into_stream(&warn)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text_of(bytes: Vec<u8>) -> Result<String> {
        let mut stream = from_bytes(bytes)?;
        let bytes = read_document(&mut stream)?;
        stream.decoder.decode(bytes, 1, None)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
    }

    #[test]
    fn marks_and_gzip_are_taken_off() {
        let utf16 = |swap: bool, text: &str| -> Vec<u8> {
            let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
            units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let text = "Łukasz 🇵🇱 met Xi. ".repeat(20_000);
        assert_eq!(text_of(utf16(false, &text)).ok().as_ref(), Some(&text));
        assert_eq!(text_of(gzip(&utf16(true, &text))).ok().as_ref(), Some(&text));
        assert_eq!(text_of([b"\xEF\xBB\xBF", text.as_bytes()].concat()).ok().as_ref(), Some(&text));
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("memory takes all");
        assert_eq!(text_of([zstd(b"one "), zstd(text.as_bytes())].concat()).ok(), Some(format!("one {text}")));
        let cut = zstd(text.as_bytes());
        let said = text_of(cut[..cut.len() / 2].to_vec()).unwrap_err().to_string();
        assert!(said.contains("f: found zstd data that is cut short"), "{said}");
        let twice = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(text_of(twice).ok().as_deref(), Some("one two"));
        for behind in [&b"\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"not packed, and long enough to be told"] {
            assert_eq!(text_of([&gzip(b"one"), behind].concat()).ok().as_deref(), Some("one"));
            assert_eq!(text_of([&zstd(b"one"), behind].concat()).ok().as_deref(), Some("one"));
        }
    }

    #[test]
    fn gzip_that_is_cut_short_or_damaged_is_said_to_be() {
        // Long and without pattern, so that the fault lies behind the head.
        let text: String =
            (0..200_000u64).map(|n| format!("{} ", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40)).collect();
        let whole = gzip(text.as_bytes());
        let cut = text_of(whole[..whole.len() / 2].to_vec()).unwrap_err().to_string();
        assert!(cut.contains("f: found gzip data that is cut short"), "{cut}");
        let mut damaged = whole.clone();
        // The checksum.
        let at = damaged.len() - 6;
        damaged[at] ^= 0xFF;
        let damaged = text_of(damaged).unwrap_err().to_string();
        assert!(damaged.contains("damaged gzip data"), "{damaged}");
        assert!(text_of(gzip(&gzip(b"x"))).unwrap_err().to_string().contains("gzip data"));
        assert!(text_of(b"\x1F\x8B".to_vec()).unwrap_err().to_string().contains("cut short"));
    }

    #[test]
    fn broken_utf16_is_an_error() {
        assert!(text_of(b"\xFF\xFEa\0b".to_vec()).unwrap_err().to_string().contains("not UTF-16"));
        assert!(text_of(b"\xFF\xFE\x00\xD8a\0".to_vec()).unwrap_err().to_string().contains("not UTF-16"));
    }
}
