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
use crate::model::encoder::network::{Layer, Norm};
use crate::model::encoder::{Encoder, LastLayer, Network, Pieces};

/// The files of a folder that `training/export.py` writes.
const WEIGHTS: &str = "encoder.safetensors";
const PIECES: &str = "pieces.txt";
const MANIFEST: &str = "manifest.json";
/// The largest weight, as of a model file.
const MOST: f32 = 1e6;
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
            let numbers: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            let is_right = view.dtype() == Dtype::F32 && numbers.iter().all(|number| number.abs() <= MOST);
            is_right.then(|| (name, (view.shape().to_vec(), numbers)))
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
        let inputs = weights.len().checked_div(bias.len())?;
        let fits = inputs > 0
            && inputs.is_multiple_of(GROUP)
            && weights.len() == inputs * bias.len()
            && scales.is_none_or(|scales| scales.len() == weights.len() / GROUP);
        fits.then(|| Matrix::quantize(weights, bias, scales))
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
        let head = self.matrix("head", width.checked_mul(3)?)?;
        let hidden = head.outputs();
        let of_pieces = count == pieces.len() && coef.len() == 3 * hidden && intercept.len() == 3;
        let network = Network {
            pieces: self.quantized("pieces", vectors, &vec![0.0; count])?,
            places,
            norm: self.norm("norm", width)?,
            relative,
            layers: layers.map(layer).collect::<Option<_>>()?,
            head,
            epsilon: *self.row("epsilon")?.first()?,
        };
        (of_pieces && network.fits()).then(|| Encoder {
            pieces,
            network: Arc::new(network),
            last: LastLayer {
                coef: [0, 1, 2].map(|k| coef[k * hidden..][..hidden].to_vec()),
                intercept: [intercept[0], intercept[1], intercept[2]],
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use safetensors::tensor::TensorView;

    use super::*;
    use crate::model::encoder::EncoderInput;
    use crate::model::encoder::network::BUCKETS;
    use crate::model::encoder::pieces::MAX_PIECES;

    type Parts = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

    const WIDTH: usize = 64;

    /// The least network that there can be.
    fn parts() -> Parts {
        let mut parts = Parts::new();
        let mut put = |name: &str, shape: &[usize]| {
            let numbers = (0..shape.iter().product()).map(|i: usize| (i % 7) as f32 / 8.0 - 0.375).collect();
            parts.insert(name.into(), (shape.to_vec(), numbers));
        };
        put("pieces", &[5, WIDTH]);
        put("places", &[MAX_PIECES, WIDTH]);
        put("relative", &[BUCKETS, 1]);
        for (name, outputs, inputs) in [
            ("0.queries_keys_values", 3 * WIDTH, WIDTH),
            ("0.gathered", WIDTH, WIDTH),
            ("0.up", 2 * WIDTH, WIDTH),
            ("0.down", WIDTH, 2 * WIDTH),
            ("head", 32, 3 * WIDTH),
        ] {
            put(&format!("{name}.weight"), &[outputs, inputs]);
            put(&format!("{name}.bias"), &[outputs]);
        }
        for name in ["norm", "0.attention_norm", "0.norm"] {
            put(&format!("{name}.gain"), &[WIDTH]);
            put(&format!("{name}.offset"), &[WIDTH]);
        }
        put("scores.weight", &[3, 32]);
        put("scores.bias", &[3]);
        parts.insert("epsilon".into(), (vec![1], vec![1e-5]));
        parts
    }

    fn read(parts: &Parts) -> Result<TrainedEncoder> {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = |numbers: &[f32]| -> Vec<u8> { numbers.iter().flat_map(|number| number.to_le_bytes()).collect() };
        let data: Vec<Vec<u8>> = parts.values().map(|(_, numbers)| bytes(numbers)).collect();
        let views = parts.iter().zip(&data).map(|((name, (shape, _)), data)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), data).expect("a shape of its data"))
        });
        std::fs::write(folder.path().join(WEIGHTS), safetensors::serialize(views, None).expect("tensors"))
            .and_then(|()| std::fs::write(folder.path().join(PIECES), "<s>\n</s>\n[UNK]\nperu\nchad"))
            .and_then(|()| std::fs::write(folder.path().join(MANIFEST), r#"{"parameters": {"fold": 0}}"#))
            .expect("a folder to write in");
        TrainedEncoder::read(folder.path())
    }

    #[test]
    fn a_whole_network_answers() {
        let encoder = read(&parts()).expect("a whole network").encoder;
        let input = EncoderInput::masked("Peru Chad", 0..4, 5..9);
        let hidden = encoder.hidden(&[Some(input)]);
        assert_eq!(hidden[0].as_ref().map(|hidden| hidden.len()), Some(32));
    }

    #[test]
    fn parts_that_are_missing_or_do_not_fit_are_refused() {
        let names: Vec<String> = parts().into_keys().collect();
        for name in &names {
            let mut missing = parts();
            missing.remove(name);
            assert!(read(&missing).is_err(), "{name} is missing");
            let (shape, numbers) = &parts()[name];
            for (at, size) in shape.iter().enumerate() {
                // With more heads, or numbers behind epsilon, it is another network.
                let may_grow = ["relative", "epsilon"].contains(&&**name);
                let others = [0, 1, size - 1, size + 1, 2 * size].into_iter();
                for other in others.filter(|other| other < size || other > size && !may_grow) {
                    let mut shape = shape.clone();
                    shape[at] = other;
                    let numbers = numbers.iter().copied().cycle().take(shape.iter().product()).collect();
                    let mut damaged = parts();
                    damaged.insert(name.clone(), (shape.clone(), numbers));
                    assert!(read(&damaged).is_err(), "{name}: {shape:?}");
                }
            }
            let mut infinite = parts();
            infinite.get_mut(name).expect("there").1[0] = f32::NAN;
            assert!(read(&infinite).is_err(), "{name}: not a number");
        }
    }
}
