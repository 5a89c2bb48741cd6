//! The results, as `benches/report` reads them.

use std::path::Path;

use serde_json::{Value, json};

use super::machine;
use super::plan::Plan;

/// Everything that was measured so far.
pub struct Results {
    header: Value,
    rows: Vec<Value>,
}

/// Whose costs they are, and of what.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// One of `plan::SECTIONS`.
    pub section: &'a str,
    /// Whose.
    pub who: &'a str,
    /// How many containers and sandboxes there were.
    pub size: usize,
}

impl Results {
    pub fn new(plan: &Plan) -> Results {
        let header = json!({
            "schema": "criwatch.benchmark/1",
            "machine": machine::described(),
            "runs": plan.runs,
            "skipped": [],
        });
        Results { header, rows: Vec::new() }
    }

    pub fn engine(&mut self, version: &str) {
        self.header["engine"] = version.into();
    }

    /// Notes what could not be measured, and why.
    pub fn skipped(&mut self, what: &str, why: &str) -> super::Outcome {
        println!("skipped: {what}: {why}");
        self.header["skipped"].as_array_mut().expect("it is one").push(json!({"what": what, "why": why}));
        Ok(())
    }

    /// Adds one value of a metric to its row.
    pub fn add(&mut self, row: Row<'_>, metric: &str, value: f64) {
        let key = json!({"section": row.section, "who": row.who, "size": row.size, "metric": metric});
        let is_it =
            |known: &&mut Value| ["section", "who", "size", "metric"].iter().all(|part| known[part] == key[part]);
        match self.rows.iter_mut().find(is_it) {
            Some(known) => known["values"].as_array_mut().expect("it is one").push(value.into()),
            None => {
                let mut new = key;
                new["values"] = json!([value]);
                self.rows.push(new);
            }
        }
    }

    /// Prints all that was measured.
    pub fn print(&self) {
        for row in &self.rows {
            let mut values: Vec<f64> =
                row["values"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
            values.sort_by(f64::total_cmp);
            let (median, last) = (values[values.len() / 2], values[values.len() - 1]);
            println!(
                "{:8} {:32} {:6} {:22} {median:12.3} ({:.3} to {last:.3}, {})",
                row["section"].as_str().unwrap_or_default(),
                row["who"].as_str().unwrap_or_default(),
                row["size"],
                row["metric"].as_str().unwrap_or_default(),
                values[0],
                values.len(),
            );
        }
    }

    /// Writes what was measured so far: a long run that is ended early has measured something.
    pub fn write(&self, path: &Path) -> super::Outcome {
        let mut whole = self.header.clone();
        whole["rows"] = self.rows.clone().into();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_string_pretty(&whole)? + "\n")?;
        println!("written: {}", path.display());
        Ok(())
    }
}
