//! What the header's opaque pointers point at. Every object has the same shape, so that a function can tell a pointer to
//! an object of another type, which C lets through after a cast, from the right one.

#![forbid(unsafe_code)]

use std::any::Any;

use safer_ffi::prelude::*;

use super::arguments::{given, invalid};
use crate::error::Result;

/// An object behind an opaque pointer. Its type registers itself with `opaque!`.
#[repr(C)]
pub(super) struct Handle {
    /// Comes first: a record begins with its size, which is never this number.
    magic: u64,
    /// A `Held` of the opaque type.
    object: Box<dyn Any>,
}

const MAGIC: u64 = u64::from_be_bytes(*b"criwatch");

/// An object together with its C type: two C types may have the same Rust type behind them.
struct Held<T: Opaque>(T::Object);

/// A type of the header whose pointers stand for an object.
pub(super) trait Opaque: Sized + 'static {
    /// What it is in Rust.
    type Object: 'static;
    /// What C calls it.
    const NAME: &'static str;

    /// Wraps a handle.
    fn from_handle(handle: Handle) -> Self;
    /// The handle.
    fn handle(&self) -> &Handle;
    /// Unwraps the handle.
    fn into_handle(self) -> Handle;

    /// The object, for C.
    fn new(object: Self::Object) -> Self {
        Self::from_handle(Handle { magic: MAGIC, object: Box::new(Held::<Self>(object)) })
    }

    /// The object; `None` if the pointer is one to something else.
    fn get(&self) -> Option<&Self::Object> {
        let handle = self.handle();
        // This comes first: a record has something else in the place of `object`.
        if handle.magic != MAGIC {
            return None;
        }
        handle.object.downcast_ref::<Held<Self>>().map(|held| &held.0)
    }

    /// The object, which C gives back; `None`, and nothing happens, if the pointer is one to something else.
    fn take(this: repr_c::Box<Self>) -> Option<Self::Object> {
        if this.get().is_none() {
            std::mem::forget(this);
            return None;
        }
        let this: Box<Self> = this.into();
        this.into_handle().object.downcast::<Held<Self>>().ok().map(|held| held.0)
    }
}

/// The object behind a handle; NULL and a handle of another type are errors that name the parameter.
pub(super) fn held<'a, T: Opaque>(handle: Option<&'a T>, parameter: &str) -> Result<&'a T::Object> {
    let another = || invalid(format!("{parameter} is no {}, but something else (was it cast?)", T::NAME));
    given(handle, parameter)?.get().ok_or_else(another)
}

/// The object that C gives back; `None` for NULL, and for a handle of another type, which is left as it is.
pub(super) fn taken<T: Opaque>(handle: Option<repr_c::Box<T>>) -> Option<T::Object> {
    handle.and_then(T::take)
}

/// Registers a struct `NAME { handle: Handle }` of the header, with the Rust type behind it.
macro_rules! opaque {
    ($name:ident: $object:ty) => {
        impl $crate::ffi::handle::Opaque for $name {
            type Object = $object;
            const NAME: &'static str = stringify!($name);

            fn from_handle(handle: $crate::ffi::handle::Handle) -> Self {
                $name { handle }
            }

            fn handle(&self) -> &$crate::ffi::handle::Handle {
                &self.handle
            }

            fn into_handle(self) -> $crate::ffi::handle::Handle {
                self.handle
            }
        }
    };
}

pub(super) use opaque;
