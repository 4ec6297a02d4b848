//! private_key_jwt (RFC 7523): a client proves that it holds the key it registered.
use crate::credential::store::Stored;
use eduhub_auth::ISSUER;
use eduhub_pg::{Failure, PgConnection};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use time::OffsetDateTime;

/// Longest life of an assertion.
const LONGEST: i64 = 5 * 60;
/// Clocks of client and hub may differ so much, in seconds.
const LEEWAY: u64 = 30;
/// Longer than any assertion needs to be.
const MAX_BYTES: usize = 4096;
const MAX_JTI: usize = 100;
/// Ended assertions removed with each new one: keeps the table small without a job of its own.
const SWEEP: i64 = 100;

/// What an assertion says, once its signature is good.
#[derive(Debug, Deserialize)]
pub struct Assertion {
    iss: String,
    jti: String,
    exp: i64,
}

/// The assertion, when the client's key signed it for identity and it has not ended. `None` for anything else.
pub fn read(token: &str, client_id: &str, key: &Stored) -> Option<Assertion> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let key = DecodingKey::from_ec_components(key.key_x.as_deref()?, key.key_y.as_deref()?).ok()?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[ISSUER]);
    rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    rules.sub = Some(client_id.to_owned());
    rules.leeway = LEEWAY;
    let read = jsonwebtoken::decode::<Assertion>(token, &key, &rules).ok()?.claims;
    let soon = read.exp - OffsetDateTime::now_utc().unix_timestamp() <= LONGEST + LEEWAY.cast_signed();
    let named = !read.jti.is_empty() && read.jti.len() <= MAX_JTI;
    (read.iss == client_id && soon && named).then_some(read)
}

/// Takes an assertion; false when it was taken before, by whichever replica.
pub async fn take(conn: &mut PgConnection, client_id: &str, assertion: &Assertion) -> Result<bool, Failure> {
    let sweep = "delete from used_assertions where ctid in
        (select ctid from used_assertions where expires_at < now() - interval '5 minutes' limit $1 for update skip locked)";
    sqlx::query(sweep).bind(SWEEP).execute(&mut *conn).await?;
    let ends = OffsetDateTime::from_unix_timestamp(assertion.exp).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let insert =
        "insert into used_assertions (client_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing";
    let done = sqlx::query(insert).bind(client_id).bind(&assertion.jti).bind(ends).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
