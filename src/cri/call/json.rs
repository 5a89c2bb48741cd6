//! Requests from JSON, and replies to JSON: the canonical JSON of protocol buffers, fields with their defaults
//! included.

use prost::Message;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions, Value};

use super::repair;
use super::rpcs;
use super::weight;
use super::wire::Rpc;
use crate::config::Config;
use crate::cri::redact_environment;
use crate::cri::weight::heavy_json;
use crate::error::{CRI_E_INTERNAL, CRI_E_INVALID_ARGUMENT, CRI_E_PROTOCOL, Error, Result};
use crate::model::JsonText;

/// One call: the request, and how to read the reply.
#[derive(Debug, Clone)]
pub struct Call {
    rpc: Rpc,
    reply: MessageDescriptor,
    show_env: bool,
}

impl Call {
    /// A call of an RPC such as `RuntimeService/Status`, with this request in JSON (`None` or empty: an empty request).
    pub fn new(method: &str, request: Option<&str>, config: &Config) -> Result<Call> {
        let descriptor = rpcs::find(method, config.call_allow_mutations)?;
        let name = rpcs::name(&descriptor);
        let path = format!("/{}/{}", descriptor.parent_service().full_name(), descriptor.name());
        let path = path.parse().map_err(|e| Error::new(CRI_E_INTERNAL, format!("{path}: {e}")))?;
        let request = message(&name, descriptor.input(), request.unwrap_or_default())?.encode_to_vec();
        let rpc = Rpc { name, path, request };
        Ok(Call { rpc, reply: descriptor.output(), show_env: config.call_show_env })
    }

    /// The request, as it goes over the wire.
    pub fn rpc(&self) -> Rpc {
        self.rpc.clone()
    }

    /// The engine's reply as JSON.
    pub fn reply(&self, bytes: &[u8]) -> Result<JsonText> {
        let name = &self.rpc.name;
        if let Some(why) = weight::refusal(&self.reply, bytes) {
            return Err(Error::new(CRI_E_PROTOCOL, format!("{name}: the engine's reply: {why}")));
        }
        let mut reply = decode(self.reply.clone(), bytes)
            .map_err(|e| Error::new(CRI_E_PROTOCOL, format!("{name}: the engine's reply cannot be decoded: {e}")))?;
        if !self.show_env {
            redact_info(&mut reply);
        }
        let mut text = Vec::new();
        reply.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &canonical()).map_err(|e| {
            Error::new(CRI_E_PROTOCOL, format!("{name}: the engine's reply cannot be written as JSON: {e}"))
        })?;
        Ok(JsonText::from(String::from_utf8(text).expect("JSON is UTF-8")))
    }
}

