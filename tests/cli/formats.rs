//! Every output format holds the same predictions.

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::program::*;

#[test]
fn parquet_holds_what_csv_holds() {
    let folder = Folder::new();
    folder.save(
        "news.csv",
        "id,text,title,my topic\n1,Kenya thanked Japan for the new port.,A port,a\n2,Chad accused Sudan of an attack.,,b\n",
    );
    let args = ["predict", "news.csv", "--all-actors", "--keep", "my topic,title", "--model", MODEL, "--output"];
    for output in ["out.csv", "out.parquet"] {
        folder.run(&[&args[..], &[output]].concat()).says(0, &[]).prints_nothing();
    }
    let mut csv = csv::Reader::from_path(folder.path("out.csv")).expect("it is there");
    let names: Vec<String> = csv.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows: Vec<Vec<String>> =
        csv.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
    assert!(rows.len() >= 4 && names.ends_with(&["my topic".into(), "kept_title".into()]), "{names:?}");

    let file = std::fs::File::open(folder.path("out.parquet")).expect("it is there");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let fields = reader.metadata().file_metadata().schema().get_fields();
    assert_eq!(fields.iter().map(|field| field.name()).collect::<Vec<_>>(), names);
    let cell = |field: &Field| match field {
        Field::Str(text) => text.clone(),
        Field::Double(number) => number.to_string(),
        other => other.to_string(),
    };
    let found: Vec<Vec<String>> = reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").get_column_iter().map(|(_, field)| cell(field)).collect())
        .collect();
    assert_eq!(found, rows);
}
