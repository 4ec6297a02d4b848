use super::frame::{Frame, sealed};
use super::*;
use eduhub_proto::common::v1::{ChangeHeader, ChangeOp, Kind, ScopeChange};
use eduhub_proto::registry::v1::{Change, Pupil, Record, record};
use proptest::prelude::*;
use prost::Message;
use sha2::{Digest, Sha256};

fn change(school: &str, key: &str, version: i64, op: ChangeOp) -> Vec<u8> {
    let header = ChangeHeader {
        record_id: format!("id-{school}-{key}"),
        school_code: school.into(),
        kind: Kind::Pupil as i32,
        record_key: key.into(),
        op: op as i32,
        version,
        digest: vec![version as u8; 16],
        ..ChangeHeader::default()
    };
    let pupil = Pupil { student_code: key.into(), full_name: format!("v{version}"), ..Pupil::default() };
    let record = (op == ChangeOp::Upsert).then_some(Record { record: Some(record::Record::Pupil(pupil)) });
    Change { header: Some(header), record }.encode_to_vec()
}

fn up(key: &str, version: i64) -> Vec<u8> {
    change("S", key, version, ChangeOp::Upsert)
}

fn gone(key: &str, version: i64) -> Vec<u8> {
    change("S", key, version, ChangeOp::Withdraw)
}

#[test]
fn changes_and_cursor_come_back_and_the_digest_is_the_apis() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let scope = Scope::all("registry");
    {
        let mut copy = LocalCopy::open(&path, &scope).unwrap();
        assert_eq!(copy.cursor(), None);
        let applied = copy.apply(vec![up("b", 1), up("a", 2), up("c", 1)], vec![1]).unwrap();
        assert_eq!(applied, Applied { upserted: 3, withdrawn: 0, known: 0 });
        // Again, older, withdrawn, and what comes after a withdrawal.
        let applied = copy.apply(vec![up("a", 1), up("b", 1), gone("c", 2), up("c", 1)], vec![2]).unwrap();
        assert_eq!(applied, Applied { upserted: 0, withdrawn: 1, known: 3 });
        copy.checkpoint(vec![3], true).unwrap();
    }
    let copy = LocalCopy::open(&path, &scope).unwrap();
    assert_eq!((copy.cursor(), copy.is_live(), copy.len()), (Some(&[3][..]), true, 2));
    let lines = format!("4\ta\t2\t{}\n4\tb\t1\t{}\n", "02".repeat(16), "01".repeat(16));
    assert_eq!(copy.digest_of("S").digest, Sha256::digest(lines).to_vec());
    assert_eq!(copy.digest_of("S").counts[0].count, 2);
    assert_eq!(copy.digest_of("nowhere").digest, Sha256::digest("").to_vec());
    let image = copy.get("S", Kind::Pupil, "a").unwrap().unwrap();
    assert_eq!(image, up("a", 2));
    assert_eq!(copy.get("S", Kind::Pupil, "c").unwrap(), None);
}

#[test]
fn one_writer_any_reader_one_scope() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let scope = Scope::all("registry");
    let mut copy = LocalCopy::open(&path, &scope).unwrap();
    copy.apply(vec![up("a", 1)], vec![1]).unwrap();
    assert!(matches!(LocalCopy::open(&path, &scope), Err(CopyError::InUse(_))));
    assert_eq!(LocalCopy::read(&path).unwrap().len(), 1);
    drop(copy);
    assert!(matches!(LocalCopy::open(&path, &Scope::all("facility")), Err(CopyError::OtherScope { .. })));
    std::fs::write(dir.path().join("letter.txt"), "Kính gửi").unwrap();
    assert!(matches!(LocalCopy::open(dir.path().join("letter.txt"), &scope), Err(CopyError::Foreign(_))));
    assert_eq!(std::fs::read_to_string(dir.path().join("letter.txt")).unwrap(), "Kính gửi");
}

#[test]
fn a_reset_forgets_everything_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let scope = Scope::all("registry");
    let mut copy = LocalCopy::open(&path, &scope).unwrap();
    copy.apply(vec![up("a", 5), up("b", 1)], vec![1]).unwrap();
    copy.reset().unwrap();
    assert_eq!((copy.len(), copy.cursor(), copy.is_live()), (0, None, false));
    copy.apply(vec![up("a", 1)], vec![9]).unwrap();
    drop(copy);
    let copy = LocalCopy::open(&path, &scope).unwrap();
    assert_eq!((copy.len(), copy.cursor()), (1, Some(&[9][..])));
}

