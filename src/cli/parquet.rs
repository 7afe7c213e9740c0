//! Predictions as a Parquet file.

use std::sync::Arc;

use anyhow::Result;
use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use detente::Record;

use super::output::Sink;

/// Records that are held before they are written together.
const GROUP: usize = 50_000;

/// A file of records: the columns of the CSV form.
pub struct RecordFile {
    writer: SerializedFileWriter<Sink>,
    keep: Vec<String>,
    held: Vec<Record>,
}

impl RecordFile {
    /// Begins a file with the fields `keep` as its last columns, which are called `kept`.
    pub fn new(sink: Sink, keep: &[String], kept: impl Iterator<Item = String>) -> Result<Self> {
        let names = Record::COLUMNS.into_iter().map(str::to_owned).chain(kept);
        let columns = names.map(|name| Ok(Arc::new(column(&name)?))).collect::<Result<_>>()?;
        let schema = Type::group_type_builder("predictions").with_fields(columns).build()?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let writer = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, keep: keep.to_vec(), held: Vec::new() })
    }

    /// Adds records.
    pub fn write(&mut self, records: Vec<Record>) -> Result<()> {
        self.held.extend(records);
        if self.held.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let records = std::mem::take(&mut self.held);
        if records.is_empty() {
            return Ok(());
        }
        let rows: Vec<[String; Record::COLUMNS.len()]> = records.iter().map(Record::row).collect::<Result<_, _>>()?;
        let mut group = self.writer.next_row_group()?;
        for (at, name) in Record::COLUMNS.into_iter().enumerate() {
            let p = |k: usize| records.iter().map(|r| r.probabilities.to_array()[k]).collect::<Vec<f64>>();
            match name {
                "p_aligned" => add::<DoubleType>(&mut group, &p(0))?,
                "p_neutral" => add::<DoubleType>(&mut group, &p(1))?,
                "p_opposed" => add::<DoubleType>(&mut group, &p(2))?,
                "mentions" => {
                    add::<Int64Type>(&mut group, &records.iter().map(|r| r.mentions as i64).collect::<Vec<_>>())?;
                }
                "no_evidence" => {
                    add::<BoolType>(&mut group, &records.iter().map(|r| r.no_evidence).collect::<Vec<_>>())?;
                }
                _ => {
                    let cells: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row[at].as_str())).collect();
                    add::<ByteArrayType>(&mut group, &cells)?;
                }
            }
        }
        for name in &self.keep {
            let cell = |r: &Record| ByteArray::from(r.columns.get(name).map_or("", String::as_str));
            add::<ByteArrayType>(&mut group, &records.iter().map(cell).collect::<Vec<_>>())?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes what is left, and gives the sink back, to be finished.
    pub fn finish(mut self) -> Result<Sink> {
        self.flush()?;
        Ok(self.writer.into_inner()?)
    }
}

fn add<T: parquet::data_type::DataType>(group: &mut SerializedRowGroupWriter<'_, Sink>, values: &[T::T]) -> Result<()> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(values, None, None)?;
        column.close()?;
    }
    Ok(())
}

/// What a column of that name holds: text, but for a few.
fn column(name: &str) -> Result<Type> {
    let kind = match name {
        "p_aligned" | "p_neutral" | "p_opposed" => Physical::DOUBLE,
        "mentions" => Physical::INT64,
        "no_evidence" => Physical::BOOLEAN,
        _ => Physical::BYTE_ARRAY,
    };
    let column = Type::primitive_type_builder(name, kind).with_repetition(Repetition::REQUIRED);
    let text = kind == Physical::BYTE_ARRAY;
    Ok(if text { column.with_converted_type(ConvertedType::UTF8) } else { column }.build()?)
}
