//! containerd's registrar: one id per name, one name per id.

use std::collections::HashMap;

use super::{Error, Result};
use crate::pb;

#[derive(Debug, Default)]
pub struct Names {
    by_name: HashMap<String, String>,
    by_id: HashMap<String, String>,
}

impl Names {
    pub fn reserve(&mut self, name: &str, id: &str) -> Result<()> {
        match self.by_name.get(name) {
            Some(owner) if owner != id => Err(Error::unknown(format!("name {name:?} is reserved for {owner:?}"))),
            _ => {
                self.by_name.insert(name.to_owned(), id.to_owned());
                self.by_id.insert(id.to_owned(), name.to_owned());
                Ok(())
            }
        }
    }

    pub fn release(&mut self, id: &str) {
        if let Some(name) = self.by_id.remove(id) {
            self.by_name.remove(&name);
        }
    }
}

/// The name that containerd's makeSandboxName makes.
pub fn of_sandbox(m: &pb::PodSandboxMetadata) -> String {
    format!("{}_{}_{}_{}", m.name, m.namespace, m.uid, m.attempt)
}

/// The name that containerd's makeContainerName makes.
pub fn of_container(c: &pb::ContainerMetadata, s: &pb::PodSandboxMetadata) -> String {
    format!("{}_{}_{}_{}_{}", c.name, s.name, s.namespace, s.uid, c.attempt)
}
