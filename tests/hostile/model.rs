//! Model files with a valid checksum and numbers that no training gives.

use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mutate::Random;

/// A whole model.
pub const BYTES: &[u8] = include_bytes!("../models/v1/small.detente");

const NUMBERS: [f64; 12] = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e6, -1e6, 1e300, 1e308, -1e308, 5.0, 0.5];

/// The model with some numbers of its manifest and tensors changed, under a checksum that fits.
pub fn crafted(random: &mut Random) -> Vec<u8> {
    with(|manifest, tensors| {
        for _ in 0..=random.below(3) {
            match random.below(5) {
                0 => {
                    let name = *random.pick(&["coef", "idf", "vocabulary", "name_ends", "names"]);
                    let tensor = tensors.get_mut(name).expect("a tensor");
                    let at = random.below(tensor.len() / 8) * 8;
                    let number = random.pick(&NUMBERS).to_le_bytes();
                    tensor[at..at + 8].copy_from_slice(&number);
                }
                1 => {
                    let tokenizer = &mut manifest["parts"]["tokenizer"];
                    let replace = json!({"type": "Replace", "pattern": {"String": "e"}, "content": "eeeeeeeeee"});
                    tokenizer["normalizer"] = json!({"type": "Sequence", "normalizers": vec![replace; 6]});
                }
                _ => {
                    let parts = manifest["parts"].as_object_mut().expect("an object");
                    let names: Vec<String> = parts.keys().filter(|k| *k != "tokenizer").cloned().collect();
                    let part = parts.get_mut(random.pick(&names)).expect("a part");
                    change(part, random);
                }
            }
        }
    })
}

/// Puts another number in the place of one, somewhere in `value`.
fn change(value: &mut Value, random: &mut Random) {
    match value {
        Value::Array(values) if !values.is_empty() => {
            let at = random.below(values.len());
            change(&mut values[at], random);
        }
        Value::Object(fields) if !fields.is_empty() => {
            let names: Vec<String> = fields.keys().cloned().collect();
            change(fields.get_mut(random.pick(&names)).expect("a field"), random);
        }
        other => {
            *other = match random.below(4) {
                0 => json!(u64::MAX),
                1 => json!(random.below(100)),
                _ => json!(random.pick(&NUMBERS)),
            }
        }
    }
}

/// The model after `change`, with a checksum that fits.
pub fn with(change: impl FnOnce(&mut Value, &mut HashMap<String, Vec<u8>>)) -> Vec<u8> {
    let (_, header) = SafeTensors::read_metadata(BYTES).expect("a header");
    let metadata = &header.metadata().as_ref().expect("metadata")["detente"];
    let metadata: Value = serde_json::from_str(metadata).expect("JSON");
    let mut manifest = metadata["manifest"].clone();
    let file = SafeTensors::deserialize(BYTES).expect("a whole file");
    let mut names: Vec<&str> = file.names().into_iter().collect();
    names.sort_unstable();
    let mut tensors: HashMap<String, Vec<u8>> =
        names.iter().map(|n| ((*n).to_owned(), file.tensor(n).expect("a tensor").data().to_vec())).collect();
    change(&mut manifest, &mut tensors);
    let mut hash = Sha256::new();
    hash.update(manifest.to_string());
    for name in &names {
        hash.update(name);
        hash.update((tensors[*name].len() as u64).to_le_bytes());
        hash.update(&tensors[*name]);
    }
    let sha256: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let metadata = json!({"sha256": sha256, "manifest": manifest}).to_string();
    let views = names.iter().map(|name| {
        let old = file.tensor(name).expect("a tensor");
        (*name, TensorView::new(old.dtype(), old.shape().to_vec(), &tensors[*name]).expect("as many bytes"))
    });
    safetensors::serialize(views, Some(HashMap::from([("detente".to_owned(), metadata)]))).expect("different names")
}

#[test]
fn numbers_out_of_range_are_refused_under_any_checksum() {
    use detente::{Error, ModelProblem, Pipeline};
    assert!(Pipeline::from_bytes(&with(|_, _| {})).is_ok(), "the checksum is right");
    let replace = json!({"type": "Replace", "pattern": {"String": "e"}, "content": "eeeeeeeeee"});
    let growing = json!({"type": "Sequence", "normalizers": vec![replace; 6]});
    let cases: [(&[&str], Value, &str); 12] = [
        (&["intercept"], json!([1e308, -1e308, 0.0]), "intercept"),
        (&["pooling", "sharpness"], json!(1e308), "pooling"),
        (&["pooling", "neighbour"], json!(-0.3), "pooling"),
        (&["pooling", "title"], json!(0.0), "pooling"),
        (&["no_evidence"], json!([0.9, 0.9, 0.9]), "no_evidence"),
        (&["no_evidence"], json!([-1.0, 2.0, 0.0]), "no_evidence"),
        (&["ngrams", "max_n"], json!(u64::MAX), "ngrams"),
        (&["ngrams", "context"], json!(u64::MAX), "ngrams"),
        (&["calibration", "scale"], json!([1.0, -1.0, 1.0]), "calibration"),
        (&["calibration", "bias"], json!([1e9, 0.0, 0.0]), "calibration"),
        (&["decision", "opposed"], json!(1e308), "decision"),
        (&["tokenizer", "normalizer"], growing, "tokenizer"),
    ];
    for (path, value, named) in cases {
        let bytes = with(|manifest, _| {
            let place = path.iter().fold(&mut manifest["parts"], |value, key| &mut value[*key]);
            *place = value.clone();
        });
        match Pipeline::from_bytes(&bytes) {
            Err(Error::Model { problem: ModelProblem::Part { part, .. }, .. }) => assert_eq!(part, named, "{path:?}"),
            other => panic!("{path:?} = {value}: {:?}", other.map(|_| "it was read")),
        }
    }
    for (tensor, number) in [("coef", 1e30f32.to_le_bytes()), ("coef", f32::NAN.to_le_bytes())] {
        let bytes = with(|_, tensors| tensors.get_mut(tensor).expect("a tensor")[..4].copy_from_slice(&number));
        assert!(matches!(Pipeline::from_bytes(&bytes), Err(Error::Model { .. })));
    }
    let bytes =
        with(|_, tensors| tensors.get_mut("idf").expect("a tensor")[..8].copy_from_slice(&1e308f64.to_le_bytes()));
    assert!(matches!(Pipeline::from_bytes(&bytes), Err(Error::Model { .. })));
}
