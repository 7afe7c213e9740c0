//! What `explain` reports adds up to the score, exactly.

use detente::pipeline::explain::explain;
use detente::{Article, Part, Pipeline, Query, Strength};

const TOLERANCE: f64 = 1e-9;

fn articles() -> Vec<Article> {
    vec![
        Article::new("Estonia condemned the raid and expelled two diplomats of Russia."),
        Article::new(
            "Kenya praised Japan on Monday. Japan will build a port there. In return, Kenya backed Japan in the vote.\n\n\
             Uganda was less pleased. It accused Japan of ignoring its neighbours, and said Kenya had been bought.",
        )
        .with_title("Kenya thanks Japan as Uganda complains"),
        Article::new(
            "The ministers of Peru, Chile and Bolivia met in silence. Chile rejected the claim. Bolivia repeated it. \
             Peru called for calm and offered to host the next round, which Chile welcomed and Bolivia did not.",
        )
        .with_title("No deal"),
        Article::new(
            "Officials in Seoul said nothing. North Korea fired two missiles. South Korea imposed sanctions on North \
             Korea; Japan followed.\n\n“We stand with South Korea,” the White House said, and the EU agreed.",
        ),
        Article::new("Türkiye and Łódź — “naïve” café talk: Türkiye thanked Côte d’Ivoire 🇨🇮 for its “support”."),
    ]
}

#[test]
fn contributions_add_up_to_the_logits() {
    let pipeline = Pipeline::fast();
    let (mut explained, mut with_neighbours, mut features) = (0, 0, 0);
    for article in articles() {
        let predictions = pipeline.predict(&article, &Query::default());
        assert!(!predictions.is_empty(), "{}", article.text);
        for prediction in predictions {
            let id = |entry: &detente::gazetteer::Entry| pipeline.gazetteer().find(&entry.code).expect("an entry");
            let (state, actor) = (id(prediction.state), id(prediction.actor));
            let pair = format!("{} toward {}: {}", prediction.state.name, prediction.actor.name, article.text);
            let explanation = explain(pipeline, &article, state, actor).expect("it has evidence");

            assert_eq!(explanation.stance, prediction.stance, "{pair}");
            assert_eq!(explanation.evidence.len(), prediction.evidence.len(), "{pair}");
            let shares: f64 = explanation.evidence.iter().map(|e| e.share).sum();
            assert!((shares - 1.0).abs() < TOLERANCE, "{pair}");
            let scale = explanation.logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = explanation.logits.iter().map(|z| (z - scale).exp()).sum();
            for k in 0..3 {
                let evidence: f64 = explanation.evidence.iter().map(|e| e.contribution[k]).sum();
                let sum = explanation.base[k] + evidence;
                assert!((sum - explanation.logits[k]).abs() < TOLERANCE, "{sum} {:?} {pair}", explanation.logits);
                let p = (explanation.logits[k] - scale).exp() / total;
                assert!((p - explanation.probabilities[k]).abs() < TOLERANCE, "{pair}");
                assert!((p - prediction.probabilities[k]).abs() < TOLERANCE, "{pair}");
                for (piece, scored) in explanation.evidence.iter().zip(&prediction.evidence) {
                    assert!((piece.contribution[k] - scored.contribution[k]).abs() < TOLERANCE, "{pair}");
                    let sum: f64 = piece.features.iter().map(|f| f.contribution[k]).sum();
                    assert!((sum - piece.contribution[k]).abs() < TOLERANCE, "{sum} {:?} {pair}", piece.contribution);
                }
            }
            for piece in &explanation.evidence {
                for feature in &piece.features {
                    assert_eq!(article.part(feature.part)[feature.span.clone()], feature.words, "{pair}");
                    let inside = piece.span.start <= feature.span.start && feature.span.end <= piece.span.end;
                    assert!(inside || (piece.strength, feature.part) == (Strength::Title, Part::Title), "{pair}");
                    assert!(!feature.name.is_empty(), "{pair}");
                }
                features += piece.features.len();
                with_neighbours += usize::from(piece.strength == Strength::Neighbour);
            }
            explained += 1;
        }
    }
    // The articles are such that the sums are not trivial.
    assert!(explained >= 20 && with_neighbours >= 5 && features >= 500, "{explained} {with_neighbours} {features}");
}

#[test]
fn a_pair_without_evidence_is_not_explained() {
    let pipeline = Pipeline::fast();
    let article = Article::new("Peru praised Chile.\n\nNothing happened here.\n\nKenya was quiet.");
    let find = |name| pipeline.gazetteer().find(name).expect("an entry");
    assert!(explain(pipeline, &article, find("Peru"), find("Chile")).is_some());
    assert!(explain(pipeline, &article, find("Peru"), find("Kenya")).is_none());
    assert!(explain(pipeline, &article, find("Peru"), find("Oman")).is_none());
    assert!(explain(pipeline, &article, find("Peru"), find("Peru")).is_none());
}
