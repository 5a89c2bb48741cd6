//! Points in time, as engines give them.

use prost_types::Timestamp;

/// Nanoseconds since the Unix epoch.
pub type Time = i64;

/// An engine's timestamp; `None` if it is not after the epoch, because then the time is unknown. Go's zero time, for
/// example, arrives as -6795364578871345152.
pub fn known(nanos: i64) -> Option<Time> {
    (nanos > 0).then_some(nanos)
}

/// RFC 3339 in UTC, with as many digits of the fraction as are needed.
pub fn rfc3339(time: Time) -> String {
    const NANOS: i64 = 1_000_000_000;
    Timestamp { seconds: time.div_euclid(NANOS), nanos: time.rem_euclid(NANOS) as i32 }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_700_000_000_123_456_789), "2023-11-14T22:13:20.123456789Z");
        assert_eq!(rfc3339(i64::MAX), "2262-04-11T23:47:16.854775807Z");
    }

    #[test]
    fn go_zero_time_is_unknown() {
        assert_eq!(known(-6_795_364_578_871_345_152), None);
        assert_eq!(known(0), None);
        assert_eq!(known(1), Some(1));
    }
}
