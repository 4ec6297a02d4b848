//! `eduhub admin import-schools`.
use super::units::converted;
use crate::commands::registry::Registry;
use crate::generate::{School, read_province};
use crate::output;
use crate::schools::{List, Mistake, Place, Places, Reading};
use crate::tabular::Sheet;
use anyhow::{Context, bail};
use eduhub_auth::AuthedChannel;
use eduhub_proto::registry::v1::code_list_service_client::CodeListServiceClient;
use eduhub_proto::registry::v1::school_service_client::SchoolServiceClient;
use eduhub_proto::registry::v1::{
    CampusEntry, ConvertAdminUnitsRequest, GetCodeListRequest, ListAdminUnitsRequest, RegisterSchoolsRequest,
    RegisterSchoolsResponse, RowMistake, SchoolEntry,
};
use eduhub_rules::fold;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

/// Schools that one call may register.
const AT_ONCE: usize = 2_000;
/// Codes that one call converts.
const CONVERTED_AT_ONCE: usize = 500;

/// Options of `eduhub admin import-schools`. The file is a list of schools as the Ministry codes them, .xlsx, .csv or .tsv, with
/// the columns «Mã trường», «Tên trường», «Cấp học», «Xã/Phường» and «Trực thuộc Sở» (or the symbols of QĐ 4998), and if they are
/// there «Loại hình», «Nhóm trẻ độc lập»; campuses stand in a sheet of their own with «Mã trường», «Mã điểm trường», «Tên điểm
/// trường», «Xã/Phường». Or a province.json as `eduhub generate` writes it. Every row is checked before anything is
/// registered; safe to repeat.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file.
    file: PathBuf,
    /// A second file with the campuses, for lists in text.
    #[arg(long)]
    campuses: Option<PathBuf>,
    /// Province of the list, two digits.
    #[arg(long, default_value = "37")]
    province: String,
    /// Without a column on the direct superior: upper secondary and continuing education are the Department's own, the others
    /// their commune's.
    #[arg(long)]
    managed_by_level: bool,
    /// Check and tell, change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: Registry,
}

type Client = SchoolServiceClient<AuthedChannel>;

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let generated = self.file.extension().is_some_and(|e| e == "json");
        // A file that can't be read needs no registry to be told so.
        let sheets = if generated { vec![] } else { self.sheets()? };
        let channel = self.registry.channel().await?;
        let mut client = SchoolServiceClient::new(channel.clone());
        let list = if generated {
            let province = read_province(&self.file)?;
            let place = Place { sheet: String::new(), row: 0 };
            let schools = province.schools.iter().map(|s| (place.clone(), SchoolEntry::from(s)));
            List { schools: schools.collect(), ..List::default() }
        } else {
            let mut codes = CodeListServiceClient::new(channel);
            List::read(&sheets, &self.reading(&mut client, &mut codes, &sheets).await?)?
        };
        for (sheet, heads) in list.ignored.iter().filter(|(_, heads)| !heads.is_empty()) {
            output::note(format!("{sheet}: not read: {}", heads.join(", ")));
        }
        refuse(&list.mistakes)?;
        let parts = parts(&list);
        let mut told = Vec::new();
        let mut sum = RegisterSchoolsResponse::default();
        for part in &parts {
            let request = RegisterSchoolsRequest { validate_only: true, ..part.request() };
            let answer = client.register_schools(request).await?.into_inner();
            told.extend(answer.mistakes.iter().map(|m| mistake(&list, &part.school_places, m)));
            told.extend(answer.campus_mistakes.iter().map(|m| mistake(&list, &part.campus_places, m)));
            add(&mut sum, &answer);
        }
        refuse(&told)?;
        if self.dry_run {
            tell("would be ", &sum);
            return Ok(());
        }
        let mut sum = RegisterSchoolsResponse::default();
        for part in &parts {
            add(&mut sum, &client.register_schools(part.request()).await?.into_inner());
        }
        tell("", &sum);
        Ok(())
    }

    fn sheets(&self) -> anyhow::Result<Vec<Sheet>> {
        let mut sheets = Sheet::read(&self.file)?;
        if let Some(file) = &self.campuses {
            sheets.extend(Sheet::read(file)?);
        }
        Ok(sheets)
    }

    /// What the rows are read by: communes, old codes that the file has, ownership.
    async fn reading(
        &self,
        client: &mut Client,
        codes: &mut CodeListServiceClient<AuthedChannel>,
        sheets: &[Sheet],
    ) -> anyhow::Result<Reading> {
        let request = ListAdminUnitsRequest { province_code: self.province.clone(), on: String::new() };
        let units = client.list_admin_units(request).await.context("communes")?.into_inner().units;
        anyhow::ensure!(!units.is_empty(), "no province has the code {}", self.province);
        let known: HashSet<&str> = units.iter().map(|u| u.commune_code.as_str()).collect();
        let mut places = Places::new(&self.province, &units);
        let five = |c: &&String| {
            c.len() == 5 && c.bytes().all(|b| b.is_ascii_digit()) && !known.contains(c.as_str())
        };
        let strange: BTreeSet<&String> =
            sheets.iter().flat_map(|s| s.cells.iter().flatten()).filter(five).collect();
        let strange: Vec<String> = strange.into_iter().cloned().collect();
        for codes in strange.chunks(CONVERTED_AT_ONCE) {
            let request = ConvertAdminUnitsRequest { codes: codes.to_vec() };
            let units = client.convert_admin_units(request).await.context("old communes")?.into_inner().units;
            let known = units.iter().filter(|u| u.former.is_some());
            places.converted.extend(known.map(|u| (u.code.clone(), converted(u))));
        }
        let request =
            GetCodeListRequest { list: "DM_LOAI_HINH_TRUONG_PT".into(), ..GetCodeListRequest::default() };
        let list = codes.get_code_list(request).await.context("ownership")?.into_inner();
        let ownerships = list
            .codes
            .iter()
            .flat_map(|c| [(fold(&c.name), c.code.clone()), (c.code.clone(), c.code.clone())]);
        let ownerships: HashMap<String, String> = ownerships.collect();
        Ok(Reading { places, ownerships, managed_by_level: self.managed_by_level })
    }
}

