//! Reads an encoder that was fine-tuned outside, in 32-bit numbers, and brings it to four bits a weight.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::Deserialize;

use crate::error::{Error, Location, Result};
use crate::input_file;
use crate::model::encoder::matrix::{GROUP, Matrix};
use crate::model::encoder::network::{BUCKETS, Layer, Norm};
use crate::model::encoder::pieces::MAX_PIECES;
use crate::model::encoder::{Encoder, LastLayer, Network, Pieces};

/// The files of a folder that `training/export.py` writes.
const WEIGHTS: &str = "encoder.safetensors";
const PIECES: &str = "pieces.txt";
const MANIFEST: &str = "manifest.json";
/// The most bytes of its weights: 2 GiB.
const MAX_WEIGHTS: u64 = 2 << 30;

/// An encoder that was fine-tuned on all folds of the training rows but one.
#[derive(Debug)]
pub struct TrainedEncoder {
    /// What was fine-tuned.
    pub encoder: Encoder,
    /// The fold that it has not seen.
    pub held_out: usize,
    /// How it was made.
    pub manifest: serde_json::Value,
}

#[derive(Deserialize)]
struct TrainedWith {
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    fold: usize,
}

impl TrainedEncoder {
    /// Reads the folder that `training/export.py` wrote.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Format`] where a file is not what it should be.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = input_file::read_text(&path, input_file::MAX_RECIPE)?;
        let wrong = |path: &Path, found: String, expected: &str| {
            Error::format(Location::file(path.display().to_string()), found, expected)
        };
        let manifest: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| wrong(&path, e.to_string(), "the JSON of a manifest"))?;
        let TrainedWith { parameters } = TrainedWith::deserialize(&manifest)
            .map_err(|e| wrong(&path, e.to_string(), "the manifest of an encoder trained without one fold"))?;
        let path = folder.join(PIECES);
        let pieces = Pieces::new(input_file::read_text(&path, input_file::MAX_NAMES)?);
        let pieces = pieces.ok_or_else(|| wrong(&path, "another text".into(), "word pieces, one a line"))?;
        let path = folder.join(WEIGHTS);
        let bytes = input_file::read(&path, MAX_WEIGHTS)?;
        let tensors = Tensors::read(&bytes);
        let encoder = tensors.and_then(|tensors| tensors.encoder(pieces));
        let encoder = encoder.ok_or_else(|| {
            wrong(&path, "tensors that are missing or do not fit".into(), "what training/export.py writes")
        })?;
        Ok(Self { encoder, held_out: parameters.fold, manifest })
    }
}

/// Tensors of 32-bit numbers by name.
struct Tensors(HashMap<String, (Vec<usize>, Vec<f32>)>);

impl Tensors {
    fn read(bytes: &[u8]) -> Option<Self> {
        let file = SafeTensors::deserialize(bytes).ok()?;
        let tensor = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
            let numbers = view.data().as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
            (view.dtype() == Dtype::F32).then(|| (name, (view.shape().to_vec(), numbers)))
        };
        file.tensors().into_iter().map(tensor).collect::<Option<_>>().map(Self)
    }

    fn row(&self, name: &str) -> Option<Vec<f32>> {
        self.0.get(name).map(|(_, numbers)| numbers.clone())
    }

    fn norm(&self, name: &str, width: usize) -> Option<Norm> {
        let row = |part: &str| self.row(&format!("{name}.{part}")).filter(|row| row.len() == width);
        Some(Norm { gain: row("gain")?, offset: row("offset")? })
    }

    fn matrix(&self, name: &str, inputs: usize) -> Option<Matrix> {
        let (shape, weights) = self.0.get(&format!("{name}.weight"))?;
        let bias = self.row(&format!("{name}.bias"))?;
        (*shape == [bias.len(), inputs]).then(|| self.quantized(name, weights, &bias))?
    }

    /// A matrix on the scales that it was trained with, if it was.
    fn quantized(&self, name: &str, weights: &[f32], bias: &[f32]) -> Option<Matrix> {
        let scales = self.0.get(&format!("{name}.scales")).map(|(_, scales)| scales.as_slice());
        let fits = scales.is_none_or(|scales| scales.len() == weights.len() / GROUP);
        (fits && (weights.len() / bias.len()).is_multiple_of(GROUP)).then(|| Matrix::quantize(weights, bias, scales))
    }

    fn encoder(&self, pieces: Pieces) -> Option<Encoder> {
        let (shape, vectors) = self.0.get("pieces")?;
        let &[count, width] = &shape[..] else { return None };
        let layer = |l: usize| -> Option<Layer> {
            let name = |part: &str| format!("{l}.{part}");
            let up = self.matrix(&name("up"), width)?;
            Some(Layer {
                queries_keys_values: self.matrix(&name("queries_keys_values"), width)?,
                gathered: self.matrix(&name("gathered"), width)?,
                attention_norm: self.norm(&name("attention_norm"), width)?,
                down: self.matrix(&name("down"), up.outputs())?,
                up,
                norm: self.norm(&name("norm"), width)?,
            })
        };
        let layers = (0..).take_while(|l| self.0.contains_key(&format!("{l}.up.weight")));
        let places = self.row("places")?;
        let relative = self.row("relative")?;
        let (coef, intercept) = (self.row("scores.weight")?, self.row("scores.bias")?);
        let head = self.matrix("head", 3 * width)?;
        let hidden = head.outputs();
        let fits = count == pieces.len()
            && places.len() == MAX_PIECES * width
            && relative.len().is_multiple_of(BUCKETS)
            && coef.len() == 3 * hidden
            && intercept.len() == 3;
        let network = Network {
            pieces: self.quantized("pieces", vectors, &vec![0.0; count])?,
            places,
            norm: self.norm("norm", width)?,
            relative,
            layers: layers.map(layer).collect::<Option<_>>()?,
            head,
            epsilon: *self.row("epsilon")?.first()?,
        };
        fits.then(|| Encoder {
            pieces,
            network: Arc::new(network),
            last: LastLayer {
                coef: [0, 1, 2].map(|k| coef[k * hidden..][..hidden].to_vec()),
                intercept: [intercept[0], intercept[1], intercept[2]],
            },
        })
    }
}
