//! The files of a run.
use super::super::*;
use eduhub_proto::registry::v1::Record;
use std::collections::BTreeMap;
use std::path::Path;

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(
                files(&path).into_iter().map(|(p, b)| (PathBuf::from(path.file_name().unwrap()).join(p), b)),
            );
        } else {
            out.insert(path.file_name().unwrap().into(), std::fs::read(&path).unwrap());
        }
    }
    out
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let made = |seed| {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { schools: 3, seed, ..Options::new(dir.path().to_owned()) };
        let summary = generate(&options, &Settings::ninh_binh(), |_, _| {}).unwrap();
        (summary, files(dir.path()))
    };
    let (first, second, other) = (made(1), made(1), made(2));
    assert_eq!(first, second);
    assert_eq!(first.0.learners, 150);
    assert_eq!(first.1.len(), 3 + 3 * 3);
    assert_ne!(first.1[Path::new("population.jsonl")], other.1[Path::new("population.jsonl")]);
}

#[test]
fn an_earlier_run_is_replaced_only_when_asked_and_nothing_else_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options { schools: 1, ..Options::new(dir.path().to_owned()) };
    let settings = Settings::ninh_binh();
    generate(&options, &settings, |_, _| {}).unwrap();
    assert!(matches!(generate(&options, &settings, |_, _| {}), Err(GenerateError::NotEmpty(_))));
    options.clean = true;
    generate(&options, &settings, |_, _| {}).unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "mine").unwrap();
    assert!(matches!(generate(&options, &settings, |_, _| {}), Err(GenerateError::NotEmpty(_))));
    assert!(dir.path().join("thesis.txt").exists());
}

#[test]
fn what_is_written_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { schools: 1, ..Options::new(dir.path().to_owned()) };
    generate(&options, &Settings::ninh_binh(), |_, _| {}).unwrap();
    let province = read_province(&dir.path().join("province.json")).unwrap();
    let one = &province.schools[0];
    let content = school(1, 2026, one, &Settings::ninh_binh()).unwrap();
    let lines = crate::lines::Lines::<Record>::new("eduhub.registry.v1.Record").unwrap();
    let file = std::fs::File::open(dir.path().join(&one.school_code).join("registry.jsonl")).unwrap();
    let back: Vec<Record> = lines.read(std::io::BufReader::new(file)).map(Result::unwrap).collect();
    assert_eq!(back, content.records);
    assert_eq!(read_truth(&dir.path().join("truth.jsonl")).unwrap(), content.truth);
}
