//! How shares and net stances are written.

/// Without decimals.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// With a sign, but for 0.
pub fn signed(value: f64) -> String {
    let text = format!("{value:+.2}");
    if matches!(text.as_str(), "+0.00" | "-0.00") { "0.00".into() } else { text }
}

/// Whether an interval is all on one side of 0.
pub fn is_clear(low: f64, high: f64) -> bool {
    low > 0.0 || high < 0.0
}

/// A change with its interval.
pub fn changed(value: f64, low: f64, high: f64) -> String {
    format!("{}{} ({} to {})", signed(value), if is_clear(low, high) { "*" } else { "" }, signed(low), signed(high))
}
