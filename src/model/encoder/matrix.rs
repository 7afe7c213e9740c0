//! Weights of four bits each, and their product with rows of numbers.
//!
//! Of each output's weights, every [`GROUP`] neighbours share a scale s and lie on 16 levels, (q − 7½) s with q from 0 to
//! 15. A matrix is stored in panels of [`PANEL`] outputs, which is the order in which the product reads it, and stays as it
//! is stored: a panel is spread out to `f32` where it is used.
//!
//! An element of the product is bias + Σₖ xₖ wₖ, summed in the order of k by fused multiply-add. So it depends neither on
//! the other rows nor on the width of the processor's vectors, and any machine gives the same bits.

use pulp::{Arch, Simd, WithSimd};

/// How many outputs stand together: all sums of a panel are held in registers.
pub const PANEL: usize = 32;
/// How many neighbouring weights of an output share a scale.
pub const GROUP: usize = 64;

const HALF: usize = PANEL / 2;
/// The level in the middle: 7½ of 15.
const MIDDLE: f32 = 7.5;

/// A matrix of weights and its bias; maps rows of `inputs` numbers to rows of `outputs`.
#[derive(Clone, PartialEq)]
pub struct Matrix {
    inputs: usize,
    outputs: usize,
    /// Of each panel and input, 16 bytes: output j in the low half of byte j, output 16 + j in the high half.
    levels: Vec<u8>,
    /// Of each panel and group of inputs, the scales of its outputs.
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matrix").field("inputs", &self.inputs).field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

/// What products write into, kept from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rows in blocks, input by input.
    rows: Vec<f32>,
    /// A panel as numbers.
    panel: Vec<f32>,
}

impl Matrix {
    /// The matrix of stored parts; `None` where they do not fit together or a number is not finite.
    pub fn from_parts(
        inputs: usize,
        outputs: usize,
        levels: Vec<u8>,
        scales: Vec<f32>,
        bias: Vec<f32>,
    ) -> Option<Self> {
        let weights = inputs.checked_mul(outputs)?;
        let fits = weights > 0
            && inputs.is_multiple_of(GROUP)
            && outputs.is_multiple_of(PANEL)
            && levels.len() == weights / 2
            && scales.len() == weights / GROUP
            && bias.len() == outputs
            && scales.iter().chain(&bias).all(|v| v.abs() <= 1e6);
        fits.then_some(Self { inputs, outputs, levels, scales, bias })
    }

    /// The nearest matrix of four bits a weight. `weights` holds a row of `inputs` numbers for each number of `bias`;
    /// `chosen`, for each of these rows, the scales of its groups, which are those of least squared error if left out.
    /// Outputs are filled up to whole panels by zeros.
    ///
    /// # Panics
    /// Where the lengths do not fit, or `inputs` is no multiple of [`GROUP`].
    pub fn quantize(weights: &[f32], bias: &[f32], chosen: Option<&[f32]>) -> Self {
        let inputs = weights.len() / bias.len();
        assert!(weights.len() == inputs * bias.len() && inputs.is_multiple_of(GROUP), "whole rows and groups");
        assert!(chosen.is_none_or(|chosen| chosen.len() == weights.len() / GROUP), "a scale for each group");
        let outputs = bias.len().next_multiple_of(PANEL);
        let mut levels = vec![0; inputs * outputs / 2];
        let mut scales = vec![0.0; inputs * outputs / GROUP];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let (panel, place) = (output / PANEL, output % PANEL);
            for (g, group) in row.as_chunks::<GROUP>().0.iter().enumerate() {
                let given = chosen.map(|chosen| leading(chosen[output * (inputs / GROUP) + g]));
                let scale = given.unwrap_or_else(|| best_scale(group));
                scales[(panel * (inputs / GROUP) + g) * PANEL + place] = scale;
                for (i, w) in group.iter().enumerate() {
                    let byte = &mut levels[(panel * inputs + g * GROUP + i) * HALF + place % HALF];
                    *byte |= level(*w, scale) << if place < HALF { 0 } else { 4 };
                }
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(outputs, 0.0);
        Self { inputs, outputs, levels, scales, bias }
    }

    /// Numbers in a row that the product takes.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers in a row that it gives.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The levels, two in a byte, in the order of the product.
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// The scales, in the order of the product.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// What is added to the outputs.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The rows of `rows`, times the weights, plus the bias; `out` is made as long as it must be.
    pub fn multiply(&self, rows: &[f32], out: &mut Vec<f32>, scratch: &mut Scratch) {
        out.resize(rows.len() / self.inputs * self.outputs, 0.0);
        Arch::new().dispatch(Product { matrix: self, rows, out, scratch });
    }

    /// The weights of one output.
    pub fn weights_of(&self, output: usize) -> impl Iterator<Item = f32> + '_ {
        let (panel, place) = (output / PANEL, output % PANEL);
        (0..self.inputs).map(move |input| {
            let byte = self.levels[(panel * self.inputs + input) * HALF + place % HALF];
            let level = if place < HALF { byte & 15 } else { byte >> 4 };
            let scale = self.scales[(panel * (self.inputs / GROUP) + input / GROUP) * PANEL + place];
            (f32::from(level) - MIDDLE) * scale
        })
    }

