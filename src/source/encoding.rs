//! What bytes are: UTF-8, UTF-16, Windows-1252, or no text at all.
//!
//! UTF-8 (with or without byte-order mark) and UTF-16 (with one) are certain. Bytes that are neither are read as
//! Windows-1252 only when they look like it, and the reader says so in a [`Warning`]: a text is never
//! garbled silently. UTF-8 with some broken characters is an error, since reading it as Windows-1252 would garble all
//! the others.

use std::io::{self, BufRead, Read};

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{Warn, Warning};
use crate::{Error, Location, Result};

/// What every complaint about bytes expects.
const EXPECTED: &str = "text in UTF-8, in UTF-16 with a byte-order mark, or in Windows-1252";

/// The first bytes of files that are not text, and what they are.
const MAGIC: [(&[u8], &str); 22] = [
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xFF\xD8\xFF", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PK\x03\x04", "a ZIP archive (.docx, .xlsx, .odt and .epub are such)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x1F\x8B", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\x28\xB5\x2F\xFD", "zstd data"),
    (b"\xFD7zXZ", "xz data"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xBC\xAF", "a 7-Zip archive"),
    (b"\x7FELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xD0\xCF\x11\xE0", "an old Microsoft Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"ID3", "an MP3 file"),
    (b"OggS", "an Ogg file"),
    (b"\xFF\xFE\x00\x00", "UTF-32 text"),
    (b"\x00\x00\xFE\xFF", "UTF-32 text"),
];

/// What the first bytes of an input seem to be, if not text.
///
/// ```
/// use detente::source::encoding::not_text;
/// assert_eq!(not_text(b"%PDF-1.7").as_deref(), Some("a PDF document"));
/// assert_eq!(not_text("Tbilisi, où".as_bytes()), None);
/// ```
pub fn not_text(head: &[u8]) -> Option<String> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some((*what).into());
    }
    if utf16_mark(head).is_some() {
        return None;
    }
    if let Some(at) = memchr::memchr(0, head) {
        let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        if head.len() >= 4 && even.max(odd) * 3 >= head.len() && even.min(odd) * 8 <= even.max(odd) {
            return Some("UTF-16 text without a byte-order mark".into());
        }
        return Some(format!("binary data (a zero byte at offset {at})"));
    }
    let control =
        |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0B | 0x0C | 0x1B)) || byte == 0x7F;
    let controls = head.iter().filter(|&&byte| control(byte)).count();
    (controls > 2 && controls * 20 > head.len()).then(|| "binary data (many control characters)".into())
}

/// The UTF-16 that a byte-order mark announces.
pub(crate) fn utf16_mark(head: &[u8]) -> Option<&'static Encoding> {
    match Encoding::for_bom(head) {
        Some((encoding, _)) if encoding == UTF_16LE || encoding == UTF_16BE => Some(encoding),
        _ => None,
    }
}

/// Makes strings of the bytes of one input, and warns once when they are not UTF-8.
pub(crate) struct Decoder {
    path: String,
    warn: Warn,
    warned: bool,
    /// Whether characters beyond ASCII in UTF-8 were seen; then a stray byte is damage.
    utf8_seen: bool,
}

impl Decoder {
    pub(crate) fn new(path: String, warn: Warn) -> Self {
        Self { path, warn, warned: false, utf8_seen: false }
    }

