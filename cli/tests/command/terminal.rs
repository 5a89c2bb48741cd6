//! On a terminal: what fits, colours, and `top` with its keys.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::sim::Sim;
use crate::support::*;

/// A command whose stdin and stdout are a terminal.
struct OnTerminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    seen: String,
    shown: vt100::Parser,
}

impl OnTerminal {
    fn start(words: &[&str], columns: u16, environment: &[(&str, &str)]) -> OnTerminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let mut command = bare(words);
        command.env("TERM", "xterm-256color").envs(environment.iter().copied());
        command.stdin(terminal.try_clone().unwrap()).stdout(terminal).stderr(Stdio::inherit());
        let child = command.spawn().unwrap();
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().unwrap();
        let (to, output) = channel();
        // It ends with an error when nobody has the terminal open any more.
        std::thread::spawn(move || {
            let mut portion = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut portion) {
                if to.send(portion[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        drop(command);
        OnTerminal { child, keyboard, output, seen: String::new(), shown: vt100::Parser::new(24, columns, 0) }
    }

    /// Waits until the terminal shows this.
    fn until(&mut self, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shown.screen().contents().contains(wanted) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => {
                    self.shown.process(&bytes);
                    self.seen.push_str(&String::from_utf8_lossy(&bytes));
                }
                Err(error) => panic!("{error}: {wanted:?} is not in\n{}", self.shown.screen().contents()),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What was sent up to its end, and its exit code.
    fn end(mut self) -> (String, i32) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let mut seen = std::mem::take(&mut self.seen);
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        (seen, code)
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tables_fit_and_have_colours() {
    let (sim, _) = node();
    let words = ["ps", "-a", "-r", sim.endpoint()];
    for columns in [40, 80, 120] {
        let (seen, code) = OnTerminal::start(&words, columns, &[("NO_COLOR", "1")]).end();
        assert_eq!(code, 0);
        assert!(seen.lines().all(|line| line.trim_end().chars().count() <= usize::from(columns)), "{seen}");
        assert!(!seen.contains('\x1b'), "{seen:?}");
    }
    let (seen, _) = OnTerminal::start(&words, 80, &[]).end();
    assert!(seen.contains("\x1b[32mrunning\x1b[0m") && seen.contains("\x1b[31mexited\x1b[0m"), "{seen:?}");
    let (seen, _) = OnTerminal::start(&words, 80, &[("TERM", "dumb")]).end();
    assert!(!seen.contains('\x1b'), "{seen:?}");
    // JSON is indented there.
    let (seen, _) = OnTerminal::start(&["ps", "-o", "json", "-r", sim.endpoint()], 80, &[]).end();
    assert!(seen.contains("\n  \"schema\": \"criwatch.containers/1\""), "{seen:?}");
}

#[test]
fn top_follows_and_takes_keys() {
    let (mut sim, _) = node();
    let mut top = OnTerminal::start(&["top", "-r", sim.endpoint()], 120, &[]);
    top.until("shop/web");
    top.until("proxy");
    assert!(top.seen.contains("\x1b[?1049h"), "the alternate screen");
    sim.tell("kill proxy KILL").unwrap();
    top.until("Error(137)");
    top.press("?");
    top.until("any key: back");
    top.press("x");
    top.until("1-6 of 6");
    top.press("/store\r");
    top.until("/store   1-2 of 2");
    top.press("j\r");
    top.until("Name        data/db/store");
    top.until("esc: back");
    top.press("q");
    top.until("POD / CONTAINER");
    top.press("q");
    let (seen, code) = top.end();
    assert_eq!(code, 0);
    assert!(seen.contains("\x1b[?1049l"), "the screen is as it was: {seen:?}");
}

#[test]
fn top_leaves_the_terminal_clean_when_it_is_ended() {
    let sim = Sim::start(&[]).unwrap();
    for (signal, expected) in [("TERM", 143), ("HUP", 143)] {
        let mut top = OnTerminal::start(&["top", "-r", sim.endpoint()], 80, &[]);
        top.until("nothing to show");
        let pid = top.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let (seen, code) = top.end();
        assert_eq!(code, expected);
        assert!(seen.contains("\x1b[?1049l"), "{seen:?}");
    }
    let mut top = OnTerminal::start(&["top", "-r", sim.endpoint()], 80, &[]);
    top.until("nothing to show");
    top.press("\x03");
    assert_eq!(top.end().1, 130);
}

#[test]
fn an_engine_that_is_lost_is_told_in_the_head() {
    let (mut sim, _) = node();
    let mut top = OnTerminal::start(&["top", "-r", sim.endpoint()], 120, &[]);
    top.until("shop/web");
    sim.tell("down").unwrap();
    top.until("engine lost, retrying");
    sim.tell("up").unwrap();
    top.until("(event stream)");
    top.press("q");
    assert_eq!(top.end().1, 0);
}
