//! Translation of a vendor's own values by the mapping tables that its push asks for (decision 0016).
use eduhub_faults::{Fault, Problem, Reason, error};
use eduhub_proto::{
    common::v1::PushOpen,
    dictionary::{Annotated, FieldMeta, Value},
    registry::v1::CodeMapping,
};
use std::{collections::HashMap, sync::Arc};

/// The mapping tables in force, by vendor.
#[derive(Debug, Default)]
pub struct Mappings(HashMap<String, Arc<VendorMapping>>);

/// Tables of one vendor.
#[derive(Debug, Default)]
pub struct VendorMapping {
    version: i64,
    lists: HashMap<String, HashMap<String, String>>,
}

impl Mappings {
    /// Tables as registry gives them.
    pub fn from_tables(tables: impl IntoIterator<Item = CodeMapping>) -> Self {
        let mut vendors: HashMap<String, VendorMapping> = HashMap::new();
        for table in tables {
            let vendor = vendors.entry(table.vendor_code).or_default();
            vendor.version = table.vendor_version;
            let entries = table.entries.into_iter().map(|e| (e.value, e.code)).collect();
            vendor.lists.insert(table.list, entries);
        }
        Self(vendors.into_iter().map(|(code, vendor)| (code, Arc::new(vendor))).collect())
    }

    /// What a push asks for.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST for a vendor without tables, FAILED_PRECONDITION/CODE_MAPPING_CHANGED for another version
    /// than the present one.
    pub fn of(&self, open: &PushOpen) -> Result<Option<Arc<VendorMapping>>, Fault> {
        let Some(asked) = &open.code_mapping else { return Ok(None) };
        let field = "open.code_mapping.vendor_code";
        let vendor =
            self.0.get(&asked.vendor_code).ok_or_else(|| Fault::invalid(field, "has no mapping table"))?;
        if vendor.version != asked.version {
            return Err(Fault::new(Reason::CodeMappingChanged).meta("version", vendor.version));
        }
        Ok(Some(vendor.clone()))
    }
}

/// What a translation came to.
#[derive(Debug, Default)]
pub struct Translated {
    /// Values that were replaced by another code.
    pub values: u32,
    /// Values that stand in no table of theirs.
    pub problems: Vec<Problem>,
}

impl VendorMapping {
    /// Replaces the values of fields whose list has a table. A value that is not in its table stays and is a problem, even when it
    /// looks like a code of the hub: what it means there is not what it means here.
    pub fn translate(&self, record: &mut dyn Annotated) -> Translated {
        let mut out = Translated::default();
        self.message(record, "", &mut out);
        out
    }

    fn message(&self, message: &mut dyn Annotated, path: &str, out: &mut Translated) {
        let mut edits: Vec<(u32, &str)> = Vec::new();
        let mut lists: Vec<(&'static str, usize)> = Vec::new();
        message.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| match value {
            Value::Text(text) if !meta.code_list.is_empty() => {
                let Some(table) = self.lists.get(meta.code_list) else { return };
                match table.get(text) {
                    Some(code) if code == text => {}
                    Some(code) => edits.push((meta.number, code.as_str())),
                    None => out.problems.push(unmapped(meta, path, text, table)),
                }
            }
            Value::List(entries) => lists.extend((0..entries.len()).map(|i| (meta.name, i))),
            _ => {}
        });
        for (number, code) in edits {
            message.set_code(number, code.to_owned());
            out.values += 1;
        }
        // Entries come in the order in which the lists were walked.
        let mut places = lists.into_iter();
        message.entries(&mut |entry| {
            let place = places.next().map(|(list, i)| format!("{path}{list}[{i}]."));
            self.message(entry, &place.unwrap_or_default(), out);
        });
    }
}

fn unmapped(meta: &'static FieldMeta, path: &str, text: &str, table: &HashMap<String, String>) -> Problem {
    /// As many as for any unknown code.
    const MOST: usize = 3;
    let mut problem = error(Reason::UnknownCode, &format!("{path}{}", meta.name));
    if meta.class < eduhub_proto::dictionary::CLASS_SENSITIVE {
        problem.value = text.chars().take(100).collect();
    }
    let folded = eduhub_rules::fold(text);
    let mut near: Vec<&String> = table.keys().filter(|v| eduhub_rules::fold(v) == folded).collect();
    near.sort();
    problem.suggestions = near.into_iter().take(MOST).cloned().collect();
    problem
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
