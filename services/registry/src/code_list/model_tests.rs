use super::*;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 22);

fn code(code: &str, name: &str, to: &str) -> Code {
    Code { code: code.into(), name: name.into(), valid_to: to.into(), ..Code::default() }
}

fn sound(mode: CodeListImportMode, codes: &[Code]) -> Import {
    let (import, mistakes) = Import::parse("DM_TON_GIAO", mode, codes);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    import
}

#[test]
fn every_mistake_is_named_with_its_row() {
    let codes = [
        code("01", "Phật giáo", ""),
        code("01", "Công giáo", ""),
        code("", "Tin lành", ""),
        code("03", " hai  khoảng ", ""),
        code("a/b", "", "31/12/2026"),
        Code { valid_from: "2026-05-02".into(), ..code("04", "Cao Đài", "2026-05-01") },
        Code { list: "DM_DAN_TOC".into(), ..code("05", "Hòa Hảo", "") },
    ];
    let (import, mistakes) = Import::parse("DM_TON_GIAO", CodeListImportMode::Whole, &codes);
    let named: Vec<(u32, &str)> = mistakes.iter().map(|m| (m.row, m.field.as_str())).collect();
    let expected = [
        (1, "code"),
        (2, "code"),
        (3, "name"),
        (4, "code"),
        (4, "name"),
        (4, "valid_to"),
        (5, "valid_to"),
        (6, "list"),
    ];
    assert_eq!(named, expected);
    assert_eq!(import.entries.len(), 1);
}

#[test]
fn a_whole_list_ends_what_it_leaves_out_and_a_partial_one_does_not() {
    let before =
        sound(CodeListImportMode::Whole, &[code("01", "Phật giáo", ""), code("02", "Công giáo", "")]);
    let current = before.plan(&Entries::new(), TODAY);
    assert_eq!((current.added, current.changed, current.ended), (2, 0, 0));
    let now = [code("01", "Phật giáo", ""), code("99", "Khác", "")];
    let whole = sound(CodeListImportMode::Whole, &now).plan(&current.after, TODAY);
    assert_eq!((whole.added, whole.changed, whole.ended), (1, 1, 1));
    assert_eq!(whole.dropped, BTreeSet::from(["02".to_owned()]));
    assert_eq!(whole.after["02"].to, Some(date!(2026 - 11 - 21)));
    assert_eq!(whole.after.len(), 3);
    let partial = sound(CodeListImportMode::Partial, &now).plan(&current.after, TODAY);
    assert_eq!((partial.added, partial.changed, partial.dropped.len()), (1, 0, 0));
    // The same again changes nothing, and what has ended stays as it ended.
    let again = sound(CodeListImportMode::Whole, &now).plan(&whole.after, TODAY);
    assert_eq!((again.written.len(), digest(&again.after)), (0, digest(&whole.after)));
}

#[test]
fn a_code_that_is_given_a_last_day_is_not_dropped() {
    let current =
        sound(CodeListImportMode::Whole, &[code("01", "Phật giáo", "")]).plan(&Entries::new(), TODAY).after;
    let plan =
        sound(CodeListImportMode::Whole, &[code("01", "Phật giáo", "2027-05-31")]).plan(&current, TODAY);
    assert_eq!((plan.changed, plan.ended, plan.dropped.len()), (1, 1, 0));
}

/// Computed with `printf '01\tPhật giáo\t\t\n02\tCông giáo\t\t2027-05-31\n' | sha256sum`.
#[test]
fn the_digest_is_as_documented() {
    let codes = [code("02", "Công giáo", "2027-05-31"), code("01", "Phật giáo", "")];
    let entries = sound(CodeListImportMode::Whole, &codes).entries;
    let hex: String = digest(&entries).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "b1f20a6c6d4f40ede99ed41f621fa566e3dfbd0f2a6c8714ce684b4eabc3f133");
}
