//! `make validity`: whether stance over time, as `detente trend` gives it, agrees with what is known otherwise. Writes
//! `reports/validity.md`.
//!
//! First how well shares are counted, on labelled news summaries; then yearly net stances beside votes in the General Assembly
//! of the United Nations, and beside dated facts.

#![allow(clippy::print_stdout)] // a program of its own

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use detente::source::{self, Source, ignore_warnings};
use detente::trend::prevalence::{Prevalence, mean};
use detente::trend::{Granularity, TrendParams, trend};
use detente::{Article, Date, Pipeline, Query, Record};
use rayon::prelude::*;

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const ACTORS: [(&str, &str); 5] =
    [("RUS", "Russia"), ("USA", "United States"), ("CHN", "China"), ("ISR", "Israel"), ("UKR", "Ukraine")];
fn main() -> AnyResult<()> {
    println!("# Is it true?\n");
    println!("`make validity` writes this page; all with the fast model, on the news summaries of 2002 to 2024.\n");
    counting()?;
    let records = answered()?;
    votes(&records)?;
    facts(&records)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }
}

fn net(shares: [f64; 3]) -> f64 {
    shares[0] - shares[2]
}

/// A labelled row: the label, the stance decided on, the probabilities.
type Row = (usize, usize, [f64; 3]);

fn judged(path: &str) -> AnyResult<Vec<Row>> {
    let mut rows = Vec::new();
    for row in csv::Reader::from_path(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))?.deserialize() {
        let row: BTreeMap<String, String> = row?;
        let class = |name: &str| ["aligned", "neutral", "opposed"].iter().position(|class| *class == row[name]);
        let p = ["p_aligned", "p_neutral", "p_opposed"].map(|name| row[name].parse().unwrap_or(0.0));
        rows.push((class("label").ok_or("a label")?, class("stance").ok_or("a stance")?, p));
    }
    Ok(rows)
}

/// How far counted net stances are from those of the labels, in collections whose shares are moved.
fn counting() -> AnyResult<()> {
    const COLLECTIONS: usize = 400;
    let reference = Pipeline::fast().manifest().reference.as_ref().ok_or("the fast model has a reference")?;
    let calibrated_on = reference.label_shares();
    println!("## Counting\n");
    println!(
        "Collections of labelled news summaries, drawn with replacement so that their shares lie half-way between those of all and any (evenly\n\
         drawn) ones, {COLLECTIONS} of each size; the net stance that is counted less that of the labels, root of the mean square. `stances`\n\
         counts what was decided, `mean` averages probabilities, the others correct them with so many times √n texts of the calibration's\n\
         shares added; `detente trend` takes 1.\n"
    );
    println!(
        "| year | texts (n) | stances | mean | 0 √n | 0.5 √n | **1 √n** | 2 √n |\n|---|---|---|---|---|---|---|---|"
    );
    for (year, path) in [("2023", "data-build/p-dev.csv"), ("2024", "data-build/p-test.csv")] {
        let rows = judged(path)?;
        let by_class: [Vec<&Row>; 3] = std::array::from_fn(|k| rows.iter().filter(|row| row.0 == k).collect());
        for texts in [5, 10, 20, 50, 200] {
            let mut random = Random(texts as u64);
            let mut squares = [0.0; 6];
            for _ in 0..COLLECTIONS {
                let (a, b) = (random.unit(), random.unit());
                let any = [a.min(b), (a - b).abs(), 1.0 - a.max(b)];
                let share = |k: usize| 0.5 * by_class[k].len() as f64 / rows.len() as f64 + 0.5 * any[k];
                let shares = [0, 1, 2].map(share);
                let drawn: Vec<&Row> = (0..texts)
                    .map(|_| {
                        let at = random.unit();
                        let class = if at < shares[0] {
                            0
                        } else if at < shares[0] + shares[1] {
                            1
                        } else {
                            2
                        };
                        by_class[class][random.below(by_class[class].len())]
                    })
                    .collect();
                let counted = |of: fn(&Row) -> usize| {
                    net(std::array::from_fn(|k| drawn.iter().filter(|row| of(row) == k).count() as f64 / texts as f64))
                };
                let truth = counted(|row| row.0);
                let p: Vec<[f64; 3]> = drawn.iter().map(|row| row.2).collect();
                let weights = vec![1.0; texts];
                let corrected = |shrinkage| net(Prevalence { calibrated_on, shrinkage }.of(&p, &weights));
                let found = [
                    counted(|row| row.1),
                    net(mean(&p, &weights)),
                    corrected(0.0),
                    corrected(0.5),
                    corrected(1.0),
                    corrected(2.0),
                ];
                for (square, found) in squares.iter_mut().zip(found) {
                    *square += (found - truth).powi(2);
                }
            }
            let cells = squares.map(|square| format!("{:.3}", (square / COLLECTIONS as f64).sqrt()));
            println!("| {year} | {texts} | {} |", cells.join(" | "));
        }
    }
    println!();
    Ok(())
}

