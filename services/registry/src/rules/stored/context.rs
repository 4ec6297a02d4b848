//! What the rules of one transaction share: what it wrote, which issues of theirs are open at the school, what they found.
use crate::records::RegistryRecords;
use eduhub_changelog::RecordSet;
use eduhub_faults::{Problem, warning};
use eduhub_ingest::{Late, Looked, Written};
use eduhub_pg::DbError;
use eduhub_proto::{
    common::v1::{Kind, Problem as Stored},
    dictionary::record_of,
};
use eduhub_rules::{Rule, RulePack, Strength};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where the records to judge are found.
#[derive(Debug, Clone, Copy)]
enum Scope {
    /// Written by this transaction.
    Batch,
    /// Written to the school since a transaction.
    Since,
    /// Those of `Context::asked` alone.
    Asked,
}

/// See the module.
pub(super) struct Context {
    pub written: Written,
    pack: Arc<RulePack>,
    scope: Scope,
    /// This transaction, or the one since which.
    pub xid: i64,
    /// Open issues of the rules at the school, with their value.
    open: BTreeMap<Looked, String>,
    looked: BTreeSet<Looked>,
    pub found: BTreeMap<Looked, Problem>,
    /// Keys of the records to judge under [`Scope::Asked`], by kind.
    asked: BTreeMap<i32, Vec<String>>,
}

impl Context {
    /// Of what this transaction wrote.
    pub async fn of_batch(
        conn: &mut PgConnection,
        written: &Written,
        pack: Arc<RulePack>,
    ) -> Result<Self, DbError> {
        Self::read(conn, written.clone(), Scope::Batch, None, pack).await
    }

    /// Of what a session's end looks at once more.
    pub async fn late(
        conn: &mut PgConnection,
        school_code: &str,
        late: &Late,
        pack: Arc<RulePack>,
    ) -> Result<Self, DbError> {
        let new = match late {
            Late::Since(_) => BTreeSet::from([Kind::Pupil as i32, Kind::Enrolment as i32]),
            Late::Records(ids) => ids.keys().copied().collect(),
        };
        let (school_year, changed, complete) = (0, BTreeSet::new(), true);
        let written = Written { school_code: school_code.to_owned(), school_year, new, changed, complete };
        let ids = match late {
            Late::Since(xid) => return Self::read(conn, written, Scope::Since, Some(*xid), pack).await,
            Late::Records(ids) => ids,
        };
        let mut context = Self::read(&mut *conn, written, Scope::Asked, Some(0), pack).await?;
        for (kind, ids) in ids {
            let Some(table) = RegistryRecords::table(*kind) else { continue };
            let sql = format!("select record_key from {} where record_id = any($1)", table.name);
            let keys = sqlx::query_scalar(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *conn).await?;
            context.asked.insert(*kind, keys);
        }
        Ok(context)
    }

    /// Of everything that is stored of a school, as if it all came new.
    pub async fn of_school(
        conn: &mut PgConnection,
        school_code: &str,
        school_year: i32,
        pack: Arc<RulePack>,
    ) -> Result<Self, DbError> {
        let new = RegistryRecords::tables().iter().map(|t| t.meta.kind).collect();
        let school_code = school_code.to_owned();
        let written = Written { school_code, school_year, new, changed: BTreeSet::new(), complete: true };
        Self::read(conn, written, Scope::Since, Some(0), pack).await
    }

