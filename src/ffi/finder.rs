//! Engines of the node
//!
//! A node may have several engines: the cluster's, Docker's own containerd beside it, engines inside containers.
//! cri_engines_discover finds them once. A finder follows them as they come and go, so that a program can keep a
//! watcher for each. Both use the options host.root, connect.timeout_ms, discover.nested, discover.interval_ms and
//! engine.id.

#![forbid(unsafe_code)]

use std::sync::Arc;

use safer_ffi::prelude::*;

use super::arguments::{given, timeout};
use super::guard::{entry, fill, make};
use super::handle::{Handle, Opaque, held, opaque, taken};
use super::options::config;
use super::panics::infallible;
use super::{cri_buffer, cri_error, cri_options};
use crate::error::*;
use crate::model::json::engine_news;
use crate::model::{CRI_ENGINE_CHANGED, CRI_ENGINE_FOUND, CRI_ENGINE_LOST, JsonText};
use crate::watcher::{EngineNews, Finder, NextEngine, engines};

/// Finds the engines of a node, and reports when they come and go.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_finder {
    handle: Handle<Arc<Finder>>,
}

opaque!(cri_finder: Arc<Finder>);

/// Finds every engine of the node, the best one first: the one that the kubelet uses, then engines with sandboxes, then
/// the others, by the strength of the evidence. It asks all of them at once. A socket that cannot be used is listed,
/// too, with the error.
///
/// @param options the options; NULL: the defaults
/// @param timeout_ms how long to wait for all of them, in milliseconds; below 0, or above the option
/// connect.timeout_ms: as long as that option says; 0: 1 millisecond
/// @param out receives JSON, "criwatch.engines/1"; free with cri_buffer_free
/// @return CRI_OK, also if there is no engine; CRI_E_OPTION for a host.root that is no directory; CRI_E_OS;
/// CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms, and while it reads files of the host; makes a thread for that time.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_engines_discover(
    options: Option<&cri_options>,
    timeout_ms: i64,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || discover(options, timeout_ms))
}

fn discover(options: Option<&cri_options>, timeout_ms: i64) -> Result<JsonText> {
    Ok(engines(&config(options)?, timeout(timeout_ms))?.json())
}

/// Makes a finder, which begins to look for engines in the background.
///
/// @param options the options; NULL: the defaults
/// @param out receives the finder; free with cri_finder_free
/// @return CRI_OK; CRI_E_OPTION for a host.root that is no directory; CRI_E_OS if the system refuses a thread or a
/// descriptor; CRI_E_INVALID_ARGUMENT
/// @note Does not wait for an engine. O(1); makes one thread ("cri-find").
#[ffi_export]
#[must_use]
pub extern "C" fn cri_finder_new(
    options: Option<&cri_options>,
    out: Option<&mut *mut cri_finder>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    make(out, err, || Ok(Arc::new(Finder::new(config(options)?)?)))
}

/// Returns a descriptor for poll and epoll. It is readable exactly while cri_finder_next would not return CRI_AGAIN.
/// It belongs to the finder: never read or close it.
///
/// @param finder the finder; NULL: -1
/// @return the descriptor
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_finder_fd(finder: Option<&cri_finder>) -> i32 {
    infallible(-1, || finder.and_then(Opaque::get).map_or(-1, |finder| finder.fd()))
}

/// Takes the next news. The finder reports engines that answer, each by its endpoint. It does not report an engine that
/// comes and goes before the program takes the news, so news never overflow.
///
/// @param finder the finder
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param type receives CRI_ENGINE_FOUND, CRI_ENGINE_CHANGED or CRI_ENGINE_LOST
/// @param endpoint receives the endpoint for cri_watcher_new, as text; free with cri_buffer_free
/// @param out receives JSON, "criwatch.engineNews/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_AGAIN if there is no news within timeout_ms; CRI_CLOSED if no more will come, because the
/// finder was freed; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms. cri_finder_free ends the wait. O(number of engines).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_finder_next(
    finder: Option<&cri_finder>,
    timeout_ms: i64,
    r#type: Option<&mut u32>,
    endpoint: Option<&mut cri_buffer>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    entry(err, || next(finder, timeout_ms, (r#type, endpoint, out)))
}

type Outputs<'a> = (Option<&'a mut u32>, Option<&'a mut cri_buffer>, Option<&'a mut cri_buffer>);

fn next(finder: Option<&cri_finder>, timeout_ms: i64, (to, endpoint, out): Outputs<'_>) -> Result<Status> {
    let (endpoint, out) = (given(endpoint, "endpoint")?, given(out, "out")?);
    (*endpoint, *out) = (cri_buffer::EMPTY, cri_buffer::EMPTY);
    let to = given(to, "type")?;
    // Held, not borrowed: a free in another thread ends this wait.
    let finder = held(finder, "finder")?.clone();
    let (news_type, candidate) = match finder.next(timeout(timeout_ms))? {
        NextEngine::News(EngineNews::Found(candidate)) => (CRI_ENGINE_FOUND, candidate),
        NextEngine::News(EngineNews::Changed(candidate)) => (CRI_ENGINE_CHANGED, candidate),
        NextEngine::News(EngineNews::Lost(candidate)) => (CRI_ENGINE_LOST, candidate),
        NextEngine::Again => return Ok(CRI_AGAIN),
        NextEngine::Closed => return Ok(CRI_CLOSED),
    };
    *to = news_type;
    *endpoint = cri_buffer::new(String::from(&*candidate.api).into());
    *out = cri_buffer::new(engine_news(news_type, &candidate).into());
    Ok(CRI_OK)
}

/// Stops and frees a finder.
///
/// @param finder the finder; NULL: does nothing; in a forked child it is leaked on purpose
/// @note Waits for the finder's thread to end, which does not wait for an engine. A cri_finder_next that waits in
/// another thread returns CRI_CLOSED.
#[ffi_export]
pub extern "C" fn cri_finder_free(finder: Option<repr_c::Box<cri_finder>>) {
    infallible((), || taken::<cri_finder>(finder).map_or((), free))
}

fn free(finder: Arc<Finder>) {
    if finder.is_forked() {
        return std::mem::forget(finder);
    }
    finder.stop();
}