    /// A panel as numbers, input by input.
    #[inline(always)]
    fn spread(&self, panel: usize, to: &mut Vec<f32>) {
        to.resize(self.inputs * PANEL, 0.0);
        let levels = self.levels[panel * self.inputs * HALF..][..self.inputs * HALF].chunks_exact(GROUP * HALF);
        let groups = self.inputs / GROUP;
        let scales = self.scales[panel * groups * PANEL..][..groups * PANEL].as_chunks::<PANEL>().0;
        for ((to, levels), scales) in to.chunks_exact_mut(GROUP * PANEL).zip(levels).zip(scales) {
            for (to, pairs) in to.as_chunks_mut::<PANEL>().0.iter_mut().zip(levels.as_chunks::<HALF>().0) {
                for j in 0..HALF {
                    to[j] = (f32::from(pairs[j] & 15) - MIDDLE) * scales[j];
                    to[j + HALF] = (f32::from(pairs[j] >> 4) - MIDDLE) * scales[j + HALF];
                }
            }
        }
    }
}

/// The scale with the least squared error, of some near that at which the largest weight is the last level.
fn best_scale(group: &[f32; GROUP]) -> f32 {
    let largest = group.iter().fold(0.0f32, |most, w| most.max(w.abs()));
    let error = |scale: f32| -> f32 {
        group.iter().map(|w| (w - (f32::from(level(*w, scale)) - MIDDLE) * scale).powi(2)).sum()
    };
    let candidates = (0..=25u8).map(|step| largest / MIDDLE * (1.0 - 0.02 * f32::from(step)));
    let candidates = candidates.map(leading);
    candidates.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(0.0)
}

/// A scale as exact as it is kept in a file: its leading bits.
fn leading(scale: f32) -> f32 {
    f32::from_bits(scale.to_bits() & 0xffff_0000)
}

/// The level nearest to a weight.
fn level(weight: f32, scale: f32) -> u8 {
    if scale == 0.0 { 8 } else { (weight / scale + MIDDLE).round().clamp(0.0, 15.0) as u8 }
}

