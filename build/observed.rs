//! The messages that the watcher reads, as it reads them: generated from the published contract, with the same wire.
//!
//! Engines do not check that strings are UTF-8, and one bad byte in one label would make a whole list undecodable. Here
//! every `string` is `bytes`, every map of strings is a list of pairs, and the items of a message are kept as bytes, so
//! that each is decoded on its own. Beside each type stands what it takes in memory: `src/cri/weight.rs`.

use std::collections::BTreeSet;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use protox::prost_reflect::prost_types;

/// The package of the result; its file in OUT_DIR is named after it.
pub const PACKAGE: &str = "observed";

/// The messages that are read. Everything that these refer to is kept, too.
const ROOTS: &[&str] = &[
    "VersionResponse",
    "StatusResponse",
    "ListContainersResponse",
    "ListPodSandboxResponse",
    "StreamContainersResponse",
    "StreamPodSandboxesResponse",
    "ContainerStatusResponse",
    "PodSandboxStatusResponse",
    "ContainerEventResponse",
];

/// Fields whose items are decoded one by one.
const ITEMS: &[(&str, &str, &str)] = &[
    ("ListContainersResponse", "containers", "Container"),
    ("ListPodSandboxResponse", "items", "PodSandbox"),
    ("StreamContainersResponse", "containers", "Container"),
    ("StreamPodSandboxesResponse", "pod_sandboxes", "PodSandbox"),
    ("ContainerEventResponse", "pod_sandbox_status", "PodSandboxStatus"),
    ("ContainerEventResponse", "containers_statuses", "ContainerStatus"),
];

/// The field of statuses that is read as a map; other lists of pairs are labels.
const INFORMATION: &str = "info";

/// One entry of a map of strings.
const PAIR: &str = "Pair";

/// The contract's messages in this form.
pub fn descriptors(published: &FileDescriptorSet) -> FileDescriptorSet {
    let file = published.file.first().expect("proto/api.proto is one file");
    let wanted = reachable(file);
    let messages = file.message_type.iter().filter(|m| wanted.contains(m.name())).map(message);
    FileDescriptorSet {
        file: vec![FileDescriptorProto {
            name: Some(format!("{PACKAGE}.proto")),
            package: Some(PACKAGE.into()),
            syntax: file.syntax.clone(),
            message_type: messages.chain([pair()]).collect(),
            enum_type: file.enum_type.clone(),
            ..Default::default()
        }],
    }
}

/// The messages whose texts and undecoded items share the memory of the message they came in, for the generator. In a pair that
/// would take more memory than a copy of texts as short as labels are.
pub fn sharing(observed: &FileDescriptorSet) -> impl Iterator<Item = String> {
    let messages = observed.file.iter().flat_map(|file| &file.message_type);
    messages.filter(|m| m.name() != PAIR).map(|m| format!(".{PACKAGE}.{}", m.name()))
}

/// Rust code that says of each type what it takes in memory: implementations of `weight::Shaped`.
pub fn shapes(observed: &FileDescriptorSet) -> String {
    observed.file.iter().flat_map(|file| &file.message_type).map(shape).collect()
}

fn shape(message: &DescriptorProto) -> String {
    let name = rust_name(message.name());
    let parts: String = message.field.iter().filter_map(|field| part(message, field)).collect();
    format!(
        "impl super::weight::Shaped for {name} {{\n    const SHAPE: super::weight::Shape =\n        \
         super::weight::Shape {{ size: size_of::<{name}>(), parts: &[{parts}] }};\n}}\n"
    )
}

