//! The layout of the header's structs, as a C compiler sees it.

use super::c;

/// The structs that have a body, with their fields.
pub fn structs(header: &str) -> Vec<(String, Vec<String>)> {
    let code = c::without_comments(header);
    let bodies = code.split("typedef struct ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(" {")?;
        let (body, _) = rest.split_once('}').filter(|_| !name.contains(';'))?;
        let fields = body.split(';').filter_map(|field| field.trim().rsplit([' ', '*']).next());
        Some((name.to_owned(), fields.filter(|f| !f.is_empty()).map(str::to_owned).collect()))
    });
    bodies.collect()
}

/// A C program that prints the layout, line by line, as the golden files have it.
pub fn program(header: &str) -> String {
    let mut body = String::new();
    for (name, fields) in structs(header) {
        if fields.first().is_none_or(|field| field != "struct_size") {
            // Programs make these, or see arrays of them: their size is promised, too.
            body += &format!("printf(\"{name}: fixed size %zu\\n\", sizeof({name}));\n");
        }
        for field in fields {
            body += &format!(
                "printf(\"{name}.{field}: offset %zu, size %zu\\n\", offsetof({name}, {field}), \
                 sizeof((({name} *)0)->{field}));\n"
            );
        }
    }
    format!("#include <criwatch.h>\n#include <stdio.h>\nint main(void) {{\n{body}return 0;\n}}\n")
}
