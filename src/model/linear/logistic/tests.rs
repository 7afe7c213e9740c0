use approx::assert_relative_eq;
use linfa::traits::Predict;
use ndarray::{Axis, array};
use sprs::TriMat;

use super::*;
use crate::Stance::{Aligned, Neutral, Opposed};

/// Numbers in 0..1 from a fixed sequence.
fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `n` rows of `d` features, a share of them zero, and labels that depend on them.
fn problem(n: usize, d: usize, share: f64) -> (CsMat<f64>, Vec<Stance>) {
    let mut next = numbers(7);
    let mut x = TriMat::new((n, d));
    let mut y = Vec::new();
    for i in 0..n {
        let mut score = [0.3 * next(), 0.3 * next(), 0.3 * next()];
        for j in 0..d {
            if next() < share {
                let value = next() * 2.0 - 1.0;
                x.add_triplet(i, j, value);
                score[j % 3] += value;
            }
        }
        y.push(Stance::argmax(&score));
    }
    (x.to_csr(), y)
}

fn fit(params: &LogisticRegressionParams, x: &CsMat<f64>, y: &[Stance]) -> LogisticRegression {
    params.fit_rows(x.view(), Targets::Labels(y), None).unwrap()
}

fn assert_close(a: &LogisticRegression, b: &LogisticRegression, epsilon: f64) {
    assert_relative_eq!(a.coef, b.coef, epsilon = epsilon);
    assert_relative_eq!(a.intercept, b.intercept, epsilon = epsilon);
}

#[test]
fn equals_linfa_logistic_on_dense_rows() {
    let (x, y) = problem(80, 6, 1.0);
    for (c, fit_intercept) in [(0.5, true), (1.0, false), (20.0, true)] {
        let ours = fit(&LogisticRegressionParams::new().c(c).tol(1e-9).fit_intercept(fit_intercept), &x, &y);
        assert!(ours.converged());
        let dataset = linfa::Dataset::new(x.to_dense(), Array1::from(y.iter().map(|y| y.index()).collect::<Vec<_>>()));
        // linfa minimises ½ alpha ‖W‖² + Σ losses: ours, divided by C.
        let theirs = linfa_logistic::MultiLogisticRegression::default()
            .alpha(1.0 / c)
            .with_intercept(fit_intercept)
            .gradient_tolerance(1e-8)
            .max_iterations(1000)
            .fit(&dataset)
            .unwrap();
        assert_relative_eq!(ours.coef.t(), theirs.params().view(), epsilon = 1e-4);
        assert_relative_eq!(ours.intercept, theirs.intercept(), epsilon = 1e-4);
        let log_loss = |p: &dyn Fn(usize, usize) -> f64| -> f64 {
            y.iter().enumerate().map(|(i, y)| -p(i, y.index()).ln()).sum::<f64>() / y.len() as f64
        };
        let p = ours.decision_function_rows(x.view()).unwrap();
        let q = theirs.predict_probabilities(&x.to_dense());
        assert_relative_eq!(log_loss(&|i, k| softmax(p[i])[k]), log_loss(&|i, k| q[[i, k]]), epsilon = 1e-6);
        let labels: Vec<usize> = p.iter().map(|p| Stance::argmax(p).index()).collect();
        assert_eq!(labels, theirs.predict(&x.to_dense()).to_vec());
    }
}

#[test]
fn the_gradient_is_zero_at_the_end() {
    let (x, y) = problem(200, 40, 0.2);
    let model = fit(&LogisticRegressionParams::new().c(3.0).tol(1e-10), &x, &y);
    let p = model.decision_function_rows(x.view()).unwrap();
    let mut gradient = model.coef.clone();
    let mut constants = [0.0; 3];
    for (i, row) in x.outer_iterator().enumerate() {
        for k in Stance::ALL {
            let residual = 3.0 * (softmax(p[i])[k.index()] - f64::from(u8::from(k == y[i])));
            constants[k.index()] += residual;
            row.iter().for_each(|(j, v)| gradient[[k.index(), j]] += residual * v);
        }
    }
    assert!(gradient.iter().chain(&constants).all(|g| g.abs() <= 1e-10 * 3.0 * 200.0 + 1e-12));
    // The penalty makes the weights of a feature sum to zero; the constants are chosen so.
    assert!(model.coef.sum_axis(Axis(0)).iter().all(|sum| sum.abs() < 1e-9));
    assert!(model.intercept.sum().abs() < 1e-9);
}