    async fn read(
        conn: &mut PgConnection,
        written: Written,
        scope: Scope,
        since: Option<i64>,
        pack: Arc<RulePack>,
    ) -> Result<Self, DbError> {
        // The list of reasons is that of the index `data_issue_of_stored_rules`, word for word.
        let rows = sqlx::query(
            "select x.xid, d.kind, d.record_key, d.reason, d.problem
             from (select coalesce($2, pg_current_xact_id()::text::int8) as xid) x
             left join data_issue d on d.school_code || '' = $1 and d.closed_at is null and d.reason in (27, 30, 50, 53, 54, 55, 56, 57, 58, 59)
               and d.reason = any($3)",
        )
        .bind(&written.school_code)
        .bind(since)
        .bind(concerned(&written))
        .fetch_all(conn)
        .await?;
        let (mut xid, mut open) = (0, BTreeMap::new());
        for row in rows {
            xid = row.try_get(0)?;
            let Some(kind) = row.try_get::<Option<i16>, _>(1)? else { continue };
            let looked = Looked {
                school_code: written.school_code.clone(),
                kind: i32::from(kind),
                record_key: row.try_get(2)?,
                reason: i32::from(row.try_get::<i16, _>(3)?),
            };
            let stored = Stored::decode(row.try_get::<&[u8], _>(4)?).unwrap_or_default();
            open.insert(looked, stored.value);
        }
        let (looked, found, asked) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Self { written, pack, scope, xid, open, looked, found, asked })
    }

    /// True when a rule is in force. One that is not closes what it had found at the school.
    pub fn is_on(&mut self, rule: Rule) -> bool {
        if self.pack.strength(rule) == Strength::Off {
            self.look_at_open(rule);
            return false;
        }
        true
    }

    /// SQL for the ids of the records of a kind to judge, with their keys and, as `before`, whether they superseded an image.
    /// Takes the school as $1 and [`Context::xid`] as $2.
    pub fn touched(&self, kind: Kind, table: &str) -> String {
        match self.scope {
            Scope::Batch => format!(
                "(select distinct l.record_id, l.record_key, l.before_version is not null as before
                  from change_log l where l.xid = $2 and l.school_code = $1 and l.kind = {})",
                kind as i32
            ),
            Scope::Since => format!(
                "(select r.record_id, r.record_key, r.version > 1 as before from {table} r
                  where r.school_code = $1 and r.xid >= $2 and not r.withdrawn)"
            ),
            Scope::Asked => {
                "(select null::uuid as record_id, null::text as record_key, false as before where $2::bigint < 0)".to_owned()
            }
        }
    }

    /// SQL for the rows of a table that are to be judged: those of a kind that came, and those of the keys $3. Each is looked up
    /// by itself (`offset 0` keeps it so): a join that was planned while the tables were empty would go through all of them.
    pub fn rows(&self, kind: Kind, table: &str) -> String {
        let came = match self.scope {
            // Not `touched`: what came twice is one by the union, without a sort of keys before it.
            Scope::Batch => format!(
                "select l.record_id from change_log l where l.xid = $2 and l.school_code = $1 and l.kind = {}",
                kind as i32
            ),
            Scope::Since | Scope::Asked => format!("select t.record_id from {} t", self.touched(kind, table)),
        };
        format!(
            "(select r.* from (
                {came}
                union
                select k.record_id from unnest($3::text[]) as asked(key) cross join lateral (
                  select record_id from {table} where school_code = $1 and record_key = asked.key offset 0) k
              ) u cross join lateral (select * from {table} where record_id = u.record_id offset 0) r)"
        )
    }

    /// $3 of [`Context::rows`]: these keys, with those that are to be judged by name.
    pub fn asked(&self, kind: Kind, more: &[String]) -> Vec<String> {
        let named = self.asked.get(&(kind as i32)).into_iter().flatten();
        named.chain(more).cloned().collect()
    }

    /// Keys with an open issue of a rule at the school, of a kind.
    pub fn open_keys(&self, rule: Rule, kind: Kind) -> Vec<String> {
        let of = self.open.keys().filter(|l| l.reason == rule.reason() as i32 && l.kind == kind as i32);
        of.map(|l| l.record_key.clone()).collect()
    }

    /// Value of the open issue of a rule on a record.
    pub fn open_value(&self, rule: Rule, kind: Kind, record_key: &str) -> Option<&str> {
        let school_code = self.written.school_code.clone();
        self.open.get(&place(rule, kind, &school_code, record_key)).map(String::as_str)
    }

    /// Notes that a record was judged: without a finding its issue is closed.
    pub fn look(&mut self, rule: Rule, kind: Kind, school_code: &str, record_key: &str) {
        self.looked.insert(place(rule, kind, school_code, record_key));
    }

    /// Notes that every record with an open issue of the rule at the school was judged.
    pub fn look_at_open(&mut self, rule: Rule) {
        let of = self.open.keys().filter(|l| l.reason == rule.reason() as i32).cloned();
        self.looked.extend(of.collect::<Vec<_>>());
    }

    /// Adds a finding.
    pub fn find(
        &mut self,
        rule: Rule,
        kind: Kind,
        (school_code, record_key): (&str, &str),
        field: &str,
        value: String,
    ) {
        self.expecting(rule, kind, (school_code, record_key), field, value, &[]);
    }

    /// Adds a finding with the values that would agree.
    pub fn expecting(
        &mut self,
        rule: Rule,
        kind: Kind,
        (school_code, record_key): (&str, &str),
        field: &str,
        value: String,
        expected: &[&str],
    ) {
        let mut problem = warning(rule.reason(), field);
        (problem.kind, problem.value) = (kind as i32, value);
        problem.record_key = as_sent(kind, record_key).to_owned();
        problem.suggestions = expected.iter().map(|code| (*code).to_owned()).collect();
        self.found.insert(place(rule, kind, school_code, record_key), problem);
    }

    /// Issues to close: what was judged and not found again. At this school only those that are open; which are open at others
    /// is not known here.
    pub fn closing(&self) -> BTreeSet<Looked> {
        let own = |l: &&Looked| l.school_code != self.written.school_code || self.open.contains_key(l);
        self.looked.iter().filter(own).filter(|l| !self.found.contains_key(l)).cloned().collect()
    }

    /// Findings about the school's own records, by full key.
    pub fn own_findings(self) -> Vec<(String, Problem)> {
        let own = self.found.into_iter().filter(|(l, _)| l.school_code == self.written.school_code);
        own.map(|(l, problem)| (l.record_key, problem)).collect()
    }
}

