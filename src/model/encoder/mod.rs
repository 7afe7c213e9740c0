//! The model that reads sentences: an encoder of word pieces, and scores of its hidden vector.
//!
//! [`input`] turns a window of evidence into text in which no feature can tell who the pair is, [`pieces`] cuts that into
//! word pieces, [`network`] reads them, by the products of [`matrix`].

pub mod input;
pub mod matrix;
pub mod network;
pub mod pieces;

use std::sync::Arc;

use rayon::prelude::*;

pub use input::EncoderInput;
pub use network::Network;
pub use pieces::Pieces;

use pieces::{MAX_PIECES, PieceWindow};

/// The most word pieces that are read together: enough that a panel of weights is spread out for many, and few enough
/// that what is computed of them stays near the processor.
const BATCH: usize = 384;

/// What reads windows as text.
#[derive(Debug, Clone)]
pub struct Encoder {
    pub(crate) pieces: Pieces,
    pub(crate) network: Arc<Network>,
    pub(crate) last: LastLayer,
}

/// From a hidden vector to the scores of aligned, neutral, opposed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LastLayer {
    /// A row of weights for each score.
    pub coef: [Vec<f32>; 3],
    pub intercept: [f32; 3],
}

impl Encoder {
    /// How many layers it has, of how many numbers a row, and how many word pieces it knows.
    pub fn size(&self) -> (usize, usize, usize) {
        (self.network.layers.len(), self.network.pieces.inputs(), self.pieces.len())
    }

    /// The hidden vectors of windows, in order; none where a window is not of both names.
    pub fn hidden(&self, inputs: &[Option<EncoderInput>]) -> Vec<Option<Vec<f32>>> {
        let windows: Vec<Option<PieceWindow>> =
            inputs.par_iter().map(|input| self.pieces.window(input.as_ref()?)).collect();
        let mut order: Vec<usize> = (0..windows.len()).filter(|&i| windows[i].is_some()).collect();
        let length = |i: usize| windows[i].as_ref().map_or(0, |window| window.ids.len());
        order.sort_by_key(|&i| length(i));
        let pieces: usize = order.iter().map(|&i| length(i)).sum();
        let batches = pieces.div_ceil(BATCH).max(rayon::current_num_threads().min(order.len()));
        // By turns, so that all batches are of one size.
        let batch = |b: usize| -> Vec<usize> { order.iter().copied().skip(b).step_by(batches).collect() };
        let read = |b: usize| -> Vec<(usize, Vec<f32>)> {
            let places = batch(b);
            let batch: Vec<PieceWindow> = places.iter().filter_map(|&i| windows[i].clone()).collect();
            let size = self.network.head.outputs();
            let hidden = self.network.hidden(&batch);
            places.into_iter().zip(hidden.chunks_exact(size).map(<[f32]>::to_vec)).collect()
        };
        let mut hidden = vec![None; inputs.len()];
        for (i, vector) in (0..batches).into_par_iter().flat_map_iter(read).collect::<Vec<_>>() {
            hidden[i] = Some(vector);
        }
        hidden
    }

    /// Whether a window has more word pieces than are read of it.
    pub fn is_cut(&self, input: &EncoderInput) -> bool {
        // No piece is shorter than a byte.
        input.text.len() > MAX_PIECES - 2 && self.pieces.window(input).is_some_and(|window| window.is_cut)
    }

    /// The scores of a hidden vector, which sum to 0.
    pub fn scores(&self, hidden: &[f32]) -> [f64; 3] {
        self.last.scores(hidden)
    }
}

impl LastLayer {
    /// The scores, which sum to 0.
    pub fn scores(&self, hidden: &[f32]) -> [f64; 3] {
        let score = |k: usize| {
            let sum: f64 = hidden.iter().zip(&self.coef[k]).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
            sum + f64::from(self.intercept[k])
        };
        let z = [0, 1, 2].map(score);
        let mean = z.iter().sum::<f64>() / 3.0;
        z.map(|z| z - mean)
    }
}