/// What an occurrence of this field takes, if that is more than its place in the message.
fn part(message: &DescriptorProto, field: &FieldDescriptorProto) -> Option<String> {
    let shape = |name: &str| format!("&<{} as super::weight::Shaped>::SHAPE", rust_name(name));
    let is_item = |(of, name, _): &&(&str, &str, &str)| *of == message.name() && *name == field.name();
    let is_list = field.label() == Label::Repeated;
    let part = match (field.r#type(), ITEMS.iter().find(is_item)) {
        (_, Some((.., item))) => format!("Item({})", shape(item)),
        (Type::Bytes, None) if is_list => "Texts".to_owned(),
        (Type::Bytes, None) => "Text".to_owned(),
        (Type::Message, None) => {
            let name = field.type_name().rsplit('.').next().unwrap_or_default();
            let kind = match (is_list, field.name()) {
                (false, _) => "One",
                (true, INFORMATION) => "Map",
                (true, _) => "Many",
            };
            format!("{kind}({})", shape(name))
        }
        _ if is_list => "Numbers(8)".to_owned(),
        _ => return None,
    };
    Some(format!("({}, super::weight::Part::{part}), ", field.number()))
}

/// The name that the generator gives a message: `PodIP` is `PodIp`.
fn rust_name(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let is_upper = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(char::is_ascii_uppercase);
    let is_lower = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
    let inside_capitals = |at: usize| is_upper(at.checked_sub(1)) && !is_lower(at + 1);
    letters.iter().enumerate().map(|(at, c)| if inside_capitals(at) { c.to_ascii_lowercase() } else { *c }).collect()
}

fn reachable(file: &FileDescriptorProto) -> BTreeSet<&str> {
    let mut open: Vec<&str> = ROOTS.iter().chain(ITEMS.iter().map(|(.., item)| item)).copied().collect();
    let mut wanted = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !wanted.insert(name) {
            continue;
        }
        let message = file.message_type.iter().find(|m| m.name() == name);
        let message = message.unwrap_or_else(|| panic!("proto/api.proto has no message {name}"));
        let fields = message.field.iter().chain(message.nested_type.iter().flat_map(|nested| &nested.field));
        open.extend(fields.filter(|f| f.r#type() == Type::Message).filter_map(|f| top_level(f.type_name())));
    }
    wanted
}

/// `.runtime.v1.Mount` is `Mount`; types inside messages (map entries) come with their message.
fn top_level(type_name: &str) -> Option<&str> {
    type_name.strip_prefix(".runtime.v1.").filter(|name| !name.contains('.'))
}

fn message(published: &DescriptorProto) -> DescriptorProto {
    let mut message = published.clone();
    let maps: Vec<_> = published.nested_type.iter().filter(|n| is_string_map(n)).map(|n| n.name()).collect();
    message.nested_type.retain(|nested| !maps.contains(&nested.name()));
    for field in message.field.iter_mut().chain(message.nested_type.iter_mut().flat_map(|n| &mut n.field)) {
        let is_item = |(of, name, _): &&(&str, &str, &str)| *of == published.name() && *name == field.name();
        if ITEMS.iter().any(|item| is_item(&item)) || field.r#type() == Type::String {
            field.set_type(Type::Bytes);
            field.type_name = None;
            continue;
        }
        let Some(name) = field.type_name.as_deref().and_then(|name| name.strip_prefix(".runtime.v1.")) else {
            continue;
        };
        let is_map = name.rsplit_once('.').is_some_and(|(of, entry)| of == published.name() && maps.contains(&entry));
        field.type_name = Some(if is_map { format!(".{PACKAGE}.{PAIR}") } else { format!(".{PACKAGE}.{name}") });
    }
    message
}

fn is_string_map(nested: &DescriptorProto) -> bool {
    nested.options.as_ref().is_some_and(|o| o.map_entry()) && nested.field.iter().all(|f| f.r#type() == Type::String)
}

fn pair() -> DescriptorProto {
    let field = |name: &str, number| {
        let mut field = FieldDescriptorProto { name: Some(name.into()), number: Some(number), ..Default::default() };
        field.set_type(Type::Bytes);
        field.set_label(Label::Optional);
        field
    };
    DescriptorProto { name: Some(PAIR.into()), field: vec![field("key", 1), field("value", 2)], ..Default::default() }
}
