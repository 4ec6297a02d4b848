//! Which codes live records use.
use super::model::fields_of;
use crate::records::RegistryRecords;
use eduhub_changelog::{Opener, RecordSet, RecordVisitor, StoredImage, Table};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    RECORDS,
    dictionary::{Annotated, CLASS_SECRET, FieldMeta, FieldType, Record, Value},
};
use eduhub_vault::Vault;
use sqlx::{AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// Records that one statement reads: short enough for every limit.
const PAGE: i64 = 10_000;

/// How many live records use each of these codes of a list. Reads every record of the kinds that have the list, once.
pub async fn count(
    pool: &PgPool,
    vault: &Vault,
    list: &str,
    codes: &BTreeSet<String>,
) -> Result<BTreeMap<String, u64>, DbError> {
    let mut used = BTreeMap::new();
    for table in RegistryRecords::tables().iter().filter(|t| uses(t.meta.fields, list)) {
        let mut after = Uuid::nil();
        loop {
            let bodies = page(pool, table, after).await?;
            for (_, body) in &bodies {
                let image = image(body.clone());
                let opener = Opener { vault, image: &image, kind: table.meta.kind, max_class: CLASS_SECRET };
                // What can't be read was written by no version of this program; it is not for an import to tell.
                let Ok(record) = RegistryRecords::open(table.meta.kind(), &opener) else { continue };
                RegistryRecords::visit(record, Uses { list, codes, used: &mut used });
            }
            match bodies.last() {
                Some((last, _)) if bodies.len() as i64 == PAGE => after = *last,
                _ => break,
            }
        }
    }
    Ok(used)
}

/// Whether records of other services use the list; those can't be looked through here.
pub fn used_elsewhere(list: &str) -> bool {
    let ours = |kind| RegistryRecords::tables().iter().any(|t| t.meta.kind == kind);
    RECORDS.iter().any(|r| !ours(r.kind) && uses(r.fields, list))
}

/// Whether any record of the dictionary uses the list.
pub fn is_known(list: &str) -> bool {
    !fields_of(list).is_empty()
}

fn uses(fields: &[FieldMeta], list: &str) -> bool {
    fields.iter().any(|f| {
        let entries = || f.entries.is_some_and(|message| uses(message.fields, list));
        f.code_list == list || (f.ty == FieldType::List && entries())
    })
}

async fn page(pool: &PgPool, table: &Table, after: Uuid) -> Result<Vec<(Uuid, Vec<u8>)>, DbError> {
    let sql = AssertSqlSafe(format!(
        "select record_id, body from {} where record_id > $1 and not withdrawn order by record_id limit $2",
        table.name
    ));
    let rows = sqlx::query(sql).bind(after).bind(PAGE).fetch_all(pool).await?;
    Ok(rows.iter().map(|r| Ok((r.try_get(0)?, r.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?)
}

fn image(body: Vec<u8>) -> StoredImage {
    StoredImage {
        record_id: Uuid::nil(),
        school_code: String::new(),
        record_key: String::new(),
        version: 0,
        digest: vec![],
        body,
        secret: None,
        changed_at: OffsetDateTime::UNIX_EPOCH,
        withdrawn: false,
    }
}

struct Uses<'a> {
    list: &'a str,
    codes: &'a BTreeSet<String>,
    used: &'a mut BTreeMap<String, u64>,
}

impl RecordVisitor for Uses<'_> {
    type Out = ();
    fn visit<R: Record>(self, record: R) {
        let mut found = BTreeSet::new();
        collect(&record, self.list, self.codes, &mut found);
        found.into_iter().for_each(|code| *self.used.entry(code).or_default() += 1);
    }
}

fn collect(message: &dyn Annotated, list: &str, codes: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    message.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| match value {
        Value::Text(code) if meta.code_list == list && codes.contains(code) => {
            found.insert(code.to_owned());
        }
        Value::List(entries) => {
            (0..entries.len()).filter_map(|i| entries.get(i)).for_each(|e| collect(e, list, codes, found));
        }
        _ => {}
    });
}
