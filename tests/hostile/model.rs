//! Model files with a valid checksum and numbers that no training gives.

use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mutate::Random;

/// A whole model.
pub const BYTES: &[u8] = include_bytes!("../models/v5/small.detente");

/// The same in formats before: one knows texts by another hash, one has a column for each number, one knows features by name.
const OLDER: [&[u8]; 3] = [
    include_bytes!("../models/v4/small.detente"),
    include_bytes!("../models/v3/small.detente"),
    include_bytes!("../models/v2/small.detente"),
];

const NUMBERS: [f64; 12] = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e6, -1e6, 1e300, 1e308, -1e308, 5.0, 0.5];

/// The model with some numbers of its manifest and tensors changed, under a checksum that fits.
pub fn crafted(random: &mut Random) -> Vec<u8> {
    let bytes = *random.pick(&[BYTES, OLDER[0], OLDER[1], OLDER[2]]);
    changed(bytes, |manifest, tensors| {
        for _ in 0..=random.below(3) {
            match random.below(5) {
                0 => {
                    let mut names: Vec<String> = tensors.keys().cloned().collect();
                    names.sort_unstable();
                    let tensor = tensors.get_mut(random.pick(&names)).expect("a tensor");
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
    changed(BYTES, change)
}

fn changed(bytes: &[u8], change: impl FnOnce(&mut Value, &mut HashMap<String, Vec<u8>>)) -> Vec<u8> {
    let (_, header) = SafeTensors::read_metadata(bytes).expect("a header");
    let metadata = &header.metadata().as_ref().expect("metadata")["detente"];
    let metadata: Value = serde_json::from_str(metadata).expect("JSON");
    let mut manifest = metadata["manifest"].clone();
    let file = SafeTensors::deserialize(bytes).expect("a whole file");
    let mut names: Vec<&str> = file.names().into_iter().collect();
    names.sort_unstable();
    let mut tensors: HashMap<String, Vec<u8>> =
        names.iter().map(|n| ((*n).to_owned(), file.tensor(n).expect("a tensor").data().to_vec())).collect();
    change(&mut manifest, &mut tensors);
    names.retain(|name| tensors.contains_key(*name));
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
    // The first weight.
    for (model, tensor, at) in
        [(BYTES, "lexicon", 16), (OLDER[0], "lexicon", 16), (OLDER[1], "coef", 0), (OLDER[2], "coef", 0)]
    {
        for number in [1e30, f32::NAN, 0.5] {
            let bytes = changed(model, |_, tensors| {
                tensors.get_mut(tensor).expect("a tensor")[at..at + 4].copy_from_slice(&number.to_le_bytes());
            });
            match Pipeline::from_bytes(&bytes) {
                Err(Error::Model { problem: ModelProblem::Part { part, .. }, .. }) => assert_eq!(part, tensor),
                read => assert!(number == 0.5 && read.is_ok(), "{number} in {tensor}"),
            }
        }
    }
    // A group more or less, a rank twice, a text twice.
    for (tensor, width) in [("groups", 0), ("ranks", 4), ("texts", 8)] {
        let bytes = changed(OLDER[1], |_, tensors| {
            let tensor = tensors.get_mut(tensor).expect("a tensor");
            tensor.copy_within(width..2 * width, 0);
            tensor[0] ^= u8::from(width == 0);
        });
        assert!(matches!(Pipeline::from_bytes(&bytes), Err(Error::Model { .. })), "{tensor}");
    }
    for model in [BYTES, OLDER[0]] {
        let bytes = changed(model, |_, tensors| {
            let lexicon = tensors.get_mut("lexicon").expect("a tensor");
            let groups = u32::from_le_bytes(*lexicon[8..].first_chunk().expect("groups"));
            // A text is its hash, its groups, and a feature of 18 bytes for each.
            lexicon.copy_within(0..8, 12 + 18 * groups.count_ones() as usize);
        });
        assert!(matches!(Pipeline::from_bytes(&bytes), Err(Error::Model { .. })), "a text twice");
    }
    let bytes =
        with(|_, tensors| tensors.get_mut("idf").expect("a tensor")[..8].copy_from_slice(&1e308f64.to_le_bytes()));
    assert!(matches!(Pipeline::from_bytes(&bytes), Err(Error::Model { .. })));
}

#[test]
fn an_encoder_that_does_not_fit_is_refused_under_any_checksum() {
    use detente::{Error, ModelProblem, Pipeline};
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/small.detente");
    let bytes = std::fs::read(path).expect("it is there");
    let problem = |bytes: &[u8]| match Pipeline::from_bytes(bytes) {
        Err(Error::Model { problem, .. }) => problem,
        other => panic!("{:?}", other.map(|_| "it was read")),
    };
    let named = |bytes: &[u8]| match problem(bytes) {
        ModelProblem::Part { part, .. } => part,
        other => panic!("{other}"),
    };
    for (path, value, part) in [
        (&["layers"][..], json!(0), "layers"),
        (&["layers"], json!(7), "encoder.6.up.levels"),
        (&["norm_epsilon"], json!(-1e-5), "norm_epsilon"),
        (&["intercept_of_encoder"], json!([1e30, 0.0, 0.0]), "intercept_of_encoder"),
        (&["stack", "linear_weight"], json!(-1.0), "stack.linear_weight"),
        (&["stack", "sure_from"], json!(2.0), "stack.sure_from"),
        (&["stack", "calibration", "scale"], json!([1.0, 0.0, 1.0]), "stack.calibration"),
    ] {
        let bytes = changed(&bytes, |manifest, _| {
            *path.iter().fold(&mut manifest["parts"], |value, key| &mut value[*key]) = value.clone();
        });
        assert_eq!(named(&bytes), part, "{path:?} = {value}");
    }
    for (tensor, number) in [
        ("encoder.places", &f32::NAN.to_le_bytes()[..]),
        ("encoder.coef", &f32::INFINITY.to_le_bytes()),
        ("encoder.norm.gain", &f32::NAN.to_le_bytes()),
        ("encoder.3.down.bias", &f32::NEG_INFINITY.to_le_bytes()),
        ("encoder.0.up.scales", &[0xC0, 0x7F]),
        ("encoder.vocabulary", &[0xFF]),
    ] {
        let bytes = changed(&bytes, |_, tensors| {
            tensors.get_mut(tensor).expect("a tensor")[..number.len()].copy_from_slice(number);
        });
        assert!(tensor.starts_with(&*named(&bytes)), "{tensor}: {}", named(&bytes));
    }
    for tensor in ["encoder.relative", "encoder.pieces.levels", "encoder.5.norm.offset", "encoder.head.scales"] {
        let without = changed(&bytes, |_, tensors| drop(tensors.remove(tensor)));
        assert_eq!(named(&without), tensor);
    }
    let other_kind = changed(&bytes, |manifest, _| manifest["kind"] = json!("linear"));
    problem(&other_kind);
    assert_eq!(named(&changed(&bytes, |manifest, _| manifest["kind"] = json!("transformer"))), "kind");
    for (at, flip) in [(bytes.len() / 2, 1), (bytes.len() - 1, 0x80), (9, 0x20)] {
        let mut damaged = bytes.clone();
        damaged[at] ^= flip;
        problem(&damaged);
    }
    assert!(matches!(problem(&bytes[..bytes.len() / 2]), ModelProblem::Truncated { .. }));
}
