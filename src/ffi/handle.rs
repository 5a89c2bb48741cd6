//! What the header's opaque pointers point at. Every object has the same shape, so that a function can tell a pointer to
//! an object of another type, which C lets through after a cast, from the right one.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::arguments::{given, invalid};
use crate::error::Result;

/// An object behind an opaque pointer. Its type registers itself with `opaque!`.
#[repr(C)]
pub(super) struct Handle<T> {
    /// The type's own number, which comes first: a record begins with its size, which is none of these numbers.
    magic: u64,
    /// Behind a pointer, so that a handle of any type is as large as another.
    object: Box<T>,
}

/// A number for each C type, because two may have the same Rust type behind them: its name, hashed (FNV-1a).
const fn magic_of(name: &str) -> u64 {
    let (mut hash, mut at) = (u64::from_be_bytes(*b"criwatch"), 0);
    while at < name.len() {
        hash = (hash ^ name.as_bytes()[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

/// A type of the header whose pointers stand for an object.
pub(super) trait Opaque: Sized + 'static {
    /// What it is in Rust.
    type Object: 'static;
    /// What C calls it.
    const NAME: &'static str;
    /// What its handles begin with.
    const MAGIC: u64 = magic_of(Self::NAME);

    /// Wraps a handle.
    fn from_handle(handle: Handle<Self::Object>) -> Self;
    /// The handle.
    fn handle(&self) -> &Handle<Self::Object>;
    /// Unwraps the handle.
    fn into_handle(self) -> Handle<Self::Object>;

    /// The object, for C.
    fn new(object: Self::Object) -> Self {
        const { assert!(Self::MAGIC > u32::MAX as u64, "no record is as large") };
        Self::from_handle(Handle { magic: Self::MAGIC, object: Box::new(object) })
    }

    /// The object; `None` if the pointer is one to something else.
    #[inline]
    fn get(&self) -> Option<&Self::Object> {
        let handle = self.handle();
        // This comes first: what is of another type has something else in the place of `object`.
        if handle.magic == Self::MAGIC { Some(&handle.object) } else { None }
    }

    /// The object, which C gives back; `None`, and nothing happens, if the pointer is one to something else.
    fn take(this: repr_c::Box<Self>) -> Option<Self::Object> {
        if this.get().is_none() {
            std::mem::forget(this);
            return None;
        }
        let this: Box<Self> = this.into();
        Some(*this.into_handle().object)
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

/// Registers a struct `NAME { handle: Handle<OBJECT> }` of the header, with the Rust type behind it.
macro_rules! opaque {
    ($name:ident: $object:ty) => {
        impl $crate::ffi::handle::Opaque for $name {
            type Object = $object;
            const NAME: &'static str = stringify!($name);

            fn from_handle(handle: $crate::ffi::handle::Handle<$object>) -> Self {
                $name { handle }
            }

            fn handle(&self) -> &$crate::ffi::handle::Handle<$object> {
                &self.handle
            }

            fn into_handle(self) -> $crate::ffi::handle::Handle<$object> {
                self.handle
            }
        }
    };
}

pub(super) use opaque;