/// What the fast model says of all news summaries, toward the five.
fn answered() -> AnyResult<Vec<Record>> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/events/summaries.jsonl");
    let articles: Vec<Article> = source::read(&Source::file(shared), &ignore_warnings())?.collect::<Result<_, _>>()?;
    let pipeline = Pipeline::fast();
    let query = Query { evidence_limit: Some(1), ..Query::toward(ACTORS.map(|(code, _)| code), pipeline.gazetteer())? };
    let of = |some: &[Article]| -> Vec<Record> {
        let answers = some.iter().zip(pipeline.predict_batch(some, &query));
        answers.flat_map(|(article, predictions)| Record::all(article, &predictions).collect::<Vec<_>>()).collect()
    };
    Ok(articles.par_chunks(64).flat_map_iter(of).collect())
}

/// Ranks, the mean of those of equal values.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    for same in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = at as f64 + (same.len() as f64 - 1.0) / 2.0;
        same.iter().for_each(|&i| ranks[i] = rank);
        at += same.len();
    }
    ranks
}

/// Spearman's rank correlation.
fn spearman(pairs: &[(f64, f64)]) -> f64 {
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (a, b) = (ranks(&a), ranks(&b));
    let middle = (pairs.len() as f64 - 1.0) / 2.0;
    let sum = |f: &dyn Fn(usize) -> f64| (0..pairs.len()).map(f).sum::<f64>();
    let (cross, left, right) = (
        sum(&|i| (a[i] - middle) * (b[i] - middle)),
        sum(&|i| (a[i] - middle).powi(2)),
        sum(&|i| (b[i] - middle).powi(2)),
    );
    cross / (left * right).sqrt()
}

/// With the 95 % interval of a bootstrap over groups.
fn with_interval(groups: &[Vec<(f64, f64)>], measure: impl Fn(&[(f64, f64)]) -> f64) -> String {
    let value = measure(&groups.concat());
    let mut random = Random(1);
    let draw = |_| {
        let drawn: Vec<(f64, f64)> =
            (0..groups.len()).flat_map(|_| groups[random.below(groups.len())].clone()).collect();
        measure(&drawn)
    };
    let mut draws: Vec<f64> = (0..1000).map(draw).filter(|value| value.is_finite()).collect();
    draws.sort_by(f64::total_cmp);
    let at = |share: f64| draws.get((share * draws.len() as f64) as usize).copied().unwrap_or(f64::NAN);
    format!("{value:.2} ({:.2} to {:.2})", at(0.025), at(0.975))
}

/// Yearly net stances beside agreement in votes.
fn votes(records: &[Record]) -> AnyResult<()> {
    const LEAST: usize = 5;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/unvotes/agreement.csv");
    let mut agreement: BTreeMap<(String, String, String), f64> = BTreeMap::new();
    for row in csv::Reader::from_path(path)?.deserialize() {
        let (year, state, actor, _, agreed): (String, String, String, u32, f64) = row?;
        agreement.insert((state, actor, year), agreed);
    }
    let reference = Pipeline::fast().manifest().reference.as_ref().ok_or("the fast model has a reference")?;
    let prevalence = Prevalence { calibrated_on: reference.label_shares(), shrinkage: 1.0 };
    let params = TrendParams::new(Granularity::Year).prevalence(Some(prevalence)).draws(20);
    let found = trend(records, &params)?;
    println!("## Votes in the General Assembly\n");
    println!(
        "Yearly net stance and agreement in votes (2002 to 2019, computed from dgrtwo/unvotes, after Voeten's data), of states and years with\n\
         at least {LEAST} articles: rank correlation (Spearman), 95 % intervals of a bootstrap over states. `all` takes every state and year;\n\
         `between states` their means over the years; `within states` what is left of each year when those means are taken away.\n"
    );
    println!(
        "| toward | states | states and years | all | between states | within states |\n|---|---|---|---|---|---|"
    );
    let mut apart: Vec<(f64, String)> = Vec::new();
    for (code, name) in ACTORS {
        let mut groups: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut names = Vec::new();
        for series in found.series.iter().filter(|series| series.actor_code == code) {
            let known = series.points.iter().filter(|point| point.articles >= LEAST).filter_map(|point| {
                let key = (series.state_code.clone(), code.to_owned(), point.period.to_string());
                Some((point.net, *agreement.get(&key)?))
            });
            let known: Vec<(f64, f64)> = known.collect();
            if !known.is_empty() {
                groups.push(known);
                names.push(series.state.clone());
            }
        }
        let center = |group: &Vec<(f64, f64)>| {
            let n = group.len() as f64;
            (group.iter().map(|p| p.0).sum::<f64>() / n, group.iter().map(|p| p.1).sum::<f64>() / n)
        };
        let means: Vec<(f64, f64)> = groups.iter().map(center).collect();
        let between: Vec<Vec<(f64, f64)>> = means.iter().map(|&mean| vec![mean]).collect();
        let within: Vec<Vec<(f64, f64)>> = groups
            .iter()
            .filter(|group| group.len() > 1)
            .map(|group| {
                let (x, y) = center(group);
                group.iter().map(|p| (p.0 - x, p.1 - y)).collect()
            })
            .collect();
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            groups.len(),
            groups.iter().map(Vec::len).sum::<usize>(),
            with_interval(&groups, spearman),
            with_interval(&between, spearman),
            with_interval(&within, spearman)
        );
        let (a, b): (Vec<f64>, Vec<f64>) = means.iter().copied().unzip();
        let (a, b) = (ranks(&a), ranks(&b));
        for (i, state) in names.iter().enumerate() {
            let difference = (a[i] - b[i]) / names.len() as f64;
            let way = if difference > 0.0 { "friendlier in the news" } else { "friendlier in its votes" };
            let (net, agreed) = means[i];
            apart.push((
                difference.abs(),
                format!("{state} toward {name}: {way} (net {net:+.2}, agreement {agreed:.2})"),
            ));
        }
    }
    apart.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    println!("\nFurthest apart, of the means over the years:\n");
    apart.iter().take(12).for_each(|(_, line)| println!("- {line}"));
    println!();
    Ok(())
}

