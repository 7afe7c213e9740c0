//! Names of states and of bodies that act like one.
