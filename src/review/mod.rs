//! What a person should read: pairs worth a label ([`sample`]), and labels worth a second look ([`suspects`]).

pub mod sample;
pub mod suspects;
