//! Replaces `json` in a build without the feature `call`.

use super::wire::Rpc;
use crate::config::Config;
use crate::error::{CRI_E_UNSUPPORTED, Error, Result};
use crate::model::JsonText;

/// A call. This build has none.
#[derive(Debug, Clone)]
pub enum Call {}

impl Call {
    /// Always an error: this build cannot make calls.
    pub fn new(method: &str, _request: Option<&str>, _config: &Config) -> Result<Call> {
        let message = format!("call {method}: this build of criwatch has no calls (build it with the feature `call`)");
        Err(Error::new(CRI_E_UNSUPPORTED, message))
    }

    /// Never reached.
    pub fn rpc(&self) -> Rpc {
        match *self {}
    }

    /// Never reached.
    pub fn reply(&self, _bytes: &[u8]) -> Result<JsonText> {
        match *self {}
    }
}

/// Nothing: this build has no JSON of the engine's messages.
pub fn as_json(_message: &str, _value: &impl prost::Message) -> Result<Option<serde_json::Value>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_calls_says_so() {
        let e = Call::new("RuntimeService/Status", None, &Config::default()).unwrap_err();
        assert_eq!(e.status(), CRI_E_UNSUPPORTED);
        assert!(e.message().contains("RuntimeService/Status") && e.message().contains("feature `call`"), "{e}");
    }
}
