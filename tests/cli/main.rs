//! The program, run as a user runs it.
#![cfg(feature = "cli")]

mod bad_input;
mod compare;
mod determinism;
mod formats;
mod monitor;
mod pages;
#[path = "../program/mod.rs"]
mod program;
mod resume;
mod sessions;
mod training;
mod trend;
