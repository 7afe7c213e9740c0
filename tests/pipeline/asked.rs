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
    // Together: an article that cannot name who is asked for is not read then.
    let articles: Vec<Article> = TEXTS.map(|text| Article::new(text).with_title("Peru and France")).into();
    let show = |query: &Query| -> Vec<String> {
        let answers = pipeline.predict_batch(&articles, query);
        answers
            .iter()
            .zip(TEXTS)
            .flat_map(|(of_one, text)| of_one.iter().map(move |p| format!("{text} {p:?}")))
            .collect()
    };
    let sorted = |mut shown: Vec<String>| {
        shown.sort();
        shown
    };
    let all = sorted(show(&Query::default()));
    assert!(all.len() > 20, "{} pairs", all.len());
    let toward_each = ids.iter().flat_map(|&id| show(&Query { actors: vec![id], ..Query::default() }));
    assert_eq!(sorted(toward_each.collect()), all);
    let of_each = ids.iter().flat_map(|&id| show(&Query { states: vec![id], ..Query::default() }));
    assert_eq!(sorted(of_each.collect()), all);
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
