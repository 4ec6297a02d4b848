//! Which schools there are: the part of a run that is decided for all of them together.
use super::chance::{Chance, chance, pick_weighted};
use super::places::{Commune, communes};
use super::settings::{Figures, Institution, Settings};
use super::sizes::apportion;
use super::{GenerateError, Options, titles};
use eduhub_proto::common::v1::Level;
use rand_distr::{Distribution, LogNormal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The run's province as written to `province.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Province {
    /// Seed of the run.
    pub seed: u64,
    /// School year by its first year.
    pub school_year: i32,
    /// Province, two digits.
    pub province_code: String,
    /// Learners in all schools.
    pub learners: usize,
    /// Schools by code.
    pub schools: Vec<School>,
}

/// A school as the Department registers it, with what the generator needs to fill it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct School {
    /// 11 digits: province, commune, serial (TT 42/2021 Art 10: never changes).
    pub school_code: String,
    /// Name.
    pub name: String,
    /// Level group as its proto name, e.g. `LEVEL_PRIMARY`.
    pub level: String,
    /// Commune, five digits.
    pub commune_code: String,
    /// Commune's name with its kind.
    pub commune: String,
    /// Province, two digits.
    pub province_code: String,
    /// The Department is the direct superior.
    pub directly_managed: bool,
    /// Private preschool or kindergarten group.
    pub independent_group: bool,
    /// School-management software.
    pub vendor: String,
    /// Kind of institution.
    pub institution: Institution,
    /// Learners.
    pub learners: usize,
    /// The first of its kind of institution: it carries each defect that it can have, so that small runs meet every rule.
    #[serde(default)]
    pub first: bool,
    /// Position in the run; the block of its personal IDs and codes follows from it.
    pub index: usize,
}

impl School {
    /// Level group.
    pub fn level(&self) -> Level {
        Level::from_str_name(&self.level).unwrap_or_default()
    }
}

impl Institution {
    /// Level group under which it is registered.
    pub fn level(self) -> Level {
        match self {
            Institution::Preschool => Level::Preschool,
            Institution::Primary => Level::Primary,
            Institution::LowerSecondary | Institution::InterLevel => Level::LowerSecondary,
            Institution::UpperSecondary => Level::UpperSecondary,
            Institution::Continuing => Level::Continuing,
        }
    }

    /// Upper secondary schools and centres stand under the Department (R-MERGE-16).
    fn directly_managed(self) -> bool {
        matches!(self, Institution::UpperSecondary | Institution::Continuing)
    }
}

/// Decides the schools of a run.
///
/// # Errors
/// [`GenerateError::Options`] for a province without figures or too many schools.
pub fn plan(options: &Options, settings: &Settings) -> Result<Province, GenerateError> {
    if options.province != "37" {
        return Err(GenerateError::Options("only province 37 (Ninh Bình) has figures".into()));
    }
    if options.schools == 0 || options.schools > settings.province.0 {
        return Err(GenerateError::Options(format!("schools: 1 to {}", settings.province.0)));
    }
    let mut rng = chance(options.seed, "plan");
    let counts = counts(options.schools, settings);
    let learners = learners(options, settings, &counts);
    let communes = chosen_communes(options.schools, settings);
    let mut drafts = Vec::new();
    for ((figures, count), learners) in settings.figures.iter().zip(&counts).zip(learners) {
        // The fewer a level has, the more its schools are spread: THPT and centres come after the first communes.
        drafts.extend(level(&mut rng, settings, figures, *count, learners, &communes));
    }
    let mut names = titles::Titles::default();
    let mut serials: BTreeMap<&str, usize> = BTreeMap::new();
    let mut schools: Vec<School> = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.into_iter().enumerate() {
        let serial = serials.entry(draft.commune.code).or_insert(0);
        *serial += 1;
        let vendor = vendor(settings, index, options.seed);
        schools.push(School {
            school_code: format!("{}{}{serial:04}", options.province, draft.commune.code),
            name: names.give(&mut rng, &draft.commune, draft.institution, draft.independent),
            level: draft.institution.level().as_str_name().to_owned(),
            commune_code: draft.commune.code.to_owned(),
            commune: draft.commune.name.to_owned(),
            province_code: options.province.clone(),
            directly_managed: draft.institution.directly_managed(),
            independent_group: draft.independent,
            vendor: vendor.to_owned(),
            institution: draft.institution,
            learners: draft.learners,
            first: schools.iter().all(|s| s.institution != draft.institution),
            index,
        });
    }
    schools.sort_by(|a, b| a.school_code.cmp(&b.school_code));
    let learners = schools.iter().map(|s| s.learners).sum();
    Ok(Province {
        seed: options.seed,
        school_year: options.school_year,
        province_code: options.province.clone(),
        learners,
        schools,
    })
}