    /// The string of `bytes`, which begin on line `line`; `declared` is the encoding that the content itself names.
    pub(crate) fn decode(&mut self, bytes: Vec<u8>, line: u64, declared: Option<&'static Encoding>) -> Result<String> {
        let fault = match String::from_utf8(bytes) {
            Ok(text) => {
                if memchr::memchr(0, text.as_bytes()).is_some() {
                    return Err(self.binary(text.as_bytes(), line));
                }
                self.utf8_seen = self.utf8_seen || !text.is_ascii();
                return Ok(text);
            }
            Err(fault) => fault,
        };
        let valid = fault.utf8_error().valid_up_to();
        let bytes = fault.into_bytes();
        if memchr::memchr(0, &bytes).is_some() {
            return Err(self.binary(&bytes, line));
        }
        let place = self.place(&bytes, valid, line);
        if let Some(encoding) = declared.filter(|&encoding| encoding != UTF_8) {
            let (text, faulty) = encoding.decode_without_bom_handling(&bytes);
            if faulty {
                let found = format!("bytes that are not {}, which the page declares", encoding.name());
                return Err(Error::format(place, found, EXPECTED));
            }
            return Ok(text.into_owned());
        }
        let (whole, broken) = utf8_characters(&bytes);
        let byte = bytes[valid];
        if self.utf8_seen || (whole >= broken && whole > 0) {
            let found = format!("the byte 0x{byte:02X}, which is not UTF-8, among UTF-8");
            return Err(Error::format(place, found, "UTF-8 throughout; save the text again as UTF-8"));
        }
        // Windows-1252 leaves five bytes without meaning, and in a language that uses it most letters are ASCII; a few bytes show
        // nothing.
        let unassigned = bytes.iter().find(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D));
        let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
        if unassigned.is_some() || (high > 8 && high * 10 > bytes.len() * 4) {
            let found = format!(
                "the byte 0x{:02X}, which is neither UTF-8 nor plausible Windows-1252",
                unassigned.unwrap_or(&byte)
            );
            return Err(Error::format(place, found, EXPECTED));
        }
        if !self.warned {
            self.warned = true;
            let message = format!("the byte 0x{byte:02X} is not UTF-8; read as Windows-1252");
            (self.warn)(Warning { location: place, message });
        }
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
        Ok(text.into_owned())
    }

    /// The string of a page's bytes: what cannot be read is replaced, and counted in a warning.
    pub(crate) fn decode_page(&mut self, bytes: Vec<u8>, declared: Option<&'static Encoding>) -> Result<String> {
        let fault = match String::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, text.as_bytes()).is_none() => return Ok(text),
            Ok(text) => return self.decode(text.into_bytes(), 1, declared),
            Err(fault) => fault,
        };
        let at = fault.utf8_error().valid_up_to();
        let bytes = fault.into_bytes();
        let (whole, broken) = utf8_characters(&bytes);
        let encoding = match declared.filter(|&encoding| encoding != UTF_8) {
            // What it declares is wrong where nearly all of it is UTF-8.
            Some(encoding) if whole <= 10 * broken || memchr::memchr(0, &bytes).is_some() => encoding,
            Some(_) => UTF_8,
            // A page in UTF-8, but for a few bytes.
            None if memchr::memchr(0, &bytes).is_none() && (whole > broken || (declared.is_some() && broken <= 3)) => {
                UTF_8
            }
            None => return self.decode(bytes, 1, declared),
        };
        let (text, faulty) = encoding.decode_without_bom_handling(&bytes);
        if faulty {
            let count = text.matches('\u{fffd}').count();
            let found = if count == 1 { "1 byte is".into() } else { format!("{count} bytes are") };
            let message = format!("{found} not {}, and replaced", encoding.name());
            (self.warn)(Warning { location: self.place(&bytes, at, 1), message });
        }
        Ok(text.into_owned())
    }

    fn binary(&self, bytes: &[u8], line: u64) -> Error {
        let at = memchr::memchr(0, bytes).unwrap_or(0);
        Error::format(self.place(bytes, at, line), "binary data (a zero byte)", EXPECTED)
    }

    /// Line and column of the byte `at` of `bytes`, which begin on line `line`.
    fn place(&self, bytes: &[u8], at: usize, line: u64) -> Location {
        let before = &bytes[..at];
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() as u64 + 1;
        Location::line(self.path.clone(), line + lines).at_column(column)
    }
}

/// How many characters beyond ASCII are whole in UTF-8, and how many places are broken.
fn utf8_characters(bytes: &[u8]) -> (usize, usize) {
    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    (whole, broken)
}

