//! What the opaque pointers of the header point to. Every object begins with a number for its type, so a function can
//! refuse a pointer to an object of another type, which C allows after a cast.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::arguments::{given, invalid};
use crate::error::Result;

/// An object behind an opaque pointer. Its type registers itself with `opaque!`.
#[repr(C)]
pub(super) struct Handle<T> {
    /// The number of the type. It comes first, where a record has its size, which is never one of these numbers.
    magic: u64,
    /// The object. It is boxed, so that the handles of all types have the same size.
    object: Box<T>,
}

/// The number of a C type: its name, hashed with FNV-1a. Two C types may have the same Rust type behind them, so the
/// Rust type cannot tell them apart.
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
    /// The Rust type of the object.
    type Object: 'static;
    /// The name of the type in C.
    const NAME: &'static str;
    /// The number that handles of this type begin with.
    const MAGIC: u64 = magic_of(Self::NAME);

    /// Wraps a handle.
    fn from_handle(handle: Handle<Self::Object>) -> Self;
    /// The handle.
    fn handle(&self) -> &Handle<Self::Object>;
    /// Unwraps the handle.
    fn into_handle(self) -> Handle<Self::Object>;

    /// Wraps an object, to be passed to C.
    fn new(object: Self::Object) -> Self {
        const { assert!(Self::MAGIC > u32::MAX as u64, "no record is as large") };
        Self::from_handle(Handle { magic: Self::MAGIC, object: Box::new(object) })
    }

    /// The object; `None` if the pointer is to an object of another type.
    #[inline]
    fn get(&self) -> Option<&Self::Object> {
        let handle = self.handle();
        // Check the number first: an object of another type has no such `object` field.
        if handle.magic == Self::MAGIC { Some(&handle.object) } else { None }
    }

    /// Takes an object back from C. `None` if the pointer is to an object of another type, which is not changed.
    fn take(this: repr_c::Box<Self>) -> Option<Self::Object> {
        if this.get().is_none() {
            std::mem::forget(this);
            return None;
        }
        let this: Box<Self> = this.into();
        Some(*this.into_handle().object)
    }
}

/// The object behind a handle. For NULL and for a handle of another type, returns an error that names the parameter.
pub(super) fn held<'a, T: Opaque>(handle: Option<&'a T>, parameter: &str) -> Result<&'a T::Object> {
    let another =
        || invalid(format!("{parameter} does not point to a {}, but to another object (was it cast?)", T::NAME));
    given(handle, parameter)?.get().ok_or_else(another)
}

/// Takes an object back from C. `None` for NULL, and for a handle of another type, which is not changed.
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
