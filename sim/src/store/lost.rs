//! Lost ids: containers that exist but are not shown, because an engine could not load them or forgot them for a while.

use super::{Store, full_id};

impl Store {
    pub fn lose(&mut self, id: &str) {
        if let Some(container) = self.containers.remove(id) {
            self.lost_containers.insert(id.to_owned(), container);
        } else if let Some(sandbox) = self.sandboxes.remove(id) {
            self.lost_sandboxes.insert(id.to_owned(), sandbox);
        }
    }

    /// Shows a lost id again, and returns the whole id. `None`: no lost id begins with this prefix.
    pub fn find(&mut self, prefix: &str) -> Option<String> {
        if let Ok(id) = full_id(&self.lost_containers, prefix) {
            self.containers.extend(self.lost_containers.remove_entry(&id));
            return Some(id);
        }
        let id = full_id(&self.lost_sandboxes, prefix).ok()?;
        self.sandboxes.extend(self.lost_sandboxes.remove_entry(&id));
        Some(id)
    }
}
