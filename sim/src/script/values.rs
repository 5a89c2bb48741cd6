//! The values in a script line. Pure.

use std::str::FromStr;
use std::time::Duration;

/// Parses KEY=VALUE.
pub fn key_value(pair: &str) -> Result<(String, String), String> {
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?}: want KEY=VALUE"))?;
    Ok((key.into(), value.into()))
}

/// Parses any number that fits the type.
pub fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// Parses a time such as 200ms, 1.5s or 2m; a number alone is in seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0)];
    let seconds = units.iter().find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor));
    seconds
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| format!("{text:?} is no time: want 200ms, 1.5s or 2m"))
}
