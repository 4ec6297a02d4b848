//! What is measured of a service's pool.
use eduhub_runtime::meter::{Instrument, KeyValue, Metric};
use sqlx::PgPool;

/// Name and labels: OpenTelemetry's conventions for database clients.
const CONNECTIONS: Metric = Metric {
    name: "db.client.connection.count",
    instrument: Instrument::Gauge,
    unit: "{connection}",
    about: "Connections of the pool",
    labels: &["db.client.connection.pool.name", "db.client.connection.state"],
};

const MOST: Metric = Metric {
    name: "db.client.connection.max",
    instrument: Instrument::Gauge,
    unit: "{connection}",
    about: "Connections that the pool may open",
    labels: &["db.client.connection.pool.name"],
};

/// The table.
pub const METRICS: &[Metric] = &[CONNECTIONS, MOST];

/// Shows a pool from here on.
pub(crate) fn show(pool: &PgPool, name: &str) {
    let pool_name = KeyValue::new("db.client.connection.pool.name", name.to_owned());
    let state = |state: &'static str| [pool_name.clone(), KeyValue::new("db.client.connection.state", state)];
    let (idle, used, shown) = (state("idle"), state("used"), pool.clone());
    CONNECTIONS.observe(move |gauge| {
        let (all, free) = (f64::from(shown.size()), shown.num_idle() as f64);
        gauge.observe(free, &idle);
        // Both are read one after the other, while others come and go.
        gauge.observe((all - free).max(0.0), &used);
    });
    let most = f64::from(pool.options().get_max_connections());
    MOST.observe(move |gauge| gauge.observe(most, std::slice::from_ref(&pool_name)));
}
