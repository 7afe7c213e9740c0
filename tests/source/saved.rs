//! Files for a test, and what readers make of them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use detente::data::{LabelledOptions, labelled};
use detente::source::{Source, Warn, Warning, ignore_warnings, read};
use detente::{Article, Error, LabelledPair};

/// A folder that is removed at the end, with one file in it.
pub struct Saved {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
}

pub fn save(name: &str, bytes: impl AsRef<[u8]>) -> Saved {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    Saved { folder, path }
}

/// Errors without the folder, so that they can be compared.
pub fn shown(error: &Error, folder: &Path) -> String {
    error.to_string().replace(&format!("{}/", folder.display()), "")
}

pub fn articles(name: &str, bytes: impl AsRef<[u8]>) -> Vec<Result<Article, String>> {
    let saved = save(name, bytes);
    match read(&Source::file(&saved.path), &ignore_warnings()) {
        Ok(articles) => articles
            .map(|article| {
                let article = article.map_err(|error| shown(&error, saved.folder.path()))?;
                assert_eq!(Path::new(&article.path), saved.path);
                Ok(Article { path: String::new(), ..article })
            })
            .collect(),
        Err(error) => vec![Err(shown(&error, saved.folder.path()))],
    }
}

pub fn pairs(name: &str, text: &str) -> Vec<Result<LabelledPair, String>> {
    let saved = save(name, text);
    match labelled(&Source::file(&saved.path), &LabelledOptions::default(), &ignore_warnings()) {
        Ok(pairs) => pairs.map(|pair| pair.map_err(|error| shown(&error, saved.folder.path()))).collect(),
        Err(error) => vec![Err(shown(&error, saved.folder.path()))],
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

pub fn collecting() -> (Warn, Arc<Mutex<Vec<Warning>>>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&warnings);
    (Arc::new(move |warning| sink.lock().expect("no thread panicked").push(warning)), warnings)
}

pub fn parquet_file(fields: &[(&str, &str)]) -> Vec<u8> {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::{properties::WriterProperties, writer::SerializedFileWriter};
    let columns: String = fields.iter().map(|(name, _)| format!("required binary {name} (UTF8); ")).collect();
    let schema =
        parquet::schema::parser::parse_message_type(&format!("message row {{ {columns} }}")).expect("a schema");
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(&mut bytes, schema.into(), properties.into()).expect("a file");
    let mut group = file.next_row_group().expect("a group");
    for (_, value) in fields {
        let mut column = group.next_column().expect("memory").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(*value)], None, None).expect("memory");
        column.close().expect("memory");
    }
    group.close().expect("memory");
    file.close().expect("memory");
    bytes
}