/// Reasons of the rules that look at what was written: the others' issues need not be read.
fn concerned(written: &Written) -> Vec<i16> {
    use Rule::{
        AgeForGrade, ClassSize, DoubleEnrolment, HeightDrop, HomeroomTeacher, LikelyDuplicate, NotEnrolled,
        StatusChange, SubjectTeacher, YearConduct,
    };
    let rules: [(Kind, &[Rule]); 8] = [
        (Kind::Enrolment, &[StatusChange, DoubleEnrolment, AgeForGrade, ClassSize, NotEnrolled]),
        (Kind::Pupil, &[AgeForGrade, LikelyDuplicate]),
        (Kind::Class, &[HomeroomTeacher, SubjectTeacher]),
        (Kind::Staff, &[HomeroomTeacher, SubjectTeacher]),
        (Kind::Health, &[HeightDrop]),
        (Kind::TermResult, &[NotEnrolled, YearConduct]),
        (Kind::Retake, &[NotEnrolled]),
        (Kind::Graduation, &[NotEnrolled]),
    ];
    let of_written = rules.iter().filter(|(kind, _)| written.has(*kind as i32));
    of_written.flat_map(|(_, rules)| *rules).map(|rule| rule.reason() as i16).collect()
}

fn place(rule: Rule, kind: Kind, school_code: &str, record_key: &str) -> Looked {
    Looked {
        school_code: school_code.to_owned(),
        kind: kind as i32,
        record_key: record_key.to_owned(),
        reason: rule.reason() as i32,
    }
}

/// The key as the sender knows it: without the school year that stands before a yearly record's.
fn as_sent(kind: Kind, full_key: &str) -> &str {
    match full_key.split_once('/') {
        Some((_, key)) if record_of(kind).is_some_and(|meta| meta.yearly) => key,
        _ => full_key,
    }
}

/// Statuses of pupils who sit in class (domain.md D.8), as SQL has them.
pub(super) const IN_CLASS: &str = "('01', '02', '03', '06', '07', '10')";

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_rules::cross::in_class;

    #[test]
    fn the_statuses_are_those_of_the_automaton() {
        let all: Vec<String> = (1..=12).map(|n| format!("{n:02}")).collect();
        let seated: Vec<_> = all.iter().filter(|s| in_class(s)).map(|s| format!("'{s}'")).collect();
        assert_eq!(IN_CLASS, format!("({})", seated.join(", ")));
    }

    #[test]
    fn the_reasons_are_those_of_the_index() {
        let mut reasons: Vec<i32> =
            Rule::ALL.iter().filter(|r| r.stored()).map(|r| r.reason() as i32).collect();
        reasons.sort_unstable();
        let list = reasons.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        let migration = include_str!("../../../migrations/0011_rules_of_2026_2.sql");
        assert!(migration.contains(&format!("reason in ({list})")), "{list}");
        assert!(include_str!("context.rs").contains(&format!("d.reason in ({list})")), "{list}");
    }
}
