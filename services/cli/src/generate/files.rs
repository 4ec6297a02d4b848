//! The files of a run.
use super::plan::{Province, School, plan};
use super::school::{Content, school};
use super::settings::Settings;
use super::transfers::Transfers;
use super::{GenerateError, Options, Truth};
use crate::lines::{LineError, Lines};
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What a run wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Schools.
    pub schools: usize,
    /// Classes.
    pub classes: usize,
    /// Learners.
    pub learners: usize,
    /// Staff.
    pub staff: usize,
    /// Registry records.
    pub records: usize,
    /// Facility records.
    pub rooms: usize,
    /// Planted defects.
    pub defects: usize,
    /// Records that will be refused, with a mended version.
    pub refused: usize,
}

impl Summary {
    fn add(&mut self, content: &Content) {
        self.schools += 1;
        self.classes += content.classes;
        self.learners += content.learners;
        self.staff += content.staff;
        self.records += content.records.len();
        self.rooms += content.rooms.len();
        self.defects += content.truth.len();
        self.refused += content.fixed.len();
    }
}

/// Makes a province; `progress` is called after each school with what was written so far and the number of schools.
///
/// # Errors
/// [`GenerateError`].
pub fn generate(
    options: &Options,
    settings: &Settings,
    mut progress: impl FnMut(&Summary, usize),
) -> Result<Summary, GenerateError> {
    let province = plan(options, settings)?;
    prepare(options)?;
    let at = |name: &str| options.out.join(name);
    let json = serde_json::to_vec_pretty(&province).map_err(|e| file(&at("province.json"))(invalid(&e)))?;
    fs::write(at("province.json"), json).map_err(|e| file(&at("province.json"))(e.into()))?;
    let mut truth = Out::create(at("truth.jsonl"))?;
    let mut population = Out::create(at("population.jsonl"))?;
    let formats = Formats::new().map_err(file(&options.out))?;
    let mut summary = Summary::default();
    let mut transfers = Transfers::of(&province.schools);
    for one in &province.schools {
        let mut content = school(options.seed, options.school_year, one, settings)?;
        transfers.pass(one, &mut content);
        formats.write_school(&options.out, one, &content)?;
        content.truth.iter().try_for_each(|t| truth.json(t))?;
        content.citizens.iter().try_for_each(|c| population.json(c))?;
        summary.add(&content);
        progress(&summary, province.schools.len());
    }
    truth.close()?;
    population.close()?;
    Ok(summary)
}

/// Makes the directory; with `clean` takes away exactly what a run writes, and nothing else.
fn prepare(options: &Options) -> Result<(), GenerateError> {
    let out = &options.out;
    let io = |e: std::io::Error| file(out)(e.into());
    fs::create_dir_all(out).map_err(io)?;
    for entry in fs::read_dir(out).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let ours = matches!(name.as_str(), "province.json" | "truth.jsonl" | "population.jsonl");
        let school = name.len() == 11 && name.bytes().all(|b| b.is_ascii_digit()) && path.is_dir();
        match (options.clean, ours, school) {
            (true, true, _) => fs::remove_file(&path).map_err(io)?,
            (true, _, true) => fs::remove_dir_all(&path).map_err(io)?,
            _ => return Err(GenerateError::NotEmpty(out.clone())),
        }
    }
    Ok(())
}

struct Formats {
    registry: Lines<registry::Record>,
    facility: Lines<facility::Record>,
}

impl Formats {
    fn new() -> Result<Self, LineError> {
        Ok(Self {
            registry: Lines::new("eduhub.registry.v1.Record")?,
            facility: Lines::new("eduhub.facility.v1.Record")?,
        })
    }

    fn write_school(&self, out: &Path, school: &School, content: &Content) -> Result<(), GenerateError> {
        let dir = out.join(&school.school_code);
        fs::create_dir_all(&dir).map_err(|e| file(&dir)(e.into()))?;
        let write = |name: &str, records: &[registry::Record]| -> Result<(), GenerateError> {
            let mut lines = Out::create(dir.join(name))?;
            records.iter().try_for_each(|r| lines.record(&self.registry, r))?;
            lines.close()
        };
        write("registry.jsonl", &content.records)?;
        write("fixed.jsonl", &content.fixed)?;
        let mut rooms = Out::create(dir.join("facility.jsonl"))?;
        for room in &content.rooms {
            let record = facility::Record { record: Some(facility::record::Record::Room(room.clone())) };
            rooms.record(&self.facility, &record)?;
        }
        rooms.close()
    }
}

/// A file of lines that is being written.
struct Out {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Out {
    fn create(path: PathBuf) -> Result<Self, GenerateError> {
        let opened = File::create(&path).map_err(|e| file(&path)(e.into()))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, opened), path })
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), GenerateError> {
        serde_json::to_writer(&mut self.file, value).map_err(|e| file(&self.path)(invalid(&e)))?;
        self.file.write_all(b"\n").map_err(|e| file(&self.path)(e.into()))
    }

    fn record<M: prost::Message + Default>(
        &mut self,
        lines: &Lines<M>,
        record: &M,
    ) -> Result<(), GenerateError> {
        lines.write(&mut self.file, record).map_err(file(&self.path))
    }

    fn close(mut self) -> Result<(), GenerateError> {
        self.file.flush().map_err(|e| file(&self.path)(e.into()))
    }
}

fn file(path: &Path) -> impl Fn(LineError) -> GenerateError {
    let path = path.to_owned();
    move |source| GenerateError::File { path: path.clone(), source }
}

fn invalid(error: &serde_json::Error) -> LineError {
    LineError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))
}

/// Reads `province.json` of a run.
///
/// # Errors
/// [`GenerateError::File`].
pub fn read_province(path: &Path) -> Result<Province, GenerateError> {
    let bytes = fs::read(path).map_err(|e| file(path)(e.into()))?;
    serde_json::from_slice(&bytes).map_err(|e| file(path)(invalid(&e)))
}

/// Reads `truth.jsonl` of a run.
///
/// # Errors
/// [`GenerateError::File`].
pub fn read_truth(path: &Path) -> Result<Vec<Truth>, GenerateError> {
    let opened = File::open(path).map_err(|e| file(path)(e.into()))?;
    let lines = BufReader::new(opened).lines();
    lines
        .map(|line| {
            let line = line.map_err(|e| file(path)(e.into()))?;
            serde_json::from_str(&line).map_err(|e| file(path)(invalid(&e)))
        })
        .collect()
}
