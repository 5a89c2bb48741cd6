//! What the opaque pointers of the header point at. All of it has one shape, so that a pointer to an object of another
//! type, which C lets through as soon as somebody casts, can be reported from the right one.

#![forbid(unsafe_code)]

use std::sync::Arc;

use safer_ffi::prelude::*;

use super::error::Failure;
use super::guard::{given, invalid};
use super::options::Options;
use super::packer::Rucksack;
use super::queue::Queue;
use super::raw::callback::Thread;
use super::watcher::Watched;
use super::{cri_error, cri_event_queue, cri_options, cri_rucksack, cri_snapshot, cri_subscription, cri_watcher};
use crate::error::Result;
use crate::portfolio::Snapshot;

/// An object behind an opaque pointer.
#[repr(C)]
pub(super) struct Handle {
    /// A record has its size in this place, which is no such number.
    magic: u64,
    object: Object,
}

const MAGIC: u64 = u64::from_be_bytes(*b"criwatch");

enum Object {
    Error(Failure),
    Options(Options),
    Watcher(Watched),
    Snapshot(Arc<Snapshot>),
    Subscription(Thread),
    Queue(Queue),
    Rucksack(Rucksack),
}

/// A type of the header, whose pointers stand for an object.
pub(super) trait Opaque: Sized {
    /// What it is in Rust.
    type Object;
    /// What C calls it.
    const NAME: &'static str;
    /// The object, for C.
    fn new(object: Self::Object) -> Self;
    /// The object; `None` where the pointer is one to something else.
    fn get(&self) -> Option<&Self::Object>;
    /// The object, which C gives back; `None`, and nothing happens, where the pointer is one to something else.
    fn take(this: repr_c::Box<Self>) -> Option<Self::Object>;
}

/// What a handle stands for; NULL and a handle of another type are errors that name the parameter.
pub(super) fn held<'a, T: Opaque>(handle: Option<&'a T>, parameter: &str) -> Result<&'a T::Object> {
    let another = || invalid(format!("{parameter} is no {}, but something else (was it cast?)", T::NAME));
    given(handle, parameter)?.get().ok_or_else(another)
}

/// What C gives back; `None` where that is NULL, or a handle of another type, to which nothing happens.
pub(super) fn taken<T: Opaque>(handle: Option<repr_c::Box<T>>) -> Option<T::Object> {
    handle.and_then(T::take)
}

macro_rules! opaque {
    ($($name:ident: $variant:ident($object:ty)),* $(,)?) => { $(
        impl Opaque for $name {
            type Object = $object;
            const NAME: &'static str = stringify!($name);

            fn new(object: $object) -> Self {
                $name { handle: Handle { magic: MAGIC, object: Object::$variant(object) } }
            }

            fn get(&self) -> Option<&$object> {
                // First of all: what a record has in the other place is no Object.
                if self.handle.magic != MAGIC {
                    return None;
                }
                match &self.handle.object {
                    Object::$variant(object) => Some(object),
                    _ => None,
                }
            }

            fn take(this: repr_c::Box<Self>) -> Option<$object> {
                if this.get().is_none() {
                    std::mem::forget(this);
                    return None;
                }
                let this: Box<Self> = this.into();
                match this.handle.object {
                    Object::$variant(object) => Some(object),
                    _ => None,
                }
            }
        }
    )* };
}

opaque! {
    cri_error: Error(Failure),
    cri_options: Options(Options),
    cri_watcher: Watcher(Watched),
    cri_snapshot: Snapshot(Arc<Snapshot>),
    cri_subscription: Subscription(Thread),
    cri_event_queue: Queue(Queue),
    cri_rucksack: Rucksack(Rucksack),
}
