//! A place for a value that is derived from an immutable one, and made at most once.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A value that is derived from another and kept with it: its JSON, or its C view. It is not part of that other value:
/// a clone starts without it, and comparisons ignore it.
#[derive(Default)]
pub struct Memo(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Memo {
    /// The derived value, made by `make` at the first call. Every caller has to ask for the same type.
    pub fn get_or_init<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let kept = self.0.get_or_init(|| make()).clone();
        kept.downcast().unwrap_or_else(|_| panic!("a memo keeps one type, {}", std::any::type_name::<T>()))
    }
}

impl Memo {
    /// As [`Memo::get_or_init`], without another reference count.
    pub fn get_ref<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> Arc<T>) -> &T {
        let kept = self.0.get_or_init(|| make());
        kept.downcast_ref().unwrap_or_else(|| panic!("a memo keeps one type, {}", std::any::type_name::<T>()))
    }
}

impl Clone for Memo {
    fn clone(&self) -> Self {
        Memo::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}
