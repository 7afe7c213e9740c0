//! What the features of a model are called.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::ngrams::hash_of;
use super::vocabulary::Vocabulary;

/// The names of a vocabulary's features. Some features have none.
///
/// Packed, they stand in alphabetical order, one a line, compressed; the hash of each tells its column. Scoring needs no
/// names, so they are unpacked when they are first asked for.
#[derive(Debug, Clone, Default)]
pub struct Names {
    packed: Vec<u8>,
    columns: OnceLock<Vec<Box<str>>>,
}

/// More than any name has, in bytes.
const LONGEST: usize = 1 << 10;

impl Names {
    /// The name of each column; empty where there is none.
    pub fn new(columns: Vec<Box<str>>) -> Self {
        Self { packed: Vec::new(), columns: columns.into() }
    }

    /// What [`packed`](Self::packed) gave. Names of other features than those asked about are passed over.
    pub fn from_packed(packed: Vec<u8>) -> Self {
        Self { packed, columns: OnceLock::new() }
    }

    /// The names, packed.
    pub fn packed(&self) -> Cow<'_, [u8]> {
        match self.columns.get() {
            Some(columns) if self.packed.is_empty() => Cow::Owned(pack(columns)),
            _ => Cow::Borrowed(&self.packed),
        }
    }

    /// The names of the features of `vocabulary`, in the order of its columns.
    pub fn of(&self, vocabulary: &Vocabulary) -> &[Box<str>] {
        self.columns.get_or_init(|| unpack(&self.packed, vocabulary))
    }
}

fn pack(columns: &[Box<str>]) -> Vec<u8> {
    let mut names: Vec<&str> = columns.iter().map(|name| &**name).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(names.join("\n").as_bytes()).expect("memory takes all");
    packed.finish().expect("memory takes all")
}

fn unpack(packed: &[u8], vocabulary: &Vocabulary) -> Vec<Box<str>> {
    let mut columns = vec![Box::default(); vocabulary.len()];
    let mut lines = Vec::new();
    let most = (vocabulary.len() * LONGEST) as u64;
    // What is damaged is left out: a file's checksum has been compared, and names are for people to read.
    let _ = DeflateDecoder::new(packed).take(most).read_to_end(&mut lines);
    for name in lines.split(|&byte| byte == b'\n').filter_map(|line| str::from_utf8(line).ok()) {
        if let Some(column) = vocabulary.get(hash_of(name)) {
            columns[column as usize] = name.into();
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_what_was_packed() {
        let mut features = ["w|sanctions on", "l>|visit", "", "d|s<a"].map(|name| (hash_of(name), name));
        features.sort_unstable();
        let vocabulary = Vocabulary::new(features.iter().map(|(hash, _)| *hash).collect()).unwrap();
        let columns: Vec<Box<str>> = features.iter().map(|(_, name)| (*name).into()).collect();
        let packed = Names::new(columns.clone()).packed().into_owned();
        let names = Names::from_packed(packed.clone());
        assert_eq!(names.of(&vocabulary), columns);
        assert_eq!(*names.packed(), packed);

        for cut in 0..packed.len() {
            let damaged = Names::from_packed(packed[..cut].to_vec());
            let found = damaged.of(&vocabulary).iter().zip(&columns);
            assert!(found.clone().count() == 4 && found.clone().all(|(found, name)| found.is_empty() || found == name));
        }
    }
}
