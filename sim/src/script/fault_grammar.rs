//! The grammar of `fault`. Pure.

use std::time::Duration;

use tonic::Code;

use super::language;
use super::values::{number, time};
use crate::faults::{EventFault, Hostility, LeftOut, StreamEnd};

#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    Stall(bool),
    Slow(Duration),
    Mute(bool),
    NotInitialized(Option<Code>),
    NotServed(bool),
    WithholdHeaders(bool),
    SilentEvents(bool),
    PartialLists(bool),
    Hostile(Option<Hostility>),
    Event(EventFault),
    Replay(usize),
    EndStreams(StreamEnd),
    /// The step, in ns.
    ClockStep(i64),
}

pub fn parse(words: &[&str]) -> Result<Fault, String> {
    if words.first().is_none_or(|name| language::fault(name).is_none()) {
        return Err(usage(words));
    }
    Ok(match words {
        ["stall", on] => Fault::Stall(switch(on)?),
        ["slow", "off"] => Fault::Slow(Duration::ZERO),
        ["slow", by] => Fault::Slow(time(by)?),
        ["mute", on] => Fault::Mute(switch(on)?),
        ["not-initialized", code] => Fault::NotInitialized(refusal(code)?),
        ["not-served", on] => Fault::NotServed(switch(on)?),
        ["withhold-headers", on] => Fault::WithholdHeaders(switch(on)?),
        ["silent-events", on] => Fault::SilentEvents(switch(on)?),
        ["partial-lists", on] => Fault::PartialLists(switch(on)?),
        ["hostile", how] => Fault::Hostile(hostility(how)?),
        ["drop-events", n] => Fault::Event(EventFault::Drop(number(n)?)),
        ["duplicate-events", on] => Fault::Event(EventFault::Duplicate(switch(on)?)),
        ["reorder-events", on] => Fault::Event(EventFault::Reorder(switch(on)?)),
        ["statusless", on] => Fault::Event(EventFault::Statusless(left_out(on)?)),
        ["replay", n] => Fault::Replay(number(n)?),
        ["break-stream"] => Fault::EndStreams(StreamEnd::Error),
        ["end-stream"] => Fault::EndStreams(StreamEnd::Ok),
        ["clock-step", by] => Fault::ClockStep(step(by)?),
        _ => return Err(usage(words)),
    })
}

fn usage(words: &[&str]) -> String {
    let name = words.first().copied().unwrap_or_default();
    match language::fault(name) {
        Some(entry) => format!("usage: {}", entry.usage),
        None => format!("unknown fault {name:?}: see --help"),
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?}: want on or off")),
    }
}

fn left_out(text: &str) -> Result<LeftOut, String> {
    match text {
        "on" => Ok(LeftOut::All),
        "sandbox" => Ok(LeftOut::Sandbox),
        "off" => Ok(LeftOut::Nothing),
        other => Err(format!("{other:?}: want on, sandbox or off")),
    }
}

fn refusal(text: &str) -> Result<Option<Code>, String> {
    match text {
        "unknown" => Ok(Some(Code::Unknown)),
        "unavailable" => Ok(Some(Code::Unavailable)),
        "off" => Ok(None),
        other => Err(format!("{other:?}: want unknown, unavailable or off")),
    }
}

fn hostility(text: &str) -> Result<Option<Hostility>, String> {
    Ok(Some(match text {
        "garbage" => Hostility::Garbage,
        "wrong-types" => Hostility::WrongTypes,
        "huge" => Hostility::Huge,
        "flood" => Hostility::Flood,
        "endless-lists" => Hostility::EndlessLists,
        "deep" => Hostility::Deep,
        "ids" => Hostility::Ids,
        "labels" => Hostility::Labels,
        "wide" => Hostility::Wide,
        "empty-entries" => Hostility::EmptyEntries,
        "small-entries" => Hostility::SmallEntries,
        "off" => return Ok(None),
        other => return Err(format!("{other:?} is no hostility: see --help")),
    }))
}

fn step(text: &str) -> Result<i64, String> {
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => (-1, size),
        None => (1, text.trim_start_matches('+')),
    };
    let nanos = i64::try_from(time(size)?.as_nanos()).map_err(|_| format!("{text:?} is too long"))?;
    Ok(sign * nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_language_is_understood() {
        for entry in language::FAULTS.entries {
            let words: Vec<&str> = entry.usage.split(' ').skip(1).collect();
            let choices = words.get(1).map_or("", |w| w.split('|').next().unwrap_or_default());
            let argument = match choices {
                "N" => "3",
                "TIME" => "50ms",
                "[-]TIME" => "-1h",
                "HOW" => "off",
                other => other,
            };
            let spoken: Vec<&str> = [words[0], argument].into_iter().filter(|w| !w.is_empty()).collect();
            assert!(parse(&spoken).is_ok(), "{spoken:?}");
        }
    }

    #[test]
    fn every_hostility_of_the_language_is_one_of_its_own() {
        let mut seen = Vec::new();
        for entry in language::HOSTILITIES.entries {
            let words: Vec<&str> = entry.usage.split(' ').skip(1).collect();
            let fault = parse(&words).unwrap_or_else(|e| panic!("{words:?}: {e}"));
            assert!(matches!(fault, Fault::Hostile(Some(_))) && !seen.contains(&fault), "{words:?}: {fault:?}");
            seen.push(fault);
        }
    }

    #[test]
    fn faults_and_refusals() {
        assert_eq!(parse(&["clock-step", "-1h"]), Ok(Fault::ClockStep(-3_600_000_000_000)));
        assert_eq!(parse(&["drop-events", "3"]), Ok(Fault::Event(EventFault::Drop(3))));
        assert_eq!(parse(&["not-initialized", "unavailable"]), Ok(Fault::NotInitialized(Some(Code::Unavailable))));
        assert_eq!(parse(&["stall"]), Err("usage: fault stall on|off".into()));
        assert_eq!(parse(&["gravity"]), Err("unknown fault \"gravity\": see --help".into()));
        assert!(parse(&["stall", "maybe"]).unwrap_err().contains("maybe"));
    }
}