/// How many schools of each kind: in proportion, but a run of five or more has every main kind.
fn counts(schools: usize, settings: &Settings) -> Vec<usize> {
    const FIRST: [Institution; 5] = [
        Institution::Primary,
        Institution::LowerSecondary,
        Institution::Preschool,
        Institution::UpperSecondary,
        Institution::Continuing,
    ];
    let one = |i: Institution| usize::from(FIRST.iter().take(schools).any(|f| *f == i));
    let sure: Vec<usize> = settings.figures.iter().map(|f| one(f.institution)).collect();
    let rest = schools - sure.iter().sum::<usize>();
    let share = |f: &Figures| f.schools as f64 / settings.province.0 as f64 * schools as f64;
    let wanted: Vec<f64> =
        settings.figures.iter().zip(&sure).map(|(f, s)| (share(f) - *s as f64).max(0.0)).collect();
    apportion(rest, &wanted).iter().zip(sure).map(|(a, b)| a + b).collect()
}

/// Learners per kind, in proportion to the published means.
fn learners(options: &Options, settings: &Settings, counts: &[usize]) -> Vec<usize> {
    let total = options.learners.unwrap_or(if options.schools <= settings.test_run {
        options.schools * settings.test_school
    } else {
        (settings.province.1 as f64 * options.schools as f64 / settings.province.0 as f64).round() as usize
    });
    let weights: Vec<f64> = settings
        .figures
        .iter()
        .zip(counts)
        .map(|(f, n)| if options.schools <= settings.test_run { *n as f64 } else { mean(f) * *n as f64 })
        .collect();
    apportion(total, &weights)
}

fn mean(figures: &Figures) -> f64 {
    figures.learners as f64 / figures.schools as f64
}

/// Communes spread evenly over the province, beginning with its seat (Phường Hoa Lư).
fn chosen_communes(schools: usize, settings: &Settings) -> Vec<Commune> {
    let all = communes();
    let n = ((schools as f64 / settings.schools_per_commune).round() as usize).clamp(1, all.len());
    let seat = all.iter().position(|c| c.code == "14329").unwrap_or(0);
    (0..n).map(|i| all[(seat + i * all.len() / n) % all.len()]).collect()
}

struct Draft {
    institution: Institution,
    commune: Commune,
    independent: bool,
    learners: usize,
}

