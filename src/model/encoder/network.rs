//! The forward pass of MPNet (Song, Tan, Qin, Lu and Liu 2020, "MPNet: masked and permuted pre-training for language
//! understanding"), and a head on the vectors at three of its places.
//!
//! ```text
//! x₀ = norm(piece + place)
//! for each layer:  y = norm(x + attention(x) O),  x = norm(y + gelu(y U) D)
//! h  = gelu([x_first; x_state; x_actor] H)        what the head reads: the hidden vector
//! ```
//!
//! The rows of all windows of a batch stand one after the other, without filling; only attention knows where one ends. So
//! the vector of a window is the same bits whatever else is in its batch.

use pulp::{Arch, Simd, WithSimd};

use super::matrix::{Matrix, Scratch};
use super::pieces::{MAX_PIECES, PieceWindow};

/// Numbers of a row that are summed side by side; the order of a sum is part of what is computed.
const LANES: usize = 16;
/// The distances from which each next bucket of relative places begins, after those of one distance each: 8·2^(i/2).
const FAR: [usize; 8] = [8, 12, 16, 23, 32, 46, 64, 91];
/// Buckets of relative places: sixteen for what stands before, as many for what stands after.
pub const BUCKETS: usize = 32;
const NEAR: usize = 8;

/// Whether these are the numbers of whole heads, of which each has as much of a row, in whole lanes.
pub(crate) fn are_heads(relative: &[f32], width: usize) -> bool {
    let heads = relative.len() / BUCKETS;
    heads > 0
        && relative.len() == heads * BUCKETS
        && width.is_multiple_of(heads)
        && (width / heads).is_multiple_of(LANES)
}

/// Gain and offset of a layer normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// What a normalised row is multiplied by.
    pub gain: Vec<f32>,
    /// What is added then.
    pub offset: Vec<f32>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Queries, keys and values, one after the other.
    pub queries_keys_values: Matrix,
    /// From what the heads gathered to a row.
    pub gathered: Matrix,
    /// After attention.
    pub attention_norm: Norm,
    /// To the inner width.
    pub up: Matrix,
    /// And back.
    pub down: Matrix,
    /// After both.
    pub norm: Norm,
}

/// All weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The weights of output i are the vector of piece i.
    pub pieces: Matrix,
    /// The vector of each place, at most [`MAX_PIECES`], in rows.
    pub places: Vec<f32>,
    /// After both are added.
    pub norm: Norm,
    /// For each bucket of relative places, what is added to the attention of each head.
    pub relative: Vec<f32>,
    /// The layers.
    pub layers: Vec<Layer>,
    /// From three rows to the hidden vector.
    pub head: Matrix,
    /// What is added to the variance of a row before it is divided by its root: 1e-5 in MPNet, 1e-12 in BERT.
    pub epsilon: f32,
}

impl Network {
    /// Whether all parts fit together, which the products take for granted.
    pub(crate) fn fits(&self) -> bool {
        let width = self.pieces.inputs();
        let maps = |matrix: &Matrix, inputs, outputs| matrix.inputs() == inputs && matrix.outputs() == outputs;
        let norm_fits = |norm: &Norm| norm.gain.len() == width && norm.offset.len() == width;
        let layer_fits = |layer: &Layer| {
            maps(&layer.queries_keys_values, width, 3 * width)
                && maps(&layer.gathered, width, width)
                && norm_fits(&layer.attention_norm)
                && layer.up.inputs() == width
                && maps(&layer.down, layer.up.outputs(), width)
                && norm_fits(&layer.norm)
        };
        self.places.len() == MAX_PIECES * width
            && norm_fits(&self.norm)
            && are_heads(&self.relative, width)
            && !self.layers.is_empty()
            && self.layers.iter().all(layer_fits)
            && self.head.inputs() == 3 * width
            && (0.0..=1.0).contains(&self.epsilon)
    }

