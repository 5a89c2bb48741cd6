//! Short texts for people: ages, ids, exits. None contains a space, so that any tool can split the columns. Pure.

use criwatch::model::{Container, Kind, Pod, PodState, State, rfc3339};

use crate::text::{Look, Word};

/// The sign for a value that is unknown or does not apply.
pub const NOTHING: &str = "-";

/// How many digits of an id are shown, as in crictl.
const SHORT: usize = 13;

const SECOND: i64 = 1_000_000_000;

/// An id, shortened unless `whole` is set.
pub fn short_id(id: &str, whole: bool) -> Word {
    Word::new(if whole { id } else { id.get(..SHORT).unwrap_or(id) }, Look::Id)
}

/// A number with its noun: "1 pod", "2 pods".
pub fn number(count: usize, what: &str) -> String {
    if count == 1 { format!("{count} {what}") } else { format!("{count} {what}s") }
}

/// How long ago, in one or two units: 5s, 12m, 3h20m, 4d6h.
pub fn age(since: Option<i64>, now: i64) -> String {
    let Some(since) = since else { return NOTHING.into() };
    let seconds = (now - since).max(0) / SECOND;
    for (unit, length, below, smaller) in [("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)] {
        if seconds >= length {
            let (whole, rest) = (seconds / length, seconds % length);
            // The second unit is shown only while it is significant.
            let detail = whole < 10 && rest >= smaller;
            return if detail { format!("{whole}{unit}{}{below}", rest / smaller) } else { format!("{whole}{unit}") };
        }
    }
    format!("{seconds}s")
}

/// How long something took: 120ms, 5s, 3h20m.
pub fn span(from: i64, to: i64) -> String {
    let milliseconds = (to - from).max(0) / 1_000_000;
    if milliseconds < 1000 { format!("{milliseconds}ms") } else { age(Some(from), to) }
}

/// A time in UTC to the millisecond, always equally wide.
pub fn moment(time: i64) -> String {
    let whole = rfc3339(time.div_euclid(SECOND) * SECOND);
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), time.rem_euclid(SECOND) / 1_000_000)
}

/// A state; for a sandbox, that of its pod.
pub fn state(container: &Container) -> Word {
    let code = container.exit.as_ref().and_then(|exit| exit.code);
    match (container.kind, container.state) {
        (Kind::Sandbox, State::Running) => Word::new("ready", Look::Good),
        (Kind::Sandbox, State::Exited) => Word::new("notready", Look::Dim),
        (_, State::Running) => Word::new("running", Look::Good),
        (_, State::Created) => Word::new("created", Look::Caution),
        (_, State::Exited) => Word::new("exited", if code.unwrap_or(0) == 0 { Look::Dim } else { Look::Bad }),
        (_, other) => Word::new(other.word(), Look::Odd),
    }
}

/// The state of a pod.
pub fn pod_state(pod: &Pod) -> Word {
    match pod.state {
        PodState::Ready => Word::new("ready", Look::Good),
        PodState::NotReady => Word::new("notready", Look::Dim),
        _ => Word::new("unknown", Look::Odd),
    }
}

/// How it ended: OOMKilled(137), Completed(0), gone.
pub fn end(container: &Container) -> Word {
    match &container.exit {
        Some(exit) if container.state == State::Exited => exit_word(exit.code, &exit.reason),
        _ => Word::new(NOTHING, Look::Dim),
    }
}

/// A code and a reason as one word.
pub fn exit_word(code: Option<i32>, reason: &str) -> Word {
    if code.is_none() && reason.is_empty() {
        return Word::new(NOTHING, Look::Dim);
    }
    let is_bad = code.unwrap_or(0) != 0 || reason == "gone";
    let code = code.map(|code| format!("({code})")).unwrap_or_default();
    // The reason is the engine's text, and may contain spaces.
    let reason = if reason.is_empty() { "exit".to_owned() } else { reason.replace(char::is_whitespace, "_") };
    Word::new(format!("{reason}{code}"), if is_bad { Look::Bad } else { Look::Dim })
}

/// The pid, as long as the container runs.
pub fn pid(container: &Container) -> Option<i32> {
    container.pid.filter(|pid| *pid > 0 && container.state != State::Exited)
}

/// A value, or the sign for none.
pub fn or_nothing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.into(), |value| value.to_string())
}

/// A text, or the sign for none.
pub fn text_or_nothing(text: &str) -> &str {
    if text.is_empty() { NOTHING } else { text }
}

/// When the present state began, if that is known.
pub fn since(container: &Container) -> Option<i64> {
    let began = container.started_at.or(container.created_at);
    if container.state == State::Exited { container.finished_at.or(began) } else { began }
}

/// The number of restarts. A high number is highlighted.
pub fn restarts(attempt: u32) -> Word {
    Word::new(attempt.to_string(), if attempt > 0 { Look::Caution } else { Look::Plain })
}

/// Bytes in two or three digits: 512B, 1.5K, 128M, 2.1G (units of 1,024).
pub fn bytes(count: u64) -> String {
    let (mut value, mut unit) = (count as f64, "B");
    for larger in ["K", "M", "G", "T", "P"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" || value >= 9.95 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
}

/// A share of one CPU: 250m, 1.50.
pub fn cpus(share: f64) -> String {
    if share < 0.9995 { format!("{:.0}m", share * 1000.0) } else { format!("{share:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let now = 10_000_000 * SECOND;
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (599, "9m59s"),
            (600, "10m"),
            (3599, "59m"),
            (3600, "1h"),
            (3661, "1h1m"),
            (36_000, "10h"),
            (86_400, "1d"),
            (90_000, "1d1h"),
            (950_400, "11d"),
        ] {
            assert_eq!(age(Some(now - seconds * SECOND), now), expected);
        }
        assert_eq!((age(Some(now + SECOND), now), age(None, now)), ("0s".into(), "-".into()));
        assert_eq!((span(0, 7_000_000), span(0, 61 * SECOND)), ("7ms".into(), "1m1s".into()));
    }

    #[test]
    fn ends() {
        assert_eq!(exit_word(Some(0), "Completed"), Word::new("Completed(0)", Look::Dim));
        assert_eq!(exit_word(Some(137), "OOMKilled"), Word::new("OOMKilled(137)", Look::Bad));
        assert_eq!(exit_word(None, "gone"), Word::new("gone", Look::Bad));
        assert_eq!(exit_word(None, "").text, "-");
        assert_eq!(exit_word(Some(3), "").text, "exit(3)");
        assert_eq!(exit_word(Some(3), "an odd reason").text, "an_odd_reason(3)");
    }

    #[test]
    fn times_are_as_wide_as_any_other() {
        assert_eq!(moment(1_700_000_000 * SECOND + 7_000_000), "2023-11-14T22:13:20.007Z");
    }

    #[test]
    fn sizes() {
        let expected =
            [(0, "0B"), (999, "999B"), (1536, "1.5K"), (1023 << 10, "1.0M"), (128 << 20, "128M"), (9 << 30, "9.0G")];
        for (count, text) in expected {
            assert_eq!(bytes(count), text, "{count}");
        }
        assert_eq!(
            (cpus(0.0), cpus(0.25), cpus(0.9999), cpus(1.5)),
            ("0m".into(), "250m".into(), "1.00".into(), "1.50".into())
        );
    }
}
