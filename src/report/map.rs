//! A map of the world on which states are coloured by what they stand for.

use askama::Template;

use super::world::{self, Area, SIZE};

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
}

impl WorldMap {
    /// `told` gives class and title of a code that something is known of.
    pub fn new(label: String, told: impl Fn(&str) -> Option<(String, String)>) -> Self {
        let shape = |area: Area| {
            let (class, title) =
                told(&area.code).unwrap_or_else(|| (String::new(), format!("{}: not mentioned", area.name)));
            Shape {
                outline: area.outline().unwrap_or_default().to_owned(),
                point: area.point().map(|(x, y)| (x.to_owned(), y.to_owned())),
                code: area.code,
                class,
                title,
            }
        };
        Self { label, shapes: world::areas().into_iter().map(shape).collect(), size: SIZE }
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
    }
}
