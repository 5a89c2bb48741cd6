//! Waits for many processes with one descriptor.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::Process;

/// How many ended processes are returned at a time.
const BATCH: usize = 64;

/// The place of a process in a [`Set`]. Places are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(u64);

/// A set of processes that are waited for. They share one epoll descriptor, which is made for the first. Closed on
/// exec.
///
/// Each process is reported twice: when its last thread ends, and when its parent has waited for it. If both happen
/// before a look, it is reported once.
#[derive(Debug, Default)]
pub struct Set {
    epoll: Option<OwnedFd>,
    held: HashMap<Place, Process>,
    added: u64,
}

impl Set {
    /// An empty set, without a descriptor.
    pub fn new() -> Self {
        Set::default()
    }

    /// The descriptor to poll for POLLIN; `None` before the first process. It never changes.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.epoll.as_ref().map(AsFd::as_fd)
    }

    /// How many processes there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there are no processes.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Adds a process. Errors: EMFILE if no descriptor is left, ENOSPC if the user's epoll watches are used up.
    pub fn add(&mut self, process: Process) -> io::Result<Place> {
        let epoll = match &self.epoll {
            Some(epoll) => epoll,
            None => self.epoll.insert(make()?),
        };
        self.added += 1;
        let events = (libc::EPOLLIN | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event { events, u64: self.added };
        // SAFETY: two open descriptors, and an event of ours that the kernel copies.
        if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, process.as_raw_fd(), &mut event) } < 0 {
            return Err(io::Error::last_os_error());
        }
        self.held.insert(Place(self.added), process);
        Ok(Place(self.added))
    }

    /// The process at this place.
    pub fn get(&self, place: Place) -> Option<&Process> {
        self.held.get(&place)
    }

    /// Removes a process. Its descriptor is closed when the result is dropped.
    pub fn remove(&mut self, place: Place) -> Option<Process> {
        let process = self.held.remove(&place)?;
        if let Some(epoll) = &self.epoll {
            // SAFETY: two open descriptors. A failure would mean that it is not in the set, which is what is wanted.
            unsafe {
                libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, process.as_raw_fd(), std::ptr::null_mut())
            };
        }
        Some(process)
    }

    /// The places of processes that have ended, at most 64 of them; empty if there are no more. Does not block.
    pub fn woken(&mut self) -> Vec<Place> {
        let Some(epoll) = &self.epoll else {
            return Vec::new();
        };
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
        // SAFETY: an array of ours that is as long as it says; no waiting.
        let got = unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), BATCH as libc::c_int, 0) };
        let got = usize::try_from(got).unwrap_or_default();
        events[..got].iter().map(|event| Place(event.u64)).filter(|place| self.held.contains_key(place)).collect()
    }
}

fn make() -> io::Result<OwnedFd> {
    // SAFETY: integers only.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
