//! Three numbers that belong together, and sums over many of them.

use crate::Stance;

/// Three numbers, one a class.
pub(super) type Block = [f64; Stance::COUNT];

/// The inner product, summed in fixed pieces so that it is the same for any number of threads.
pub(super) fn dot(a: &[Block], b: &[Block]) -> f64 {
    use rayon::prelude::*;
    const BLOCKS_PER_TASK: usize = 8192;
    let piece = |a: &[Block], b: &[Block]| {
        let mut sum = Block::default();
        for (a, b) in a.iter().zip(b) {
            for k in 0..sum.len() {
                sum[k] += a[k] * b[k];
            }
        }
        sum[0] + sum[1] + sum[2]
    };
    if a.len() <= BLOCKS_PER_TASK {
        return piece(a, b);
    }
    let pieces = a.par_chunks(BLOCKS_PER_TASK).zip(b.par_chunks(BLOCKS_PER_TASK));
    pieces.map(|(a, b)| piece(a, b)).collect::<Vec<_>>().into_iter().sum()
}
