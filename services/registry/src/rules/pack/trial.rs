//! What a pack would find in the records of a school that the one in force does not. Reads only, school by school, a thousand
//! records at a time.
use crate::{records::RegistryRecords, rules::stored};
use eduhub_changelog::{Opener, RecordSet, RecordVisitor, Table, list};
use eduhub_faults::{Fault, Problem, Severity};
use eduhub_proto::dictionary::{CLASS_SECRET, Levels, Record};
use eduhub_rules::{Checker, CodeTable, RulePack};
use eduhub_vault::Vault;
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use time::Date;

/// Records read at once.
const CHUNK: i64 = 1_000;
/// Keys shown of each kind of finding.
const EXAMPLES: usize = 10;

/// What is tried, and against what.
pub struct Trial {
    /// Pack in force.
    pub present: Arc<RulePack>,
    /// Pack that is tried.
    pub tried: Arc<RulePack>,
    /// School year.
    pub school_year: i32,
    /// Business date.
    pub today: Date,
    /// Code lists.
    pub codes: Arc<CodeTable>,
    /// Keys; nothing is opened with them.
    pub vault: Arc<Vault>,
    /// Kinds that the caller may see.
    pub kinds: BTreeSet<i32>,
}

/// Findings of one kind and reason: how many records, and the first of them.
#[derive(Debug, Default)]
pub struct Tally {
    /// Records.
    pub records: u64,
    /// Keys of the first ten.
    pub examples: Vec<String>,
}

/// Kind, reason, severity.
pub type Sort = (i32, i32, i32);

/// What was found at a school.
#[derive(Debug, Default)]
pub struct Outcome {
    /// By kind, reason and severity.
    pub tallies: BTreeMap<Sort, Tally>,
    /// Records that were judged.
    pub records: u64,
}

impl Outcome {
    fn add(&mut self, fresh: &BTreeSet<Sort>, key: &str) {
        for sort in fresh {
            let tally = self.tallies.entry(*sort).or_default();
            tally.records += 1;
            if tally.examples.len() < EXAMPLES {
                tally.examples.push(key.to_owned());
            }
        }
    }
}

impl Trial {
    /// Judges one school.
    ///
    /// # Errors
    /// The database's; a stored record that can't be read.
    pub async fn school(
        &self,
        conn: &mut PgConnection,
        school_code: &str,
        levels: Levels,
    ) -> Result<Outcome, Fault> {
        let mut out = Outcome::default();
        for table in RegistryRecords::tables().iter().filter(|t| self.kinds.contains(&t.meta.kind)) {
            self.table(conn, table, school_code, levels, &mut out).await?;
        }
        for (kind, reason, key) in self.stored(conn, school_code).await? {
            if self.kinds.contains(&kind) {
                out.add(&BTreeSet::from([(kind, reason, Severity::Warning as i32)]), &key);
            }
        }
        Ok(out)
    }

    async fn table(
        &self,
        conn: &mut PgConnection,
        table: &Table,
        school_code: &str,
        levels: Levels,
        out: &mut Outcome,
    ) -> Result<(), Fault> {
        // The keys of a yearly kind begin with the year.
        let prefix = if table.meta.yearly { format!("{}/", self.school_year) } else { String::new() };
        let checker = Checker::new(&*self.codes, self.today).of_year(self.school_year).at(levels);
        let mut after = prefix.clone();
        loop {
            let images = list(conn, table, school_code, &after, CHUNK).await?;
            let read = images.len() as i64;
            for image in images {
                if !image.record_key.starts_with(&prefix) {
                    return Ok(());
                }
                // Rules between fields need no secret, so none is opened.
                let opener = Opener {
                    vault: &self.vault,
                    image: &image,
                    kind: table.meta.kind,
                    max_class: CLASS_SECRET - 1,
                };
                let record = RegistryRecords::open(table.kind, &opener).map_err(Fault::internal)?;
                let both = Both { checker: &checker, trial: self };
                let fresh = RegistryRecords::visit(record, both).unwrap_or_default();
                out.records += 1;
                out.add(&fresh, &image.record_key);
                after = image.record_key;
            }
            if read < CHUNK {
                return Ok(());
            }
        }
    }

    /// Findings of rules over stored data: kind, reason, key.
    async fn stored(
        &self,
        conn: &mut PgConnection,
        school_code: &str,
    ) -> Result<Vec<(i32, i32, String)>, Fault> {
        let mut found = Vec::new();
        for pack in [&self.present, &self.tried] {
            let problems = stored::whole_school(conn, school_code, self.school_year, pack.clone()).await?;
            let all = problems.into_iter().map(|(key, p)| (p.kind, p.reason, key));
            found.push(all.collect::<BTreeSet<_>>());
        }
        let tried = found.pop().unwrap_or_default();
        let present = found.pop().unwrap_or_default();
        Ok(tried.difference(&present).cloned().collect())
    }
}

/// Judges a record under both packs: what only the tried one finds, or finds as an error.
struct Both<'t> {
    checker: &'t Checker<'t>,
    trial: &'t Trial,
}

impl RecordVisitor for Both<'_> {
    type Out = BTreeSet<Sort>;
    fn visit<R: Record>(self, record: R) -> Self::Out {
        let found = |pack: &RulePack| self.checker.clone().under(pack).between_fields(&record);
        let present = found(&self.trial.present);
        let is_new = |p: &Problem| {
            !present.iter().any(|q| (q.reason, &q.field, q.severity) == (p.reason, &p.field, p.severity))
        };
        let tried = found(&self.trial.tried);
        tried.into_iter().filter(is_new).map(|p| (R::META.kind, p.reason, p.severity)).collect()
    }
}
