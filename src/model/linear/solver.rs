//! The descent: truncated Newton with conjugate gradients, preconditioned by the diagonal of the Hessian.
//!
//! Each step solves H d = −∇f approximately and then goes along d. The conjugate gradients stop where another iteration
//! would gain little (Nash and Sofer's rule, as in LIBLINEAR), and the search along d costs no pass over the matrix, as
//! the scores at w + a·d are those at w plus a times those of d. The objective is strictly convex in W, so every d
//! descends.
//!
//! On 26,220 rows of 481,305 n-grams (96,335 columns after merging) this comes within 1e-4 of the minimum in 0.1 s (C = 1)
//! or 0.3 s (C = 16, balanced), where argmin's L-BFGS on the same objective takes 1.6 s and 5 s.
//!
//! Sources: Lin, Weng and Keerthi 2008, "Trust region Newton method for large-scale logistic regression"; Hsia, Chiang
//! and Lin 2018, "Preconditioned conjugate gradient methods in truncated Newton frameworks"; Galli and Lin 2021, "A
//! study on truncated Newton methods for linear classification".

use rayon::prelude::*;

use super::block::{Block, dot};
use super::loss::Objective;

/// Where the descent ended.
pub(super) struct Solution {
    pub(super) w: Vec<Block>,
    /// Newton steps taken.
    pub(super) n_iter: u64,
    /// Whether the largest component of the gradient came down to the tolerance.
    pub(super) converged: bool,
}

/// Conjugate-gradient iterations in one Newton step, at most.
const MAX_INNER: usize = 500;
/// Stop them where the last iteration gained less than this share of the mean gain per iteration.
const INNER_GAIN: f64 = 0.5;
/// The decrease asked of a step, as a share of what the slope promises.
const ARMIJO: f64 = 1e-4;

/// Minimises `objective` from `w`, until no component of the gradient is above `tol` or after `max_iter` steps.
pub(super) fn minimise(objective: &Objective<'_>, mut w: Vec<Block>, tol: f64, max_iter: u64) -> Solution {
    let n_rows = objective.design.n_rows();
    let rows = || vec![Block::default(); n_rows];
    let blocks = || vec![Block::default(); w.len()];
    let (mut scores, mut probabilities, mut residuals, mut along) = (rows(), rows(), rows(), rows());
    let (mut g, mut diagonal) = (blocks(), blocks());
    let (mut d, mut r, mut z, mut p, mut hp) = (blocks(), blocks(), blocks(), blocks(), blocks());

    let mut f = objective.value(&w, &mut scores);
    let mut n_iter = 0;
    let mut stuck = false;
    let converged = loop {
        objective.gradient(&w, &scores, &mut probabilities, &mut residuals, &mut g);
        let largest = g.iter().flatten().fold(0.0f64, |largest, g| largest.max(g.abs()));
        if largest <= tol {
            break true;
        }
        if stuck || n_iter == max_iter {
            break false;
        }
        n_iter += 1;

        objective.hessian_diagonal(&probabilities, &mut residuals, &mut diagonal);
        // A class that no row has leaves the constant's second derivative at zero, and its gradient too.
        diagonal.par_iter_mut().flatten().for_each(|h| *h = if *h > 0.0 { h.recip() } else { 1.0 });

        // Conjugate gradients on H d = −g from d = 0; r = −g − H d.
        d.fill(Block::default());
        r.par_iter_mut().zip(&g).for_each(|(r, g)| *r = g.map(|g| -g));
        precondition(&diagonal, &r, &mut z);
        p.copy_from_slice(&z);
        let mut rz = dot(&r, &z);
        let mut model = 0.0;
        for inner in 1..=MAX_INNER {
            objective.hessian_product(&probabilities, &p, &mut residuals, &mut hp);
            let curvature = dot(&p, &hp);
            if curvature <= 0.0 {
                break;
            }
            let step = rz / curvature;
            add(&mut d, step, &p);
            add(&mut r, -step, &hp);
            // What the quadratic model gains: each conjugate step adds −½ step · r·z.
            let gain = -0.5 * step * rz;
            model += gain;
            if gain * inner as f64 >= INNER_GAIN * model {
                break;
            }
            precondition(&diagonal, &r, &mut z);
            let next = dot(&r, &z);
            let ratio = next / rz;
            rz = next;
            p.par_iter_mut().zip(&z).for_each(|(p, z)| *p = [0, 1, 2].map(|k| z[k] + ratio * p[k]));
        }

        // The longest of 1, ½, ¼ … that descends enough. f has some 16 digits: below that, stop.
        objective.design.by_row(&d, &mut along, |_, _| 0.0);
        let (weights, moves) = (&w[..w.len() - 1], &d[..d.len() - 1]);
        let (ww, wd, dd) = (dot(weights, weights), dot(weights, moves), dot(moves, moves));
        let slope = dot(&g, &d);
        let slack = 4.0 * f64::EPSILON * f.abs();
        let mut step = 1.0;
        let reached = loop {
            let value = 0.5 * (ww + step * (2.0 * wd + step * dd)) + objective.loss_along(&scores, &along, step);
            if value <= f + ARMIJO * step * slope + slack {
                break Some(value);
            }
            step *= 0.5;
            if step < 1e-10 {
                break None;
            }
        };
        match reached {
            Some(value) => {
                stuck = f - value <= slack && step < 1.0;
                f = value;
                add(&mut w, step, &d);
                add(&mut scores, step, &along);
            }
            None => stuck = true,
        }
    };
    Solution { w, n_iter, converged }
}

