//! A map that shows one thing or another: a period, or an actor.

use std::collections::BTreeMap;

use askama::Template;
use serde::Serialize;

use super::for_script;
use super::map::{STANCES, WorldMap};

/// States and bodies beside the map that are shown at once.
const BESIDE: usize = 40;

/// The class of the actor itself.
const ITSELF: &str = "self";

/// A state, and for each choice its class and what is said of it; `None` where it is not mentioned.
#[derive(Serialize)]
pub(super) struct State {
    name: String,
    cells: Vec<Option<[String; 2]>>,
}

impl State {
    /// A state that `cells` tell of.
    pub fn new(name: &str, cells: Vec<Option<[String; 2]>>) -> Self {
        Self { name: name.to_owned(), cells }
    }

    /// What is told of the actor itself.
    pub fn itself(name: &str) -> Option<[String; 2]> {
        Some([ITSELF.to_owned(), format!("{name}: the actor itself")])
    }
}

/// What the script reads.
#[derive(Serialize)]
struct Data<'s> {
    choices: &'s [String],
    states: &'s BTreeMap<String, State>,
}

/// The map, and what stands beside it: states and bodies without a shape.
#[derive(Template)]
#[template(path = "switch.html")]
pub(super) struct Switch {
    pub map: WorldMap,
    pub choices: Vec<String>,
    /// The choice that the page begins with.
    pub at: usize,
    /// What the figure says below it.
    caption: String,
    beside: Vec<(String, Option<String>)>,
    open: bool,
    data: String,
}

impl Switch {
    /// A map of `states`, by code, which begins with the choice number `at`; there must be one of that number.
    pub fn new(
        label: String,
        caption: String,
        choices: Vec<String>,
        at: usize,
        states: &BTreeMap<String, State>,
    ) -> Self {
        let told = |code: &str| {
            let state = states.get(code)?;
            let [class, title] =
                state.cells[at].clone().unwrap_or_else(|| [String::new(), format!("{}: not mentioned", state.name)]);
            Some((class, title))
        };
        let map = WorldMap::new(label, &STANCES, told);
        let outside = states.iter().filter(|(code, _)| !map.has(code));
        let beside: Vec<(String, Option<String>)> = outside
            .map(|(code, state)| {
                let said = state.cells[at].as_ref().filter(|[class, _]| class != ITSELF);
                (code.clone(), said.map(|[_, said]| said.clone()))
            })
            .collect();
        let open = beside.iter().filter(|(_, said)| said.is_some()).count() <= BESIDE;
        let data = for_script(&Data { choices: &choices, states });
        Self { map, choices, at, caption, beside, open, data }
    }
}
