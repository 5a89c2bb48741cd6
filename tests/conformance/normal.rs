//! What may differ between two processes that watch the same engine, made equal before answers are compared.

/// JSON keys whose values are each watcher's own: its clock, its count of changes, its numbers.
const OWN: &[&str] = &["asOf", "generation", "observedAt", "seq"];

/// A line as it is compared. Everything else has to be the same, byte by byte:
/// * in JSON, the values of `OWN` become `*`;
/// * of `criwatch.stats/1`, only the keys count.
pub fn normal(line: &str) -> String {
    if !line.starts_with("  {") {
        return line.to_owned();
    }
    if line.contains("\"schema\":\"criwatch.stats/") {
        return keys(line);
    }
    OWN.iter().fold(line.to_owned(), |line, key| starred(&line, &format!("\"{key}\":")))
}

/// With a star for each value that follows `before`; such values are numbers, or strings without commas and braces.
fn starred(line: &str, before: &str) -> String {
    let mut parts = line.split(before);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([',', '}']).unwrap_or(part.len());
        text += before;
        text += "*";
        text += &part[end..];
    }
    text
}

/// The strings that a colon follows.
fn keys(line: &str) -> String {
    let pieces: Vec<&str> = line.split('"').collect();
    pieces.windows(2).filter(|pair| pair[1].starts_with(':')).map(|pair| pair[0]).collect::<Vec<_>>().join(" ")
}