/// `z = r / diagonal`, with the reciprocals given.
fn precondition(reciprocals: &[Block], r: &[Block], z: &mut [Block]) {
    z.par_iter_mut().zip(r).zip(reciprocals).for_each(|((z, r), h)| *z = [0, 1, 2].map(|k| r[k] * h[k]));
}

/// `a += step · b`.
fn add(a: &mut [Block], step: f64, b: &[Block]) {
    a.par_iter_mut().zip(b).for_each(|(a, b)| {
        for k in 0..a.len() {
            a[k] += step * b[k];
        }
    });
}

#[cfg(test)]
mod tests {
    use argmin::core::{CostFunction, Error, Executor, Gradient, State};
    use argmin::solver::linesearch::MoreThuenteLineSearch;
    use argmin::solver::quasinewton::LBFGS;
    use sprs::TriMat;

    use super::super::design::Design;
    use super::*;

    impl CostFunction for &Objective<'_> {
        type Param = Vec<f64>;
        type Output = f64;

        fn cost(&self, w: &Vec<f64>) -> Result<f64, Error> {
            Ok(self.value(w.as_chunks().0, &mut vec![Block::default(); self.design.n_rows()]))
        }
    }

    impl Gradient for &Objective<'_> {
        type Param = Vec<f64>;
        type Gradient = Vec<f64>;

        fn gradient(&self, w: &Vec<f64>) -> Result<Vec<f64>, Error> {
            let rows = || vec![Block::default(); self.design.n_rows()];
            let (w, mut scores, mut out) = (w.as_chunks().0, rows(), vec![Block::default(); w.len() / 3]);
            self.value(w, &mut scores);
            Objective::gradient(self, w, &scores, &mut rows(), &mut rows(), &mut out);
            Ok(out.concat())
        }
    }

    /// What linfa does: L-BFGS with ten pairs and a Moré–Thuente search.
    fn lbfgs(objective: &Objective<'_>, w: Vec<f64>, tol: f64, max_iter: u64) -> (Vec<f64>, u64) {
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), 10).with_tolerance_grad(tol).unwrap();
        let run = Executor::new(objective, solver).configure(|state| state.param(w).max_iters(max_iter)).run().unwrap();
        (run.state.best_param.clone().unwrap(), run.state.get_iter())
    }

    #[test]
    fn reaches_the_minimum_that_lbfgs_reaches() {
        let (n, d) = (60u32, 12u32);
        let mut x = TriMat::new((n as usize, d as usize));
        let mut targets = Vec::new();
        for i in 0..n {
            let mut target = Block::default();
            target[(i * i % 7 % 3) as usize] = f64::from(1 + i % 2);
            targets.push(target);
            for j in 0..d {
                if (i * 5 + j * 3) % 4 != 0 {
                    x.add_triplet(i as usize, j as usize, f64::from((i * 31 + j * j * 17 + i * j) % 23) / 11.0 - 1.0);
                }
            }
        }
        let design = Design::new(x.to_csr().view()).unwrap();
        for (c, fit_intercept) in [(0.1, true), (1.0, false), (100.0, true)] {
            let objective = Objective { design: &design, targets: &targets, c, fit_intercept };
            let start = vec![Block::default(); design.n_columns() + 1];
            let newton = minimise(&objective, start.clone(), 1e-9, 100);
            assert!(newton.converged);
            let (w, _) = lbfgs(&objective, start.concat(), 1e-9, 2000);
            let (w, mut scores) = (w.as_chunks().0, vec![Block::default(); n as usize]);
            let (f, g) = (objective.value(w, &mut scores), objective.value(&newton.w, &mut scores));
            approx::assert_relative_eq!(f, g, max_relative = 1e-10);
        }
    }
}
