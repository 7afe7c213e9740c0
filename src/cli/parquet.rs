//! Predictions as a Parquet file.

use std::sync::Arc;

use anyhow::Result;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

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

/// Columns that hold no text, and what they hold.
const TYPED: [(&str, &str); 5] = [
    ("p_aligned", "double"),
    ("p_neutral", "double"),
    ("p_opposed", "double"),
    ("mentions", "int64"),
    ("no_evidence", "boolean"),
];

impl RecordFile {
    /// Begins a file with the kept fields as its last columns.
    pub fn new(sink: Sink, keep: &[String]) -> Result<Self> {
        let column = |name: &str| match TYPED.iter().find(|(typed, _)| *typed == name) {
            Some((name, kind)) => format!("required {kind} {name};"),
            None => format!("required binary {name} (UTF8);"),
        };
        let columns: String = Record::COLUMNS.iter().map(|name| column(name)).collect();
        // Names of people may have any characters, which the text of a schema does not take.
        let kept: String = (0..keep.len()).map(|at| format!("required binary kept_{at} (UTF8);")).collect();
        let schema = parse_message_type(&format!("message predictions {{ {columns} {kept} }}"))?;
        let schema = if keep.is_empty() { schema } else { renamed(&schema, keep)? };
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

/// The schema with its last columns called as the kept fields are.
fn renamed(schema: &parquet::schema::types::Type, keep: &[String]) -> Result<parquet::schema::types::Type> {
    use parquet::basic::{ConvertedType, Repetition, Type as Physical};
    use parquet::schema::types::Type;
    let own = Record::COLUMNS.len();
    let mut fields = schema.get_fields()[..own].to_vec();
    for name in keep {
        let clash = Record::COLUMNS.contains(&name.as_str());
        let name = if clash { format!("kept_{name}") } else { name.clone() };
        let field = Type::primitive_type_builder(&name, Physical::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_converted_type(ConvertedType::UTF8)
            .build()?;
        fields.push(Arc::new(field));
    }
    Ok(Type::group_type_builder("predictions").with_fields(fields).build()?)
}
