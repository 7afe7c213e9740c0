//! Who moved most between two spans of time.
//!
//! For each pair that at least [`FEW`] articles of both spans connect: the net stance in each, and the change with its bootstrap
//! interval. Among many pairs some move by chance alone, so a move is [`clear`](Move::clear) only where it is at 5 % after Holm's
//! correction for all of them; its p is that of a normal distribution with the spread of the draws.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::measure::{Estimate, measure, standard_error};
use super::observations::Observations;
use super::{FEW, Span, TrendParams};
use crate::error::Result;
use crate::evaluate::compare::holm;

/// The level at which a move is clear.
const CLEAR: f64 = 0.05;

/// How the stance of a state toward an actor moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Move {
    /// Whose stance.
    pub state: String,
    /// Its code.
    pub state_code: String,
    /// Toward whom.
    pub actor: String,
    /// Its code.
    pub actor_code: String,
    /// Articles of the two spans.
    pub articles: [usize; 2],
    /// Net stance of the first span.
    pub before: Estimate,
    /// Net stance of the second.
    pub after: Estimate,
    /// `after` less `before`.
    pub change: Estimate,
    /// How probable so large a change is by chance, corrected for the number of pairs.
    pub p_holm: f64,
    /// Whether that is at most 0.05.
    pub clear: bool,
}

/// All moves between two spans.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Ranking {
    /// The first span.
    pub from: Span,
    /// The second.
    pub to: Span,
    /// Those that are clear first, of each kind the largest first.
    pub moves: Vec<Move>,
    /// Pairs left out, as one of the spans has fewer than [`FEW`] articles.
    pub few: usize,
    /// Records that repeat another report of the same event, and are left out.
    pub repeated: usize,
    /// Records without a date that says whether they lie within, left out, by the file that they are from.
    pub undated: BTreeMap<String, usize>,
}

/// Ranks the pairs of records by how far they moved.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for parameters outside their range.
pub fn rank(records: &[crate::Record], from: Span, to: Span, params: &TrendParams) -> Result<Ranking> {
    let known = |date| from.holds(date).is_some() && to.holds(date).is_some();
    let Observations { pairs, repeated, undated, .. } = Observations::of(records, params.dedup, known);
    let (mut moves, mut few) = (Vec::new(), 0);
    for pair in pairs {
        let (first, second) = (pair.within(from), pair.within(to));
        if first.len() < FEW || second.len() < FEW {
            few += usize::from(!first.is_empty() || !second.is_empty());
            continue;
        }
        let (before, after) = (measure(&first, 0, params)?, measure(&second, 1, params)?);
        moves.push(Move {
            state: pair.state.name,
            state_code: pair.state.code,
            actor: pair.actor.name,
            actor_code: pair.actor.code,
            articles: [first.len(), second.len()],
            before: before.net,
            after: after.net,
            change: after.less(&before, params),
            p_holm: p_value(
                after.net.value - before.net.value,
                standard_error(&before.draws).hypot(standard_error(&after.draws)),
            ),
            clear: false,
        });
    }
    let corrected = holm(&moves.iter().map(|each| each.p_holm).collect::<Vec<f64>>())?;
    for (each, p_holm) in moves.iter_mut().zip(corrected) {
        (each.p_holm, each.clear) = (p_holm, p_holm <= CLEAR);
    }
    moves.sort_by(|a, b| {
        let (near, far) = (a.change.value.abs(), b.change.value.abs());
        b.clear.cmp(&a.clear).then(far.total_cmp(&near)).then_with(|| a.state_code.cmp(&b.state_code))
    });
    Ok(Ranking { from, to, moves, few, repeated, undated })
}

/// Of a value at least as far from 0, with this standard error.
fn p_value(value: f64, error: f64) -> f64 {
    match (value == 0.0, error > 0.0) {
        (true, _) => 1.0,
        (false, false) => 0.0,
        (false, true) => 2.0 * Normal::standard().cdf(-(value / error).abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::many;
    use super::super::{Granularity, TrendParams};
    use super::*;
    use crate::Record;

    #[test]
    fn the_one_that_moved_is_first_and_clear() {
        let named = |code: &str, records: Vec<Record>| {
            records.into_iter().map(move |r| Record { state_code: code.into(), state: code.into(), ..r }).collect()
        };
        let of = |code: &str, year: u16, nets: &[f64]| -> Vec<Record> {
            let some = nets.iter().enumerate().flat_map(|(at, net)| many(10, &format!("{year}-0{}-01", at + 1), *net));
            named(code, some.collect())
        };
        let records = [
            of("AAA", 2013, &[0.5, 0.7]),
            of("AAA", 2015, &[-0.5, -0.3]),
            of("BBB", 2013, &[0.1, -0.1]),
            of("BBB", 2015, &[0.1, -0.08]),
            // Ten articles of one span, none of the other; and one of neither.
            of("CCC", 2013, &[0.5]),
            of("DDD", 2014, &[0.5]),
        ]
        .concat();
        let params = TrendParams::new(Granularity::Year).dedup(false);
        let ranking = rank(&records, "2013".parse().unwrap(), "2015".parse().unwrap(), &params).unwrap();
        assert_eq!(ranking.few, 1);
        let moves: Vec<(&str, bool)> = ranking.moves.iter().map(|m| (m.state_code.as_str(), m.clear)).collect();
        assert_eq!(moves, [("AAA", true), ("BBB", false)]);
        let moved = &ranking.moves[0];
        assert!((moved.before.value - 0.6).abs() < 1e-12 && (moved.after.value + 0.4).abs() < 1e-12);
        assert!((moved.change.value + 1.0).abs() < 1e-12 && moved.change.high < -0.8 && moved.articles == [20, 20]);
        // Twice the p of the normal distribution, for two pairs: 0.01 apart, of means of 20 with a deviation of 0.095.
        assert!((0.7..=1.0).contains(&ranking.moves[1].p_holm), "{}", ranking.moves[1].p_holm);
    }

    #[test]
    fn chances_by_hand() {
        assert!((p_value(1.96, 1.0) - 0.05).abs() < 1e-4 && (p_value(-2.5758, 1.0) - 0.01).abs() < 1e-5);
        assert_eq!((p_value(0.0, 0.0), p_value(0.1, 0.0)), (1.0, 0.0));
    }
}