#[test]
fn what_leaves_the_scope_goes_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (path, scope) = (dir.path().join("copy"), Scope::all("registry"));
    let mut copy = LocalCopy::open(&path, &scope).unwrap();
    let all = vec![up("a", 1), change("T", "a", 1, ChangeOp::Upsert), change("T", "b", 1, ChangeOp::Upsert)];
    copy.apply(all, vec![1]).unwrap();
    let left = ScopeChange { removed_schools: vec!["T".into()], cursor: vec![2], ..ScopeChange::default() };
    copy.rescope(&left).unwrap();
    let stands = |copy: &LocalCopy| (copy.len(), copy.schools(), copy.cursor().map(<[u8]>::to_vec));
    assert_eq!(stands(&copy), (1, vec!["S".to_owned()], Some(vec![2])));
    drop(copy);
    let mut copy = LocalCopy::open(&path, &scope).unwrap();
    assert_eq!(stands(&copy), (1, vec!["S".to_owned()], Some(vec![2])));
    let kind =
        ScopeChange { removed_kinds: vec![Kind::Pupil as i32], cursor: vec![3], ..ScopeChange::default() };
    copy.rescope(&kind).unwrap();
    assert_eq!(stands(&copy), (0, vec![], Some(vec![3])));
    copy.apply(vec![up("a", 1)], vec![4]).unwrap();
    copy.rescope(&ScopeChange { reset: true, cursor: vec![5], ..ScopeChange::default() }).unwrap();
    drop(copy);
    let copy = LocalCopy::open(&path, &scope).unwrap();
    assert_eq!((stands(&copy), copy.is_live()), ((0, vec![], Some(vec![5])), false));
}

#[test]
fn a_new_record_under_an_old_key_replaces_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut copy = LocalCopy::open(dir.path().join("copy"), &Scope::all("registry")).unwrap();
    copy.apply(vec![up("a", 4), gone("a", 5)], vec![1]).unwrap();
    let mut new = Change::decode(up("a", 1).as_slice()).unwrap();
    new.header.as_mut().unwrap().record_id = "another".into();
    let applied = copy.apply(vec![new.encode_to_vec()], vec![2]).unwrap();
    assert_eq!((applied.upserted, copy.len()), (1, 1));
}

#[test]
fn rewriting_keeps_what_counts_and_the_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let scope = Scope::all("registry");
    let mut copy = LocalCopy::open(&path, &scope).unwrap();
    // 40 MiB of versions of the same 100 records.
    let filler = "x".repeat(4_000);
    let fat = |i: i64, version: i64| {
        let mut change = Change::decode(up(&format!("k{i:03}"), version).as_slice()).unwrap();
        if let Some(Record { record: Some(record::Record::Pupil(p)) }) = &mut change.record {
            p.birth_place = Some(filler.clone());
        }
        change.encode_to_vec()
    };
    for version in 1..=100 {
        copy.apply((0..100).map(|i| fat(i, version)).collect(), vec![version as u8]).unwrap();
    }
    copy.checkpoint(vec![101], true).unwrap();
    let (digest, size) = (copy.digest_of("S"), std::fs::metadata(&path).unwrap().len());
    drop(copy);
    let mut copy = LocalCopy::open(&path, &scope).unwrap();
    assert!(copy.recovery().compacted && std::fs::metadata(&path).unwrap().len() < size / 50);
    assert_eq!((copy.digest_of("S"), copy.cursor(), copy.is_live()), (digest, Some(&[101][..]), true));
    assert_eq!(copy.get("S", Kind::Pupil, "k007").unwrap().unwrap(), fat(7, 100));
    copy.apply(vec![gone("k007", 101)], vec![102]).unwrap();
    drop(copy);
    assert_eq!(LocalCopy::open(&path, &scope).unwrap().len(), 99);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Killed at any byte of the last write, the copy is exactly what it was before that write.
    #[test]
    fn a_torn_tail_loses_nothing_that_was_synced(cut in 0.0f64..1.0, rubbish: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("copy");
        let scope = Scope::all("registry");
        let mut copy = LocalCopy::open(&path, &scope).unwrap();
        copy.apply(vec![up("a", 1), up("b", 1)], vec![1]).unwrap();
        let before = copy.digest_of("S");
        drop(copy);
        let whole = sealed(&Frame { changes: vec![up("a", 2), gone("b", 2)], cursor: vec![2], live: true, ..Frame::default() }.encode_to_vec());
        let torn = (whole.len() as f64 * cut) as usize;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(&whole[..torn]);
        if rubbish {
            bytes.extend(vec![0xA5; whole.len() - torn]); // the file grew, its pages did not all get there
        }
        std::fs::write(&path, &bytes).unwrap();
        let mut copy = LocalCopy::open(&path, &scope).unwrap();
        prop_assert_eq!(copy.cursor(), Some(&[1][..]));
        prop_assert_eq!(copy.digest_of("S"), before);
        // And it goes on as if nothing had been.
        copy.apply(vec![up("a", 2), gone("b", 2)], vec![2]).unwrap();
        drop(copy);
        let copy = LocalCopy::open(&path, &scope).unwrap();
        prop_assert_eq!((copy.len(), copy.recovery().torn), (1, 0));
    }
}
