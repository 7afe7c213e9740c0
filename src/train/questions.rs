//! What a statistician would ask about labelled rows before she believes a score that comes of them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::TrainWarning;
use crate::data::LabelledPair;
use crate::data::audit::Index;
use crate::stance::Stance;

/// Rows of a class, and groups, below which a score says little.
const FEW_ROWS: usize = 30;
const FEW_GROUPS: usize = 10;

/// The questions that rows give rise to, in a fixed order.
pub(super) fn questions(pairs: &[&LabelledPair], labels: &[Stance]) -> Vec<TrainWarning> {
    let mut found = Vec::new();
    let of = |label: Stance| pairs.iter().zip(labels).filter(move |(_, of)| **of == label).map(|(pair, _)| *pair);
    for label in Stance::ALL {
        match of(label).count() {
            0 => found.push(TrainWarning::MissingClass { label }),
            rows if rows < FEW_ROWS => found.push(TrainWarning::FewRows { label, rows }),
            _ => {}
        }
    }
    let groups: BTreeSet<&str> = pairs.iter().map(|pair| pair.group_key()).collect();
    if groups.len() < FEW_GROUPS {
        found.push(TrainWarning::FewGroups { groups: groups.len() });
    }
    let rows = near_texts(pairs);
    if rows > 0 {
        found.push(TrainWarning::NearTexts { rows });
    }
    // Where each source has a label of its own, a model may learn the source.
    let sources: BTreeSet<&str> = pairs.iter().filter_map(|pair| pair.article.source.as_deref()).collect();
    if sources.len() > 1 {
        for label in Stance::ALL {
            let mut by_source: BTreeMap<&str, usize> = BTreeMap::new();
            for pair in of(label) {
                *by_source.entry(pair.article.source.as_deref().unwrap_or("")).or_default() += 1;
            }
            if let Some((source, rows)) = by_source.iter().next().filter(|_| by_source.len() == 1)
                && *rows > 1
            {
                found.push(TrainWarning::OneSource { label, source: (*source).to_owned() });
            }
        }
    }
    found
}

/// Rows whose text is near to one of another group. Of very many texts it is not asked: it would take minutes.
fn near_texts(pairs: &[&LabelledPair]) -> usize {
    const MOST: usize = 20_000;
    let mut texts: BTreeMap<&str, Vec<&LabelledPair>> = BTreeMap::new();
    for pair in pairs {
        texts.entry(pair.article.text.as_str()).or_default().push(pair);
    }
    if texts.len() > MOST {
        return 0;
    }
    let texts: Vec<(&str, Vec<&LabelledPair>)> = texts.into_iter().collect();
    let index = Index::new(texts.iter().map(|(text, _)| *text));
    let near = |(at, (text, rows)): (usize, &(&str, Vec<&LabelledPair>))| {
        let others = index.find_first(text).into_iter().filter(|leak| leak.text != at);
        let apart = |other: &LabelledPair| rows.iter().all(|row| row.group_key() != other.group_key());
        let is_near = others.into_iter().any(|leak| texts[leak.text].1.iter().any(|other| apart(other)));
        if is_near { rows.len() } else { 0 }
    };
    texts.par_iter().enumerate().map(near).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_few_groups_and_one_source_are_asked_about() {
        let row = |i: usize, label: Stance, source: &str| {
            let mut pair = crate::data::example(&format!("Peru met Chile {i}."), "Peru", "Chile", label, 1);
            pair.article.source = Some(source.into());
            pair
        };
        let mut pairs: Vec<LabelledPair> =
            (0..40).map(|i| row(i, Stance::Neutral, if i % 2 == 0 { "Wire" } else { "Post" })).collect();
        pairs.extend((40..45).map(|i| row(i, Stance::Opposed, "Wire")));
        let ask = |pairs: &[LabelledPair]| {
            let labels: Vec<Stance> = pairs.iter().filter_map(|pair| pair.label).collect();
            questions(&pairs.iter().collect::<Vec<_>>(), &labels)
        };
        assert_eq!(
            ask(&pairs),
            [
                TrainWarning::MissingClass { label: Stance::Aligned },
                TrainWarning::FewRows { label: Stance::Opposed, rows: 5 },
                TrainWarning::OneSource { label: Stance::Opposed, source: "Wire".into() },
            ]
        );
        let mut near = pairs.clone();
        for (row, end) in near[..2].iter_mut().zip(["", " again"]) {
            row.article.text = format!("Peru met Chile on the ports that both had long asked about{end}.");
        }
        assert!(ask(&near).contains(&TrainWarning::NearTexts { rows: 2 }), "{:?}", ask(&near));
        let few = &pairs[..5];
        assert!(ask(few).contains(&TrainWarning::FewGroups { groups: 5 }));
    }
}