    /// The hidden vectors of windows that are read together; each depends on its window alone.
    pub fn hidden(&self, windows: &[PieceWindow]) -> Vec<f32> {
        let width = self.pieces.inputs();
        let mut scratch = Scratch::default();
        let mut rows = self.embed(windows);
        let (mut qkv, mut gathered, mut added, mut inner) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let all: Vec<Read> = reads(windows, |window| (0..window.ids.len()).collect());
        let asked: Vec<Read> = reads(windows, |window| vec![0, window.state, window.actor]);
        for (l, layer) in self.layers.iter().enumerate() {
            layer.queries_keys_values.multiply(&rows, &mut qkv, &mut scratch);
            let last = l + 1 == self.layers.len();
            if last {
                // Nothing reads the other rows any more.
                let kept = asked.iter().flat_map(|read| read.rows.iter().map(|row| read.first + row));
                rows = kept.flat_map(|row| rows[row * width..][..width].iter().copied()).collect();
            }
            self.attend(if last { &asked } else { &all }, &qkv, &mut gathered);
            layer.gathered.multiply(&gathered, &mut added, &mut scratch);
            layer.attention_norm.apply(&mut rows, &added, self.epsilon);
            layer.up.multiply(&rows, &mut inner, &mut scratch);
            gelu(&mut inner);
            layer.down.multiply(&inner, &mut added, &mut scratch);
            layer.norm.apply(&mut rows, &added, self.epsilon);
        }
        let mut hidden = Vec::new();
        self.head.multiply(&rows, &mut hidden, &mut scratch);
        gelu(&mut hidden);
        hidden
    }

    fn embed(&self, windows: &[PieceWindow]) -> Vec<f32> {
        let width = self.pieces.inputs();
        let mut rows = Vec::with_capacity(windows.iter().map(|window| window.ids.len() * width).sum());
        let mut places = Vec::with_capacity(rows.capacity());
        for window in windows {
            for id in &window.ids {
                rows.extend(self.pieces.weights_of(*id as usize));
            }
            places.extend_from_slice(&self.places[..window.ids.len() * width]);
        }
        self.norm.apply(&mut rows, &places, self.epsilon);
        rows
    }

    /// For each row that is read, the values of its window, weighed by attention, head by head.
    fn attend(&self, reads: &[Read], qkv: &[f32], out: &mut Vec<f32>) {
        let width = self.pieces.inputs();
        out.clear();
        out.resize(reads.iter().map(|read| read.rows.len() * width).sum(), 0.0);
        Arch::new().dispatch(Attend { network: self, reads, qkv, out });
    }

    #[inline(always)]
    fn attend_one(&self, rows: &[f32], i: usize, h: usize, weights: &mut [f32], to: &mut [f32]) {
        let (width, size) = (self.pieces.inputs(), to.len());
        let heads = width / size;
        let of = |row: usize, part: usize| &rows[(row * 3 + part) * width + h * size..][..size];
        let scale = 1.0 / (size as f32).sqrt();
        let mut most = f32::MIN;
        for (j, weight) in weights.iter_mut().enumerate() {
            *weight = dot(of(i, 0), of(j, 1)) * scale + self.relative[bucket(i, j) * heads + h];
            most = most.max(*weight);
        }
        let mut total = 0.0;
        for weight in weights.iter_mut() {
            *weight = exp(*weight - most);
            total += *weight;
        }
        for (j, weight) in weights.iter().enumerate() {
            let share = weight / total;
            for (to, value) in to.iter_mut().zip(of(j, 2)) {
                *to = share.mul_add(*value, *to);
            }
        }
    }
}

// Each loop that is to have the instructions of the machine is a type of its own, as `Arch` compiles for it: a closure may be
// left apart, without them, and every product of its numbers becomes a call.

struct Attend<'a> {
    network: &'a Network,
    reads: &'a [Read],
    qkv: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { network, reads, qkv, out } = self;
        let heads = network.relative.len() / BUCKETS;
        let width = network.pieces.inputs();
        let mut weights = [0.0; MAX_PIECES];
        let mut to = out.chunks_exact_mut(width);
        for read in reads {
            let rows = &qkv[read.first * 3 * width..][..read.len * 3 * width];
            for (&i, to) in read.rows.iter().zip(&mut to) {
                for (h, to) in to.chunks_exact_mut(width / heads).enumerate() {
                    network.attend_one(rows, i, h, &mut weights[..read.len], to);
                }
            }
        }
    }
}

/// The rows of a window among those of its batch, and which of them are read.
struct Read {
    first: usize,
    len: usize,
    rows: Vec<usize>,
}

fn reads(windows: &[PieceWindow], rows: impl Fn(&PieceWindow) -> Vec<usize>) -> Vec<Read> {
    let mut first = 0;
    let read = |window: &PieceWindow| {
        let read = Read { first, len: window.ids.len(), rows: rows(window) };
        first += read.len;
        read
    };
    windows.iter().map(read).collect()
}

/// The bucket of the place of a key as seen from that of a query.
fn bucket(query: usize, key: usize) -> usize {
    let distance = query.abs_diff(key);
    let bucket = if distance < NEAR { distance } else { NEAR - 1 + FAR.iter().filter(|far| **far <= distance).count() };
    if key > query { BUCKETS / 2 + bucket } else { bucket }
}

