//! Which roles may call which RPC: one row each, and no RPC without a row.
use crate::access::{Messages, Personal};
use crate::{Caller, Role};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::DataDomain;
use prost::Message;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Who may call an RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Callers with one of the roles and, where one is named, the data domain.
    Allow {
        /// Roles; at least one.
        roles: &'static [Role],
        /// Data domain that the caller must hold whatever the request says; `None` where the request decides.
        domain: Option<DataDomain>,
    },
}

/// How the scope of a request is found. The layer itself applies `Province`; the handler applies the others, because only it
/// has read the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeRule {
    /// The request has none.
    None,
    /// The request names a school: `Caller::require_school`.
    School,
    /// The request names a commune: `Caller::require_commune`.
    Commune,
    /// Only for callers whose scope is the province.
    Province,
    /// The caller sees what is in its own scope; the query is filtered by it.
    Own,
}

/// Policy of one RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Path of the RPC, `/eduhub.registry.v1.SchoolService/GetSchool`.
    pub method: &'static str,
    /// Who may call it.
    pub access: Access,
    /// How its scope is found.
    pub scope: ScopeRule,
    /// Where the answer has its records, when they are personal data: see [`Row::personal`].
    pub personal: Option<&'static str>,
}

impl Row {
    /// A row for anybody.
    pub const fn public(method: &'static str) -> Self {
        Self { method, access: Access::Public, scope: ScopeRule::None, personal: None }
    }

    /// A row for some roles.
    pub const fn allow(method: &'static str, roles: &'static [Role], scope: ScopeRule) -> Self {
        Self { method, access: Access::Allow { roles, domain: None }, scope, personal: None }
    }

    /// The same row, only for holders of a data domain. A public row stays public.
    pub const fn with_domain(mut self, domain: DataDomain) -> Self {
        if let Access::Allow { roles, .. } = self.access {
            self.access = Access::Allow { roles, domain: Some(domain) };
        }
        self
    }

    /// The same row of an RPC that returns personal data: each call is told in the access log ([`crate::ACCESS`]). `records` is
    /// the way from the answer to what is counted, by names of fields (`changes.changes`); empty when the answer is one record.
    pub const fn personal(mut self, records: &'static str) -> Self {
        self.personal = Some(records);
        self
    }

    /// Applies the row to a caller.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN.
    pub fn check(&self, caller: &Caller) -> Result<(), Fault> {
        if let Access::Allow { roles, domain } = self.access {
            caller.require_role(roles)?;
            if let Some(domain) = domain {
                caller.require_domain(domain)?;
            }
        }
        match self.scope {
            ScopeRule::Province => caller.require_province(),
            ScopeRule::None | ScopeRule::School | ScopeRule::Commune | ScopeRule::Own => Ok(()),
        }
    }
}

/// What is wrong with a policy table, all at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy of {package} has gaps: {}", .lines.join("; "))]
pub struct Gaps {
    /// Package that was checked.
    pub package: String,
    /// One line for each gap.
    pub lines: Vec<String>,
}

/// Rows of a service, checked against its descriptors.
#[derive(Debug, Clone)]
pub struct Table(HashMap<&'static str, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    row: &'static Row,
    personal: Option<Arc<Personal>>,
}

impl Table {
    /// Takes `rows` when they are exactly the RPCs of `package` (e.g. `eduhub.registry.v1`): every RPC has one row, every row
    /// has an RPC, every row that is not public names a role, and every RPC whose answer has records with personal data says
    /// so. Call it at start-up and let its error end the process.
    ///
    /// # Errors
    /// [`Gaps`].
    pub fn complete(rows: &'static [Row], package: &str) -> Result<Self, Gaps> {
        let mut lines = Vec::new();
        let set = FileDescriptorSet::decode(eduhub_proto::DESCRIPTORS).unwrap_or_else(|error| {
            lines.push(format!("descriptors do not decode: {error}"));
            FileDescriptorSet::default()
        });
        let (methods, messages) = (methods(&set, package), Messages::of(&set));
        let mut table = HashMap::new();
        for row in rows {
            let personal = match methods.get(row.method).map(|method| messages.personal(row, method)) {
                Some(Ok(personal)) => personal.map(Arc::new),
                Some(Err(gap)) => {
                    lines.push(gap);
                    None
                }
                None => {
                    lines.push(format!("{}: row without RPC", row.method));
                    None
                }
            };
            if table.insert(row.method, Entry { row, personal }).is_some() {
                lines.push(format!("{}: two rows", row.method));
            }
            if matches!(row.access, Access::Allow { roles: &[], .. }) {
                lines.push(format!("{}: no role", row.method));
            }
        }
        let missing = methods.keys().filter(|method| !table.contains_key(method.as_str()));
        lines.extend(missing.map(|method| format!("{method}: RPC without row")));
        if lines.is_empty() { Ok(Self(table)) } else { Err(Gaps { package: package.to_owned(), lines }) }
    }

