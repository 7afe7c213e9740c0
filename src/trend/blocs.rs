//! Who stands with whom: states in blocs by their net stances toward some actors in a span of time.
//!
//! A state counts if at least [`FEW`] articles tell its stance toward each of more than half of the actors, so that any two states
//! can be compared; of an actor toward itself nothing is known. Two states are as far apart as their net stances toward the actors known of
//! both, on average. Average linkage (Sokal and Michener 1958) joins the nearest; of two to eight blocs, as many are told
//! as have the largest mean silhouette (Rousseeuw 1987). Above 0.5 that is a clear division, below 0.25 next to none.
//!
//! Each bootstrap draw of the articles is divided into as many blocs again. A bloc is as stable as its largest Jaccard overlap
//! with a bloc of the draw, on average (Hennig 2007, "Cluster-wise assessment of cluster stability"): below 0.6 it should not be
//! trusted, above 0.75 it should be there.

use std::collections::BTreeMap;

use kodama::{Method, linkage};
use rayon::prelude::*;
use serde::Serialize;

use super::measure::{Measured, measure};
use super::observations::{Name, Observation, Observations, Pair};
use super::{FEW, Span, TrendParams};
use crate::error::Result;

/// More blocs are not looked for.
const MOST: usize = 8;

/// A state of a bloc.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    pub state: String,
    /// Its code.
    pub state_code: String,
    /// Articles that tell its stances.
    pub articles: usize,
    /// Net stance toward each actor; `None` where too few articles tell it.
    pub toward: Vec<Option<f64>>,
    /// The share of the draws in which another member, taken at random, is with it; of one that is alone, in which it is.
    pub stays: f64,
}

/// States that stand alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bloc {
    /// Mean overlap with its like in the draws, 0 to 1.
    pub stability: f64,
    /// Mean net stance of the members toward each actor; `None` where it is known of none.
    pub toward: Vec<Option<f64>>,
    /// Those that stay most first.
    pub members: Vec<Member>,
}

/// All blocs of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Blocs {
    /// Of when.
    pub span: Span,
    /// Names of the actors.
    pub actors: Vec<String>,
    /// Those that stand most with the first actor first; none where fewer than three states can be compared.
    pub blocs: Vec<Bloc>,
    /// Mean silhouette, −1 to 1; 0 where there are no blocs.
    pub silhouette: f64,
    /// States left out, as too few articles tell their stances.
    pub few: usize,
    /// Records that repeat another report of the same event, and are left out.
    pub repeated: usize,
    /// Records without a date that says whether they lie within, left out, by the file that they are from.
    pub undated: BTreeMap<String, usize>,
}

/// A state and what is known of it.
struct Known {
    name: Name,
    articles: usize,
    toward: Vec<Toward>,
}

/// The net stance toward an actor; `None` where too few articles tell it.
type Toward = Option<Measured>;

fn net(toward: &Toward) -> Option<f64> {
    Some(toward.as_ref()?.net.value)
}

fn drawn(toward: &Toward, draw: usize) -> Option<f64> {
    toward.as_ref()?.draws.get(draw).copied()
}

/// Divides the states of records into blocs.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for parameters outside their range.
pub fn blocs(records: &[crate::Record], span: Span, params: &TrendParams) -> Result<Blocs> {
    let found = Observations::of(records, params.dedup, |date| span.holds(date).is_some());
    let told: Vec<(&Pair<'_>, Vec<Observation<'_>>)> =
        found.pairs.iter().map(|pair| (pair, pair.within(span))).filter(|(_, within)| !within.is_empty()).collect();
    // Toward whom too few articles tell anybody's stance, nobody can be compared.
    let actors: BTreeMap<&str, &str> = told
        .iter()
        .filter(|(_, within)| within.len() >= FEW)
        .map(|(pair, _)| (pair.actor.code.as_str(), pair.actor.name.as_str()))
        .collect();
    let codes: Vec<&str> = actors.keys().copied().collect();
    let mut all: BTreeMap<&str, Known> = BTreeMap::new();
    for (stream, (pair, within)) in told.iter().enumerate() {
        let known = all.entry(&pair.state.code).or_insert_with(|| Known {
            name: pair.state.clone(),
            articles: 0,
            toward: codes.iter().map(|_| None).collect(),
        });
        known.articles += within.len();
        if let (Ok(at), FEW..) = (codes.binary_search(&pair.actor.code.as_str()), within.len()) {
            known.toward[at] = Some(measure(within, stream as u64, params)?);
        }
    }
    let is_known = |state: &Known| 2 * state.toward.iter().flatten().count() > codes.len();
    let (states, few): (Vec<Known>, Vec<Known>) = all.into_values().partition(is_known);
    let (few, actors) = (few.len(), actors.values().map(|name| (*name).to_owned()).collect());
    let empty = Blocs {
        span,
        actors,
        blocs: Vec::new(),
        silhouette: 0.0,
        few,
        repeated: found.repeated,
        undated: found.undated,
    };
    if states.len() < 3 {
        return Ok(Blocs { few: few + states.len(), ..empty });
    }

    let distances = Distances::between(&states, net);
    let numbers = 2..=MOST.min(states.len() - 1);
    let divided = numbers.map(|number| {
        let of_state = distances.divided(number);
        (distances.silhouette(&of_state), of_state)
    });
    // Of equal ones the fewest.
    let best = divided.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((silhouette, of_state)) = best else { return Ok(empty) };
    let number = 1 + of_state.iter().max().copied().unwrap_or(0);
    let draw = |draw| Distances::between(&states, |toward| drawn(toward, draw)).divided(number);
    let draws: Vec<Vec<usize>> = (0..params.draws).into_par_iter().map(draw).collect();

    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (n, sum) = values.fold((0, 0.0), |(n, sum), value| (n + 1, sum + value));
        (n > 0).then(|| sum / f64::from(n))
    };
    let bloc = |bloc: usize| {
        let places: Vec<usize> = (0..states.len()).filter(|&at| of_state[at] == bloc).collect();
        let mut members: Vec<Member> = places.iter().map(|&at| member(&states[at], at, &places, &draws)).collect();
        members.sort_by(|a, b| b.stays.total_cmp(&a.stays).then_with(|| a.state_code.cmp(&b.state_code)));
        let stability = mean(&mut draws.iter().map(|draw| overlap(&places, draw, number))).unwrap_or(0.0);
        let toward = |at: usize| mean(&mut members.iter().filter_map(|member| member.toward[at]));
        Bloc { stability, toward: (0..empty.actors.len()).map(toward).collect(), members }
    };
    let mut blocs: Vec<Bloc> = (0..number).map(bloc).collect();
    let first = |bloc: &Bloc| bloc.toward.first().copied().flatten().unwrap_or(0.0);
    blocs.sort_by(|a, b| first(b).total_cmp(&first(a)));
    Ok(Blocs { blocs, silhouette, ..empty })
}

