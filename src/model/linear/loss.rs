//! The objective, its gradient and its Hessian.
//!
//! With rows xᵢ, target masses tᵢₖ ≥ 0 (a row's weight spread over the classes), mᵢ = Σₖ tᵢₖ, zᵢ = W xᵢ + b and
//! pᵢ = softmax(zᵢ):
//!
//! ```text
//! f      = ½‖W‖² + C Σᵢ Σₖ tᵢₖ (ln Σₗ exp zᵢₗ − zᵢₖ)
//! ∂f/∂zᵢ = C (mᵢ pᵢ − tᵢ)
//! H·d    : for zᵢ′ = D xᵢ + d_b,  C mᵢ (pᵢ ∘ zᵢ′ − pᵢ (pᵢ·zᵢ′)),  and d itself from the penalty
//! ```
//!
//! All vectors over the parameters are blocks of three, one block a column and the last one the constant, so that what
//! is used together lies together.

use super::block::{Block, dot};
use super::design::Design;
use crate::model::softmax::{softmax, softmax_and_log_sum};

/// The objective of a fit.
pub(super) struct Objective<'a> {
    pub(super) design: &'a Design,
    /// Per row, the weight of each class: t above.
    pub(super) targets: &'a [Block],
    pub(super) c: f64,
    pub(super) fit_intercept: bool,
}