/// Decodes a reply. Engines do not check that their strings are UTF-8, so a reply with bad bytes is repaired first.
fn decode(descriptor: MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, prost::DecodeError> {
    DynamicMessage::decode(descriptor.clone(), bytes).or_else(|e| match repair::strings(&descriptor, bytes) {
        Some(repaired) => DynamicMessage::decode(descriptor, &*repaired),
        None => Err(e),
    })
}

/// One message of the contract, e.g. a `ContainerStatus`, in the same JSON as replies have.
pub fn as_json(message: &str, value: &impl Message) -> Result<Option<serde_json::Value>> {
    let broken =
        |e: &dyn std::fmt::Display| Error::new(CRI_E_PROTOCOL, format!("{message}: it cannot be written as JSON: {e}"));
    let (descriptor, bytes) = (rpcs::message(message)?, value.encode_to_vec());
    if let Some(why) = weight::refusal(&descriptor, &bytes) {
        return Err(broken(&why));
    }
    let dynamic = decode(descriptor, &bytes).map_err(|e| broken(&e))?;
    let json = dynamic.serialize_with_options(serde_json::value::Serializer, &canonical()).map_err(|e| broken(&e))?;
    Ok(Some(json))
}

fn canonical() -> SerializeOptions {
    SerializeOptions::new().skip_default_fields(false)
}

fn message(name: &str, descriptor: MessageDescriptor, json: &str) -> Result<DynamicMessage> {
    if json.trim().is_empty() {
        return Ok(DynamicMessage::new(descriptor));
    }
    let refuse = |e: serde_json::Error| {
        let field = field_at(json, &e);
        let place = if field.is_empty() { String::new() } else { format!(" at {field:?}") };
        let message = format!("call {name}: the request is no {}{place}: {e}", descriptor.name());
        Error::new(CRI_E_INVALID_ARGUMENT, message)
    };
    let mut text = serde_json::Deserializer::from_str(json);
    let options = DeserializeOptions::new();
    let message = DynamicMessage::deserialize_with_options(descriptor.clone(), &mut text, &options).map_err(refuse)?;
    text.end().map_err(refuse)?;
    Ok(message)
}

/// The keys on the path to the error, e.g. `filter.state`. The error itself has only the position.
fn field_at(json: &str, error: &serde_json::Error) -> String {
    let line_starts = json.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let end = (line_starts + error.column()).min(json.len());
    // Holds one key for each open brace; brackets have none.
    let mut keys: Vec<String> = Vec::new();
    let mut word = None;
    let mut bytes = json.as_bytes()[..end].iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let mut length = 0;
                while let Some((_, byte)) = bytes.next().filter(|(_, byte)| **byte != b'"') {
                    length += 1;
                    if *byte == b'\\' && bytes.next().is_some() {
                        length += 1;
                    }
                }
                word = Some(String::from_utf8_lossy(&json.as_bytes()[at + 1..][..length]).into_owned());
            }
            b':' => {
                if let (Some(key), Some(word)) = (keys.last_mut(), word.take()) {
                    *key = word;
                }
            }
            b'{' | b'[' => keys.push(String::new()),
            // If reading stopped here, the value that has just ended is the bad one, so its key stays.
            b'}' | b']' if at + 1 < end => drop(keys.pop()),
            _ => {}
        }
    }
    keys.retain(|key| !key.is_empty());
    keys.join(".")
}

