//! How sure a share is.

/// The 95 % interval of a share of `n` by Wilson's score: (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), z = 1.96;
/// from 0 to 1 where there are none.
///
/// ```
/// use detente::evaluate::metrics::wilson;
/// let [low, high] = wilson(8, 10);
/// assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4);
/// assert_eq!(wilson(0, 0), [0.0, 1.0]);
/// ```
pub fn wilson(right: usize, n: usize) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return [0.0, 1.0];
    }
    let (n, p) = (n as f64, right as f64 / n as f64);
    let centre = p + Z * Z / (2.0 * n);
    let margin = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    [((centre - margin) / scale).max(0.0), ((centre + margin) / scale).min(1.0)]
}
