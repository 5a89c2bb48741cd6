//! Tables of budgets: a name and a number in each line.

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeMap;

use super::c;

/// Whether nothing is above its budget; `table` is a path from the package's folder. A number without a budget is an error, and
/// so is a budget without a number.
pub fn keep_all(table: &str, spent: &BTreeMap<String, u64>) -> Result<(), String> {
    let budgets = read(table)?;
    if !spent.keys().eq(budgets.keys()) {
        return Err(format!("budgets are for {:?}, measured is {:?}", budgets.keys(), spent.keys()));
    }
    let over: Vec<String> = spent.iter().filter_map(|(name, used)| keep(table, name, *used).err()).collect();
    if over.is_empty() { Ok(()) } else { Err(over.join("\n")) }
}

/// Whether this is not above its budget.
pub fn keep(table: &str, name: &str, used: u64) -> Result<(), String> {
    let budget = *read(table)?.get(name).ok_or_else(|| format!("{table} has no budget for {name}"))?;
    println!("{name}: {used} of {budget}");
    if used <= budget { Ok(()) } else { Err(format!("{name} is {used}, and may be {budget} ({table})")) }
}

fn read(table: &str) -> Result<BTreeMap<String, u64>, String> {
    let text = std::fs::read_to_string(c::root().join(table)).map_err(|e| format!("{table}: {e}"))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let budget = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    lines.map(|line| budget(line).ok_or_else(|| format!("{table}: {line:?} is no budget"))).collect()
}