#[test]
fn order_of_rows_and_of_labels_is_irrelevant() {
    let (x, y) = problem(120, 30, 0.3);
    let params = LogisticRegressionParams::new().c(2.0).class_weight(ClassWeight::Balanced).tol(1e-8);
    let model = fit(&params, &x, &y);

    let rows: Vec<_> = x.outer_iterator().collect();
    let (mut reversed, mut y_reversed) = (TriMat::new(x.shape()), Vec::new());
    for (to, from) in (0..rows.len()).rev().enumerate() {
        rows[from].iter().for_each(|(j, v)| reversed.add_triplet(to, j, *v));
        y_reversed.push(y[from]);
    }
    assert_close(&model, &fit(&params, &reversed.to_csr(), &y_reversed), 1e-6);

    let turned: Vec<Stance> = y.iter().map(|y| Stance::ALL[(y.index() + 1) % 3]).collect();
    let other = fit(&params, &x, &turned);
    for k in 0..3 {
        assert_relative_eq!(model.coef.row(k), other.coef.row((k + 1) % 3), epsilon = 1e-6);
        assert_relative_eq!(model.intercept[k], other.intercept[(k + 1) % 3], epsilon = 1e-6);
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    // Large enough for several tasks by rows and by columns.
    let (x, y) = problem(1500, 5000, 0.01);
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| fit(&LogisticRegressionParams::new().c(4.0), &x, &y))
    };
    let one = with_threads(1);
    for n in [2, 5] {
        let other = with_threads(n);
        assert_eq!(one.coef, other.coef);
        assert_eq!(one.intercept, other.intercept);
    }
}

#[test]
fn weights_are_repeated_rows() {
    let (x, y) = problem(60, 10, 0.5);
    let params = LogisticRegressionParams::new().tol(1e-9);
    let weights: Vec<f64> = (0..60).map(|i| f64::from(i % 3)).collect();
    let weighted = params.fit_rows(x.view(), Targets::Labels(&y), Some(&weights)).unwrap();

    let (mut repeated, mut labels) = (Vec::new(), Vec::new());
    for (i, row) in x.outer_iterator().enumerate() {
        for _ in 0..i % 3 {
            repeated.push(row.iter().map(|(j, v)| (j, *v)).collect::<Vec<_>>());
            labels.push(y[i]);
        }
    }
    let mut x_repeated = TriMat::new((labels.len(), 10));
    repeated.iter().enumerate().for_each(|(i, row)| row.iter().for_each(|&(j, v)| x_repeated.add_triplet(i, j, v)));
    assert_close(&weighted, &fit(&params, &x_repeated.to_csr(), &labels), 1e-6);

    // linfa's dataset weights say the same, and so do class weights that are even.
    let dataset = DatasetBase::new(SparseRecords(x.clone()), Array1::from(y.clone()))
        .with_weights(weights.iter().map(|&w| w as f32).collect());
    assert_eq!(params.fit(&dataset).unwrap(), weighted);
    let doubled = params.clone().c(0.5).class_weight(ClassWeight::Given([2.0; 3]));
    assert_close(&fit(&doubled, &x, &y), &fit(&params, &x, &y), 1e-6);
}

#[test]
fn distributions_are_weighted_labels() {
    let (x, y) = problem(60, 10, 0.5);
    let params = LogisticRegressionParams::new().tol(1e-9);
    // ¾ the label, ¼ the next class: as each row twice, with these weights.
    let soft: Vec<Block> = y
        .iter()
        .map(|y| {
            let mut t = [0.0; 3];
            t[y.index()] = 0.75;
            t[(y.index() + 1) % 3] = 0.25;
            t
        })
        .collect();
    let model = params.fit_rows(x.view(), Targets::Distributions(&soft), None).unwrap();

    let twice = sprs::vstack(&[x.view(), x.view()]);
    let labels: Vec<Stance> = y.iter().copied().chain(y.iter().map(|y| Stance::ALL[(y.index() + 1) % 3])).collect();
    let weights: Vec<f64> = [0.75; 60].into_iter().chain([0.25; 60]).collect();
    let wanted = params.fit_rows(twice.view(), Targets::Labels(&labels), Some(&weights)).unwrap();
    assert_close(&model, &wanted, 1e-6);

    let targets = Array2::from_shape_vec((60, 3), soft.concat()).unwrap();
    assert_eq!(params.fit(&DatasetBase::new(SparseRecords(x), targets)).unwrap(), model);
}

#[test]
fn a_class_that_is_absent_has_no_probability() {
    let (x, y) = problem(40, 6, 1.0);
    let y: Vec<Stance> = y.into_iter().map(|y| if y == Neutral { Opposed } else { y }).collect();
    for fit_intercept in [true, false] {
        let model = fit(&LogisticRegressionParams::new().fit_intercept(fit_intercept), &x, &y);
        assert_eq!(model.classes(), [Aligned, Opposed]);
        assert_eq!(model.intercept()[1], ABSENT_LOGIT);
        assert!(model.coef.row(1).iter().all(|w| *w == 0.0));
        let p = model.predict_proba(&[(0, 1.0)]);
        assert_eq!(p[1], 0.0);
        assert_relative_eq!(p[0] + p[2], 1.0, epsilon = 1e-15);
    }
}

