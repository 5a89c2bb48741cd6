//! What every entry has in common: a status, an error object, no panic, and outputs that are written last.

#![forbid(unsafe_code)]

use super::arguments::given;
use super::handle::Opaque;
use super::panics::caught;
use super::{cri_buffer, cri_error};
use crate::error::{CRI_NONE, CRI_OK, Result, Status};
use crate::model::SharedText;

/// Runs one fallible entry: returns its status, and always writes `err`.
pub(super) fn entry(err: Option<&mut *mut cri_error>, body: impl FnOnce() -> Result<Status>) -> Status {
    let (status, error) = match caught(body) {
        Ok(status) => (status, std::ptr::null_mut()),
        Err(error) => (error.status(), cri_error::into_raw_if(err.is_some(), error)),
    };
    if let Some(err) = err {
        *err = error;
    }
    status
}

/// Runs an entry that has no output.
pub(super) fn run(err: Option<&mut *mut cri_error>, body: impl FnOnce() -> Result<()>) -> Status {
    entry(err, || body().map(|()| CRI_OK))
}

/// Runs an entry that fills a buffer. The buffer is empty after an error: whatever it held is overwritten.
pub(super) fn fill<T: Into<SharedText>>(
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<T>,
) -> Status {
    fill_if(out, err, || body().map(Some))
}

/// Runs an entry that fills a buffer, or has nothing to put there.
pub(super) fn fill_if<T: Into<SharedText>>(
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<Option<T>>,
) -> Status {
    entry(err, || {
        let out = given(out, "out")?;
        *out = cri_buffer::EMPTY;
        Ok(match body()? {
            Some(text) => {
                *out = cri_buffer::new(text.into());
                CRI_OK
            }
            None => CRI_NONE,
        })
    })
}

/// Runs an entry that makes an object.
pub(super) fn make<T: Opaque>(
    out: Option<&mut *mut T>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<T::Object>,
) -> Status {
    run(err, || {
        let out = given(out, "out")?;
        *out = Box::into_raw(Box::new(T::new(body()?)));
        Ok(())
    })
}

/// Makes an object like `make`, where there may be nothing to give.
pub(super) fn make_if<T: Opaque>(
    out: Option<&mut *mut T>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<Option<T::Object>>,
) -> Status {
    entry(err, || {
        let out = given(out, "out")?;
        let Some(object) = body()? else {
            return Ok(CRI_NONE);
        };
        *out = Box::into_raw(Box::new(T::new(object)));
        Ok(CRI_OK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CRI_E_PANIC;

    #[test]
    fn panics_become_a_status_and_leave_outputs_alone() {
        let mut out = cri_buffer::EMPTY;
        let mut err = std::ptr::null_mut();
        assert_eq!(fill::<SharedText>(Some(&mut out), Some(&mut err), || panic!("on purpose {}", 7)), CRI_E_PANIC);
        assert!(out.data.is_null());
        let error = super::super::raw::test_take(err);
        assert_eq!(error.get().unwrap().error.message(), "a defect in criwatch, please report it: on purpose 7");
    }

    #[test]
    fn err_is_written_on_success_too() {
        let mut err = std::ptr::dangling_mut();
        assert_eq!(run(Some(&mut err), || Ok(())), CRI_OK);
        assert!(err.is_null());
    }
}