/// Redacts the verbose `info` of a reply. Its values are JSON texts that engines make in their own ways, and contain
/// the values of environment variables.
fn redact_info(reply: &mut DynamicMessage) {
    let Some(Value::Map(info)) = reply.get_field_by_name_mut("info") else {
        return;
    };
    for text in info.values_mut() {
        let Value::String(text) = text else { continue };
        if let Some(why) = heavy_json(text) {
            *text = why;
            continue;
        }
        let Ok(plain) = serde_json::from_str::<serde_json::Value>(text) else { continue };
        let mut redacted = plain.clone();
        redact_environment(&mut redacted);
        // A text without environment variables stays as the engine wrote it.
        if redacted != plain {
            *text = redacted.to_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cri::proto;

    fn call(method: &str, request: &str) -> Result<Call> {
        Call::new(method, Some(request), &Config::default())
    }

    #[test]
    fn requests_are_read_by_both_spellings_of_their_fields() {
        for request in [
            r#"{"filter":{"podSandboxId":"x","state":{"state":"CONTAINER_RUNNING"}}}"#,
            r#"{"filter":{"pod_sandbox_id":"x","state":{"state":1}}}"#,
        ] {
            let bytes = call("RuntimeService/ListContainers", request).unwrap().rpc().request;
            let filter = proto::ListContainersRequest::decode(&*bytes).unwrap().filter.unwrap();
            assert_eq!((&*filter.pod_sandbox_id, filter.state.unwrap().state), ("x", 1));
        }
        for nothing in [None, Some(""), Some(" \n"), Some("{}")] {
            let call = Call::new("RuntimeService/Status", nothing, &Config::default()).unwrap();
            assert!(call.rpc().request.is_empty());
            assert_eq!(call.rpc().path, "/runtime.v1.RuntimeService/Status");
        }
    }

    #[test]
    fn a_bad_request_names_the_field() {
        for (request, named) in [
            (r#"{"filter":{"id":7}}"#, "filter.id"),
            (r#"{"filter":{"labelSelector":{"a":"b"},"podSandboxId":[]}}"#, "filter.podSandboxId"),
            (r#"{"filters":{}}"#, "filters"),
            ("{\"filter\":\n{\"state\":\n{\"state\":\"RUNS\"}}}", "filter.state.state"),
            ("[1]", "ListContainersRequest"),
            ("nonsense", "ListContainersRequest"),
            ("{} {}", "ListContainersRequest"),
            ("{", "ListContainersRequest"),
        ] {
            let e = call("RuntimeService/ListContainers", request).unwrap_err();
            assert_eq!(e.status(), CRI_E_INVALID_ARGUMENT);
            assert!(e.message().contains(named), "{request}: {e}");
        }
    }

    fn reply(message: &impl Message, method: &str, config: &Config) -> serde_json::Value {
        let call = Call::new(method, None, config).unwrap();
        serde_json::from_str(call.reply(&message.encode_to_vec()).unwrap().as_str()).unwrap()
    }

    #[test]
    fn replies_are_canonical_and_have_their_defaults() {
        let container = proto::Container { id: "x".into(), created_at: 1 << 60, ..Default::default() };
        let observation = proto::ListContainersResponse { containers: vec![container] };
        let json = reply(&observation, "RuntimeService/ListContainers", &Config::default());
        let container = &json["containers"][0];
        assert_eq!(container["createdAt"], "1152921504606846976", "64 bits are a text in proto JSON");
        assert_eq!((&container["state"], &container["imageRef"]), (&json!("CONTAINER_CREATED"), &json!("")));
        assert_eq!(container["labels"], json!({}));
        let broken = call("RuntimeService/ListContainers", "").unwrap().reply(&[0xff]).unwrap_err();
        assert_eq!(broken.status(), CRI_E_PROTOCOL);
    }

    #[test]
    fn a_reply_with_bad_bytes_is_repaired() {
        let container = proto::Container {
            id: "x".into(),
            labels: [("key".to_owned(), "BAD".to_owned()), ("good".to_owned(), "1".to_owned())].into(),
            metadata: Some(proto::ContainerMetadata { name: "BAD".into(), attempt: 3 }),
            ..Default::default()
        };
        let mut bytes = proto::ListContainersResponse { containers: vec![container] }.encode_to_vec();
        while let Some(at) = bytes.windows(3).position(|w| w == b"BAD") {
            bytes[at..at + 3].copy_from_slice(b"a\xff\xfe");
        }
        let call = call("RuntimeService/ListContainers", "").unwrap();
        let json: serde_json::Value = serde_json::from_str(call.reply(&bytes).unwrap().as_str()).unwrap();
        let container = &json["containers"][0];
        assert_eq!(
            (&container["metadata"]["name"], &container["labels"]["key"]),
            (&json!("a\u{fffd}\u{fffd}"), &json!("a\u{fffd}\u{fffd}"))
        );
        assert_eq!((&container["metadata"]["attempt"], &container["labels"]["good"]), (&json!(3), &json!("1")));
    }

    #[test]
    fn environment_values_are_hidden_unless_asked_for() {
        let info = [
            ("info".to_owned(), r#"{"runtimeSpec":{"process":{"env":["TOKEN=s3cret"]}},"pid":7}"#.to_owned()),
            ("plain".to_owned(), "no JSON".to_owned()),
            ("kept".to_owned(), r#"{ "z":1, "a":2 }"#.to_owned()),
        ];
        let observation = proto::ContainerStatusResponse { info: info.into(), ..Default::default() };
        let mut config = Config::default();
        let json = reply(&observation, "RuntimeService/ContainerStatus", &config);
        assert!(!json.to_string().contains("s3cret"), "{json}");
        assert!(json["info"]["info"].as_str().unwrap().contains("\"pid\":7"));
        assert_eq!((&json["info"]["plain"], &json["info"]["kept"]), (&json!("no JSON"), &json!(r#"{ "z":1, "a":2 }"#)));
        config.set("call.show_env", "true").unwrap();
        assert!(reply(&observation, "RuntimeService/ContainerStatus", &config).to_string().contains("s3cret"));
    }
}