fn member(state: &Known, at: usize, places: &[usize], draws: &[Vec<usize>]) -> Member {
    let with = |draw: &Vec<usize>| {
        let same = |other: &&usize| draw[**other] == draw[at];
        match places.len() - 1 {
            // It is of no bloc but its own.
            0 => f64::from(u8::from(draw.iter().filter(|&&bloc| bloc == draw[at]).count() == 1)),
            others => (places.iter().filter(same).count() - 1) as f64 / others as f64,
        }
    };
    Member {
        state: state.name.name.clone(),
        state_code: state.name.code.clone(),
        articles: state.articles,
        toward: state.toward.iter().map(net).collect(),
        stays: draws.iter().map(with).sum::<f64>() / draws.len().max(1) as f64,
    }
}

/// The largest Jaccard overlap of some states with a bloc.
fn overlap(places: &[usize], of_state: &[usize], number: usize) -> f64 {
    let (mut sizes, mut shared) = (vec![0; number], vec![0; number]);
    of_state.iter().for_each(|&bloc| sizes[bloc] += 1);
    places.iter().for_each(|&at| shared[of_state[at]] += 1);
    let jaccard = |(size, shared): (&usize, &usize)| *shared as f64 / (places.len() + size - shared) as f64;
    sizes.iter().zip(&shared).map(jaccard).fold(0.0, f64::max)
}

/// How far apart any two of `n` states are: row by row, those after it.
struct Distances {
    n: usize,
    condensed: Vec<f64>,
}

impl Distances {
    fn between(states: &[Known], net: impl Fn(&Toward) -> Option<f64>) -> Self {
        let nets: Vec<Vec<Option<f64>>> = states.iter().map(|state| state.toward.iter().map(&net).collect()).collect();
        let distance = |a: &[Option<f64>], b: &[Option<f64>]| {
            let both = a.iter().zip(b).filter_map(|(a, b)| Some((a.as_ref()? - b.as_ref()?).abs()));
            let (n, sum) = both.fold((0, 0.0), |(n, sum), apart| (n + 1, sum + apart));
            sum / f64::from(n.max(1))
        };
        let n = states.len();
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        Self { n, condensed: pairs.map(|(a, b)| distance(&nets[a], &nets[b])).collect() }
    }

    fn of(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (a.min(b), a.max(b));
        // Before row a stand those of n − 1, n − 2, … others.
        if a == b { 0.0 } else { self.condensed[a * (2 * self.n - a - 1) / 2 + b - a - 1] }
    }

    /// The bloc of each state, 0 to `number` − 1, by average linkage.
    fn divided(&self, number: usize) -> Vec<usize> {
        let joined = linkage(&mut self.condensed.clone(), self.n, Method::Average);
        // Clusters are numbered on from the states; each is named by what it became part of.
        let mut parent: Vec<usize> = (0..2 * self.n).collect();
        for (at, step) in joined.steps().iter().take(self.n - number).enumerate() {
            parent[step.cluster1] = self.n + at;
            parent[step.cluster2] = self.n + at;
        }
        let mut names: Vec<usize> = Vec::new();
        let mut bloc = |mut at: usize| {
            while parent[at] != at {
                at = parent[at];
            }
            names.iter().position(|&name| name == at).unwrap_or_else(|| {
                names.push(at);
                names.len() - 1
            })
        };
        (0..self.n).map(&mut bloc).collect()
    }

