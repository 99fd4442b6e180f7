//! Numbers as C's `sscanf` takes them: the longest prefix that makes sense, whatever follows.

/// `%i`: decimal, octal after `0`, hexadecimal after `0x`; wraps to 32 bits. `None` where no digit starts the text.
pub(super) fn integer(text: &str) -> Option<i32> {
    let (negative, digits) = sign(text.trim_start());
    let (radix, digits) = match digits.strip_prefix('0') {
        Some(rest) => match rest.strip_prefix(['x', 'X']) {
            Some(hex) => (16, hex),
            None => (8, digits),
        },
        None => (10, digits),
    };
    let end = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
    let value = match digits.get(..end) {
        // `0x` without digits after it is the zero before the x.
        Some("") if radix == 16 => 0,
        Some("") | None => return None,
        Some(digits) => i64::from_str_radix(digits, radix).unwrap_or(i64::MAX),
    };
    Some(if negative { value.wrapping_neg() } else { value } as i32)
}

/// `%lf`, of which seconds are made.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let (negative, digits) = sign(text);
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return integer(text).map(f64::from);
    }
    let value = (1..=digits.len())
        .rev()
        .filter_map(|end| digits.get(..end))
        .filter(|prefix| !prefix.starts_with(['+', '-']))
        .find_map(|prefix| prefix.parse::<f64>().ok())?;
    Some(if negative { -value } else { value })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stop_where_digits_stop() {
        for (text, value) in [
            ("10", Some(10)),
            ("010", Some(8)),
            ("0x10z", Some(16)),
            ("0x", Some(0)),
            ("08", Some(0)),
            ("4.7", Some(4)),
            ("+7", Some(7)),
            ("-1", Some(-1)),
            ("99999999999", Some(1215752191)),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(integer(text), value, "{text}");
        }
    }

    #[test]
    fn floats_stop_where_the_number_stops() {
        for (text, value) in [
            ("1.5", Some(1.5)),
            ("10x", Some(10.0)),
            ("2e", Some(2.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e1", Some(10.0)),
            ("0x10", Some(16.0)),
            ("-5", Some(-5.0)),
            ("x", None),
            ("+-5", None),
        ] {
            assert_eq!(float(text), value, "{text}");
        }
    }
}
