//! What a file keeps of an encoder and n-grams together.

use std::sync::Arc;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

use super::{Tensor, in_range, linear, numbers, part, small};
use crate::error::ModelProblem;
use crate::model::encoder::matrix::{GROUP, Matrix, PANEL};
use crate::model::encoder::network::{BUCKETS, Layer, Norm, are_heads};
use crate::model::encoder::pieces::MAX_PIECES;
use crate::model::encoder::{Encoder, LastLayer, Network, Pieces};
use crate::model::stacked::{Stack, StackedModel};

#[derive(Serialize, Deserialize)]
struct Parts {
    layers: usize,
    intercept_of_encoder: [f32; 3],
    norm_epsilon: f32,
    stack: Stack,
}

/// More layers than any that could be read in a lifetime.
const MAX_LAYERS: usize = 1000;

pub(super) fn parts(model: &StackedModel) -> serde_json::Value {
    let parts = Parts {
        layers: model.encoder.network.layers.len(),
        intercept_of_encoder: model.encoder.last.intercept,
        norm_epsilon: model.encoder.network.epsilon,
        stack: model.stack,
    };
    let mut parts = serde_json::to_value(&parts).expect("parameters are plain data");
    if let (Some(parts), serde_json::Value::Object(linear)) = (parts.as_object_mut(), linear::parts(&model.linear)) {
        parts.extend(linear);
    }
    parts
}

pub(super) fn tensors(model: &StackedModel) -> Vec<Tensor> {
    let mut tensors = linear::tensors(&model.linear, false);
    let Encoder { pieces, network, last } = &*model.encoder;
    let text = pieces.vocabulary();
    tensors.push(Tensor::new("encoder.vocabulary", Dtype::U8, &[text.len()], text.as_bytes(), |byte| [byte]));
    tensors.push(row("encoder.coef", &last.coef.concat()));
    tensors.push(row("encoder.places", &network.places));
    tensors.push(row("encoder.relative", &network.relative));
    tensors.extend(matrix("encoder.pieces", &network.pieces));
    tensors.extend(norm("encoder.norm", &network.norm));
    tensors.extend(matrix("encoder.head", &network.head));
    for (l, layer) in network.layers.iter().enumerate() {
        let name = |part: &str| format!("encoder.{l}.{part}");
        tensors.extend(matrix(&name("queries_keys_values"), &layer.queries_keys_values));
        tensors.extend(matrix(&name("gathered"), &layer.gathered));
        tensors.extend(norm(&name("attention_norm"), &layer.attention_norm));
        tensors.extend(matrix(&name("up"), &layer.up));
        tensors.extend(matrix(&name("down"), &layer.down));
        tensors.extend(norm(&name("norm"), &layer.norm));
    }
    tensors
}

fn row(name: &str, values: &[f32]) -> Tensor {
    Tensor::new(name, Dtype::F32, &[values.len()], values, f32::to_le_bytes)
}

fn norm(name: &str, norm: &Norm) -> [Tensor; 2] {
    [row(&format!("{name}.gain"), &norm.gain), row(&format!("{name}.offset"), &norm.offset)]
}

fn matrix(name: &str, matrix: &Matrix) -> [Tensor; 3] {
    let (inputs, panels) = (matrix.inputs(), matrix.outputs() / PANEL);
    let of = |part: &str| format!("{name}.{part}");
    // The scales have no more than the leading bits.
    let leading = |scale: f32| [scale.to_le_bytes()[2], scale.to_le_bytes()[3]];
    [
        Tensor::new(of("levels"), Dtype::U8, &[panels, inputs, PANEL / 2], matrix.levels(), |byte| [byte]),
        Tensor::new(of("scales"), Dtype::BF16, &[panels, inputs / GROUP, PANEL], matrix.scales(), leading),
        row(&of("bias"), matrix.bias()),
    ]
}

