//! A map of the world on which states are coloured by what they stand for.

use askama::Template;

use super::world::{self, Area, SIZE};
use crate::stance::Stance;

/// What a state is coloured by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shade {
    /// −1, opposed, to 1, aligned.
    pub net: f64,
    /// Whether it is told by few articles.
    pub few: bool,
}

/// Ends of the steps of the net stance, each inclusive on the side away from 0.
const STEPS: [f64; 4] = [-0.5, -0.15, 0.15, 0.5];

impl Shade {
    /// The style's class: `b0` for opposed to `b4` for aligned, and whether few.
    pub fn class(self) -> String {
        let below = STEPS.iter().filter(|&&step| if step < 0.0 { self.net > step } else { self.net >= step }).count();
        format!("b{below}{}", if self.few { " few" } else { "" })
    }
}

/// Which way a net stance leans, by the steps of the map.
pub(super) fn leaning(net: f64) -> Stance {
    match net {
        net if net <= STEPS[1] => Stance::Opposed,
        net if net >= STEPS[2] => Stance::Aligned,
        _ => Stance::Neutral,
    }
}

/// What a colour means.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub class: &'static str,
    pub striped: bool,
    pub meaning: &'static str,
}

const fn key(class: &'static str, striped: bool, meaning: &'static str) -> Key {
    Key { class, striped, meaning }
}

/// What the colours of [`Shade`] mean.
pub(super) const STANCES: [Key; 8] = [
    key("b0", true, "opposed (−0.5 and below)"),
    key("b1", true, "leans opposed"),
    key("b2", false, "between (within 0.15 of 0)"),
    key("b3", false, "leans aligned"),
    key("b4", false, "aligned (0.5 and above)"),
    key("b4 few", false, "few articles"),
    key("self", false, "the actor itself"),
    key("", false, "not mentioned"),
];

/// What the colours of [`score_class`] mean.
pub(super) const SCORES: [Key; 6] = [
    key("q0", true, "below 0.5"),
    key("q1", false, "0.5 to 0.7"),
    key("q2", false, "0.7 to 0.85"),
    key("q3", false, "0.85 and above"),
    key("q3 few", false, "few rows"),
    key("", false, "no row"),
];

/// The class of a share of right answers, 0 to 1.
pub(super) fn score_class(share: f64, few: bool) -> String {
    let step = [0.5, 0.7, 0.85].iter().filter(|&&step| share >= step).count();
    format!("q{step}{}", if few { " few" } else { "" })
}

/// One shape.
pub(super) struct Shape {
    pub code: String,
    pub outline: String,
    pub point: Option<(String, String)>,
    /// Its classes.
    pub class: String,
    /// What is said of it.
    pub title: String,
}

/// The map, with a title and a class for each state.
#[derive(Template)]
#[template(path = "map.html")]
pub(super) struct WorldMap {
    pub label: String,
    pub shapes: Vec<Shape>,
    pub size: [u32; 2],
    pub keys: &'static [Key],
}

impl WorldMap {
    /// `told` gives class and title of a code that something is known of.
    pub fn new(label: String, keys: &'static [Key], told: impl Fn(&str) -> Option<(String, String)>) -> Self {
        let shape = |area: Area| {
            let (class, title) = told(&area.code).unwrap_or_else(|| (String::new(), area.name.clone()));
            Shape {
                outline: area.outline().unwrap_or_default().to_owned(),
                point: area.point().map(|(x, y)| (x.to_owned(), y.to_owned())),
                code: area.code,
                class,
                title,
            }
        };
        Self { label, shapes: world::areas().into_iter().map(shape).collect(), size: SIZE, keys }
    }

    /// Whether a code has a shape.
    pub fn has(&self, code: &str) -> bool {
        self.shapes.iter().any(|shape| shape.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_the_same_on_both_sides() {
        let class = |net: f64| Shade { net, few: false }.class();
        let classes = [-1.0, -0.5, -0.49, -0.15, -0.14, 0.0, 0.14, 0.15, 0.49, 0.5, 1.0].map(class);
        assert_eq!(classes, ["b0", "b0", "b1", "b1", "b2", "b2", "b2", "b3", "b3", "b4", "b4"]);
        assert_eq!(Shade { net: 0.2, few: true }.class(), "b3 few");
        assert_eq!([0.49, 0.5, 0.7, 0.9].map(|share| score_class(share, false)), ["q0", "q1", "q2", "q3"]);
    }
}
