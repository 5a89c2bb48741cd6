//! Where engines may appear, and when to look for them again.

use std::time::Duration;

use super::folders::Folders;
use super::survey::Survey;

/// An engine makes its socket before it answers: how many looks follow soon, and how soon the first.
pub(super) const EAGER: u32 = 6;
const SOON: Duration = Duration::from_millis(100);

/// All places that the last survey looked at.
#[derive(Debug, Default)]
pub struct Places {
    folders: Folders,
    eager: u32,
}

impl Places {
    /// Watches all places of this survey. Has to be called in a runtime.
    pub fn watch(&mut self, survey: &Survey) {
        self.folders.watch(survey.places.clone());
    }

    /// Waits until a socket was made.
    pub async fn made(&mut self) {
        self.folders.made().await;
        self.eager = EAGER;
    }

    /// Waits until the next look, for `interval` at most. Returns whether a socket was made lately.
    pub async fn wait(&mut self, interval: Duration) -> bool {
        let wait = pause(&mut self.eager, interval);
        let is_made = tokio::time::timeout(wait, self.folders.made()).await.is_ok();
        if is_made {
            self.eager = EAGER;
        }
        is_made || wait < interval
    }
}

/// The pause before the next look: short and growing after a socket was made.
pub(super) fn pause(eager: &mut u32, interval: Duration) -> Duration {
    let Some(left) = eager.checked_sub(1) else {
        return interval;
    };
    let wait = SOON * 2u32.pow(EAGER - *eager);
    *eager = left;
    wait.min(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer() {
        let mut eager = 3;
        let interval = Duration::from_secs(2);
        let waits: Vec<_> = (0..5).map(|_| pause(&mut eager, interval).as_millis()).collect();
        assert_eq!(waits, [800, 1600, 2000, 2000, 2000]);
    }
}
