//! Files that are read whole, or more than once: regular ones, of a size that their kind may have.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Location, Result};

/// The most bytes that a recipe may have: 1 MiB.
pub const MAX_RECIPE: u64 = 1 << 20;
/// The most bytes that a user's names for the gazetteer may have: 16 MiB.
pub const MAX_NAMES: u64 = 16 << 20;
/// The most bytes that a model may have: 512 MiB.
pub const MAX_MODEL: u64 = 512 << 20;

/// Opens a regular file; a pipe, a device or a folder is refused before it is opened, as that could wait for ever.
///
/// # Errors
/// [`Error::Io`], [`Error::Format`] for what is no regular file.
pub fn open(path: &Path) -> Result<File> {
    let kind = fs::metadata(path).map_err(|source| Error::io(path, source))?.file_type();
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
        let expected = "a regular file, since it is read whole or more than once; save it to one first";
        return Err(Error::format(Location::file(path.display().to_string()), found, expected));
    }
    File::open(path).map_err(|source| Error::io(path, source))
}

/// The bytes of a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and [`Error::Format`] for a longer file.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes).map_err(|source| Error::io(path, source))?;
    if bytes.len() as u64 > limit {
        let found = format!("more than {limit} bytes");
        return Err(Error::format(Location::file(path.display().to_string()), found, "a file of its kind"));
    }
    Ok(bytes)
}

/// As [`read`], for UTF-8.
///
/// # Errors
/// As [`read`], and [`Error::Format`] for bytes that are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|error| {
        let found = format!("bytes that are not UTF-8, at byte {}", error.utf8_error().valid_up_to());
        Error::format(Location::file(path.display().to_string()), found, "text in UTF-8")
    })
}

/// The SHA-256 of a regular file, as hexadecimal digits; the file may have any size.
///
/// # Errors
/// As [`open`].
pub fn sha256(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut open(path)?, &mut hash).map_err(|source| Error::io(path, source))?;
    Ok(crate::hash::hex(&hash.finalize()))
}
