//! A strict reader of OpenMetrics 1.0 texts: what it takes, a scraper takes.

use std::collections::BTreeMap;

/// A metric family: its metadata and its samples.
#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub unit: String,
    pub help: String,
    /// In the order of the text.
    pub samples: Vec<Sample>,
}

/// Name, labels and value.
pub type Sample = (String, Vec<(String, String)>, f64);

/// Families by name.
pub type Families = BTreeMap<String, Family>;

/// Reads a text; an error names the line.
pub fn read(text: &str) -> Result<Families, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF")?;
    let mut families = Families::new();
    let mut current = String::new();
    for line in body.lines() {
        let outcome = match line.strip_prefix("# ") {
            Some(metadata) => describe(&mut families, &mut current, metadata),
            None => sample(&mut families, &current, line),
        };
        outcome.map_err(|e| format!("{line:?}: {e}"))?;
    }
    for (name, family) in &families {
        check(name, family).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(families)
}

fn describe(families: &mut Families, current: &mut String, metadata: &str) -> Result<(), String> {
    let mut words = metadata.splitn(3, ' ');
    let (Some(keyword), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else {
        return Err("metadata has three parts".into());
    };
    if name != current {
        if families.insert(name.to_owned(), Family::default()).is_some() {
            return Err("the family is there twice, or interleaved".into());
        }
        if !is_name(name) {
            return Err("no name".into());
        }
        name.clone_into(current);
    }
    let family = families.get_mut(name).ok_or("it was just put there")?;
    if !family.samples.is_empty() {
        return Err("metadata behind samples".into());
    }
    let place = match keyword {
        "TYPE" if ["counter", "gauge", "histogram"].contains(&value) => &mut family.kind,
        "UNIT" if name.ends_with(&format!("_{value}")) => &mut family.unit,
        "HELP" => &mut family.help,
        _ => return Err("no such metadata".into()),
    };
    if !place.is_empty() {
        return Err("metadata twice".into());
    }
    *place = unescape(value)?;
    Ok(())
}

fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(good) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn unescape(text: &str) -> Result<String, String> {
    let (mut plain, mut rest) = (String::new(), text.chars());
    while let Some(c) = rest.next() {
        plain.push(match c {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some(c @ ('\\' | '"')) => c,
                other => return Err(format!("an escaped {other:?}")),
            },
            '"' => return Err("a quotation mark that is not escaped".into()),
            c => c,
        });
    }
    Ok(plain)
}

fn sample(families: &mut Families, current: &str, line: &str) -> Result<(), String> {
    let (series, value) = line.rsplit_once(' ').ok_or("no value")?;
    let value: f64 = value.parse().map_err(|e| format!("{value:?}: {e}"))?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, read_labels(labels.strip_suffix('}').ok_or("labels without an end")?)?),
        None => (series, Vec::new()),
    };
    let suffix = name.strip_prefix(current).ok_or("a sample of another family")?;
    let family = families.get_mut(current).ok_or("a sample without a family")?;
    let allowed: &[&str] = match family.kind.as_str() {
        "counter" => &["_total"],
        "gauge" => &[""],
        _ => &["_bucket", "_count", "_sum"],
    };
    if !allowed.contains(&suffix) {
        return Err(format!("a {} has no {suffix:?}", family.kind));
    }
    if family.samples.iter().any(|(n, l, _)| n == name && *l == labels) {
        return Err("the sample is there twice".into());
    }
    if family.kind != "gauge" && (value < 0.0 || !value.is_finite()) {
        return Err("a count below 0".into());
    }
    family.samples.push((name.to_owned(), labels, value));
    Ok(())
}

fn read_labels(mut text: &str) -> Result<Vec<(String, String)>, String> {
    let mut labels: Vec<(String, String)> = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").ok_or("a label without a value")?;
        let mut is_escaped = false;
        let end = rest.find(|c| {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        });
        let (value, rest) = rest.split_at(end.ok_or("a value without an end")?);
        if !is_name(name) || labels.iter().any(|(other, _)| other == name) {
            return Err(format!("the label {name:?}"));
        }
        labels.push((name.to_owned(), unescape(value)?));
        text = match rest[1..].strip_prefix(',') {
            Some("") => return Err("a comma and nothing behind it".into()),
            Some(more) => more,
            None if rest.len() == 1 => "",
            None => return Err("something behind a value".into()),
        };
    }
    Ok(labels)
}

fn check(name: &str, family: &Family) -> Result<(), String> {
    if family.kind.is_empty() || family.help.is_empty() {
        return Err("no type, or no help".into());
    }
    if family.kind != "histogram" {
        return Ok(());
    }
    let mut rest = family.samples.as_slice();
    while let Some((_, labels, _)) = rest.first() {
        let labels: Vec<_> = labels.iter().filter(|(label, _)| label != "le").cloned().collect();
        rest = histogram(name, &labels, rest)?;
    }
    Ok(())
}

/// Checks the histogram that the samples begin with; what is behind it.
fn histogram<'a>(name: &str, labels: &[(String, String)], mut samples: &'a [Sample]) -> Result<&'a [Sample], String> {
    let (mut bound, mut count) = (f64::NEG_INFINITY, 0.0);
    while let Some(([one], rest)) = samples.split_at_checked(1)
        && one.0 == format!("{name}_bucket")
    {
        let (le, own) = one.1.split_last().ok_or("a bucket without a bound")?;
        let next: f64 = le.1.parse().map_err(|e| format!("{le:?}: {e}"))?;
        let is_canonical = le.1 == "+Inf" || le.1.contains('.');
        if le.0 != "le" || own != labels || !is_canonical || next <= bound || one.2 < count {
            return Err(format!("the bucket {one:?} behind {bound} with {count}"));
        }
        (bound, count, samples) = (next, one.2, rest);
    }
    let [counted, sum, rest @ ..] = samples else {
        return Err("no count and sum behind the buckets".into());
    };
    let has = |one: &Sample, suffix: &str| one.0 == format!("{name}{suffix}") && one.1 == labels;
    if bound != f64::INFINITY || !has(counted, "_count") || !has(sum, "_sum") || counted.2 != count {
        return Err(format!("{counted:?} and {sum:?} behind {bound} with {count}"));
    }
    Ok(rest)
}
