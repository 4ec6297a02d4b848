//! Policies: every RPC has one row in the table of its service, and no row is without RPC.
use crate::api::{methods, none, pool};
use eduhub_auth::policy::{Access, Row, ScopeRule, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The tables of the five services.
fn tables() -> [(&'static [Row], &'static str); 5] {
    [
        (eduhub_identity::policy::ROWS, eduhub_identity::policy::PACKAGE),
        (eduhub_registry::policy::ROWS, eduhub_registry::policy::PACKAGE),
        (eduhub_facility::policy::ROWS, eduhub_facility::policy::PACKAGE),
        (eduhub_approval::policy::ROWS, eduhub_approval::policy::PACKAGE),
        (eduhub_ministry_bridge::policy::ROWS, eduhub_ministry_bridge::policy::PACKAGE),
    ]
}

#[test]
fn every_rpc_has_one_row_and_every_row_an_rpc() {
    let pool = pool();
    let path =
        |m: &prost_reflect::MethodDescriptor| format!("/{}/{}", m.parent_service().full_name(), m.name());
    let rpcs: BTreeSet<String> = methods(&pool).iter().map(path).collect();
    assert!(rpcs.len() > 50, "only {} RPCs", rpcs.len());
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for row in tables().iter().flat_map(|(rows, _)| *rows) {
        *rows.entry(row.method).or_default() += 1;
    }
    let mut gaps: Vec<String> =
        rpcs.iter().filter(|m| !rows.contains_key(m.as_str())).map(|m| format!("{m}: no row")).collect();
    gaps.extend(rows.keys().filter(|m| !rpcs.contains(**m)).map(|m| format!("{m}: no such RPC")));
    gaps.extend(rows.iter().filter(|(_, n)| **n > 1).map(|(m, n)| format!("{m}: {n} rows")));
    none("policy rows and RPCs disagree", &gaps);
}

#[test]
fn a_service_with_a_gap_in_its_table_does_not_start() {
    for (rows, package) in tables() {
        Table::complete(rows, package).unwrap();
        let missing: &'static [Row] = &rows[1..];
        let error = Table::complete(missing, package).unwrap_err();
        assert!(error.lines.iter().any(|l| l.contains(rows[0].method)), "{package}: {:?}", error.lines);
    }
}

#[test]
fn what_anybody_may_call_is_on_this_list() {
    let public: BTreeSet<&str> = tables()
        .iter()
        .flat_map(|(rows, _)| *rows)
        .filter(|row| row.access == Access::Public)
        .map(|row| row.method)
        .collect();
    let expected = [
        "/eduhub.facility.v1.IngestService/GetReceiptKeys",
        "/eduhub.identity.v1.TokenService/GetKeys",
        "/eduhub.identity.v1.TokenService/IssueToken",
        "/eduhub.identity.v1.TokenService/ListRevocations",
        "/eduhub.registry.v1.CodeListService/ListCodes",
        "/eduhub.registry.v1.IngestService/GetReceiptKeys",
    ];
    assert_eq!(public, BTreeSet::from(expected), "a door was opened or shut: is that meant?");
}

/// R-FLOW-1: only a vendor's client writes records, and only those of schools in its scope.
#[test]
fn only_vendors_push_and_only_consumers_follow() {
    use eduhub_auth::Role;
    let rows = |end: &'static str| {
        tables().into_iter().flat_map(|(rows, _)| rows).filter(move |row| row.method.ends_with(end))
    };
    assert_eq!(rows("IngestService/Push").count(), 2);
    for row in rows("IngestService/Push") {
        assert_eq!(row.access, Access::Allow { roles: &[Role::Vendor], domain: None }, "{}", row.method);
        assert_eq!(row.scope, ScopeRule::School, "{}", row.method);
    }
    assert_eq!(rows("FeedService/Watch").count(), 2);
    for row in rows("FeedService/Watch") {
        let Access::Allow { roles, .. } = row.access else { panic!("{} is public", row.method) };
        assert!(
            roles.iter().all(|r| matches!(r, Role::Consumer | Role::Service)),
            "{}: {roles:?}",
            row.method
        );
        assert_eq!(row.scope, ScopeRule::Own, "{}", row.method);
    }
}
