//! What operators ask of access: who signs in and who may not, which grants end soon, how old the key is.
use eduhub_auth::Keyring;
use eduhub_faults::Reason;
use eduhub_pg::{Figure, Question};
use eduhub_proto::identity::v1::issue_token_request::Proof;
use eduhub_runtime::meter::{Counter, Instrument, KeyValue, Metric};
use sqlx::{Row, postgres::PgRow};
use time::{Date, OffsetDateTime};

/// Days before the end of a grant in which it is to be renewed.
const SOON: i32 = 30;

/// Sign-ins.
pub const SIGN_INS: Metric = Metric {
    name: "eduhub.identity.sign_ins",
    instrument: Instrument::Counter,
    unit: "{sign-in}",
    about: "Tokens asked for, by kind of proof (secret, key, password) and outcome: ISSUED, or the reason of the refusal",
    labels: &["proof", "outcome"],
};

/// Grants that live.
pub const GRANTS: Metric = Metric {
    name: "eduhub.identity.grants",
    instrument: Instrument::Gauge,
    unit: "{grant}",
    about: "Grants in force by kind, and whether their last day comes within 30 days",
    labels: &["kind", "ends"],
};

/// The key that signs tokens.
pub const KEY_AGE: Metric = Metric {
    name: "eduhub.identity.key.age",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the key that signs tokens, by the month or day that its file is named after; absent when it is named after none",
    labels: &[],
};

/// The table.
pub const METRICS: &[Metric] = &[SIGN_INS, GRANTS, KEY_AGE];

/// Counts sign-ins.
pub struct SignIns(Counter<u64>);

impl SignIns {
    /// Counts from here on.
    pub fn new() -> Self {
        Self(SIGN_INS.counter())
    }

    /// One is over; `refused` says why it brought no token.
    pub fn ended(&self, proof: &'static str, refused: Option<Reason>) {
        let outcome = refused.map_or("ISSUED", |reason| reason.as_str_name().trim_start_matches("REASON_"));
        self.0.add(1, &[KeyValue::new("proof", proof), KeyValue::new("outcome", outcome)]);
    }
}

impl Default for SignIns {
    fn default() -> Self {
        Self::new()
    }
}

/// The label of a kind of proof.
pub fn kind_of(proof: &Proof) -> &'static str {
    match proof {
        Proof::ClientSecret(_) => "secret",
        Proof::ClientAssertion(_) => "key",
        Proof::Password(_) => "password",
    }
}

/// Shows the age of the key that signs, if its file tells.
pub fn show_key(keyring: &Keyring) {
    let Some(since) = keyring.since() else { return };
    KEY_AGE.observe(move |gauge| gauge.observe(age(since, OffsetDateTime::now_utc()), &[]));
}

fn age(since: Date, now: OffsetDateTime) -> f64 {
    (now - since.midnight().assume_utc()).as_seconds_f64().max(0.0)
}

/// The questions.
pub fn questions() -> Vec<Question> {
    // Grants are as many as schools: some thousands.
    let sql = format!(
        "select kind, valid_to <= today + {SOON}, count(*)::float8
         from grants, (select (now() at time zone 'Asia/Ho_Chi_Minh')::date as today) now
         where ended_at is null and valid_from <= today and valid_to >= today group by 1, 2"
    );
    vec![Question { metrics: &[GRANTS], sql, read: Box::new(read) }]
}

fn read(rows: &[PgRow]) -> Result<Vec<Figure>, sqlx::Error> {
    let mut counts = [[0.0; 2]; 2];
    for row in rows {
        let (vendor, soon) = (row.try_get::<i16, _>(0)? == 1, row.try_get::<bool, _>(1)?);
        counts[usize::from(!vendor)][usize::from(soon)] = row.try_get(2)?;
    }
    let figure = |kind, ends, count| {
        Figure::new(GRANTS, [KeyValue::new("kind", kind), KeyValue::new("ends", ends)], count)
    };
    // Zeros as well: an alert on what is absent never comes.
    let kinds = ["vendor", "consumer"].into_iter().zip(counts);
    Ok(kinds
        .flat_map(|(kind, [later, soon])| {
            [figure(kind, "later", later), figure(kind, "within_30_days", soon)]
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn a_key_named_after_a_coming_month_has_no_age() {
        assert_eq!(age(date!(2026 - 11 - 01), datetime!(2026-11-03 0:00 UTC)), 172_800.0);
        assert_eq!(age(date!(2026 - 12 - 01), datetime!(2026-11-03 0:00 UTC)), 0.0);
    }
}