impl Norm {
    /// (x + added), normalised row by row: (x − mean) / √(variance + ε) · gain + offset.
    fn apply(&self, rows: &mut [f32], added: &[f32], epsilon: f32) {
        Arch::new().dispatch(Normalise { norm: self, rows, added, epsilon });
    }

    #[inline(always)]
    fn apply_one(&self, row: &mut [f32], added: &[f32], epsilon: f32) {
        let n = row.len() as f32;
        row.iter_mut().zip(added).for_each(|(x, added)| *x += added);
        let mean = sum(row, |x| x) / n;
        let deviation = (sum(row, |x| (x - mean) * (x - mean)) / n + epsilon).sqrt();
        for ((x, gain), offset) in row.iter_mut().zip(&self.gain).zip(&self.offset) {
            *x = (*x - mean) / deviation * gain + offset;
        }
    }
}

struct Normalise<'a> {
    norm: &'a Norm,
    rows: &'a mut [f32],
    added: &'a [f32],
    epsilon: f32,
}

impl WithSimd for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.norm.gain.len();
        for (row, added) in self.rows.chunks_exact_mut(width).zip(self.added.chunks_exact(width)) {
            self.norm.apply_one(row, added, self.epsilon);
        }
    }
}

/// Σ f(x), [`LANES`] sums side by side and these in order.
#[inline(always)]
fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    for lanes in row.as_chunks::<LANES>().0 {
        for (sum, x) in sums.iter_mut().zip(lanes) {
            *sum += f(*x);
        }
    }
    sums.iter().sum()
}

/// Σ a b, in the same order.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = a.mul_add(*b, *sum);
        }
    }
    sums.iter().sum()
}

/// x Φ(x), in place.
fn gelu(values: &mut [f32]) {
    Arch::new().dispatch(Gelu(values));
}

struct Gelu<'a>(&'a mut [f32]);

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for x in self.0 {
            *x *= 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// The error function within 2e-7: Abramowitz and Stegun 1964, 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / size.mul_add(0.327_591_1, 1.0);
    let sum = polynomial([1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6], t) * t;
    (1.0 - sum * exp(-size * size)).copysign(x)
}

/// eˣ for x from −87 to 87, and its value at the nearer end beyond, within two units of the last place: 2ⁿ eʳ with
/// r = x − n ln 2, by the polynomial of the Cephes library.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added to a number, this leaves its nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = x.clamp(-87.0, 87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2[1], n.mul_add(-LN_2[0], x));
    let sum = polynomial([1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5], r);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (sum * r * r + r + 1.0) * power
}

/// The coefficients of the highest power come first.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: [f32; N], x: f32) -> f32 {
    let mut sum = coefficients[0];
    // No closure, which the compiler might leave apart, without the instructions of the machine.
    for c in &coefficients[1..] {
        sum = sum.mul_add(x, *c);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_the_reference() {
        // transformers 5.24.0: MPNetEncoder.relative_position_bucket(torch.arange(-63, 64)), as runs.
        let before = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)];
        let far = [(8..=11, 8), (12..=15, 9), (16..=22, 10), (23..=31, 11), (32..=45, 12), (46..=63, 13)];
        for (distance, expected) in before.into_iter().chain(far.into_iter().flat_map(|(d, b)| d.map(move |d| (d, b))))
        {
            assert_eq!(bucket(distance, 0), expected, "{distance} before");
            let after = if distance == 0 { 0 } else { 16 + expected };
            assert_eq!(bucket(0, distance), after, "{distance} after");
        }
    }

    #[test]
    fn functions_are_near_those_of_the_standard_library() {
        for i in -4000..=4000 {
            let x = i as f32 / 50.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "exp {x}");
            let exact = statrs::function::erf::erf(f64::from(x));
            assert!((f64::from(erf(x)) - exact).abs() < 4e-7, "erf {x}");
        }
        let mut values = [0.0, 1.0, -1.0, 30.0, -30.0];
        gelu(&mut values);
        approx::assert_abs_diff_eq!(values[..], [0.0, 0.841_344_7, -0.158_655_3, 30.0, 0.0][..], epsilon = 1e-6);
    }

    #[test]
    fn a_norm_has_the_mean_and_spread_asked_for() {
        let norm = Norm { gain: vec![2.0; 32], offset: vec![1.0; 32] };
        let mut row: Vec<f32> = (0..32).map(|i| i as f32).collect();
        norm.apply(&mut row, &[5.0; 32], 1e-5);
        let mean = row.iter().sum::<f32>() / 32.0;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 32.0;
        approx::assert_abs_diff_eq!(mean, 1.0, epsilon = 1e-5);
        approx::assert_abs_diff_eq!(variance, 4.0, epsilon = 1e-4);
    }
}