/// Whether net stances near a dated fact have its sign.
fn facts(records: &[Record]) -> AnyResult<()> {
    const DAYS: i64 = 30;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/validity/facts.csv");
    let dated: Vec<(i64, &Record)> =
        records.iter().filter_map(|record| Some((Date::parse(&record.date)?.seconds() / 86_400, record))).collect();
    let net = |record: &Record| record.probabilities.aligned - record.probabilities.opposed;
    let mean = |records: &[&Record]| records.iter().map(|record| net(record)).sum::<f64>() / records.len() as f64;
    let (mut total, mut reported) = (0, 0);
    let mut agrees: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut wrong = Vec::new();
    let actors: BTreeSet<&str> = ACTORS.iter().map(|(code, _)| *code).collect();
    for row in csv::Reader::from_path(path)?.deserialize() {
        let (date, state, actor, stance, fact, _): (String, String, String, String, String, String) = row?;
        if !actors.contains(actor.as_str()) {
            continue;
        }
        total += 1;
        let day = Date::parse(&date).ok_or_else(|| format!("{date} is no date"))?.seconds() / 86_400;
        let (near, others): (Vec<&(i64, &Record)>, Vec<_>) = dated
            .iter()
            .filter(|(_, record)| record.state_code == state && record.actor_code == actor)
            .partition(|(of, _)| (day - 3..=day + DAYS).contains(of));
        let [near, others] =
            [near, others].map(|some| some.into_iter().map(|(_, record)| *record).collect::<Vec<&Record>>());
        if near.is_empty() {
            continue;
        }
        reported += 1;
        let (now, else_) = (mean(&near), if others.is_empty() { 0.0 } else { mean(&others) });
        let sign = if stance == "aligned" { 1.0 } else { -1.0 };
        let of_stance = agrees.entry(stance.clone()).or_default();
        of_stance[0] += usize::from(sign * (now - else_) > 0.0);
        of_stance[1] += 1;
        if sign * (now - else_) <= 0.0 {
            wrong.push(format!(
                "{date} {state} {stance} toward {actor}: {fact} ({now:+.2} of {} reports, else {else_:+.2})",
                near.len()
            ));
        }
    }
    println!("## Dated facts\n");
    println!(
        "{total} acts whose day and side are known (`datasets/validity/facts.csv`: treaties, recognitions, aid, votes; sanctions, expulsions,\n\
         breaks). Of {reported} of them there are reports that connect the two from 3 days before to {DAYS} days after. Mean of p(aligned) −\n\
         p(opposed) in these against that of all other reports of the two:\n"
    );
    println!("| act | facts | moved its way |\n|---|---|---|");
    for (stance, [right, all]) in &agrees {
        println!("| {stance} | {all} | {right} ({:.0} %) |", 100.0 * *right as f64 / *all as f64);
    }
    println!("\nThose that did not:\n");
    wrong.iter().for_each(|line| println!("- {line}"));
    Ok(())
}
