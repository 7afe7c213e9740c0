//! Outlines of what a chart draws.

use std::fmt::Write;

use crate::stance::Stance;

/// A line through points, in the order given; each of `runs` begins anew.
pub(super) fn line(runs: &[Vec<(f64, f64)>]) -> String {
    let mut d = String::new();
    for run in runs {
        for (at, (x, y)) in run.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(d, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
        }
        if let [(x, y)] = run.as_slice() {
            // A run of one point is a stroke as long as it is wide, which round ends show.
            let _ = write!(d, "L{x:.1} {y:.1}");
        }
    }
    d
}

/// What lies between an upper and a lower line: `(x, low, high)`.
pub(super) fn band(runs: &[Vec<(f64, f64, f64)>]) -> String {
    /// How far a run of one point reaches to each side.
    const ALONE: f64 = 2.5;
    let mut d = String::new();
    for run in runs {
        let run = match run.as_slice() {
            [(x, low, high)] => vec![(x - ALONE, *low, *high), (x + ALONE, *low, *high)],
            _ => run.clone(),
        };
        let there = run.iter().map(|(x, _, high)| (*x, *high));
        let back = run.iter().rev().map(|(x, low, _)| (*x, *low));
        d.push_str(&line(&[there.chain(back).collect()]));
        d.push('Z');
    }
    d
}

/// The mark of a stance: a triangle that points up is aligned, one that points down opposed, and a disc neutral.
pub(super) fn mark(stance: Stance, x: f64, y: f64) -> String {
    match stance {
        Stance::Aligned => format!("M{x:.1} {:.1}l4.6 8h-9.2z", y - 5.3),
        Stance::Opposed => format!("M{x:.1} {:.1}l4.6 -8h-9.2z", y + 5.3),
        Stance::Neutral => format!("M{:.1} {y:.1}a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0 -7.6 0z", x - 3.8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_by_hand() {
        assert_eq!(line(&[vec![(0.0, 1.0), (2.0, 3.26)], vec![(5.0, 5.0)]]), "M0.0 1.0L2.0 3.3M5.0 5.0L5.0 5.0");
        assert_eq!(band(&[vec![(0.0, 1.0, 9.0), (4.0, 2.0, 8.0)]]), "M0.0 9.0L4.0 8.0L4.0 2.0L0.0 1.0Z");
        assert_eq!(band(&[vec![(10.0, 1.0, 9.0)]]), "M7.5 9.0L12.5 9.0L12.5 1.0L7.5 1.0Z");
    }
}
