//! Stance over time against figures that were computed elsewhere: `tests/data/trend.py`.

use detente::Record;
use detente::trend::prevalence::Prevalence;
use detente::trend::{Granularity, TrendParams, trend};
use serde_json::Value;

const RECORDS: &str = include_str!("data/trend.jsonl");
const EXPECTED: &str = include_str!("data/trend.json");

fn numbers(value: &Value) -> [f64; 3] {
    std::array::from_fn(|k| value[k].as_f64().expect("a number"))
}

#[test]
fn shares_are_those_of_an_independent_computation() {
    let records: Vec<Record> = RECORDS.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    let expected: Value = serde_json::from_str(EXPECTED).expect("JSON");
    let prevalence = Prevalence { calibrated_on: numbers(&expected["calibrated_on"]), shrinkage: 1.0 };
    let cells = expected["cells"].as_array().expect("cells");
    for (name, prevalence) in [("mean", None), ("corrected", Some(prevalence))] {
        let params = TrendParams::new(Granularity::Quarter).prevalence(prevalence).draws(10);
        let found = trend(&records, &params).expect("dated records");
        assert_eq!(found.series.iter().map(|series| series.points.len()).sum::<usize>(), cells.len());
        for cell in cells {
            let series = found.series.iter().find(|series| cell["state"] == *series.state_code).expect("a series");
            let period = |point: &&detente::trend::Point| cell["period"] == *point.period.to_string();
            let point = series.points.iter().find(period).expect("a period");
            assert_eq!(cell["articles"], point.articles);
            for (found, expected) in [point.aligned, point.neutral, point.opposed].iter().zip(numbers(&cell[name])) {
                assert!((found - expected).abs() < 1e-5, "{name} {cell}: {found}");
            }
        }
    }
}
