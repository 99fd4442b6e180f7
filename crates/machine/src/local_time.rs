//! The system's time zone, for programs that print the time of day.

/// How many seconds local time is ahead of UTC at that moment (seconds since 1970).
pub fn offset(seconds: i64) -> i64 {
    // SAFETY: `tm` is plain data; localtime_r fills it and keeps no pointer.
    unsafe {
        let mut broken_down: libc::tm = std::mem::zeroed();
        let time = seconds as libc::time_t;
        if libc::localtime_r(&time, &mut broken_down).is_null() { 0 } else { broken_down.tm_gmtoff }
    }
}