impl Objective<'_> {
    /// The mass of row `i`.
    #[inline]
    fn mass(&self, i: usize) -> f64 {
        let t = &self.targets[i];
        t[0] + t[1] + t[2]
    }

    /// What the row with scores `z` adds to f, without the factor C.
    #[inline]
    fn row_loss(&self, i: usize, z: &Block, log_sum: f64) -> f64 {
        // Only where there is mass: a class that no row has may have any score.
        self.targets[i].iter().zip(z).filter(|(t, _)| **t > 0.0).map(|(t, z)| t * (log_sum - z)).sum()
    }

    /// f at `w`; leaves the scores Xw in `scores`.
    pub(super) fn value(&self, w: &[Block], scores: &mut [Block]) -> f64 {
        let loss = self.design.by_row(w, scores, |i, z| self.row_loss(i, z, softmax_and_log_sum(*z).1));
        let weights = &w[..w.len() - 1];
        0.5 * dot(weights, weights) + self.c * loss
    }

    /// The part of f without the penalty, at `scores + step · direction`.
    pub(super) fn loss_along(&self, scores: &[Block], direction: &[Block], step: f64) -> f64 {
        use rayon::prelude::*;
        const ROWS_PER_TASK: usize = 1024;
        let sums: Vec<f64> = scores
            .par_chunks(ROWS_PER_TASK)
            .zip(direction.par_chunks(ROWS_PER_TASK))
            .enumerate()
            .map(|(task, (scores, direction))| {
                let mut sum = 0.0;
                for (i, (z, d)) in (task * ROWS_PER_TASK..).zip(scores.iter().zip(direction)) {
                    let z = [z[0] + step * d[0], z[1] + step * d[1], z[2] + step * d[2]];
                    sum += self.row_loss(i, &z, softmax_and_log_sum(z).1);
                }
                sum
            })
            .collect();
        self.c * sums.into_iter().sum::<f64>()
    }

    /// The gradient of f at `w`, whose scores are `scores`, into `out`; the probabilities of the rows into
    /// `probabilities`. `residuals` is scratch.
    pub(super) fn gradient(
        &self,
        w: &[Block],
        scores: &[Block],
        probabilities: &mut [Block],
        residuals: &mut [Block],
        out: &mut [Block],
    ) {
        for (i, z) in scores.iter().enumerate() {
            let p = softmax(*z);
            probabilities[i] = p;
            let (m, t) = (self.mass(i), &self.targets[i]);
            residuals[i] = [0, 1, 2].map(|k| self.c * (m * p[k] - t[k]));
        }
        self.design.by_column(residuals, out, |x| x, |j, sum| self.with_penalty(j, sum, &w[j]));
    }

    /// The Hessian of f, at the place that has `probabilities`, times `d`, into `out`. `residuals` is scratch.
    pub(super) fn hessian_product(
        &self,
        probabilities: &[Block],
        d: &[Block],
        residuals: &mut [Block],
        out: &mut [Block],
    ) {
        self.design.by_row(d, residuals, |i, z| {
            let p = &probabilities[i];
            let mean = p[0] * z[0] + p[1] * z[1] + p[2] * z[2];
            let scale = self.c * self.mass(i);
            for k in 0..z.len() {
                z[k] = scale * p[k] * (z[k] - mean);
            }
            0.0
        });
        self.design.by_column(residuals, out, |x| x, |j, sum| self.with_penalty(j, sum, &d[j]));
    }

    /// The diagonal of the Hessian, into `out`. `residuals` is scratch.
    pub(super) fn hessian_diagonal(&self, probabilities: &[Block], residuals: &mut [Block], out: &mut [Block]) {
        for (i, p) in probabilities.iter().enumerate() {
            let scale = self.c * self.mass(i);
            residuals[i] = p.map(|p| scale * p * (1.0 - p));
        }
        self.design.by_column(residuals, out, |x| x * x, |j, sum| self.with_penalty(j, sum, &[1.0; 3]));
    }

    /// `sum` with what the penalty adds; the constant has no penalty, and no derivative at all where it is fixed.
    #[inline]
    fn with_penalty(&self, j: usize, sum: Block, w: &Block) -> Block {
        if j < self.design.n_columns() {
            [sum[0] + w[0], sum[1] + w[1], sum[2] + w[2]]
        } else if self.fit_intercept {
            sum
        } else {
            Block::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use sprs::CsMat;

    use super::*;

    /// Two rows, two features: (1, 0) aligned with weight 1, (2, 3) half neutral, half opposed with weight 2.
    fn design() -> Design {
        Design::new(CsMat::new((2, 2), vec![0, 1, 3], vec![0, 0, 1], vec![1.0, 2.0, 3.0]).view()).unwrap()
    }

    const TARGETS: [Block; 2] = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]];

    fn objective(design: &Design) -> Objective<'_> {
        Objective { design, targets: &TARGETS, c: 2.0, fit_intercept: true }
    }

    fn gradient(f: &Objective<'_>, w: &[Block]) -> (f64, Vec<Block>, Vec<Block>) {
        let (mut z, mut p, mut r) = ([Block::default(); 2], [Block::default(); 2], [Block::default(); 2]);
        let mut g = vec![Block::default(); 3];
        let value = f.value(w, &mut z);
        f.gradient(w, &z, &mut p, &mut r, &mut g);
        (value, g, p.to_vec())
    }

    #[test]
    fn value_and_gradient_by_hand() {
        let design = design();
        let f = objective(&design);
        // At zero every p is 1/3: f = C·(1 + 2)·ln 3, residuals C·(1/3 − 1, 1/3, 1/3) and C·(2/3, −1/3, −1/3).
        let (value, g, _) = gradient(&f, &[[0.0; 3]; 3]);
        assert_relative_eq!(value, 6.0 * 3f64.ln(), max_relative = 1e-15);
        let wanted = [[4.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0], [4.0, -2.0, -2.0], [0.0; 3]];
        for (g, wanted) in g.iter().zip(wanted) {
            assert_relative_eq!(g[..], wanted[..], epsilon = 1e-15);
        }
        // One weight of 1 on feature 1: z = (0, 0, 0) and (3, 0, 0).
        let (value, ..) = gradient(&f, &[[0.0; 3], [1.0, 0.0, 0.0], [0.0; 3]]);
        assert_relative_eq!(value, 0.5 + 2.0 * (3f64.ln() + 2.0 * (3f64.exp() + 2.0).ln()), max_relative = 1e-15);
    }

    #[test]
    fn derivatives_are_finite_differences() {
        let design = design();
        let w = [[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2], [0.1, 0.7, -0.3]];
        let direction = [[0.2, 0.9, -0.4], [0.6, -0.1, 0.3], [-0.8, 0.5, 0.05]];
        for fit_intercept in [true, false] {
            let f = Objective { fit_intercept, ..objective(&design) };
            let (_, g, p) = gradient(&f, &w);
            let (mut product, mut diagonal) = ([Block::default(); 3], [Block::default(); 3]);
            let mut r = [Block::default(); 2];
            f.hessian_product(&p, &direction, &mut r, &mut product);
            f.hessian_diagonal(&p, &mut r, &mut diagonal);
            let h = 1e-5;
            let at = |w: &[Block], j: usize, k: usize, h: f64| {
                let mut w = w.to_vec();
                w[j][k] += h;
                gradient(&f, &w)
            };
            for j in 0..if fit_intercept { 3 } else { 2 } {
                for k in 0..3 {
                    let (above, below) = (at(&w, j, k, h), at(&w, j, k, -h));
                    assert_relative_eq!(g[j][k], (above.0 - below.0) / (2.0 * h), max_relative = 1e-7);
                    let second = (above.1[j][k] - below.1[j][k]) / (2.0 * h);
                    assert_relative_eq!(diagonal[j][k], second, max_relative = 1e-7);
                }
            }
            let along = |h: f64| {
                let w: Vec<Block> = w.iter().zip(&direction).map(|(w, d)| [0, 1, 2].map(|k| w[k] + h * d[k])).collect();
                gradient(&f, &w).1
            };
            for (product, (above, below)) in product.iter().zip(along(h).iter().zip(along(-h))) {
                let second = [0, 1, 2].map(|k| (above[k] - below[k]) / (2.0 * h));
                assert_relative_eq!(product[..], second[..], max_relative = 1e-7);
            }
        }
    }

    #[test]
    fn the_loss_along_a_line_is_the_loss() {
        let design = design();
        let f = objective(&design);
        let (w, d) = ([[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2], [0.1, 0.7, -0.3]], [[0.5; 3], [1.0, 0.0, 2.0], [0.0; 3]]);
        let (mut z, mut zd, mut z2) = ([Block::default(); 2], [Block::default(); 2], [Block::default(); 2]);
        f.value(&w, &mut z);
        f.value(&d, &mut zd);
        let moved: Vec<Block> = w.iter().zip(&d).map(|(w, d)| [0, 1, 2].map(|k| w[k] + 0.7 * d[k])).collect();
        let wanted = f.value(&moved, &mut z2) - 0.5 * dot(&moved[..2], &moved[..2]);
        assert_relative_eq!(f.loss_along(&z, &zd, 0.7), wanted, max_relative = 1e-14);
    }
}
