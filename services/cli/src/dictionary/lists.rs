//! Code lists: those that the program carries, or those of the hub as they are now.
use eduhub_auth::AuthedChannel;
use eduhub_proto::registry::v1::code_list_service_client::CodeListServiceClient;
use eduhub_proto::registry::v1::{Code, ListCodesRequest};
use std::collections::BTreeMap;

/// Values that a new registry starts with.
const CODES: &str = include_str!("../../../registry/seed/code_lists.tsv");
/// Provinces and communes of QĐ 19/2025.
const UNITS: &str = include_str!("../../../registry/seed/admin_units_2025.tsv");
/// Provinces, districts and communes of before July 2025.
const FORMER: &str = include_str!("../../../registry/seed/former_units.tsv");
/// Their last day.
const LAST_DAY: &str = "2025-06-30";
/// Digits of a district's code.
const DISTRICT_DIGITS: usize = 3;

/// One code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    /// Name, `DM_...`.
    pub name: String,
    /// Its values in their order.
    pub values: Vec<Value>,
}

/// One value of a code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Code.
    pub code: String,
    /// Vietnamese name.
    pub name: String,
    /// First day, YYYY-MM-DD; empty: always.
    pub from: String,
    /// Last day, YYYY-MM-DD; empty: still valid.
    pub to: String,
}

/// The lists that the program was built with.
pub fn carried() -> Vec<CodeList> {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let value = |code: &str, name: &str, from: &str, to: &str| Value {
        code: code.to_owned(),
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    for row in rows(CODES) {
        let [list, code, name, rest @ ..] = row.as_slice() else { continue };
        let at = |n: usize| rest.get(n).copied().unwrap_or_default();
        lists.entry((*list).to_owned()).or_default().push(value(code, name, at(0), at(1)));
    }
    for row in rows(UNITS) {
        let [province, province_name, commune, commune_name, ..] = row.as_slice() else { continue };
        let provinces = lists.entry("DM_TINH".to_owned()).or_default();
        if provinces.iter().all(|known| known.code != *province) {
            provinces.push(value(province, province_name, "", ""));
        }
        let name = format!("{commune_name}, {province_name}");
        lists.entry("DM_XA".to_owned()).or_default().push(value(commune, &name, "", ""));
    }
    let open = value("*", "(huyện đã sáp nhập trước 6/2025: nhận mã đúng dạng)", "", LAST_DAY);
    lists.entry("DM_HUYEN".to_owned()).or_default().push(open);
    // Of what was before July 2025 only the districts are printed: fields of old records have them, and no list of today does.
    for row in rows(FORMER) {
        let [code, district, ..] = row.as_slice() else { continue };
        if code.len() == DISTRICT_DIGITS {
            lists.entry("DM_HUYEN".to_owned()).or_default().push(value(code, district, "", LAST_DAY));
        }
    }
    lists.into_iter().map(|(name, values)| CodeList { name, values }).collect()
}

fn rows(tsv: &str) -> impl Iterator<Item = Vec<&str>> {
    tsv.lines().skip(1).map(|line| line.split('\t').collect())
}

/// The lists of the hub as they are now.
///
/// # Errors
/// What registry answers.
pub async fn of_hub(registry: AuthedChannel) -> Result<Vec<CodeList>, tonic::Status> {
    let request = ListCodesRequest::default();
    let codes = CodeListServiceClient::new(registry).list_codes(request).await?.into_inner().codes;
    Ok(grouped(codes))
}

/// Codes by list, the lists by name, the codes in the order they came.
pub fn grouped(codes: Vec<Code>) -> Vec<CodeList> {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for Code { list, code, name, valid_from, valid_to, .. } in codes {
        lists.entry(list).or_default().push(Value { code, name, from: valid_from, to: valid_to });
    }
    lists.into_iter().map(|(name, values)| CodeList { name, values }).collect()
}
