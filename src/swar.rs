//! Eight bytes of a text at a time, within one number (SWAR: SIMD within a register): the first is the lowest.

use std::ops::Range;

/// So many bytes a number has.
pub const EIGHT: usize = size_of::<u64>();

/// One in each byte of a number.
const EACH: u64 = u64::from_le_bytes([1; EIGHT]);

/// The top bit of each byte of a number: of those bytes that are beyond ASCII.
pub const TOPS: u64 = EACH << 7;

/// The top bits of those bytes of `eight` that are at least `least`, which is at most 0x80, without their own top bit; and other
/// bits.
const fn at_least(eight: u64, least: u8) -> u64 {
    (eight & !TOPS) + (0x80 - least) as u64 * EACH
}

/// The top bits of those bytes of `eight` that are from `first` to `last`, which are of ASCII.
#[inline]
fn within(eight: u64, first: u8, last: u8) -> u64 {
    at_least(eight, first) & !at_least(eight, last + 1) & !eight & TOPS
}

/// The top bits of those bytes of `eight` that are letters of ASCII.
#[inline]
pub fn letters(eight: u64) -> u64 {
    within(eight | (0x20 * EACH), b'a', b'z')
}

/// The top bits of those bytes of `eight` that are digits of ASCII.
#[inline]
pub fn digits(eight: u64) -> u64 {
    within(eight, b'0', b'9')
}

/// The top bits of those bytes of `eight` that are capitals of ASCII.
#[inline]
pub fn capitals(eight: u64) -> u64 {
    within(eight, b'A', b'Z')
}

/// Eight bytes with the capitals of ASCII as small letters.
#[inline]
pub fn lower_case(eight: u64) -> u64 {
    eight | capitals(eight) >> 2
}

/// The first `count` of eight bytes, at least one; zeros behind them.
#[inline]
pub fn first(count: usize, eight: u64) -> u64 {
    debug_assert!(count > 0, "no byte");
    eight & u64::MAX >> (u64::BITS - 8 * count.min(EIGHT) as u32)
}

/// Some of these bytes, eight at a time; zeros behind the last of them.
#[inline]
pub fn eights(bytes: &[u8], some: Range<usize>) -> impl Iterator<Item = u64> {
    let end = some.end;
    some.step_by(EIGHT).map(move |at| first(end - at, eight_at(bytes, at)))
}

/// The eight bytes from `at` on; zeros behind the last.
#[inline]
pub fn eight_at(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.first_chunk().map_or_else(|| padded(rest), |eight| u64::from_le_bytes(*eight))
}

/// How many of eight bytes there are before the first whose top bit `these` lacks.
#[inline]
pub fn run_length(these: u64) -> usize {
    (!these & TOPS).trailing_zeros() as usize / 8
}

/// Where the run of bytes from `at` on ends whose top bits `of` gives, of eight bytes; it gives none of zeros, as they end each run.
#[inline]
pub fn run_end(bytes: &[u8], mut at: usize, of: impl Fn(u64) -> u64) -> usize {
    loop {
        let length = run_length(of(eight_at(bytes, at)));
        at += length;
        if length < EIGHT {
            return at;
        }
    }
}

/// At most eight bytes as a number, zeros behind the last.
fn padded(bytes: &[u8]) -> u64 {
    debug_assert!(bytes.len() <= EIGHT, "{} bytes", bytes.len());
    match (bytes, bytes.len()) {
        ([a, .., z], length @ ..4) => {
            u64::from(*a) | u64::from(bytes[length / 2]) << (length / 2 * 8) | u64::from(*z) << ((length - 1) * 8)
        }
        _ => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << ((bytes.len() - 4) * 8)
            }
            _ => bytes.first().map_or(0, |a| u64::from(*a)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_are_as_each() {
        for (a, b) in (0..=255u8).flat_map(|a| (0..=255u8).map(move |b| (a, b))) {
            let bytes = [a, b, a, b, b, a, b, a];
            let eight = u64::from_le_bytes(bytes);
            assert_eq!(lower_case(eight).to_le_bytes(), bytes.map(|byte| byte.to_ascii_lowercase()));
            let tops = |is: fn(&u8) -> bool| bytes.map(|byte| u8::from(is(&byte)) << 7);
            assert_eq!(letters(eight).to_le_bytes(), tops(u8::is_ascii_alphabetic), "{a} {b}");
            assert_eq!(digits(eight).to_le_bytes(), tops(u8::is_ascii_digit), "{a} {b}");
            assert_eq!(capitals(eight).to_le_bytes(), tops(u8::is_ascii_uppercase), "{a} {b}");
        }
    }

    #[test]
    fn what_is_not_there_is_zero() {
        let bytes = [0x81, 2, 0xff, 4, 5, 0x86, 7, 0xf8];
        for length in 0..=EIGHT {
            let mut whole = [0; EIGHT];
            whole[..length].copy_from_slice(&bytes[..length]);
            assert_eq!(padded(&bytes[..length]), u64::from_le_bytes(whole), "{length}");
            assert_eq!(eight_at(&bytes[..length], 0), u64::from_le_bytes(whole), "{length}");
            if length > 0 {
                assert_eq!(first(length, u64::from_le_bytes(bytes)), u64::from_le_bytes(whole), "{length}");
            }
        }
        assert_eq!((eight_at(&bytes, 8), eight_at(&bytes, 9)), (0, 0));
        let number = |text: &[u8]| padded(text);
        let some: Vec<u64> = eights(b"abcdefghijklmnopqr", 1..11).collect();
        assert_eq!(some, [number(b"bcdefghi"), number(b"jk")]);
        assert_eq!(eights(b"abc", 1..1).count(), 0);
    }

    #[test]
    fn runs_end_where_another_byte_is() {
        let text = b"abcdefghijklmnopqrstuvwxyz, ab";
        let ends = |at| run_end(text, at, letters);
        assert_eq!((0..26).map(ends).collect::<Vec<_>>(), [26; 26]);
        assert_eq!([26, 27, 28, 29, 30].map(ends), [26, 27, 30, 30, 30]);
    }
}
