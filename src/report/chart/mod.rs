//! Charts: numbers to SVG.

pub mod line;
mod path;