fn level(
    rng: &mut Chance,
    settings: &Settings,
    figures: &Figures,
    count: usize,
    learners: usize,
    communes: &[Commune],
) -> Vec<Draft> {
    let part = |share: f64| (share * count as f64).round() as usize;
    let preschool = figures.institution == Institution::Preschool;
    let independent = if preschool && count >= 5 { part(settings.independent.0).max(1) } else { 0 };
    let (very_small, small) = (part(settings.very_small.0), part(settings.small.0));
    let (low, high) = settings.school_range;
    let spread = LogNormal::new(0.0, settings.school_sigma);
    let mut weights: Vec<f64> =
        (0..count).map(|_| spread.map_or(1.0, |d| d.sample(rng)).clamp(low, high)).collect();
    for (i, weight) in weights.iter_mut().rev().enumerate() {
        if i < independent {
            *weight = settings.independent.1;
        } else if i < independent + very_small {
            *weight = settings.very_small.1;
        } else if i < independent + very_small + small {
            *weight = settings.small.1;
        }
    }
    let sizes = apportion(learners, &weights);
    let start = figures.institution as usize % 3; // so that small levels do not all meet in the first commune
    let start = if count < communes.len() { start } else { 0 };
    sizes
        .into_iter()
        .enumerate()
        .map(|(i, learners)| Draft {
            institution: figures.institution,
            commune: communes[(i + start) % communes.len()],
            independent: i + independent >= count,
            learners,
        })
        .collect()
}

/// Vendor by a low-discrepancy sequence, so that also a small slice has about the right shares.
fn vendor(settings: &Settings, index: usize, seed: u64) -> &'static str {
    let start = pick_weighted(&mut chance(seed, "vendor"), &[(0.1, 1.0), (0.4, 1.0), (0.7, 1.0)]);
    let mut at = (start + index as f64 * 0.618_033_988_749_895).fract();
    for (name, share) in settings.vendors {
        at -= share;
        if at < 0.0 {
            return name;
        }
    }
    settings.vendors[0].0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    fn province(schools: usize) -> Province {
        let options = Options { schools, ..Options::new(PathBuf::new()) };
        plan(&options, &Settings::ninh_binh()).unwrap()
    }

    #[test]
    fn the_default_slice_has_every_level_in_several_communes() {
        let p = province(16);
        assert_eq!(p.schools.len(), 16);
        assert!((9_000..10_000).contains(&p.learners), "{}", p.learners);
        let levels: BTreeSet<_> = p.schools.iter().map(|s| s.level.as_str()).collect();
        assert_eq!(levels.len(), 5);
        assert_eq!(p.schools.iter().filter(|s| s.institution == Institution::Continuing).count(), 1);
        assert!(p.schools.iter().map(|s| &s.commune_code).collect::<BTreeSet<_>>().len() >= 4);
        assert_eq!(p.schools.iter().filter(|s| s.independent_group).count(), 1);
        assert!(p.schools.iter().all(|s| s.school_code.len() == 11 && s.learners > 0));
        assert!(p.schools.iter().map(|s| &s.vendor).collect::<BTreeSet<_>>().len() >= 2);
    }

    #[test]
    fn the_test_run_is_small() {
        assert_eq!(province(3).learners, 150);
        assert_eq!(province(1).learners, 50);
    }

    #[test]
    fn the_whole_province_is_the_published_one() {
        let (p, settings) = (province(1_617), Settings::ninh_binh());
        assert_eq!(p.learners, 953_223);
        for f in &settings.figures {
            let of = || p.schools.iter().filter(|s| s.institution == f.institution);
            assert_eq!((of().count(), of().map(|s| s.learners).sum()), (f.schools, f.learners));
        }
        let per_commune = |i: Institution| {
            let of = p.schools.iter().filter(|s| s.institution == i);
            of.map(|s| &s.commune_code).collect::<BTreeSet<_>>().len()
        };
        for i in [Institution::Preschool, Institution::Primary, Institution::LowerSecondary] {
            assert_eq!(per_commune(i), 129);
        }
        for (vendor, share) in settings.vendors {
            let n = p.schools.iter().filter(|s| s.vendor == *vendor).count() as f64 / 1_617.0;
            assert!((n - share).abs() < 0.01, "{vendor} {n}");
        }
        let codes: BTreeSet<_> = p.schools.iter().map(|s| &s.school_code).collect();
        let names: BTreeSet<_> = p.schools.iter().map(|s| (&s.commune, &s.name)).collect();
        assert_eq!((codes.len(), names.len()), (1_617, 1_617));
    }
}
