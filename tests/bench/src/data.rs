//! Pupils to push, and records of whole schools.
use anyhow::{Context, Result};
use eduhub_cli::generate::settings::DefectShares;
use eduhub_cli::generate::{Options, Province, Settings, plan, school};
use eduhub_cli::lines::LineError;
use eduhub_cli::push::{Records, Source};
use eduhub_proto::registry::v1::{Record, record::Record as Any};
use prost::Message;
use std::path::PathBuf;
use std::sync::Arc;

/// Schools that learners are taken from: no one of them may outgrow its block of numbers.
const LARGEST_SCHOOL: usize = 1_500;

/// Learners of a province without planted defects: every record is accepted.
pub fn settings() -> Settings {
    Settings { defects: DefectShares::default(), ..Settings::ninh_binh() }
}

/// A plan of schools with so many learners in all.
///
/// # Errors
/// The generator's.
pub fn province(learners: usize, schools: usize) -> Result<Province> {
    let schools = schools.max(learners.div_ceil(LARGEST_SCHOOL / 3)).clamp(4, 1_617);
    let options = Options { schools, learners: Some(learners), ..Options::new(PathBuf::new()) };
    Ok(plan(&options, &settings())?)
}

/// About so many pupils for the first `parts` schools of the province: each of these gets real ones of many generated schools
/// of its own level, so that no field is out of place. A level that has too few makes its parts smaller.
///
/// # Errors
/// The generator's, or when it makes none.
pub fn pupils(province: &Province, wanted: usize, parts: usize) -> Result<Vec<Arc<Vec<Record>>>> {
    let settings = settings();
    let targets = &province.schools[..parts.min(province.schools.len())];
    let most = wanted.div_ceil(targets.len().max(1));
    let mut filled: Vec<Vec<Record>> = vec![Vec::with_capacity(most); targets.len()];
    for each in &province.schools {
        let wanting =
            targets.iter().enumerate().filter(|(i, t)| t.level == each.level && filled[*i].len() < most);
        let Some((emptiest, _)) = wanting.min_by_key(|(i, _)| filled[*i].len()) else { continue };
        let content = school(province.seed, province.school_year, each, &settings)?;
        let pupils = content.records.into_iter().filter(|r| matches!(r.record, Some(Any::Pupil(_))));
        let room = most - filled[emptiest].len();
        filled[emptiest].extend(pupils.take(room));
    }
    let made: usize = filled.iter().map(Vec::len).sum();
    anyhow::ensure!(filled.iter().all(|part| !part.is_empty()), "the generator made only {made} pupils");
    Ok(filled.into_iter().map(Arc::new).collect())
}

/// The same records with every `nth` one's telephone changed.
///
/// # Errors
/// When a record is no pupil.
pub fn changed(records: &[Record], nth: usize, salt: usize) -> Result<Arc<Vec<Record>>> {
    let mut records = records.to_vec();
    for (i, record) in records.iter_mut().enumerate().filter(|(i, _)| i % nth == 0) {
        let Some(Any::Pupil(pupil)) = &mut record.record else { anyhow::bail!("not a pupil") };
        pupil.contact_phone = Some(format!("09{:08}", (i * 7 + salt * 1_000_003) % 100_000_000));
    }
    Ok(Arc::new(records))
}

/// Records that are shared, not copied, between the rounds; each is cloned when its turn comes.
#[derive(Clone)]
pub struct Shared(pub Arc<Vec<Record>>);

impl Source<Record> for Shared {
    fn open(&self) -> Result<Records<Record>, LineError> {
        let records = self.0.clone();
        Ok(Box::new((0..records.len()).map(move |i| Ok(records[i].clone()))))
    }

    fn pick(&self, positions: Arc<[usize]>) -> Result<Records<Record>, LineError> {
        let records = self.0.clone();
        Ok(Box::new((0..positions.len()).map(move |i| Ok(records[positions[i]].clone()))))
    }

    fn each(&self, look: &mut dyn FnMut(usize, &Record) -> Result<(), LineError>) -> Result<(), LineError> {
        self.0.iter().enumerate().try_for_each(|(n, record)| look(n, record))
    }
}

/// A record's key in its school.
///
/// # Errors
/// When it is no pupil.
pub fn pupil_key(record: &Record) -> Result<String> {
    match &record.record {
        Some(Any::Pupil(pupil)) => Ok(pupil.student_code.clone()),
        _ => None.context("not a pupil"),
    }
}

/// Records in their encoding: a whole province fits into memory. Each is decoded when its turn comes.
#[derive(Clone)]
pub struct Encoded(Arc<Vec<Vec<u8>>>);

impl Encoded {
    /// Encodes records.
    pub fn new(records: &[Record]) -> Self {
        Self(Arc::new(records.iter().map(Message::encode_to_vec).collect()))
    }
}

impl Source<Record> for Encoded {
    fn open(&self) -> Result<Box<dyn Iterator<Item = Result<Record, LineError>> + Send>, LineError> {
        let records = self.0.clone();
        // What was encoded here decodes here.
        Ok(Box::new(
            (0..records.len()).map(move |i| Ok(Record::decode(records[i].as_slice()).unwrap_or_default())),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of a smoke test: a level may have a single school, which then fills its own part.
    #[test]
    fn every_part_has_pupils_and_none_of_them_a_defect() {
        for schools in [4, 5, 8] {
            let province = province(1_680, schools).unwrap();
            let parts = pupils(&province, 1_600, schools).unwrap();
            let made: usize = parts.iter().map(|part| part.len()).sum();
            assert!(parts.len() == schools && made >= 1_000, "{schools} schools: {made}");
            for each in &province.schools {
                let content = school(province.seed, province.school_year, each, &settings()).unwrap();
                assert_eq!(content.truth, [], "{}", each.school_code);
            }
        }
    }
}