/// Reads the model, and proves that its parts fit together: the products of [`Network`] take what fits for granted.
pub(super) fn read(file: &SafeTensors<'_>, small_parts: &serde_json::Value) -> Result<StackedModel, ModelProblem> {
    let parts: Parts = small(small_parts)?;
    let linear = linear::read(file, small_parts, None)?;
    in_range("stack.calibration", parts.stack.calibration.check())?;
    in_range("stack.linear_calibration", parts.stack.linear_calibration.check())?;
    if !(0.0..=100.0).contains(&parts.stack.linear_weight) {
        return Err(part("stack.linear_weight", parts.stack.linear_weight.to_string(), "a number from 0 to 100"));
    }
    if !(0.0..=1.0).contains(&parts.stack.sure_from) {
        return Err(part("stack.sure_from", parts.stack.sure_from.to_string(), "a probability"));
    }
    if !(0.0..=1.0).contains(&parts.norm_epsilon) {
        return Err(part("norm_epsilon", parts.norm_epsilon.to_string(), "a number from 0 to 1"));
    }
    if !(1..=MAX_LAYERS).contains(&parts.layers) {
        return Err(part("layers", parts.layers.to_string(), "1 to 1000"));
    }
    if !parts.intercept_of_encoder.iter().all(|b| b.abs() <= 1e6) {
        let found = format!("{:?}", parts.intercept_of_encoder);
        return Err(part("intercept_of_encoder", found, "three numbers from -1e6 to 1e6"));
    }
    let vocabulary = numbers(file, "encoder.vocabulary", Dtype::U8, |[b]: [u8; 1]| b)?;
    let pieces = String::from_utf8(vocabulary).ok().and_then(Pieces::new);
    let pieces = pieces.ok_or_else(|| part("encoder.vocabulary", "another text", "word pieces, one a line"))?;
    let vectors = read_matrix(file, "encoder.pieces")?;
    let width = vectors.inputs();
    if vectors.outputs() < pieces.len() {
        let found = format!("{} vectors", vectors.outputs());
        return Err(part("encoder.pieces", found, format!("one for each of {} pieces", pieces.len())));
    }
    let relative = read_row(file, "encoder.relative", None)?;
    if !are_heads(&relative, width) {
        let expected =
            format!("{BUCKETS} numbers for each head, of which {width} numbers have a whole share of sixteens");
        return Err(part("encoder.relative", format!("{} numbers", relative.len()), expected));
    }
    let layer = |l: usize| -> Result<Layer, ModelProblem> {
        let name = |part: &str| format!("encoder.{l}.{part}");
        let up = shaped(file, &name("up"), width, None)?;
        Ok(Layer {
            queries_keys_values: shaped(file, &name("queries_keys_values"), width, Some(3 * width))?,
            gathered: shaped(file, &name("gathered"), width, Some(width))?,
            attention_norm: read_norm(file, &name("attention_norm"), width)?,
            down: shaped(file, &name("down"), up.outputs(), Some(width))?,
            up,
            norm: read_norm(file, &name("norm"), width)?,
        })
    };
    let network = Network {
        pieces: vectors,
        places: read_row(file, "encoder.places", Some(MAX_PIECES * width))?,
        norm: read_norm(file, "encoder.norm", width)?,
        relative,
        layers: (0..parts.layers).map(layer).collect::<Result<_, _>>()?,
        head: shaped(file, "encoder.head", 3 * width, None)?,
        epsilon: parts.norm_epsilon,
    };
    let hidden = network.head.outputs();
    let coef = read_row(file, "encoder.coef", Some(3 * hidden))?;
    let coef = [0, 1, 2].map(|k| coef[k * hidden..][..hidden].to_vec());
    let last = LastLayer { coef, intercept: parts.intercept_of_encoder };
    let encoder = Encoder { pieces, network: Arc::new(network), last };
    Ok(StackedModel::new(Arc::new(encoder), linear, parts.stack))
}

fn read_row(file: &SafeTensors<'_>, name: &str, len: Option<usize>) -> Result<Vec<f32>, ModelProblem> {
    let row = numbers(file, name, Dtype::F32, f32::from_le_bytes)?;
    let len = len.unwrap_or(row.len());
    if row.len() != len || !row.iter().all(|v| v.abs() <= 1e6) {
        return Err(part(name, format!("{} numbers", row.len()), format!("{len} numbers from -1e6 to 1e6")));
    }
    Ok(row)
}

fn read_norm(file: &SafeTensors<'_>, name: &str, width: usize) -> Result<Norm, ModelProblem> {
    let row = |part: &str| read_row(file, &format!("{name}.{part}"), Some(width));
    Ok(Norm { gain: row("gain")?, offset: row("offset")? })
}

fn shaped(file: &SafeTensors<'_>, name: &str, inputs: usize, outputs: Option<usize>) -> Result<Matrix, ModelProblem> {
    let matrix = read_matrix(file, name)?;
    if matrix.inputs() != inputs || outputs.is_some_and(|outputs| matrix.outputs() != outputs) {
        let found = format!("{} to {} numbers", matrix.inputs(), matrix.outputs());
        let outputs = outputs.map_or_else(|| "any number".into(), |outputs| outputs.to_string());
        return Err(part(name, found, format!("{inputs} to {outputs}")));
    }
    Ok(matrix)
}

fn read_matrix(file: &SafeTensors<'_>, name: &str) -> Result<Matrix, ModelProblem> {
    let of = |part: &str| format!("{name}.{part}");
    let levels = numbers(file, &of("levels"), Dtype::U8, |[byte]: [u8; 1]| byte)?;
    let scales =
        numbers(file, &of("scales"), Dtype::BF16, |[low, high]: [u8; 2]| f32::from_le_bytes([0, 0, low, high]))?;
    let bias = numbers(file, &of("bias"), Dtype::F32, f32::from_le_bytes)?;
    let (weights, outputs) = (2 * levels.len(), bias.len());
    let inputs = weights.checked_div(outputs).unwrap_or(0);
    let matrix = Matrix::from_parts(inputs, outputs, levels, scales, bias);
    matrix.ok_or_else(|| {
        part(name, format!("{weights} weights of {outputs} outputs"), "levels, scales and bias that fit")
    })
}
