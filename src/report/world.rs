//! The map of the world: a shape for each state that has one.

use serde::Deserialize;

/// `datasets/map/world.csv`; its README says where it is from.
const WORLD: &str = include_str!("../../datasets/map/world.csv");

/// The width and the height of the map, in the units of its shapes.
pub(super) const SIZE: [u32; 2] = [2000, 872];

/// A state, or a part of the world that is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Area {
    /// Its code; empty for what is no state of the gazetteer.
    pub code: String,
    /// Its name on the map.
    pub name: String,
    kind: Kind,
    shape: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Area,
    Dot,
}

impl Area {
    /// The outline, as an SVG path; `None` for a state that is too small for one.
    pub fn outline(&self) -> Option<&str> {
        (self.kind == Kind::Area).then_some(self.shape.as_str())
    }

    /// Where a state lies that is too small for an outline.
    pub fn point(&self) -> Option<(&str, &str)> {
        if self.kind == Kind::Dot { self.shape.split_once(' ') } else { None }
    }
}

/// All areas, by code.
pub(super) fn areas() -> Vec<Area> {
    let mut reader = csv::Reader::from_reader(WORLD.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("the map is part of the program, and a test reads it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;

    #[test]
    fn the_map_is_of_states_that_are_known() {
        let pipeline = Pipeline::fast();
        let known: Vec<&str> = pipeline.gazetteer().entries().iter().map(|entry| entry.code.as_str()).collect();
        let areas = areas();
        let unknown: Vec<&Area> =
            areas.iter().filter(|area| !area.code.is_empty() && !known.contains(&area.code.as_str())).collect();
        assert_eq!(unknown, Vec::<&Area>::new());
        for code in ["RUS", "UKR", "TWN", "PSE", "XKX", "USA"] {
            assert!(areas.iter().any(|area| area.code == code && area.outline().is_some()), "{code}");
        }
        let singapore = areas.iter().find(|area| area.code == "SGP").unwrap();
        let (x, y) = singapore.point().unwrap();
        assert!((1500..1650).contains(&x.parse().unwrap()) && (480..520).contains(&y.parse().unwrap()));
        // Crimea is a part of Ukraine: where Sevastopol is (44.6° N, 33.5° E), near 1159 by 242.
        let ukraine = areas.iter().find(|area| area.code == "UKR").unwrap();
        assert_eq!(ukraine.outline().unwrap().matches('m').count(), 2);
        for area in &areas {
            assert!(area.outline().is_some() != area.point().is_some(), "{}", area.name);
        }
    }
}