/// What can be wrong with a stream of bytes, inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0} data that is cut short")]
    CutShort(&'static str),
    #[error("damaged {0} data ({1})")]
    Damaged(&'static str, String),
    #[error("bytes that are not UTF-16, which the byte-order mark announces")]
    NotUtf16,
    #[error("more than {} MiB in one row", super::MAX_LINE >> 20)]
    RowTooLong,
}

impl Fault {
    /// What should be there instead.
    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Self::CutShort("zstd") | Self::Damaged("zstd", _) => "a whole zstd file; copy or download it again",
            Self::CutShort(_) | Self::Damaged(..) => "a whole gzip file; copy or download it again",
            Self::NotUtf16 => EXPECTED,
            Self::RowTooLong => "a row of one article; a quote may be open that is never closed",
        }
    }
}

/// UTF-16 in, UTF-8 out.
pub(crate) struct Utf16Reader<R> {
    inner: R,
    decoder: encoding_rs::Decoder,
    out: Box<[u8]>,
    from: usize,
    to: usize,
    ended: bool,
}

impl<R: BufRead> Utf16Reader<R> {
    /// Reads `inner`, which begins with the byte-order mark of `encoding`.
    pub(crate) fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { inner, decoder, out: vec![0; 1 << 15].into_boxed_slice(), from: 0, to: 0, ended: false }
    }
}

impl<R: BufRead> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.from == self.to && !self.ended {
            let input = self.inner.fill_buf()?;
            let last = input.is_empty();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, &mut self.out, last);
            self.inner.consume(read);
            (self.from, self.to) = (0, written);
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => return Err(io::Error::other(Fault::NotUtf16)),
            }
        }
        let count = buffer.len().min(self.to - self.from);
        buffer[..count].copy_from_slice(&self.out[self.from..self.from + count]);
        self.from += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn decode(bytes: &[u8]) -> (Result<String>, Vec<Warning>) {
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&warnings);
        let warn: Warn = Arc::new(move |warning| sink.lock().expect("no thread panicked").push(warning));
        let text = Decoder::new("f".into(), warn).decode(bytes.to_vec(), 1, None);
        let warnings = warnings.lock().expect("no thread panicked").clone();
        (text, warnings)
    }

    #[test]
    fn windows_1252_is_read_and_reported() {
        let (text, warnings) = decode(b"Line one\nErdo\xF0an said \x93no\x94 to Paris");
        assert_eq!(text.ok().as_deref(), Some("Line one\nErdoðan said “no” to Paris"));
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].to_string(), "f:2:5: the byte 0xF0 is not UTF-8; read as Windows-1252");
    }

    #[test]
    fn broken_utf8_and_other_code_pages_are_errors() {
        let (text, _) = decode(
            "Łódź and \u{201c}Kraków\u{201d}".as_bytes().iter().chain(b" \xFF").copied().collect::<Vec<_>>().as_slice(),
        );
        assert!(text.unwrap_err().to_string().contains("f:1:19: found the byte 0xFF"));
        let (text, _) =
            decode(b"\xCC\xEE\xF1\xEA\xE2\xE0 \xEE\xF1\xF3\xE4\xE8\xEB\xE0 \xC2\xE0\xF8\xE8\xED\xE3\xF2\xEE\xED");
        assert!(text.unwrap_err().to_string().contains("neither UTF-8 nor plausible Windows-1252"));
    }

    #[test]
    fn kinds_of_binary_are_named() {
        assert_eq!(not_text(b"PAR1\x15").as_deref(), Some("a Parquet file"));
        assert_eq!(not_text(b"M\0o\0s\0c\0o\0w\0").as_deref(), Some("UTF-16 text without a byte-order mark"));
        assert_eq!(not_text(b"\0\0\0\x01abc").as_deref(), Some("binary data (a zero byte at offset 0)"));
        assert!(not_text(&[1, 2, 3, 4, 5, 6]).is_some());
        assert_eq!(not_text(b""), None);
    }
}
