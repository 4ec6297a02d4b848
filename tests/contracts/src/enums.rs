//! Enums: an absent value must never be taken for a meant one.
use crate::api::{enums, none, pool, upper_snake};

/// Vocabulary of annotations, never on the wire between two parties: a field without the annotation is an optional one.
const ANNOTATIONS: [&str; 1] = ["eduhub.common.v1.Need"];

#[test]
fn zero_means_not_given() {
    let pool = pool();
    let mut gaps = Vec::new();
    for one in enums(&pool).iter().filter(|e| !ANNOTATIONS.contains(&e.full_name())) {
        let zero = one.get_value(0).map(|v| v.name().to_owned()).unwrap_or_default();
        let unspecified = format!("{}_UNSPECIFIED", upper_snake(one.name()));
        if zero != unspecified {
            gaps.push(format!("{}: 0 is {zero:?} instead of {unspecified}", one.full_name()));
        }
    }
    none("enums whose zero value means something", &gaps);
}

#[test]
fn values_carry_the_name_of_their_enum() {
    let pool = pool();
    let mut gaps = Vec::new();
    for one in enums(&pool) {
        let prefix = format!("{}_", upper_snake(one.name()));
        let strange = one.values().filter(|v| !v.name().starts_with(&prefix));
        gaps.extend(strange.map(|v| v.full_name().to_owned()));
    }
    none("enum values without the prefix of their enum", &gaps);
}
