//! Charts: numbers to SVG.

pub mod line;
mod path;
pub(super) mod plane;
