//! The grammar of `fault`. Pure.

use std::time::Duration;

use tonic::Code;

use super::values::{number, time};
use crate::faults::{EventFault, Hostility, LeftOut, StreamEnd};

/// The faults, for --help and the README.
pub const HELP: &str = "\
fault stall on|off                          all calls hang until it is off
fault slow TIME|off                         all calls are answered later
fault mute on|off                           connections are accepted, but nothing is read or written
fault not-initialized unknown|unavailable|off
                                            all calls are refused with this code, as while the engine starts
fault not-served on|off                     all calls are refused, as by a containerd without its CRI plugin
fault withhold-headers on|off               GetContainerEvents sends no headers, even when events come
fault silent-events on|off                  event streams open with headers, and no event comes
fault partial-lists on|off                  a streamed list fails after its first batch
fault drop-events N                         the next N events are lost
fault duplicate-events on|off               each event is sent twice
fault reorder-events on|off                 events are swapped in pairs
fault statusless on|sandbox|off             events without the statuses of containers and sandbox, or of the sandbox
fault replay N                              the last N events are sent again, unchanged
fault break-stream                          all event streams end with an error
fault end-stream                            all event streams end with OK
fault clock-step [-]TIME                    the engine's clock jumps
fault hostile garbage|wrong-types|huge|flood|endless-lists|deep|wide|ids|labels|empty-entries|small-entries|off
                                            some answers are hostile: no protocol buffers, or wrong ones; a message of
                                            81 MiB; events of new containers without end; a streamed list without
                                            end; JSON nested a million times, or with a million objects; odd ids; a
                                            million labels; a list of 20 million empty entries; one of 40,000
                                            containers with hardly more than an id";

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
    /// In ns.
    ClockStep(i64),
}

pub fn parse(words: &[&str]) -> Result<Fault, String> {
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
    match HELP.lines().find(|l| l.split_whitespace().nth(1) == Some(name)) {
        Some(line) => format!("usage: {}", line.split("  ").next().unwrap_or(line)),
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
    fn every_fault_of_the_help_is_understood() {
        for line in HELP.lines().filter(|l| l.starts_with("fault ")) {
            let usage = line.split("  ").next().unwrap();
            let words: Vec<&str> = usage.split(' ').skip(1).collect();
            let choices = words.get(1).map_or("", |w| w.split('|').next().unwrap_or_default());
            let argument = match choices {
                "N" => "3",
                "TIME" => "50ms",
                "[-]TIME" => "-1h",
                other => other,
            };
            let spoken: Vec<&str> = [words[0], argument].into_iter().filter(|w| !w.is_empty()).collect();
            assert!(parse(&spoken).is_ok(), "{spoken:?}");
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
