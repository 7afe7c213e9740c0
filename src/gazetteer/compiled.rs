//! The tables of the program's own gazetteer, ready to use: reading its CSV files and building the matcher took two thirds of
//! the time from start to first answer.

use super::matcher::Matcher;
use super::tables::Tables;

/// What the tests below make of the CSV files, in the format of `postcard`.
const COMPILED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/gazetteer/compiled.bin"));

/// The tables of all files, and the matcher of their names.
pub(super) fn read() -> (Tables, Matcher) {
    postcard::from_bytes(COMPILED).expect("a test compares it with the files that it is made from")
}

/// Numbers as bytes, for those that are spread so that fewer would not do.
pub(super) mod whole {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(numbers: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        serializer.serialize_bytes(&bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Ok(bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::Gazetteer;

    /// Written anew with `GAZETTEER=overwrite`, after a change of the files or of how they are read.
    #[test]
    fn the_compiled_tables_are_those_of_the_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/gazetteer");
        let gazetteer = Gazetteer::read(&folder).unwrap();
        let fresh = postcard::to_stdvec(&(&gazetteer.tables, &gazetteer.matcher)).unwrap();
        let path = folder.join("compiled.bin");
        if std::env::var_os("GAZETTEER").is_some_and(|how| how == "overwrite") {
            fs::write(&path, &fresh).unwrap();
        }
        let is_same = fs::read(&path).unwrap() == fresh;
        assert!(is_same, "`GAZETTEER=overwrite cargo test --lib compiled` writes compiled.bin anew");
    }
}
