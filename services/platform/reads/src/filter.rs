//! The closed filter and the ways to count, as typed columns that the caller may see.
use eduhub_auth::Caller;
use eduhub_changelog::{ColumnType, RecordSet, Source, Table};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::{
    common::v1::{CountBy, RecordFilter},
    dictionary::{FieldMeta, RecordMeta},
};

/// Columns that a question may mean; a kind has one of them at most.
type Names = &'static [&'static str];

const STATUS: Names = &["student_status", "staff_status", "status"];

/// Fields of the filter beside the school year: name, columns, value.
fn fields(filter: &RecordFilter) -> [(&'static str, Names, &str); 10] {
    [
        ("class_code", &["class_code"], &filter.class_code),
        ("grade", &["grade"], &filter.grade),
        ("status", STATUS, &filter.status),
        ("sex", &["sex"], &filter.sex),
        ("ethnicity", &["ethnicity"], &filter.ethnicity),
        ("student_code", &["student_code"], &filter.student_code),
        ("term", &["term"], &filter.term),
        ("staff_group", &["staff_group"], &filter.staff_group),
        ("room_type", &["room_type"], &filter.room_type),
        ("campus_code", &["campus_code"], &filter.campus_code),
    ]
}

/// A column that may be asked by, with its field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub name: &'static str,
    field: &'static FieldMeta,
}

impl Asked {
    /// The answer would tell the value, so it is for those only who may see it.
    fn allow(self, caller: &Caller) -> Result<Self, Fault> {
        if self.field.class > caller.max_class {
            return Err(Fault::new(Reason::Forbidden).meta("field", self.field.name));
        }
        Ok(self)
    }
}

/// The kind's own column of one of these names.
fn own(table: &'static Table, names: Names) -> Option<Asked> {
    let column =
        table.columns.iter().find(|c| c.ty == ColumnType::Text && names.contains(&c.name.as_str()))?;
    Some(Asked { name: &column.name, field: table.meta.field(column.field)? })
}

fn lacking(meta: &RecordMeta) -> String {
    format!("{} has no such column", meta.name)
}

/// School year (0 for all) and conditions.
type Conditions<'a> = (i32, Vec<(Asked, &'a str)>);

/// School year and conditions of a list's filter.
///
/// # Errors
/// INVALID_ARGUMENT with a violation for each field that the kind has no column for; PERMISSION_DENIED for a field above the
/// caller's class.
pub(crate) fn conditions<'a>(
    table: &'static Table,
    caller: &Caller,
    filter: Option<&'a RecordFilter>,
) -> Result<Conditions<'a>, Fault> {
    let Some(filter) = filter else { return Ok((0, vec![])) };
    let mut refused = Fault::new(Reason::InvalidRequest);
    if filter.school_year != 0 && !table.meta.yearly {
        refused = refused.violation("filter.school_year", &lacking(table.meta));
    }
    let mut conditions = vec![];
    for (field, names, value) in fields(filter).into_iter().filter(|(.., value)| !value.is_empty()) {
        match own(table, names) {
            Some(asked) => conditions.push((asked.allow(caller)?, value)),
            None => refused = refused.violation(&format!("filter.{field}"), &lacking(table.meta)),
        }
    }
    refused.into_result()?;
    Ok((filter.school_year, conditions))
}

/// Where values to count by come from: the kind's own column, or that of a record that one of its columns names.
fn source<S: RecordSet>(
    table: &'static Table,
    caller: &Caller,
    names: Names,
) -> Result<Option<Source>, Fault> {
    if let Some(asked) = own(table, names) {
        return Ok(Some(Source::Own(asked.allow(caller)?.name)));
    }
    for by in table.meta.fields.iter().filter(|f| f.column && f.parent != 0) {
        let Some(parent) = S::table(by.parent) else { continue };
        if let Some(asked) = own(parent, names) {
            caller.require_domain(parent.meta.domain())?;
            let column = asked.allow(caller)?.name;
            return Ok(Some(Source::Parent { by: by.name, table: parent, column }));
        }
    }
    Ok(None)
}

/// Conditions of counts: as [`conditions`], with the columns of parents.
pub(crate) fn sources<S: RecordSet>(
    table: &'static Table,
    caller: &Caller,
    filter: &RecordFilter,
) -> Result<Vec<(Source, String)>, Fault> {
    let mut refused = Fault::new(Reason::InvalidRequest);
    if filter.school_year != 0 && !table.meta.yearly {
        refused = refused.violation("filter.school_year", &lacking(table.meta));
    }
    let mut conditions = vec![];
    for (field, names, value) in fields(filter).into_iter().filter(|(.., value)| !value.is_empty()) {
        match source::<S>(table, caller, names)? {
            Some(source) => conditions.push((source, value.to_owned())),
            None => refused = refused.violation(&format!("filter.{field}"), &lacking(table.meta)),
        }
    }
    refused.into_result()?;
    Ok(conditions)
}

/// What counts are made by.
///
/// # Errors
/// As [`conditions`]; INVALID_ARGUMENT for more than three, or one twice.
pub(crate) fn dimensions<S: RecordSet>(
    table: &'static Table,
    caller: &Caller,
    by: &[i32],
) -> Result<Vec<Source>, Fault> {
    if by.len() > 3 || by.iter().enumerate().any(|(i, dimension)| by[..i].contains(dimension)) {
        return Err(Fault::invalid("by", "at most three different ones"));
    }
    let (mut refused, mut sources) = (Fault::new(Reason::InvalidRequest), vec![]);
    for (i, dimension) in by.iter().enumerate() {
        let names: Names = match CountBy::try_from(*dimension).unwrap_or_default() {
            CountBy::Unspecified => &[],
            CountBy::School => {
                sources.push(Source::School);
                continue;
            }
            CountBy::SchoolYear if table.meta.yearly => {
                sources.push(Source::SchoolYear);
                continue;
            }
            CountBy::SchoolYear => &[],
            CountBy::Class => &["class_code"],
            CountBy::Grade => &["grade"],
            CountBy::Sex => &["sex"],
            CountBy::Ethnicity => &["ethnicity"],
            CountBy::Status => STATUS,
            CountBy::StaffGroup => &["staff_group"],
            CountBy::RoomType => &["room_type"],
        };
        match source::<S>(table, caller, names)? {
            Some(source) => sources.push(source),
            None => refused = refused.violation(&format!("by[{i}]"), &lacking(table.meta)),
        }
    }
    refused.into_result()?;
    Ok(sources)
}
