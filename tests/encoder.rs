//! The accurate model: its encoder against an independent implementation, and what it says of sentences that need reading.

use std::path::Path;
use std::sync::LazyLock;

use detente::model::Kind;
use detente::model::encoder::{Encoder, EncoderInput};
use detente::pipeline::explain::{Method, explain};
use detente::train::{Dataset, TrainParams, adapt, recipe};
use detente::{Article, Pipeline, Query, Stance};
use serde::Deserialize;

static ACCURATE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::accurate().expect("models/accurate.detente is there"));
static SMALL: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::small().expect("models/small.detente is there"));

fn encoder(pipeline: &'static Pipeline) -> &'static Encoder {
    let Kind::Stacked(model) = pipeline.model().evidence.kind() else { panic!("it has an encoder") };
    model.encoder()
}

/// A window and its scores by PyTorch from the weights as they are stored: `training/fixtures.py`.
#[derive(Deserialize)]
struct Fixture {
    text: String,
    /// In characters, as all of Python.
    state: [usize; 2],
    actor: [usize; 2],
    stored: [f64; 3],
}

/// Of the accurate model, which is MPNet.
const MPNET: &str = include_str!("data/encoder.jsonl");
/// Of the small one, which is BERT.
const BERT: &str = include_str!("data/encoder-small.jsonl");

fn fixtures(text: &str) -> Vec<Fixture> {
    text.lines().map(|line| serde_json::from_str(line).expect("a fixture")).collect()
}

fn input(fixture: &Fixture) -> Option<EncoderInput> {
    let bytes = |[from, to]: [usize; 2]| {
        let at = |n: usize| fixture.text.char_indices().nth(n).map_or(fixture.text.len(), |(at, _)| at);
        at(from)..at(to)
    };
    Some(EncoderInput::masked(fixture.text.clone(), bytes(fixture.state), bytes(fixture.actor)))
}

#[test]
fn scores_are_those_of_an_independent_implementation() {
    for (pipeline, text, number) in [(&ACCURATE, MPNET, 200), (&SMALL, BERT, 60)] {
        let (encoder, fixtures) = (encoder(pipeline), fixtures(text));
        let hidden = encoder.hidden(&fixtures.iter().map(input).collect::<Vec<_>>());
        for (fixture, hidden) in fixtures.iter().zip(&hidden) {
            let scores = encoder.scores(hidden.as_ref().expect("both are named"));
            for (found, expected) in scores.iter().zip(fixture.stored) {
                assert!((found - expected).abs() < 1e-4, "{}: {scores:?}, expected {:?}", fixture.text, fixture.stored);
            }
        }
        assert_eq!(fixtures.len(), number);
    }
}

#[test]
fn the_scores_of_a_window_depend_on_it_alone() {
    let encoder = encoder(&ACCURATE);
    let inputs: Vec<_> = fixtures(MPNET).iter().take(40).map(input).collect();
    let together = encoder.hidden(&inputs);
    let alone: Vec<_> =
        inputs.iter().step_by(13).flat_map(|input| encoder.hidden(std::slice::from_ref(input))).collect();
    assert_eq!(alone, together.iter().step_by(13).cloned().collect::<Vec<_>>());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    assert_eq!(pool.install(|| encoder.hidden(&inputs)), together);
}

fn stance(text: &str, state: &str, actor: &str) -> Stance {
    let gazetteer = ACCURATE.gazetteer();
    let query = Query { states: vec![gazetteer.find(state).expect("known")], ..Query::default() };
    let query = Query { actors: vec![gazetteer.find(actor).expect("known")], ..query };
    ACCURATE.predict(&Article::new(text), &query)[0].stance
}

#[test]
fn sentences_are_read_not_counted() {
    for (text, state, actor, not) in [
        ("Germany condemned Russia's attack on Ukraine.", "Germany", "Ukraine", Stance::Opposed),
        ("France never supported Israel.", "France", "Israel", Stance::Aligned),
    ] {
        assert_ne!(stance(text, state, actor), not, "{text}");
    }
    assert_eq!(stance("Germany condemned Russia's attack on Ukraine.", "Germany", "Russia"), Stance::Opposed);
}

#[test]
fn words_are_left_out_in_turn_and_that_is_said() {
    let article = Article::new("Peru condemned Chile on Monday. Later Peru and Chile met.");
    let entry = |name: &str| ACCURATE.gazetteer().find(name).expect("known");
    let explanation = explain(&ACCURATE, &article, entry("Peru"), entry("Chile")).expect("they are connected");
    assert_eq!(explanation.stance, Stance::Opposed);
    let total: f64 = explanation.base[2] + explanation.evidence.iter().map(|e| e.contribution[2]).sum::<f64>();
    assert!((total - explanation.logits[2]).abs() < 1e-9);
    let first = &explanation.evidence[0];
    assert_eq!((first.method, first.without.is_some()), (Method::Occlusion, true));
    assert_eq!(first.strongest(Stance::Opposed, 1)[0].words, "condemned");
}

#[test]
fn a_cascade_answers_as_one_of_its_two() {
    let article = Article::new("Kenya thanked Japan for the port. Sudan and Chad met. Mali never trusted Niger.");
    let of = |pipeline: &Pipeline| -> Vec<[f64; 3]> {
        pipeline.predict(&article, &Query::default()).iter().map(|p| p.probabilities).collect()
    };
    let cascade = |sure_from| Pipeline::cascade(&SMALL, &ACCURATE, sure_from).expect("an encoder");
    let (always, never) = (of(&cascade(Some(1.1))), of(&cascade(Some(0.0))));
    assert_eq!(always, of(&ACCURATE));
    assert!(never.iter().zip(&always).all(|(n, a)| n != a));
    let some = of(&cascade(None));
    assert!(some.iter().zip(never.iter().zip(&always)).all(|(s, (n, a))| s == n || s == a));
    assert!(Pipeline::cascade(Pipeline::fast(), &ACCURATE, None).is_none());
}

#[test]
fn evidence_beyond_what_the_encoder_takes_is_cut_around_the_pair() {
    let filler = "and so on and on ".repeat(60);
    for text in [
        format!("Kenya, {filler}, thanked Japan."),
        format!("{filler} Kenya thanked Japan {filler}."),
        format!("Kenya thanked Japan. {}", "Kenya met Japan. ".repeat(300)),
    ] {
        assert!(!ACCURATE.predict(&Article::new(text), &Query::default()).is_empty());
    }
    let cut = |text: String| SMALL.predict(&Article::new(text), &Query::default())[0].evidence[0].is_cut;
    assert!(cut(format!("{filler} Kenya thanked Japan {filler}.")), "it is said");
    assert!(!cut("Kenya thanked Japan for the port and for the railway.".into()));
}

#[test]
fn a_model_that_reads_learns_from_few_rows() {
    let rows = |swapped: bool| {
        let map = if swapped { "aligned=opposed,opposed=aligned" } else { "" }.parse().expect("a map");
        let path = Path::new("tests/data/small.csv");
        let warn = detente::source::ignore_warnings();
        let pairs = recipe::labelled(path, &map, None, &warn).expect("labelled rows");
        let (name, sha256, texts) = ("small.csv".into(), String::new(), None);
        vec![Dataset { name, sha256, texts, weight: 1.0, calibrate: true, pairs }]
    };
    let (gazetteer, params) = (SMALL.gazetteer(), TrainParams::default());
    let learnt = |data: &[Dataset]| adapt(&SMALL, data, &params, gazetteer, &|_| {}).expect("it learns").pipeline;
    let entry = |name: &str| gazetteer.find(name).expect("known");
    let query = Query { states: vec![entry("Ghana")], actors: vec![entry("Fiji")], ..Query::default() };
    let says = |pipeline: &Pipeline, text: &str| pipeline.predict(&Article::new(text), &query)[0].stance;
    let (plain, swapped) = (learnt(&rows(false)), learnt(&rows(true)));
    for (text, stance, turned) in [
        ("Ghana thanked Fiji for its generous help.", Stance::Aligned, Stance::Opposed),
        ("Ghana denounced Fiji and expelled its ambassador.", Stance::Opposed, Stance::Aligned),
    ] {
        assert_eq!((says(&plain, text), says(&swapped, text)), (stance, turned), "{text}");
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    assert!(pool.install(|| learnt(&rows(false))).to_bytes() == plain.to_bytes(), "bytes depend on the threads");
    let read = Pipeline::from_bytes(&plain.to_bytes()).expect("it is whole");
    assert_eq!(says(&read, "Ghana thanked Fiji."), says(&plain, "Ghana thanked Fiji."));
    // One row of a class, so that there is a fold without it.
    let mut few = rows(false);
    let mut neutral = 0;
    few[0].pairs.retain(|pair| pair.label != Some(Stance::Neutral) || std::mem::replace(&mut neutral, 1) == 0);
    let sure =
        learnt(&few).predict(&Article::new("Ghana thanked Fiji for its generous help."), &query)[0].probabilities;
    assert!(sure[0] > 0.6, "{sure:?}");
    let refused = adapt(Pipeline::fast(), &rows(false), &params, gazetteer, &|_| {}).expect_err("it has no encoder");
    assert!(refused.to_string().contains("n-grams alone"), "{refused}");
}
