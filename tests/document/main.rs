//! An article becomes sentences: what is left out, and where sentences end.

mod clean;
mod sentences;
