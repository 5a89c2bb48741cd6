//! A .proto file as a set of facts (names, numbers, types), and what two such sets differ in.

use std::collections::BTreeMap;
use std::fmt;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};
use protox::file::{File, FileResolver};

/// The statements of a contract, without comments, options and the order of things.
pub struct Contract(BTreeMap<String, Fact>);

/// A statement of the contract about one subject, such as "message Mount, field 1".
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    /// The statement, as the .proto has it.
    text: String,
    /// The part of it that the wire shows: where only the rest changes, old and new can read each other.
    wire: String,
}

/// One subject of which two contracts say different things.
#[derive(Debug)]
pub struct Difference {
    subject: String,
    ours: Option<Fact>,
    published: Option<Fact>,
}

impl Contract {
    /// The facts of a .proto file that imports nothing (both published releases are such files).
    pub fn parse(text: &str) -> Result<Contract, protox::Error> {
        let mut compiler = protox::Compiler::with_file_resolver(OneFile(text.to_owned()));
        compiler.open_file(OneFile::NAME)?;
        let mut facts = Facts::default();
        compiler.file_descriptor_set().file.iter().for_each(|file| facts.file(file));
        Ok(Contract(facts.0))
    }

    /// Everything of which the two say different things.
    pub fn differences(&self, published: &Contract) -> Vec<Difference> {
        let mut subjects: Vec<_> = self.0.keys().chain(published.0.keys()).collect();
        subjects.sort();
        subjects.dedup();
        subjects
            .into_iter()
            .filter(|subject| self.0.get(*subject) != published.0.get(*subject))
            .map(|subject| Difference {
                subject: subject.clone(),
                ours: self.0.get(subject).cloned(),
                published: published.0.get(subject).cloned(),
            })
            .collect()
    }

    /// How much there is of what, as a text.
    pub fn counts(&self) -> String {
        let count = |kind: &str, part: &str| {
            self.0
                .keys()
                .filter(|s| s.starts_with(kind) && s.contains(", ") != part.is_empty() && s.contains(part))
                .count()
        };
        format!(
            "{} services, {} methods, {} messages, {} fields, {} enums, {} values",
            count("service ", ""),
            count("service ", ", method "),
            count("message ", ""),
            count("message ", ", field "),
            count("enum ", ""),
            count("enum ", ", value "),
        )
    }
}

impl Difference {
    /// Whether one would misread the other. What only one of them has is skipped by the other.
    pub fn breaks_the_wire(&self) -> bool {
        matches!((&self.ours, &self.published), (Some(a), Some(b)) if a.wire != b.wire)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |fact: &Option<Fact>| match fact {
            Some(fact) if fact.text.is_empty() => "present".to_owned(),
            Some(fact) => fact.text.clone(),
            None => "absent".to_owned(),
        };
        let effect = if self.breaks_the_wire() { " (breaks the wire)" } else { "" };
        write!(f, "{}: ours {}; published {}{effect}", self.subject, text(&self.ours), text(&self.published))
    }
}

/// The differences, one line each; of many in one enum or message only the first is shown.
pub fn digest(differences: &[Difference]) -> String {
    const SHOWN: usize = 5;
    let whole = |d: &Difference| d.subject.split(", ").next().unwrap_or_default().to_owned();
    let mut lines = String::new();
    for group in differences.chunk_by(|a, b| whole(a) == whole(b)) {
        let shown = if group.len() > SHOWN { &group[..1] } else { group };
        shown.iter().for_each(|d| lines += &format!("  {d}\n"));
        if shown.len() < group.len() {
            lines += &format!("  {}: {} more of this kind\n", whole(&group[0]), group.len() - shown.len());
        }
    }
    lines
}

/// Serves the compiler the one text it may open; an import is an error that names it.
struct OneFile(String);

impl OneFile {
    const NAME: &str = "api.proto";
}

impl FileResolver for OneFile {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == Self::NAME { File::from_source(name, &self.0) } else { Err(protox::Error::file_not_found(name)) }
    }
}

#[derive(Default)]
struct Facts(BTreeMap<String, Fact>);

impl Facts {
    fn add(&mut self, subject: String, text: String, wire: String) {
        // An enum may give one number several names.
        let fact = self.0.entry(subject).or_insert(Fact { text: String::new(), wire });
        let comma = if fact.text.is_empty() { "" } else { ", " };
        fact.text += &format!("{comma}{text}");
    }

