//! The way in which a process ended.

/// How a process ended, from its wait status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exit {
    /// The code as engines write it: what the process gave to `exit`, or 128 and the signal's number.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel wrote a core file.
    pub core: bool,
}

impl Exit {
    /// Decodes a wait status. The exit codes of engines are not wait statuses.
    pub fn of_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Exit { code: status >> 8 & 0xff, signal: None, core: false },
            signal => Exit { code: 128 + signal, signal: Some(signal), core: status & 0x80 != 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_the_kernel_gives_a_wait_status_and_engines_a_code() {
        let of = Exit::of_status;
        assert_eq!(of(0), Exit { code: 0, signal: None, core: false });
        assert_eq!(of(42 << 8), Exit { code: 42, signal: None, core: false });
        assert_eq!(of(255 << 8), Exit { code: 255, signal: None, core: false });
        assert_eq!(of(9), Exit { code: 137, signal: Some(9), core: false });
        assert_eq!(of(11 | 0x80), Exit { code: 139, signal: Some(11), core: true });
    }
}
