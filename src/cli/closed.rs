//! Whether the program was started without a standard output, as by `>&-`.
//!
//! Rust's runtime puts `/dev/null` in the place of a standard stream that is closed, before `main`; results would vanish,
//! and all would look well. So a function that the system runs before the runtime looks first.
#![allow(unsafe_code)] // the attribute that names the section; no unsafe operation

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

#[cfg(target_os = "linux")]
extern "C" fn look() {
    let there = std::fs::symlink_metadata("/proc/self/fd/1").is_ok();
    let known = std::fs::symlink_metadata("/proc/self/fd").is_ok();
    CLOSED.store(known && !there, Ordering::Relaxed);
}

/// Whether standard output was closed when the program started; known on Linux, elsewhere `false`.
pub fn stdout_was_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
