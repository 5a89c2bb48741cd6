//! Parses /proc/PID/stat. Pure.

/// The fields of /proc/PID/stat that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The state as one letter, see proc_pid_stat(5).
    pub state: char,
    /// How many threads it has. The first thread may have ended while others are alive.
    pub threads: u32,
    /// When it began, in clock ticks since boot.
    pub start_ticks: u64,
    /// The wait status, if the process has ended and nobody has waited for it yet; `None` also without the right to
    /// trace it.
    pub exit_status: Option<i32>,
}

impl Stat {
    /// Whether all its threads have ended, and nobody has waited for it yet.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

/// Field 22 of /proc/PID/stat. The second field, the command, may contain spaces and parentheses.
pub(super) fn parse_start_ticks(stat: &str) -> Option<u64> {
    let (_, after_command) = stat.rsplit_once(')')?;
    after_command.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Fields 3, 20, 22 and 52. The last one has existed since Linux 3.5.
pub(super) fn parse_stat(stat: &str) -> Option<Stat> {
    let (_, after_command) = stat.rsplit_once(')')?;
    let mut fields = after_command.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let threads = fields.nth(16)?.parse().ok()?;
    let start_ticks = fields.nth(1)?.parse().ok()?;
    let exit_status = fields.nth(29).and_then(|status| status.parse().ok());
    Some(Stat { state, threads, start_ticks, exit_status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0";
        assert_eq!(parse_start_ticks(stat), Some(4711));
        let all = format!("{stat}{} 256\n", " 0".repeat(28));
        let parsed = Stat { state: 'S', threads: 1, start_ticks: 4711, exit_status: Some(256) };
        assert_eq!(parse_stat(&all), Some(parsed));
        let zombie = stat.replacen(" S ", " Z ", 1);
        assert!(parse_stat(&zombie).unwrap().has_ended(), "a zombie");
        let first_of_two = zombie.replacen(" 20 0 1 0 ", " 20 0 2 0 ", 1);
        assert!(!parse_stat(&first_of_two).unwrap().has_ended(), "only its first thread has ended");
        assert_eq!(parse_start_ticks("7 (x"), None);
    }
}