/// What one call registers: schools with their campuses.
struct Part<'a> {
    schools: Vec<&'a SchoolEntry>,
    school_places: Vec<&'a Place>,
    campuses: Vec<&'a CampusEntry>,
    campus_places: Vec<&'a Place>,
}

impl Part<'_> {
    fn request(&self) -> RegisterSchoolsRequest {
        RegisterSchoolsRequest {
            schools: self.schools.iter().map(|s| (*s).clone()).collect(),
            campuses: self.campuses.iter().map(|c| (*c).clone()).collect(),
            validate_only: false,
        }
    }
}

/// Parts that fit into calls; a campus goes with its school, one of a school that is not in the file with the first.
fn parts(list: &List) -> Vec<Part<'_>> {
    let chunks: Vec<_> = list.schools.chunks(AT_ONCE).collect();
    let part_of: HashMap<&str, usize> = chunks
        .iter()
        .enumerate()
        .flat_map(|(i, chunk)| chunk.iter().map(move |(_, s)| (s.school_code.as_str(), i)))
        .collect();
    let mut parts: Vec<Part<'_>> = chunks
        .iter()
        .map(|chunk| Part {
            schools: chunk.iter().map(|(_, s)| s).collect(),
            school_places: chunk.iter().map(|(p, _)| p).collect(),
            campuses: vec![],
            campus_places: vec![],
        })
        .collect();
    if parts.is_empty() {
        parts.push(Part { schools: vec![], school_places: vec![], campuses: vec![], campus_places: vec![] });
    }
    for (place, campus) in &list.campuses {
        let part = &mut parts[part_of.get(campus.school_code.as_str()).copied().unwrap_or_default()];
        part.campuses.push(campus);
        part.campus_places.push(place);
    }
    parts
}

fn mistake(list: &List, places: &[&Place], m: &RowMistake) -> Mistake {
    list.told(places, m.row, &m.field, &m.value, format!("{} / {}", m.message_vi, m.message_en))
}

/// Tells every mistake; refuses when there is one.
fn refuse(mistakes: &[Mistake]) -> anyhow::Result<()> {
    for Mistake { sheet, row, column, value, what } in mistakes {
        let place = if *row == 0 { sheet.clone() } else { format!("{sheet}, row {row}") };
        output::line(format!("{place}, «{column}» = «{value}»: {what}"));
    }
    if mistakes.is_empty() {
        return Ok(());
    }
    bail!("{} mistakes, nothing was registered", mistakes.len())
}

fn add(sum: &mut RegisterSchoolsResponse, part: &RegisterSchoolsResponse) {
    sum.created += part.created;
    sum.updated += part.updated;
    sum.unchanged += part.unchanged;
    sum.campuses_created += part.campuses_created;
    sum.campuses_updated += part.campuses_updated;
    sum.campuses_unchanged += part.campuses_unchanged;
}

fn tell(would: &str, r: &RegisterSchoolsResponse) {
    output::line(format!(
        "schools: {would}{} new, {} changed, {} as before",
        r.created, r.updated, r.unchanged
    ));
    if r.campuses_created + r.campuses_updated + r.campuses_unchanged > 0 {
        output::line(format!(
            "campuses: {would}{} new, {} changed, {} as before",
            r.campuses_created, r.campuses_updated, r.campuses_unchanged
        ));
    }
}

impl From<&School> for SchoolEntry {
    fn from(school: &School) -> Self {
        Self {
            school_code: school.school_code.clone(),
            name: school.name.clone(),
            level: school.level() as i32,
            commune_code: school.commune_code.clone(),
            province_code: school.province_code.clone(),
            directly_managed: school.directly_managed,
            independent_group: school.independent_group,
            ..Self::default()
        }
    }
}