    /// The row of an RPC.
    pub fn row(&self, method: &str) -> Option<&'static Row> {
        self.0.get(method).map(|entry| entry.row)
    }

    /// How the access log reads the calls of an RPC.
    pub(crate) fn personal(&self, method: &str) -> Option<&Arc<Personal>> {
        self.0.get(method)?.personal.as_ref()
    }

    /// Decides a call: `Ok` when it may go on.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a caller, PERMISSION_DENIED/FORBIDDEN.
    pub fn check(&self, row: &Row, caller: Option<&Caller>) -> Result<(), Fault> {
        match (row.access, caller) {
            (Access::Public, _) => Ok(()),
            (Access::Allow { .. }, None) => Err(Fault::new(Reason::Unauthenticated)),
            (Access::Allow { .. }, Some(caller)) => row.check(caller),
        }
    }
}

fn methods<'a>(set: &'a FileDescriptorSet, package: &str) -> BTreeMap<String, &'a MethodDescriptorProto> {
    let files = set.file.iter().filter(|file| file.package() == package);
    let services = files.flat_map(|file| &file.service);
    let paths = services.flat_map(|service| {
        let path = |method: &str| format!("/{package}.{}/{method}", service.name());
        service.method.iter().map(move |method| (path(method.name()), method))
    });
    paths.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const KEYS: Row = Row::public("/eduhub.identity.v1.TokenService/GetKeys");
    const TOKEN: Row = Row::public("/eduhub.identity.v1.TokenService/IssueToken");

    fn gaps(rows: &'static [Row]) -> Vec<String> {
        Table::complete(rows, "eduhub.identity.v1").err().map(|gaps| gaps.lines).unwrap_or_default()
    }

    #[test]
    fn an_rpc_without_row_is_refused() {
        let lines = gaps(&[KEYS, TOKEN]);
        assert!(
            lines.contains(&"/eduhub.identity.v1.TokenService/ListRevocations: RPC without row".to_owned())
        );
        assert!(!lines.iter().any(|line| line.contains("GetKeys")));
    }

    #[test]
    fn a_row_without_rpc_a_second_row_and_no_role_are_refused() {
        static ODD: &[Row] = &[KEYS, KEYS, Row::public("/eduhub.identity.v1.TokenService/GetKey")];
        static NOBODY: &[Row] =
            &[Row::allow("/eduhub.identity.v1.TokenService/GetKeys", &[], ScopeRule::None)];
        let lines = gaps(ODD);
        assert!(lines.contains(&"/eduhub.identity.v1.TokenService/GetKeys: two rows".to_owned()));
        assert!(lines.contains(&"/eduhub.identity.v1.TokenService/GetKey: row without RPC".to_owned()));
        let lines = gaps(NOBODY);
        assert!(lines.contains(&"/eduhub.identity.v1.TokenService/GetKeys: no role".to_owned()));
    }

    #[test]
    fn an_rpc_with_personal_records_says_so_and_where() {
        const GET: &str = "/eduhub.registry.v1.RecordService/GetRecord";
        const LIST: &str = "/eduhub.registry.v1.RecordService/ListRecords";
        static ROWS: &[Row] = &[
            Row::allow(GET, &[Role::Vendor], ScopeRule::School),
            Row::allow(LIST, &[Role::Vendor], ScopeRule::School).personal("pages"),
        ];
        let gaps = Table::complete(ROWS, "eduhub.registry.v1").unwrap_err();
        assert!(
            gaps.lines.contains(&format!("{GET}: returns personal records, and its row does not say so"))
        );
        assert!(gaps.lines.contains(&format!("{LIST}: its answer has no pages")), "{gaps}");
        let hidden = gaps.lines.iter().filter(|line| line.contains("does not say so")).count();
        assert_eq!(hidden, 1, "only of what has a row: {gaps}");
    }

    #[tokio::test]
    async fn each_role_passes_only_its_rows() {
        for allowed in Role::ALL {
            let roles: &'static [Role] = Box::leak(Box::new([allowed]));
            let row = Row::allow("/x/Y", roles, ScopeRule::None);
            for role in Role::ALL {
                let caller = testing::caller_with_role(role);
                assert_eq!(row.check(&caller).is_ok(), role == allowed, "{role:?} on a row for {allowed:?}");
            }
        }
    }

    #[tokio::test]
    async fn domain_and_province_are_required_where_the_row_says_so() {
        let roles: &'static [Role] = &[Role::Vendor];
        let health = Row::allow("/x/Y", roles, ScopeRule::None).with_domain(DataDomain::Health);
        let mut caller = testing::caller_with_role(Role::Vendor);
        caller.domains = vec![DataDomain::Pupil];
        assert!(health.check(&caller).is_err());
        caller.domains.push(DataDomain::Health);
        assert!(health.check(&caller).is_ok());
        let province = Row::allow("/x/Y", roles, ScopeRule::Province);
        caller.scope = crate::Scope::school("37000001");
        assert!(province.check(&caller).is_err());
        caller.scope.province = true;
        assert!(province.check(&caller).is_ok());
    }
}
