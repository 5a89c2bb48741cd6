//! What may differ between two processes that watch the same engine, made equal before answers are compared.

/// JSON keys whose values are each watcher's own: its clock, its count of changes, its numbers.
const OWN: &[&str] = &["asOf", "generation", "observedAt", "seq"];

/// A line as it is compared. Everything else has to be the same, byte by byte:
/// * in JSON, the values of `OWN` become `*`;
/// * the witness's means become `*`: they are found one after the other, by each watcher at its own time;
/// * of `criwatch.stats/1`, only the keys count.
pub fn normal(line: &str) -> String {
    if !line.starts_with("  {") {
        return line.to_owned();
    }
    if line.contains("\"schema\":\"criwatch.stats/") {
        return keys(line);
    }
    let line = without_means(line);
    OWN.iter().fold(line, |line, key| starred(&line, &format!("\"{key}\":")))
}

fn without_means(line: &str) -> String {
    let parts =
        line.split_once("\"witness\":{\"means\":[").and_then(|(before, rest)| Some((before, rest.split_once("]}")?.1)));
    parts.map_or_else(|| line.to_owned(), |(before, rest)| format!("{before}\"witness\":*{rest}"))
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

/// An answer to `command` as it is compared:
/// * the runs of a replay come in any order, and are sorted here;
/// * what an event's container says of how it was made was learnt before the event, or is learnt after it;
/// * an update (of a pid, of an exit's reason) comes when its watcher has asked: it counts only where it was waited for.
pub fn in_order(command: &str, lines: Vec<String>) -> Vec<String> {
    // An event's line, and those of its container and pod.
    let mut events: Vec<Vec<String>> = Vec::new();
    for line in lines {
        match events.last_mut() {
            Some(event) if !line.starts_with("  event ") && event[0].starts_with("  event ") => {
                event.push(early(&line))
            }
            _ => events.push(vec![line]),
        }
    }
    if !command.starts_with("until updated ") {
        events.retain(|event| !event[0].starts_with("  event type=updated "));
    }
    let is_replayed = |event: &Vec<String>| event[0].starts_with("  event type=started flags=initial");
    for replay in events.chunk_by_mut(|a, b| is_replayed(a) && is_replayed(b)) {
        replay.sort();
    }
    events.concat()
}

/// The line of an event's container, without what is learnt late: its flags, and all behind its rucksack.
fn early(line: &str) -> String {
    let Some((before, rest)) = line.split_once(" flags=").filter(|_| line.starts_with("  container ")) else {
        return line.to_owned();
    };
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    let rest = rest.rsplit_once(" engine_pid=").map_or(rest, |(rest, _)| rest);
    format!("{before} {rest}")
}

/// The strings that a colon follows.
fn keys(line: &str) -> String {
    let pieces: Vec<&str> = line.split('"').collect();
    pieces.windows(2).filter(|pair| pair[1].starts_with(':')).map(|pair| pair[0]).collect::<Vec<_>>().join(" ")
}
