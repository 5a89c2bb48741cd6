//! Reads one value of a configuration file: YAML, as kubelets, crictl, k3s and RKE2 use it, or JSON. Pure.

/// The text value of a top-level key in a YAML or JSON document; `None` if it is absent or empty. If the key occurs
/// several times, the last one counts.
///
/// It reads only the YAML that is needed: block mappings, comments, and plain and quoted values on one line. The error
/// says why the value is not known.
pub(super) fn top_level(text: &str, key: &str) -> Result<Option<String>, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        return in_json(text, key);
    }
    let mut found = None;
    for line in text.lines() {
        let Some(value) = value_of(line, key) else {
            continue;
        };
        found = scalar(value).map_err(|why| format!("{key}: {why}"))?;
    }
    Ok(found)
}

fn in_json(text: &str, key: &str) -> Result<Option<String>, String> {
    let document: serde_json::Value =
        serde_json::from_str(text).map_err(|e| format!("it begins as JSON and is none: {e}"))?;
    match &document[key] {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(value) => Ok(Some(value.clone()).filter(|v| !v.is_empty())),
        other => Ok(Some(other.to_string())),
    }
}

/// What follows `key:` in a line that begins with it; indented lines belong to other keys.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let quoted = |quote: char| line.strip_prefix(quote)?.strip_prefix(key)?.strip_prefix(quote);
    let rest = line.strip_prefix(key).or_else(|| quoted('"')).or_else(|| quoted('\''))?;
    let value = rest.trim_start_matches([' ', '\t']).strip_prefix(':')?;
    // `key:value` without a space is not a mapping.
    (value.is_empty() || value.starts_with([' ', '\t', '\r'])).then_some(value.trim())
}

fn scalar(value: &str) -> Result<Option<String>, &'static str> {
    let text = match value.chars().next() {
        None | Some('#') => String::new(),
        Some('"') => double_quoted(&value[1..])?,
        Some('\'') => single_quoted(&value[1..])?,
        Some('|' | '>') => return Err("a value of several lines is not read"),
        Some('&' | '*' | '!' | '[' | '{') => return Err("anchors, tags and collections are not read"),
        Some(_) => {
            let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
            let plain = value[..end].trim_end();
            if matches!(plain, "~" | "null" | "Null" | "NULL") { String::new() } else { plain.to_owned() }
        }
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn single_quoted(rest: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.peek() == Some(&'\'') => text.extend(chars.next()),
            '\'' => return Ok(text),
            c => text.push(c),
        }
    }
    Err("its quote does not end on the line")
}

fn double_quoted(rest: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(text),
            '\\' => match chars.next() {
                Some(c @ ('"' | '\\' | '/')) => text.push(c),
                _ => return Err("an escape that is not read"),
            },
            c => text.push(c),
        }
    }
    Err("its quote does not end on the line")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str) -> Result<Option<String>, String> {
        top_level(text, "containerRuntimeEndpoint")
    }

    #[test]
    fn spellings_of_one_value() {
        let want = Ok(Some("unix:///run/x.sock".to_owned()));
        for line in [
            "containerRuntimeEndpoint: unix:///run/x.sock",
            "containerRuntimeEndpoint:   unix:///run/x.sock   # why",
            "containerRuntimeEndpoint: \"unix:///run/x.sock\"",
            "containerRuntimeEndpoint: \"unix:\\/\\/\\/run/x.sock\" # why",
            "containerRuntimeEndpoint: 'unix:///run/x.sock'",
            "\"containerRuntimeEndpoint\": unix:///run/x.sock",
            "'containerRuntimeEndpoint' : unix:///run/x.sock",
            "containerRuntimeEndpoint: unix:///run/x.sock\r",
            "{\"kind\": \"KubeletConfiguration\", \"containerRuntimeEndpoint\": \"unix:///run/x.sock\"}",
            "\u{feff}containerRuntimeEndpoint: unix:///run/x.sock",
            "containerRuntimeEndpoint: unix:///old\ncontainerRuntimeEndpoint: unix:///run/x.sock",
        ] {
            assert_eq!(get(line), want, "{line}");
            let text = format!(
                "apiVersion: kubelet.config.k8s.io/v1beta1\nlogging:\n  flushFrequency: 0\n---\n{line}\nz: 1\n"
            );
            if !line.starts_with('{') && !line.starts_with('\u{feff}') {
                assert_eq!(get(&text), want, "{text}");
            }
        }
        assert_eq!(top_level("k: it's#1 'x'\n", "k"), Ok(Some("it's#1 'x'".into())));
        assert_eq!(top_level("k: 'it''s'\n", "k"), Ok(Some("it's".into())));
    }

    #[test]
    fn no_value() {
        for text in [
            "",
            "{}",
            "{\"containerRuntimeEndpoint\": null}",
            "{\"containerRuntimeEndpoint\": \"\"}",
            "kind: KubeletConfiguration\n",
            "containerRuntimeEndpoint:\n",
            "containerRuntimeEndpoint: \"\"\n",
            "containerRuntimeEndpoint: ''\n",
            "containerRuntimeEndpoint: ~\n",
            "containerRuntimeEndpoint: null # none\n",
            "containerRuntimeEndpoint: # unix:///x\n",
            "# containerRuntimeEndpoint: unix:///x\n",
            "nested:\n  containerRuntimeEndpoint: unix:///x\n",
            "containerRuntimeEndpoints: unix:///x\n",
            "containerRuntimeEndpoint:unix:///x\n",
            "text: |\n  a\n  containerRuntimeEndpoint: unix:///x\n",
        ] {
            assert_eq!(get(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_read_is_said() {
        for text in [
            "containerRuntimeEndpoint: >\n  unix:///x\n",
            "containerRuntimeEndpoint: |\n  unix:///x\n",
            "containerRuntimeEndpoint: &a unix:///x\n",
            "containerRuntimeEndpoint: \"unix:///x\n",
            "containerRuntimeEndpoint: 'unix:///x\n",
            "containerRuntimeEndpoint: \"\\u0041\"\n",
            "{containerRuntimeEndpoint: unix:///x}\n",
        ] {
            get(text).unwrap_err();
        }
    }
}
