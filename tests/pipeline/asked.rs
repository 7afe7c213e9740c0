//! What is asked for is what it is among all answers.

use detente::{Article, Pipeline, Query};

const TEXTS: [&str; 4] = [
    "Chad expelled the envoy of Peru. Oman protested. France and Chad signed a treaty in Lima.",
    "Peru condemned France's raid on Oman. It also recalled its envoy from Chad.",
    "Oman thanked France for the grain.",
    "The rain stayed for a week, and nobody came.",
];

#[test]
fn a_question_gets_the_answers_that_all_questions_get() {
    let pipeline = Pipeline::fast();
    let ids: Vec<_> =
        ["Chad", "Peru", "Oman", "France"].map(|name| pipeline.gazetteer().find(name).expect("a state")).into();
    for text in TEXTS {
        let article = Article::new(text).with_title("Peru and France");
        let show = |query: &Query| -> Vec<String> {
            let mut all: Vec<_> = pipeline.predict(&article, query).iter().map(|p| format!("{p:?}")).collect();
            all.sort();
            all
        };
        let all = show(&Query::default());
        let mut toward_each = Vec::new();
        let mut of_each = Vec::new();
        for &id in &ids {
            toward_each.extend(show(&Query { actors: vec![id], ..Query::default() }));
            of_each.extend(show(&Query { states: vec![id], ..Query::default() }));
        }
        toward_each.sort();
        of_each.sort();
        assert_eq!(toward_each, all);
        assert_eq!(of_each, all);
    }
}

#[test]
fn all_states_are_neutral_toward_an_actor_that_is_not_named() {
    let pipeline = Pipeline::fast();
    let iran = pipeline.gazetteer().find("Iran").expect("a state");
    let article = Article::new(TEXTS[2]);
    let query = Query { actors: vec![iran], ..Query::default() };
    assert!(pipeline.predict(&article, &query).is_empty());
    let named = pipeline.predict(&article, &Query { all_states: true, ..query });
    let named: Vec<_> = named.iter().map(|p| (p.state.name.as_str(), p.no_evidence)).collect();
    assert_eq!(named, [("Oman", true), ("France", true)]);
}
