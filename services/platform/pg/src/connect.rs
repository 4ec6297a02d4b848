use std::str::FromStr;
use std::time::Duration;

use eduhub_runtime::config::DbSettings;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::time::Instant;

use crate::SchemaError;

/// How long a starting service waits for its database: as long as one takes to fail over.
const START_PATIENCE: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(500);
/// A failed-over or upgraded server is met again within this time.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// A readiness check that takes longer counts as failed.
const CHECK_PATIENCE: Duration = Duration::from_secs(1);

/// Makes the pool and waits, up to 30 s, until the database answers.
///
/// # Errors
/// [`SchemaError::Settings`] for an unusable URL or schema name (neither is quoted: a URL holds a password),
/// [`SchemaError::Db`] when the database does not answer.
pub async fn connect(settings: &DbSettings) -> Result<PgPool, SchemaError> {
    let options = options(settings)?;
    let port = options.get_port();
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .max_lifetime(MAX_LIFETIME)
        // sqlx pings on release already; a second ping on acquire would be a third round trip for each statement.
        .test_before_acquire(false)
        .after_connect(move |_, _| {
            no_delay(port);
            Box::pin(async { Ok(()) })
        })
        .connect_lazy_with(options);
    let until = Instant::now() + START_PATIENCE;
    loop {
        match pool.acquire().await {
            Ok(_) => {
                crate::metrics::show(&pool, &settings.application_name);
                return Ok(pool);
            }
            Err(error) => {
                let error = crate::DbError::from(error);
                if !error.is_unavailable() || Instant::now() >= until {
                    return Err(error.into());
                }
                tracing::warn!(%error, "waiting for the database");
                tokio::time::sleep(START_PAUSE).await;
            }
        }
    }
}

/// Without it each COPY waits up to 40 ms for the acknowledgement of its rows (decision 0020). A failure costs that time and
/// nothing else.
fn no_delay(port: u16) {
    if let Err(error) = eduhub_nodelay::on_connections_to(port) {
        tracing::warn!(%error, "the connections to the database keep Nagle's algorithm");
    }
}

/// Whether the database answers within a second: what readiness asks.
pub async fn is_up(pool: &PgPool) -> bool {
    let asked = sqlx::query_scalar::<_, i32>("select 1").fetch_one(pool);
    matches!(tokio::time::timeout(CHECK_PATIENCE, asked).await, Ok(Ok(1)))
}

fn options(settings: &DbSettings) -> Result<PgConnectOptions, SchemaError> {
    const NOT_A_URL: SchemaError = SchemaError::Settings("DATABASE_URL is not a postgres:// URL");
    let url = settings.url.expose_secret();
    // sqlx takes any scheme.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(NOT_A_URL);
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| NOT_A_URL)?;
    let millis = |span: Duration| span.as_millis().to_string();
    let mut session = vec![
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(settings.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(settings.idle_in_transaction_timeout)),
        // Statements are look-ups by key, planned once for each connection: a plan made while a table was empty must
        // not scan it when it is full. And a statement of a millisecond is not worth compiling.
        ("enable_seqscan", "off".to_owned()),
        ("jit", "off".to_owned()),
        // A statement whose caller has gone is given up within a second (in_tx closes the connection then).
        ("client_connection_check_interval", "1000".to_owned()),
    ];
    if let Some(schema) = &settings.schema {
        if !is_plain_name(schema) {
            return Err(SchemaError::Settings("DB_SCHEMA is not a plain lower-case name"));
        }
        // Extensions live in public.
        session.push(("search_path", format!("{schema},public")));
    }
    // sqlx logs statements above a second by itself; their text has no values, since those are bound.
    Ok(options.application_name(&settings.application_name).options(session))
}

pub(crate) fn is_plain_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && name.len() <= 63
}
