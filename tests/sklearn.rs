//! The same numbers as scikit-learn's, from `tests/fixtures/sklearn/make.py`.

use approx::assert_relative_eq;
use detente::Stance;
use detente::evaluate::metrics::{self, Bins, ClassScores, ConfusionMatrix};
use detente::model::linear::tfidf::TfidfParams;
use detente::model::linear::{LogisticRegressionParams, Targets};
use detente::model::softmax;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sprs::CsMat;

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/fixtures/sklearn/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect("the fixture is checked in")).expect("the fixture is JSON")
}

fn stances(classes: &[usize]) -> Vec<Stance> {
    classes.iter().map(|&k| Stance::ALL[k]).collect()
}

#[derive(Deserialize)]
struct TfidfCase {
    params: TfidfParams,
    counts: Vec<Vec<(u64, f32)>>,
    hashes: Vec<u64>,
    idf: Vec<f64>,
    x: Vec<Vec<f64>>,
}

#[test]
fn tfidf_to_1e_12() {
    let cases: Vec<TfidfCase> = fixture("tfidf");
    assert!(cases.len() >= 29);
    for case in cases {
        let (tfidf, x) = case.params.fit_transform(&case.counts).unwrap();
        assert_eq!(tfidf.vocabulary().hashes(), case.hashes, "{:?}", case.params);
        assert_relative_eq!(tfidf.idf(), &case.idf[..], epsilon = 1e-12);
        for (ours, theirs) in x.to_dense().rows().into_iter().zip(&case.x) {
            assert_relative_eq!(ours.as_slice().unwrap(), &theirs[..], epsilon = 1e-12);
        }
    }
}

#[derive(Deserialize)]
struct Logistic {
    x: Vec<Vec<f64>>,
    y: Vec<usize>,
    cases: Vec<LogisticCase>,
}

#[derive(Deserialize)]
struct LogisticCase {
    params: LogisticRegressionParams,
    sample_weight: Option<Vec<f64>>,
    coef: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    probabilities: Vec<[f64; 3]>,
    log_loss: f64,
}

#[test]
fn logistic_regression_to_1e_4() {
    let Logistic { x, y, cases } = fixture("logistic");
    let x =
        CsMat::csr_from_dense(ndarray::Array2::from_shape_vec((x.len(), x[0].len()), x.concat()).unwrap().view(), 0.0);
    let y = stances(&y);
    for case in cases {
        let params = case.params.clone().tol(1e-9);
        let model = params.fit_rows(x.view(), Targets::Labels(&y), case.sample_weight.as_deref()).unwrap();
        assert!(model.converged());
        for (ours, theirs) in model.coef().rows().into_iter().zip(&case.coef) {
            assert_relative_eq!(&ours.to_vec()[..], &theirs[..], epsilon = 1e-4);
        }
        assert_relative_eq!(&model.intercept()[..], &case.intercept[..], epsilon = 1e-4);
        let p: Vec<[f64; 3]> = model.decision_function_rows(x.view()).unwrap().into_iter().map(softmax).collect();
        assert_relative_eq!(&p.concat()[..], &case.probabilities.concat()[..], epsilon = 1e-4);
        assert_relative_eq!(metrics::log_loss(&y, &p).unwrap(), case.log_loss, epsilon = 1e-6);
    }
}

#[derive(Deserialize)]
struct MetricsCase {
    name: String,
    y_true: Vec<usize>,
    y_pred: Vec<usize>,
    probabilities: Vec<[f64; 3]>,
    accuracy: f64,
    balanced_accuracy: f64,
    precision: [f64; 3],
    recall: [f64; 3],
    f1: [f64; 3],
    support: [f64; 3],
    f1_macro: f64,
    f1_micro: f64,
    f1_weighted: f64,
    precision_macro: f64,
    precision_weighted: f64,
    recall_macro: f64,
    recall_weighted: f64,
    f_avg: f64,
    mcc: f64,
    cohen_kappa: Option<f64>,
    quadratic_kappa: Option<f64>,
    log_loss: f64,
    brier: f64,
    brier_one_vs_rest: [f64; 3],
    ece_uniform: f64,
    ece_quantile: f64,
    roc_auc: [Option<f64>; 3],
    average_precision: [Option<f64>; 3],
    confusion: [[f64; 3]; 3],
}

