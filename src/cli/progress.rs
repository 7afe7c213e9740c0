//! Progress on stderr: drawn on a terminal, silent elsewhere.

use std::time::Duration;

use detente::source::{BytesRead, Input, Source};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Common;

/// A spinner that names the current step; hidden with `--quiet` or off a terminal.
pub fn spinner(common: &Common) -> ProgressBar {
    let target = if common.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::with_draw_target(None, target).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A count of articles, their rate, and a message; hidden with `--quiet` or off a terminal.
pub fn articles(common: &Common) -> ProgressBar {
    let target = if common.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(4) };
    let style = ProgressStyle::with_template("{pos} articles, {per_sec}, {msg}{elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, target).with_style(style)
}

/// How far the reading of files is.
pub struct Far {
    read: BytesRead,
    /// Bytes of all files; `None` where not all inputs are files.
    total: Option<u64>,
}

impl Far {
    /// Of these inputs, which share their options.
    pub fn new(inputs: &[Source]) -> Self {
        let length = |source: &Source| match &source.input {
            Input::Path(path) => std::fs::metadata(path).ok().filter(|found| found.is_file()).map(|found| found.len()),
            _ => None,
        };
        let read = inputs.first().map(|source| source.options.bytes_read.clone()).unwrap_or_default();
        Self { read, total: inputs.iter().map(length).sum() }
    }

    /// How long the rest takes, if it goes on like this for so long; empty where that is not known.
    pub fn left(&self, elapsed: Duration) -> String {
        let read = self.read.get();
        match self.total {
            Some(total) if read > 0 => {
                let share = total.saturating_sub(read) as f64 / read as f64;
                format!("{:#} left, ", HumanDuration(elapsed.mul_f64(share)))
            }
            _ => String::new(),
        }
    }
}
