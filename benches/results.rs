//! The results, as `benches/report` reads them: a file for each section.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::machine;
use super::plan::Plan;

/// Everything that was measured so far.
pub struct Results {
    /// Of every file: the machine, and how many runs there were.
    header: Value,
    /// The version of the real engine.
    engine: Option<String>,
    rows: Vec<Value>,
    skipped: Vec<Value>,
    folder: PathBuf,
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
        });
        Results { header, engine: None, rows: Vec::new(), skipped: Vec::new(), folder: plan.out.clone() }
    }

    /// What is measured from now on is measured with this engine.
    pub fn engine(&mut self, version: &str) {
        self.engine = Some(version.to_owned());
    }

    /// Notes what could not be measured, and why. Its file says so, instead of the results of an earlier time.
    pub fn skipped(&mut self, section: &str, what: &str, why: &str) -> super::Outcome {
        println!("skipped: {what}: {why}");
        self.skipped.push(json!({"section": section, "what": what, "why": why}));
        self.write(section)
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

    /// Writes what was measured of this section so far: a long run that is ended early has measured something.
    pub fn write(&self, section: &str) -> super::Outcome {
        let of = |all: &[Value]| all.iter().filter(|one| one["section"] == section).cloned().collect::<Vec<_>>();
        let mut whole = self.header.clone();
        if let Some(engine) = &self.engine {
            whole["engine"] = engine.as_str().into();
        }
        whole["skipped"] = of(&self.skipped).into();
        whole["rows"] = of(&self.rows).into();
        std::fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{section}.json"));
        std::fs::write(&path, serde_json::to_string_pretty(&whole)? + "\n")?;
        println!("written: {}", path.display());
        Ok(())
    }
}