#[test]
fn metrics_to_1e_12() {
    let cases: Vec<MetricsCase> = fixture("metrics");
    assert!(cases.len() >= 11);
    for case in cases {
        let (y, pred, p) = (stances(&case.y_true), stances(&case.y_pred), &case.probabilities);
        let is = |what: &str, ours: f64, theirs: f64| {
            assert!((ours - theirs).abs() <= 1e-12, "{what} of `{}`: {ours}, expected {theirs}", case.name);
        };
        let class = metrics::precision_recall_f1_support(&y, &pred).unwrap();
        for (k, class) in class.iter().enumerate() {
            is("precision", class.precision, case.precision[k]);
            is("recall", class.recall, case.recall[k]);
            is("F1", class.f1, case.f1[k]);
            is("support", class.support, case.support[k]);
        }
        type OfLabels = fn(&[Stance], &[Stance]) -> detente::Result<f64>;
        let of_labels: [(&str, OfLabels, Option<f64>); 9] = [
            ("accuracy", metrics::accuracy_score, Some(case.accuracy)),
            ("balanced accuracy", metrics::balanced_accuracy_score, Some(case.balanced_accuracy)),
            ("macro F1", metrics::f1_macro_score, Some(case.f1_macro)),
            ("micro F1", metrics::f1_micro_score, Some(case.f1_micro)),
            ("weighted F1", metrics::f1_weighted_score, Some(case.f1_weighted)),
            ("F avg", metrics::f_avg_score, Some(case.f_avg)),
            ("MCC", metrics::matthews_corrcoef, Some(case.mcc)),
            ("kappa", metrics::cohen_kappa_score, case.cohen_kappa),
            ("quadratic kappa", metrics::quadratic_kappa_score, case.quadratic_kappa),
        ];
        for (what, metric, wanted) in of_labels {
            let ours = metric(&y, &pred).unwrap();
            match wanted {
                Some(wanted) => is(what, ours, wanted),
                None => assert!(ours.is_nan(), "{what} of `{}`", case.name),
            }
        }
        let matrix: ConfusionMatrix = metrics::confusion_matrix(&y, &pred).unwrap();
        assert_eq!(matrix.0, case.confusion);
        let precision = |c: &ClassScores| c.precision;
        let recall = |c: &ClassScores| c.recall;
        is("macro precision", matrix.macro_mean(precision), case.precision_macro);
        is("weighted precision", matrix.weighted_mean(precision), case.precision_weighted);
        is("macro recall", matrix.macro_mean(recall), case.recall_macro);
        is("weighted recall", matrix.weighted_mean(recall), case.recall_weighted);

        is("log-loss", metrics::log_loss(&y, p).unwrap(), case.log_loss);
        is("Brier", metrics::brier_score_loss(&y, p).unwrap(), case.brier);
        is("Brier one against the rest", case.brier, case.brier_one_vs_rest.iter().sum());
        is("ECE", metrics::expected_calibration_error(&y, p, Bins::EqualWidth).unwrap(), case.ece_uniform);
        is("ECE", metrics::expected_calibration_error(&y, p, Bins::EqualMass).unwrap(), case.ece_quantile);
        let (auc, ap) = (metrics::roc_auc_score(&y, p).unwrap(), metrics::average_precision_score(&y, p).unwrap());
        for (ours, theirs) in auc.iter().chain(&ap).zip(case.roc_auc.iter().chain(&case.average_precision)) {
            assert_eq!(ours.is_some(), theirs.is_some(), "`{}`", case.name);
            is("ranking", ours.unwrap_or(0.0), theirs.unwrap_or(0.0));
        }
    }
}
