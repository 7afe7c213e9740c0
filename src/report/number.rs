//! How shares and net stances are written.

/// Without decimals.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// With a comma after thousands.
pub fn count(count: usize) -> String {
    let digits = count.to_string();
    let group = |(at, digit): (usize, char)| {
        let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

/// With a sign, but for 0.
pub fn signed(value: f64) -> String {
    let text = format!("{value:+.2}");
    if matches!(text.as_str(), "+0.00" | "-0.00") { "0.00".into() } else { text }
}

/// As [`signed`], with a minus sign in place of the hyphen that terminals show.
pub fn typeset(value: f64) -> String {
    signed(value).replace('-', "−")
}

/// Whether an interval is all on one side of 0.
pub fn is_clear(low: f64, high: f64) -> bool {
    low > 0.0 || high < 0.0
}

/// A change with its interval.
pub fn changed(value: f64, low: f64, high: f64) -> String {
    format!("{}{} ({} to {})", signed(value), if is_clear(low, high) { "*" } else { "" }, signed(low), signed(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 999, 1_000, 105_223, 1_234_567].map(count), ["0", "999", "1,000", "105,223", "1,234,567"]);
    }

    #[test]
    fn nothing_is_signed_that_is_nothing() {
        assert_eq!([0.004, -0.004, 0.005, -0.5].map(signed), ["0.00", "0.00", "+0.01", "-0.50"]);
        assert_eq!(
            (percent(0.256), typeset(-0.5), changed(0.1, 0.05, 0.2)),
            ("26 %".into(), "−0.50".into(), "+0.10* (+0.05 to +0.20)".into())
        );
    }
}
