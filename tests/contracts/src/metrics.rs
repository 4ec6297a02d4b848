//! The tables of metrics and the operators' page that lists them.
use eduhub_runtime::meter::{Instrument, Metric};
use std::{collections::BTreeSet, path::PathBuf};

/// Every table, with the services that show it.
const TABLES: [(&str, &[Metric]); 10] = [
    ("all", eduhub_runtime::metrics::METRICS),
    ("all", eduhub_pg::metrics::METRICS),
    ("all", eduhub_cache::metrics::METRICS),
    ("registry, facility", eduhub_ingest::metrics::METRICS),
    ("registry, facility", eduhub_feed::metrics::METRICS),
    ("registry, facility", eduhub_reads::metrics::METRICS),
    ("identity", eduhub_identity::metrics::METRICS),
    ("registry", eduhub_registry::metrics::METRICS),
    ("approval", eduhub_approval::metrics::METRICS),
    ("ministry-bridge", eduhub_ministry_bridge::metrics::METRICS),
];

const BEGIN: &str = "<!-- metrics: begin -->\n";
const END: &str = "<!-- metrics: end -->";

fn metrics() -> impl Iterator<Item = (&'static str, &'static Metric)> {
    TABLES.iter().flat_map(|(services, table)| table.iter().map(|metric| (*services, metric)))
}

#[test]
fn a_metric_has_one_row_and_labels_of_few_values() {
    // A school, a grant, a person, a free text: each would make a series of its own.
    const MANY: [&str; 7] = ["school", "grant", "person", "pupil", "session", "commune", "name"];
    let mut gaps = vec![];
    let mut names = BTreeSet::new();
    for (_, metric) in metrics() {
        if !names.insert(metric.prometheus()) {
            gaps.push(format!("{} stands twice", metric.name));
        }
        if metric.about.is_empty() || metric.about.ends_with('.') || metric.about.contains('|') {
            gaps.push(format!("{} needs a sentence that fits a cell", metric.name));
        }
        // Suffixes of other units are not made by `Metric::prometheus`.
        if metric.unit != "s" && !(metric.unit.starts_with('{') && metric.unit.ends_with('}')) {
            gaps.push(format!("{} has unit {:?}", metric.name, metric.unit));
        }
        let known = ["db.client.connection.pool.name", "otel.component.name", "rpc.system.name"];
        for label in metric.labels.iter().filter(|label| !known.contains(label)) {
            if MANY.iter().any(|many| label.split(['.', '_']).any(|part| part == *many)) {
                gaps.push(format!("{} has label {label}", metric.name));
            }
        }
    }
    assert!(gaps.is_empty(), "{gaps:#?}");
    assert!(names.len() > 25, "only {} metrics", names.len());
}

/// `EDUHUB_WRITE_DOCS=1` writes the page instead.
#[test]
fn the_operators_page_lists_every_metric_as_it_is() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/operators/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("a place for the table");
    let (table, after) = rest.split_once(END).expect("an end of the table");
    if std::env::var_os("EDUHUB_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", rows())).unwrap();
        return;
    }
    assert_eq!(table, rows(), "EDUHUB_WRITE_DOCS=1 writes docs/operators/metrics.md anew");
}

fn rows() -> String {
    let mut text = "| in Prometheus | kind | labels | says | of |\n|---|---|---|---|---|\n".to_owned();
    for (services, metric) in metrics() {
        let kind = match metric.instrument {
            Instrument::Counter => "counter",
            Instrument::UpDown | Instrument::Gauge => "gauge",
            Instrument::Histogram(_) => "histogram",
        };
        let labels = metric.labels.join(", ").replace('.', "_");
        let name = metric.prometheus();
        text.push_str(&format!("| `{name}` | {kind} | {labels} | {} | {services} |\n", metric.about));
    }
    text
}