    fn file(&mut self, file: &FileDescriptorProto) {
        self.add("syntax".into(), file.syntax().into(), file.syntax().into());
        self.add("package".into(), file.package().into(), file.package().into());
        let scope = format!(".{}", file.package());
        file.message_type.iter().for_each(|m| self.message(&scope, m));
        file.enum_type.iter().for_each(|e| self.enumeration(&scope, e));
        file.service.iter().for_each(|s| self.service(s));
    }

    fn message(&mut self, scope: &str, message: &DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        self.add(format!("message {name}"), String::new(), String::new());
        for field in &message.field {
            let subject = format!("message {name}, field {}", field.number());
            let oneof = field.oneof_index.filter(|_| !field.proto3_optional());
            let oneof = oneof.map_or(String::new(), |i| format!(" in oneof {}", message.oneof_decl[i as usize].name()));
            let shape = Shape::of(field, &name, message);
            self.add(subject, format!("{} {}{oneof}", shape.text, field.name()), shape.wire);
        }
        for range in &message.reserved_range {
            let subject = format!("message {name}, reserved {}..{}", range.start(), range.end());
            self.add(subject, String::new(), String::new());
        }
        for word in &message.reserved_name {
            self.add(format!("message {name}, reserved {word}"), String::new(), String::new());
        }
        // A map's entries come with its field.
        message.nested_type.iter().filter(|m| !is_map_entry(m)).for_each(|m| self.message(&name, m));
        message.enum_type.iter().for_each(|e| self.enumeration(&name, e));
    }

    fn enumeration(&mut self, scope: &str, enumeration: &EnumDescriptorProto) {
        let name = format!("{scope}.{}", enumeration.name());
        self.add(format!("enum {name}"), String::new(), String::new());
        for value in &enumeration.value {
            self.add(format!("enum {name}, value {}", value.number()), value.name().into(), String::new());
        }
    }

    fn service(&mut self, service: &ServiceDescriptorProto) {
        self.add(format!("service {}", service.name()), String::new(), String::new());
        for method in &service.method {
            let stream = |yes| if yes { "stream " } else { "" };
            let (asks, answers) = (stream(method.client_streaming()), stream(method.server_streaming()));
            let text = format!("({asks}{}) returns ({answers}{})", method.input_type(), method.output_type());
            self.add(format!("service {}, method {}", service.name(), method.name()), text.clone(), text);
        }
    }
}

/// A field's type and label.
struct Shape {
    text: String,
    wire: String,
}

impl Shape {
    fn of(field: &FieldDescriptorProto, scope: &str, message: &DescriptorProto) -> Shape {
        let entry = message
            .nested_type
            .iter()
            .find(|m| is_map_entry(m) && field.type_name() == format!("{scope}.{}", m.name()));
        if let Some(entry) = entry {
            let [key, value] = [0, 1].map(|i| Shape::of(&entry.field[i], scope, entry));
            return Shape {
                text: format!("map<{}, {}>", key.text, value.text),
                wire: format!("map<{}, {}>", key.wire, value.wire),
            };
        }
        let (text, wire) = match field.r#type() {
            Type::Message | Type::Group => (field.type_name().to_owned(), field.type_name().to_owned()),
            Type::Enum => (field.type_name().to_owned(), "varint".to_owned()),
            scalar => (scalar.as_str_name()["TYPE_".len()..].to_lowercase(), encoding(scalar).to_owned()),
        };
        match field.label() {
            Label::Repeated => Shape { text: format!("repeated {text}"), wire: format!("repeated {wire}") },
            _ if field.proto3_optional() => Shape { text: format!("optional {text}"), wire },
            _ => Shape { text, wire },
        }
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry())
}

/// Types of one encoding read each other's values.
fn encoding(scalar: Type) -> &'static str {
    match scalar {
        Type::String | Type::Bytes => "bytes",
        Type::Sint32 | Type::Sint64 => "zigzag",
        Type::Fixed32 | Type::Sfixed32 => "fixed32",
        Type::Fixed64 | Type::Sfixed64 => "fixed64",
        Type::Float => "float",
        Type::Double => "double",
        _ => "varint",
    }
}