#[test]
fn predicts_and_survives_its_parts() {
    let (x, y) = problem(60, 9, 0.6);
    let dataset = DatasetBase::new(SparseRecords(x.clone()), Array1::from(y));
    let model = LogisticRegressionParams::new().c(100.0).fit(&dataset).unwrap();
    let scores = model.decision_function_rows(x.view()).unwrap();
    let predicted: Array1<Stance> = model.predict(&dataset);
    for (i, row) in x.outer_iterator().enumerate() {
        let row: Vec<(u32, f64)> = row.iter().map(|(j, v)| (j as u32, *v)).collect();
        assert_eq!(model.decision_function(&row), scores[i]);
        assert_eq!(predicted[i], Stance::argmax(&scores[i]));
    }
    assert_eq!(model.decision_function_rows(x.to_csc().view()).unwrap(), scores);
    // Columns that the model does not have count nothing.
    assert_eq!(model.decision_function(&[(9, 1.0), (u32::MAX, 1.0)]), model.intercept());

    // Row-major or column-major, the parts give the same scores.
    let row_major = Array2::from_shape_vec((3, 9), model.coef.iter().copied().collect()).unwrap();
    for coef in [row_major, model.coef.clone()] {
        let again = LogisticRegression::from_parts(coef, model.intercept(), model.classes().to_vec()).unwrap();
        assert_eq!(again.decision_function_rows(x.view()).unwrap(), scores);
    }
    assert!(LogisticRegression::from_parts(Array2::zeros((2, 9)), [0.0; 3], vec![]).is_err());
    assert!(LogisticRegression::from_parts(Array2::from_elem((3, 9), f64::NAN), [0.0; 3], vec![]).is_err());
}

#[test]
fn stops_at_max_iter_and_says_so() {
    let (x, y) = problem(200, 40, 0.2);
    let model = fit(&LogisticRegressionParams::new().c(100.0).max_iter(1).tol(1e-12), &x, &y);
    assert!(!model.converged());
    assert_eq!(model.n_iter(), 1);
    // A tolerance below what f64 can reach ends too.
    let model = fit(&LogisticRegressionParams::new().c(100.0).max_iter(1000).tol(1e-300), &x, &y);
    assert!(model.n_iter() < 1000, "{}", model.n_iter());
}

#[test]
fn bad_input_is_an_error() {
    let (x, y) = problem(10, 3, 1.0);
    let new = LogisticRegressionParams::new;
    let labels = Targets::Labels(&y);
    for params in [
        new().c(0.0),
        new().c(-1.0),
        new().c(f64::NAN),
        new().c(f64::INFINITY),
        new().tol(0.0),
        new().tol(f64::NAN),
        new().max_iter(0),
        new().class_weight(ClassWeight::Given([1.0, 0.0, 1.0])),
        new().class_weight(ClassWeight::Given([1.0, f64::NAN, 1.0])),
    ] {
        assert!(matches!(params.fit_rows(x.view(), labels, None), Err(Error::Parameter { .. })), "{params:?}");
    }
    let shape = |x: &CsMat<f64>, y: Targets<'_>, weights: Option<&[f64]>| {
        matches!(new().fit_rows(x.view(), y, weights), Err(Error::Shape { .. }))
    };
    assert!(shape(&x, Targets::Labels(&y[1..]), None));
    assert!(shape(&CsMat::zero((0, 3)), Targets::Labels(&[]), None));
    assert!(shape(&x.map(|_| f64::NAN), labels, None));
    assert!(shape(&x.map(|_| f64::INFINITY), labels, None));
    assert!(shape(&x, labels, Some(&[1.0; 9])));
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(shape(&x, labels, Some(&[weight; 10])));
    }
    for distribution in [[0.5, 0.5, 0.5], [1.5, -0.5, 0.0], [f64::NAN, 0.5, 0.5]] {
        assert!(shape(&x, Targets::Distributions(&[distribution; 10]), None));
    }
    let two_columns = DatasetBase::new(SparseRecords(x.clone()), array![[0.5, 0.5]]);
    assert!(matches!(new().fit(&two_columns), Err(Error::Shape { .. })));

    let one = new().fit_rows(x.view(), Targets::Labels(&[Neutral; 10]), None).unwrap_err();
    assert_eq!(
        one.to_string(),
        "all 10 rows are labelled neutral; a classifier needs at least two of aligned, neutral, opposed"
    );
    assert!(matches!(new().fit_rows(x.view(), labels, Some(&[0.0; 10])), Err(Error::OneClass { .. })));

    let model = fit(&new(), &x, &y);
    assert!(matches!(model.decision_function_rows(CsMat::zero((1, 4)).view()), Err(Error::Shape { .. })));
}

#[test]
fn rows_without_features_give_the_prior() {
    let x = CsMat::zero((4, 2));
    let model = fit(&LogisticRegressionParams::new(), &x, &[Aligned, Neutral, Neutral, Opposed]);
    let p = model.predict_proba(&[]);
    assert_relative_eq!(p[..], [0.25, 0.5, 0.25][..], epsilon = 1e-6);
}

#[test]
fn is_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<LogisticRegression>();
    check::<LogisticRegressionParams>();
}