    /// Mean over the states of (b − a) / max(a, b), where a is the mean distance to the others of its bloc, and b to those of
    /// the nearest other bloc; 0 of one that is alone.
    fn silhouette(&self, of_state: &[usize]) -> f64 {
        let number = 1 + of_state.iter().max().copied().unwrap_or(0);
        let of_one = |at: usize| {
            let (mut sums, mut counts) = (vec![0.0; number], vec![0_usize; number]);
            for other in (0..self.n).filter(|&other| other != at) {
                sums[of_state[other]] += self.of(at, other);
                counts[of_state[other]] += 1;
            }
            let mean = |bloc: usize| sums[bloc] / counts[bloc] as f64;
            if counts[of_state[at]] == 0 {
                return 0.0;
            }
            let within = mean(of_state[at]);
            let others = (0..number).filter(|&bloc| bloc != of_state[at] && counts[bloc] > 0);
            let nearest = others.map(mean).fold(f64::INFINITY, f64::min);
            let larger = within.max(nearest);
            if larger > 0.0 && larger.is_finite() { (nearest - within) / larger } else { 0.0 }
        };
        (0..self.n).map(of_one).sum::<f64>() / self.n as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::many;
    use super::super::{Granularity, TrendParams};
    use super::*;
    use crate::Record;

    fn known(nets: &[f64]) -> Vec<Known> {
        let state = |net: &f64| {
            let estimate = super::super::Estimate { value: *net, low: *net, high: *net };
            let measured = Measured { shares: [0.0; 3], net: estimate, draws: Vec::new() };
            let name = Name { code: String::new(), name: String::new() };
            Known { name, articles: 10, toward: vec![Some(measured)] }
        };
        nets.iter().map(state).collect()
    }

    #[test]
    fn distances_blocs_and_silhouette_by_hand() {
        let distances = Distances::between(&known(&[0.0, 1.0, 0.1, 0.8]), net);
        assert_eq!((distances.of(0, 1), distances.of(3, 2)), (1.0, 0.8 - 0.1));
        assert_eq!(distances.divided(2), [0, 1, 0, 1]);
        assert_eq!(distances.divided(3), [0, 1, 0, 2]);
        // Within 0.1 and 0.2; to the others 0.9, 0.95, 0.8 and 0.75 on average.
        let by_hand = [1.0 - 0.1 / 0.9, 1.0 - 0.2 / 0.95, 1.0 - 0.1 / 0.8, 1.0 - 0.2 / 0.75];
        assert!((distances.silhouette(&[0, 1, 0, 1]) - by_hand.iter().sum::<f64>() / 4.0).abs() < 1e-12);
        assert_eq!(overlap(&[0, 2], &[0, 1, 0, 1], 2), 1.0);
        // With one of the two and one other, or alone with none.
        assert_eq!(overlap(&[0, 2], &[0, 0, 1, 1], 2), 1.0 / 3.0);
    }

    #[test]
    fn two_blocs_and_one_that_nothing_is_known_of() {
        let of = |code: &str, toward: &str, net: f64, articles: usize| -> Vec<Record> {
            let some = many(articles, "2014-05-05", net).into_iter();
            some.map(|r| Record { state_code: code.into(), actor_code: toward.into(), actor: toward.into(), ..r })
                .collect()
        };
        let records = [
            of("AAA", "X", 0.8, 12),
            of("AAA", "Y", -0.5, 12),
            of("BBB", "X", 0.6, 12),
            of("BBB", "Y", -0.6, 12),
            of("CCC", "X", -0.7, 12),
            of("CCC", "Y", 0.4, 12),
            // Toward X it is of few, so it is known toward one of two actors, which is not more than half.
            of("DDD", "X", -0.7, 9),
            of("DDD", "Y", 0.4, 12),
            // Of X toward itself nothing is known, and Y alone is not more than half.
            of("X", "Y", -0.9, 12),
        ]
        .concat();
        let params = TrendParams::new(Granularity::Year).dedup(false).draws(50);
        let found = blocs(&records, "2014".parse().unwrap(), &params).unwrap();
        let codes: Vec<Vec<&str>> =
            found.blocs.iter().map(|bloc| bloc.members.iter().map(|m| m.state_code.as_str()).collect()).collect();
        assert_eq!(codes, [vec!["AAA", "BBB"], vec!["CCC"]]);
        assert_eq!((found.few, found.actors.as_slice()), (2, ["X".to_owned(), "Y".to_owned()].as_slice()));
        // All articles of a pair say the same, so every draw does.
        assert!(found.blocs.iter().all(|bloc| bloc.stability == 1.0 && bloc.members.iter().all(|m| m.stays == 1.0)));
        let toward: Vec<f64> = found.blocs[0].toward.iter().map(|net| (net.unwrap() * 1e9).round() / 1e9).collect();
        assert_eq!(toward, [0.7, -0.55]);
        let none = blocs(&records, "2015".parse().unwrap(), &params).unwrap();
        assert!(none.blocs.is_empty() && none.few == 0);
    }
}
