//! RuleService.
use super::{
    book::PackBook,
    model::{Pack, Setting},
    store::{self, Published},
    trial::{Outcome, Trial},
};
use crate::{
    code_list::CodeBook,
    records::RegistryRecords,
    school::store::{self as schools, Filter},
};
use eduhub_auth::{Caller, Gate, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::to_proto;
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::registry::v1::{
    ListRulePacksRequest, ListRulePacksResponse, PublishRulePackRequest, RulePack, RuleSetting, RuleStrength,
    TriedCount, TryRulePackRequest, TryRulePackResponse, rule_service_server::RuleService,
};
use eduhub_rules::Strength;
use eduhub_vault::Vault;
use std::{sync::Arc, time::Duration};
use time::{Date, Month, format_description::well_known::Iso8601};
use tonic::{Request, Response, Status};

/// Longest transaction of a trial, and longest statement in it.
const TRIAL: Duration = Duration::from_secs(20);
const STATEMENT: &str = "set local statement_timeout = '5s'";

/// The service.
pub struct Packs {
    /// Database.
    pub pool: PgPool,
    /// Access checks.
    pub gate: Gate,
    /// Packs.
    pub book: PackBook,
    /// Code lists.
    pub codes: CodeBook,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Business date.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
}

fn strength(wire: i32) -> Option<Strength> {
    match RuleStrength::try_from(wire).ok()? {
        RuleStrength::Unspecified => None,
        RuleStrength::Off => Some(Strength::Off),
        RuleStrength::Warning => Some(Strength::Warning),
        RuleStrength::Error => Some(Strength::Error),
    }
}

fn wire(strength: Strength) -> RuleStrength {
    match strength {
        Strength::Off => RuleStrength::Off,
        Strength::Warning => RuleStrength::Warning,
        Strength::Error => RuleStrength::Error,
    }
}

/// School year of a day: it begins in August (domain.md B.8).
fn school_year(day: Date) -> i32 {
    if day.month() as u8 >= Month::August as u8 { day.year() } else { day.year() - 1 }
}

/// Reads a pack off the wire, with every mistake at once.
fn pack(wire: RulePack, today: Date) -> Result<(Pack, String), Fault> {
    let mut fault = Fault::new(Reason::InvalidRequest);
    let date = |text: &str| Date::parse(text, &Iso8601::DATE).ok();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let sound = wire
        .version
        .split_once('.')
        .is_some_and(|(year, n)| year.len() == 4 && digits(year) && digits(n) && n.len() <= 3);
    if !sound {
        fault = fault.violation("pack.version", "as in 2026.1");
    }
    let valid_from = date(&wire.valid_from).filter(|day| *day > today);
    if valid_from.is_none() {
        fault = fault.violation("pack.valid_from", "an ISO date after today");
    }
    if wire.note.chars().count() > 500 {
        fault = fault.violation("pack.note", "at most 500 characters");
    }
    let mut settings = Vec::new();
    for (i, rule) in wire.rules.iter().enumerate() {
        let day = |text: &String| if text.is_empty() { Ok(None) } else { date(text).map(Some).ok_or(()) };
        match (strength(rule.strength), day(&rule.valid_from), day(&rule.valid_to)) {
            (Some(strength), Ok(valid_from), Ok(valid_to)) => {
                settings.push(Setting { rule: rule.rule.clone(), strength, valid_from, valid_to });
            }
            _ => fault = fault.violation(&format!("pack.rules[{i}]"), "a strength, and ISO dates or none"),
        }
    }
    settings.sort_by(|a, b| a.rule.cmp(&b.rule));
    if settings.is_empty() || settings.windows(2).any(|two| two[0].rule == two[1].rule) {
        fault = fault.violation("pack.rules", "each rule once, one at least");
    }
    let all = settings.iter().map(|s| (s.rule.as_str(), s.strength.word()));
    if let Err(error) = eduhub_rules::RulePack::of(all) {
        fault = fault.violation("pack.rules", &error.to_string());
    }
    let valid_from = valid_from.unwrap_or(today);
    fault.into_result()?;
    let pack =
        Pack { version: wire.version, first_school_year: wire.first_school_year, valid_from, settings };
    Ok((pack, wire.note))
}

impl Packs {
    fn shown(&self, published: Published) -> RulePack {
        let today = (self.today)();
        let text = |date: Option<Date>| date.map(|d| d.to_string()).unwrap_or_default();
        let rules = published.pack.settings.into_iter().map(|s| RuleSetting {
            rule: s.rule,
            strength: wire(s.strength) as i32,
            valid_from: text(s.valid_from),
            valid_to: text(s.valid_to),
        });
        let in_force = self.book.version(school_year(today), today);
        RulePack {
            in_force: in_force.as_deref() == Some(published.pack.version.as_str()),
            version: published.pack.version,
            first_school_year: published.pack.first_school_year,
            valid_from: published.pack.valid_from.to_string(),
            note: published.note,
            rules: rules.collect(),
            published_at: Some(to_proto(published.at)),
            published_by: published.by,
        }
    }

    async fn all(&self) -> Result<Vec<Published>, Fault> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        Ok(store::packs(&mut conn).await?)
    }

    /// The schools of a page: the one that is named, or those in the caller's reach.
    async fn schools(
        &self,
        caller: &Caller,
        r: &TryRulePackRequest,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, Fault> {
        if !r.school_code.is_empty() {
            self.gate.any(caller, &r.school_code, &RegistryRecords::domains()).await?;
            return Ok(vec![r.school_code.clone()]);
        }
        let communes: Vec<String> = caller.scope.communes.iter().cloned().collect();
        let named: Vec<String> = caller.scope.schools.iter().cloned().collect();
        let filter =
            Filter { province: caller.scope.province, communes: &communes, schools: &named, commune: "" };
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let found = schools::list(&mut conn, &filter, after, limit).await?;
        Ok(found.into_iter().map(|school| school.into_entry().school_code).collect())
    }

    fn trial(&self, caller: &Caller, r: &TryRulePackRequest) -> Result<Trial, Fault> {
        let pack = self.book.get(&r.version).ok_or_else(|| Fault::new(Reason::NotFound))?;
        let today = (self.today)();
        // As on its first day, when that is still to come.
        let tried =
            pack.on(today.max(pack.valid_from)).map_err(|e| Fault::invalid("version", &e.to_string()))?;
        let own = RegistryRecords::tables().iter().filter(|t| caller.has_domain(t.meta.domain()));
        Ok(Trial {
            present: self.book.in_force(r.school_year, today),
            tried: Arc::new(tried),
            school_year: r.school_year,
            today,
            codes: self.codes.current(),
            vault: self.vault.clone(),
            kinds: own.map(|t| t.meta.kind).collect(),
        })
    }
}

fn counts(school_code: &str, outcome: Outcome) -> impl Iterator<Item = TriedCount> {
    let school_code = school_code.to_owned();
    outcome.tallies.into_iter().map(move |((kind, reason, severity), tally)| TriedCount {
        school_code: school_code.clone(),
        kind,
        reason,
        severity,
        records: tally.records,
        examples: tally.examples,
    })
}

#[tonic::async_trait]
impl RuleService for Packs {
    async fn list_rule_packs(
        &self,
        _: Request<ListRulePacksRequest>,
    ) -> Result<Response<ListRulePacksResponse>, Status> {
        let packs = self.all().await?.into_iter().map(|p| self.shown(p)).collect();
        Ok(Response::new(ListRulePacksResponse { packs }))
    }

    async fn publish_rule_pack(
        &self,
        request: Request<PublishRulePackRequest>,
    ) -> Result<Response<RulePack>, Status> {
        let by = caller(&request)?.sub;
        let wire = request.into_inner().pack.unwrap_or_default();
        // The same pack again is the same answer, even when its first day has come meanwhile.
        let (version, first) = (wire.version.clone(), self.all().await?);
        let known = first.into_iter().find(|p| p.pack.version == version);
        let today = known.as_ref().map_or((self.today)(), |k| k.pack.valid_from - time::Duration::DAY);
        let (new, note) = pack(wire, today)?;
        if let Some(known) = known {
            if known.pack == new && known.note == note {
                return Ok(Response::new(self.shown(known)));
            }
            return Err(Fault::new(Reason::AlreadyExists).meta("version", version).into());
        }
        in_tx(&self.pool, TRIAL, move |conn| {
            Box::pin(async move {
                match store::publish(conn, &new, &note, &by).await? {
                    true => Ok(()),
                    false => Err(Fault::new(Reason::Conflict)),
                }
            })
        })
        .await?;
        self.book.refresh(&self.pool).await.map_err(Fault::from)?;
        let stored = self.all().await?.into_iter().find(|p| p.pack.version == version);
        let stored = stored.ok_or_else(|| Fault::new(Reason::Internal))?;
        Ok(Response::new(self.shown(stored)))
    }

    async fn try_rule_pack(
        &self,
        request: Request<TryRulePackRequest>,
    ) -> Result<Response<TryRulePackResponse>, Status> {
        let caller = caller(&request)?;
        let r = request.into_inner();
        if r.school_year == 0 {
            return Err(Fault::invalid("school_year", "required").into());
        }
        let size = paging::size(r.page_size, 10, 50)?;
        let filter = format!("trial/{}/{}/{}", r.version, r.school_year, r.school_code);
        let after = paging::after(&filter, &r.page_token)?.unwrap_or_default();
        let trial = self.trial(&caller, &r)?;
        let codes = self.schools(&caller, &r, &after, size).await?;
        let more = r.school_code.is_empty() && codes.len() as i64 == size;
        let next = codes.last().filter(|_| more).map(|last| paging::token(&filter, last));
        let answer = in_tx(&self.pool, TRIAL, move |conn| {
            Box::pin(async move {
                sqlx::query(STATEMENT).execute(&mut *conn).await.map_err(DbError::from)?;
                let mut out = TryRulePackResponse::default();
                for code in &codes {
                    let levels = schools::levels(conn, code).await?;
                    let outcome = trial.school(conn, code, levels).await?;
                    out.schools += 1;
                    out.records += outcome.records;
                    out.counts.extend(counts(code, outcome));
                }
                Ok::<_, Fault>(out)
            })
        })
        .await?;
        Ok(Response::new(TryRulePackResponse { next_page_token: next.unwrap_or_default(), ..answer }))
    }
}
