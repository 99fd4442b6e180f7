//! What `ifconfig`, `route`, `arp` and `netstat` share: interfaces through ioctls, name resolution, and the lists of
//! hardware types and address families that their usage texts end with.

pub(crate) mod about;
pub(crate) mod hardware;
pub(crate) mod ifreq;
pub(crate) mod interface;
pub(crate) mod resolve;
pub(crate) mod routes;

/// The package whose behaviour and output these commands have.
pub(crate) const VERSION: &str = "net-tools 2.10";

/// strerror(3): the C library's text for an error that carries an errno.
pub(crate) fn strerror(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// atoi(3): leading blanks, a sign, digits; 0 where there are none.
pub(crate) fn atoi(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = digits
        .bytes()
        .take_while(u8::is_ascii_digit)
        .fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -value } else { value }
}

/// strtoul(3) with base 0: decimal, `0x` hexadecimal or `0` octal digits up to the first other character.
pub(crate) fn strtoul(text: &str) -> u64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(rest) => (16, rest),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let value = digits
        .chars()
        .map_while(|digit| digit.to_digit(radix))
        .fold(0u64, |value, digit| value.saturating_mul(u64::from(radix)).saturating_add(u64::from(digit)));
    if negative { value.wrapping_neg() } else { value }
}

#[cfg(test)]
mod tests {
    use super::{atoi, strtoul};

    #[test]
    fn numbers_are_read_as_the_c_library_does() {
        assert_eq!(atoi("1500"), 1500);
        assert_eq!(atoi("x"), 0);
        assert_eq!(atoi("0x500"), 0);
        assert_eq!(atoi(" -12z"), -12);
        assert_eq!(strtoul("0x500"), 0x500);
        assert_eq!(strtoul("010"), 8);
        assert_eq!(strtoul("abc"), 0);
        assert_eq!(strtoul("-1") as u32, u32::MAX);
    }
}
