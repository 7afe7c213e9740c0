//! Curves over a plane of two shares.

use askama::Template;

use super::path;
use crate::stance::Stance;

/// Points of one curve.
pub(in crate::report) struct Curve {
    class: &'static str,
    line: String,
    dots: Vec<Dot>,
}

struct Dot {
    mark: String,
    said: String,
}

struct Tick {
    x: f64,
    y: f64,
    x_label: String,
    y_label: String,
}

/// A plane: a share from 0 to 1 along x, and from 0 to `y_most` along y.
#[derive(Template)]
#[template(path = "chart/plane.svg")]
pub(in crate::report) struct Plane {
    label: String,
    x_label: &'static str,
    y_label: &'static str,
    diagonal: bool,
    ticks: Vec<Tick>,
    curves: Vec<Curve>,
    y_most: f64,
}

/// From shares to places.
fn at(x: f64, y: f64) -> (f64, f64) {
    (56.0 + 344.0 * x, 310.0 - 290.0 * y)
}

impl Plane {
    /// An empty plane, whose y goes from 0 to `y_most`.
    pub fn new(label: String, [x_label, y_label]: [&'static str; 2], y_most: f64) -> Self {
        let tick = |fifth: u32| {
            let share = f64::from(fifth) / 5.0;
            let (x, y) = at(share, share);
            Tick { x, y, x_label: format!("{share:.1}"), y_label: format!("{:.2}", share * y_most) }
        };
        let ticks = (0..=5).map(tick).collect();
        Self { label, x_label, y_label, diagonal: false, ticks, curves: Vec::new(), y_most }
    }

    /// With a line from corner to corner.
    pub fn diagonal(mut self) -> Self {
        self.diagonal = true;
        self
    }

    /// With a curve in the colour of a stance. A point that something is `said` of has a mark; there may be fewer of these.
    pub fn with(mut self, stance: Stance, points: &[(f64, f64)], said: &[String]) -> Self {
        let place = |&(x, y): &(f64, f64)| at(x, (y / self.y_most).clamp(0.0, 1.0));
        let dot = |(point, said): (&(f64, f64), &String)| {
            let (x, y) = place(point);
            Dot { mark: path::mark(stance, x, y), said: said.clone() }
        };
        let curve = Curve {
            class: stance.as_str(),
            line: path::line(&[points.iter().map(place).collect()]),
            dots: points.iter().zip(said).filter(|(_, said)| !said.is_empty()).map(dot).collect(),
        };
        self.curves.push(curve);
        self
    }
}