struct Product<'a> {
    matrix: &'a Matrix,
    rows: &'a [f32],
    out: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Product<'_> {
    type Output = ();

    /// As many rows at once as there are registers for their sums, beside those for a row of the panel.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 12, 2>(simd),
            8 => self.run::<S, 3, 4>(simd),
            4 => self.run::<S, 3, 8>(simd),
            _ => self.run::<S, 1, 32>(simd),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let Self { matrix, rows, out, scratch: Scratch { rows: blocks, panel: numbers } } = self;
        let (inputs, outputs) = (matrix.inputs, matrix.outputs);
        let n = rows.len() / inputs;
        blocks.clear();
        blocks.resize(n.next_multiple_of(ROWS) * inputs, 0.0);
        for (i, row) in rows.chunks_exact(inputs).enumerate() {
            let block = &mut blocks[i / ROWS * ROWS * inputs..][..ROWS * inputs];
            for (to, from) in block[i % ROWS..].iter_mut().step_by(ROWS).zip(row) {
                *to = *from;
            }
        }
        for (panel, bias) in matrix.bias.as_chunks::<PANEL>().0.iter().enumerate() {
            matrix.spread(panel, numbers);
            let (Some(bias), numbers) = (S::as_simd_f32s(bias).0.first_chunk::<VECTORS>(), S::as_simd_f32s(numbers).0)
            else {
                continue;
            };
            for (b, block) in blocks.chunks_exact(ROWS * inputs).enumerate() {
                let mut sums = [*bias; ROWS];
                for (values, weights) in block.as_chunks::<ROWS>().0.iter().zip(numbers.as_chunks::<VECTORS>().0) {
                    for (sums, value) in sums.iter_mut().zip(values) {
                        let value = simd.splat_f32s(*value);
                        for (sum, weights) in sums.iter_mut().zip(weights) {
                            *sum = simd.mul_add_f32s(value, *weights, *sum);
                        }
                    }
                }
                for (r, sums) in sums.iter().enumerate().take(n - b * ROWS) {
                    let at = (b * ROWS + r) * outputs + panel * PANEL;
                    S::as_mut_simd_f32s(&mut out[at..at + PANEL]).0.copy_from_slice(sums);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        std::iter::repeat_with(next).take(n).collect()
    }

    fn weight(matrix: &Matrix, output: usize, input: usize) -> f32 {
        matrix.weights_of(output).nth(input).expect("an input")
    }

    #[test]
    fn a_product_is_the_sum_in_order_whatever_rows_stand_beside() {
        let (inputs, outputs) = (128, 40);
        let matrix = Matrix::quantize(&numbers(inputs * outputs, 1), &numbers(outputs, 2), None);
        assert_eq!((matrix.inputs(), matrix.outputs()), (128, 64));
        for n in [1, 2, 11, 12, 13, 40] {
            let rows = numbers(n * inputs, 3);
            let (mut out, mut scratch) = (vec![9.0; 7], Scratch::default());
            matrix.multiply(&rows, &mut out, &mut scratch);
            assert_eq!(out.len(), n * 64);
            for (row, out) in rows.chunks(inputs).zip(out.chunks(64)) {
                for (output, found) in out.iter().enumerate() {
                    let start = matrix.bias()[output];
                    let sum = (0..inputs).fold(start, |sum, i| row[i].mul_add(weight(&matrix, output, i), sum));
                    assert_eq!(sum.to_bits(), found.to_bits(), "{n} rows, output {output}");
                }
            }
        }
    }

    #[test]
    fn a_stored_weight_is_near_the_one_given() {
        let weights = numbers(64 * 192, 5);
        let matrix = Matrix::quantize(&weights, &[0.0; 64], None);
        let error = |o: usize| (0..192).map(move |i| (o, i)).map(|(o, i)| weights[o * 192 + i] - weight(&matrix, o, i));
        let squares: f32 = (0..64).flat_map(error).map(|e| e * e).sum();
        let all: f32 = weights.iter().map(|w| w * w).sum();
        // Sixteen even levels of a uniform spread: a step of 2/15, so an error of 1/15² of its square; or less, as each group
        // has a scale of its own.
        assert!((0.7..1.05).contains(&(squares / all * 225.0)), "{}", squares / all * 225.0);
    }

    #[test]
    fn weights_that_lie_on_levels_are_kept() {
        let on =
            |levels: usize| -> Vec<f32> { (0..64 * 32).map(|i| (i % levels) as f32 - 7.5).map(|w| w * 0.25).collect() };
        let kept =
            |matrix: &Matrix, weights: &[f32]| (0..64 * 32).all(|i| weight(matrix, i / 64, i % 64) == weights[i]);
        assert!(kept(&Matrix::quantize(&on(16), &[0.0; 32], None), &on(16)));
        // Half of the levels: the scale could not be found again.
        assert!(kept(&Matrix::quantize(&on(9), &[0.0; 32], Some(&[0.25; 32])), &on(9)));
        let zero = Matrix::quantize(&[0.0; 64 * 32], &[1.0; 32], None);
        let (mut out, mut scratch) = (Vec::new(), Scratch::default());
        zero.multiply(&[3.0; 64], &mut out, &mut scratch);
        assert_eq!(out, [1.0; 32]);
    }

    #[test]
    fn parts_that_do_not_fit_are_no_matrix() {
        let Matrix { levels, scales, bias, .. } = Matrix::quantize(&numbers(64 * 32, 1), &[0.0; 32], None);
        let with = |levels: &[u8], scales: &[f32], bias: &[f32]| {
            Matrix::from_parts(64, 32, levels.to_vec(), scales.to_vec(), bias.to_vec())
        };
        assert!(with(&levels, &scales, &bias).is_some());
        assert!(with(&levels[1..], &scales, &bias).is_none());
        assert!(with(&levels, &scales[1..], &bias).is_none());
        assert!(with(&levels, &scales, &bias[1..]).is_none());
        assert!(with(&levels, &scales, &[f32::NAN; 32]).is_none());
        assert!(Matrix::from_parts(63, 32, levels.clone(), scales.clone(), bias.clone()).is_none());
        assert!(Matrix::from_parts(0, 0, Vec::new(), Vec::new(), Vec::new()).is_none());
        assert!(Matrix::from_parts(usize::MAX, 32, levels, scales, bias).is_none());
    }
}
