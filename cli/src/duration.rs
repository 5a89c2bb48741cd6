//! Times as people write them (10, 500ms, 2s, 5m, 1h), and points in time. Pure.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads a duration; without a unit, it is in seconds.
pub fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit()) && number.ends_with(|c: char| c.is_ascii_digit());
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    let number: f64 = if is_number { number.parse().ok()? } else { return None };
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// Reads a timeout for the engine, from 1 ms to an hour, for the command line.
pub fn limit(text: &str) -> Result<Duration, String> {
    let is_allowed = |it: &Duration| (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(it);
    parse(text).filter(is_allowed).ok_or_else(|| "no time from 1ms to 60m, such as 10, 500ms, 2s, 1m".into())
}

/// Reads a time in RFC 3339, with any offset; gives nanoseconds since 1970.
pub fn nanoseconds(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos().try_into().ok()
}

/// The present, in nanoseconds since 1970.
pub fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp_nanos().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, milliseconds) in
            [("10", 10_000), ("500ms", 500), ("2s", 2000), ("1.5s", 1500), ("1m", 60_000), ("2h", 7_200_000)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1", "1 s", "nan", "1e3", ".", "1.", "5w"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(limit("0").is_err() && limit("2h").is_err() && limit("1m").is_ok());
    }

    #[test]
    fn points_in_time() {
        assert_eq!(nanoseconds("1970-01-01T00:00:01.5Z"), Some(1_500_000_000));
        assert_eq!(nanoseconds("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(nanoseconds("yesterday"), None);
    }
}
