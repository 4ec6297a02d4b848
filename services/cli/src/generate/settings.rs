//! What a synthetic province is like. Every number has its basis: *published* figures are of Ninh Bình after July 2025
//! (school year 2025-2026, press of the Department), *rule* follows from a regulation, *assumed* is an estimate that
//! makes the published totals come out.

/// Kind of institution. Sets sizes, grades, staff and results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Institution {
    /// Preschool (trường mầm non), private groups included.
    Preschool,
    /// Primary school (trường tiểu học).
    Primary,
    /// Lower secondary school (trường THCS).
    LowerSecondary,
    /// Upper secondary school (trường THPT).
    UpperSecondary,
    /// Continuing-education centre (trung tâm GDNN-GDTX).
    Continuing,
    /// Primary and lower secondary in one (trường TH và THCS).
    InterLevel,
}

/// Figures of one kind of institution in the whole province.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Kind.
    pub institution: Institution,
    /// Institutions in the province (published).
    pub schools: usize,
    /// Learners in them (published).
    pub learners: usize,
    /// Mean class size (assumed, chosen to meet the 28,579 published classes).
    pub class_size: f64,
    /// Standard deviation of the class size (assumed).
    pub class_sd: f64,
    /// Smallest and largest class (assumed; the largest above the norm is published for 16 schools only).
    pub class_range: (usize, usize),
    /// Teachers per class before shortage (assumed from the staffing practice; the legal norm was not read).
    pub teachers_per_class: f64,
    /// Number of campuses with its share (assumed; means 1.8, 1.4, 1.1, 1).
    pub campuses: &'static [(usize, f64)],
}

/// Shares of planted defects, each of the records that it can befall (assumed; the kinds were seen in real imports). None by
/// default.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefectShares {
    /// Pupils without personal ID.
    pub missing_id: f64,
    /// Personal ID of a wrong length.
    pub id_length: f64,
    /// Personal ID that lost its leading zero in Excel.
    pub id_lost_zero: f64,
    /// Letter O for a zero in the personal ID.
    pub id_letter_o: f64,
    /// Personal ID that contradicts the sex or the birth year (half each).
    pub id_clash: f64,
    /// Personal ID of another pupil of the same school.
    pub id_duplicate: f64,
    /// Name in decomposed Unicode.
    pub name_nfd: f64,
    /// Double space in the name.
    pub name_spaces: f64,
    /// Name in capitals.
    pub name_capitals: f64,
    /// Birth date as Excel serial number.
    pub date_serial: f64,
    /// The population database holds another name or birth date.
    pub population_mismatch: f64,
    /// Height outside 40..220 cm; of measurements.
    pub height_outlier: f64,
    /// Exempt from tuition and reduced at once.
    pub tuition_both: f64,
    /// A mother nine years older than the child.
    pub parent_too_young: f64,
    /// A learning rating that the scores don't give; of results from grade 6 on.
    pub rating_differs: f64,
    /// A second enrolment in another class; of enrolments in class.
    pub double_enrolment: f64,
    /// One of the flaws that a record of its kind can have; of all records.
    pub flaw: f64,
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Figures by kind of institution.
    pub figures: [Figures; 6],
    /// Institutions of the whole province, and its learners: what a slice is a part of (published).
    pub province: (usize, usize),
    /// A run of so many schools or fewer is a test run with `test_school` learners a school.
    pub test_run: usize,
    /// Learners of a school in a test run.
    pub test_school: usize,
    /// Sigma of the log-normal school size (assumed), and its cut in multiples of the mean.
    pub school_sigma: f64,
    /// Smallest and largest school in multiples of the mean (assumed).
    pub school_range: (f64, f64),
    /// Very small schools: share (29 of 1,570, published) and size in multiples of the mean (assumed).
    pub very_small: (f64, f64),
    /// Small schools: share (80 of 1,570, published) and size in multiples of the mean (assumed).
    pub small: (f64, f64),
    /// Independent groups among preschools (assumed from 37 non-public institutions), and their size.
    pub independent: (f64, f64),
    /// Institutions per commune in a slice (assumed); the whole province has 12.5 (published).
    pub schools_per_commune: f64,
    /// Teachers in post of those needed: 46,400 in post, 5,967 short (published).
    pub teachers_in_post: f64,
    /// School-management software with its share (assumed).
    pub vendors: &'static [(&'static str, f64)],
    /// Share of boys (assumed from the sex ratio under 18).
    pub boys: f64,
    /// Share of women among teachers by kind is in `staff.rs`; this is the share of IDs from the home province.
    pub home_id: f64,
    /// Mường in hill communes and in others, then other minorities anywhere (assumed to give 2 % and 0.5 %).
    pub muong: (f64, f64, f64),
    /// One year older, two years older (assumed).
    pub older: (f64, f64),
    /// Disability, poor household, orphan, policy group (assumed).
    pub disability: f64,
    /// Poor household.
    pub poor: f64,
    /// Orphans: no parents' names, but a guardian's.
    pub orphan: f64,
    /// Policy group.
    pub policy: f64,
    /// Moved in, moved out, dropped out, came back, within term 1 (assumed: half of a year's 1.5, 1.5, 0.2, 0.1 %).
    pub moves: [f64; 4],
    /// Classrooms per class (assumed), and the share that is temporary or borrowed (99 % solid, published).
    pub classrooms: (f64, f64),
    /// The school year is over: second term, results of the year, retakes and graduation are there too. Their dates lie in the
    /// following summer, so whoever pushes them must have got there.
    pub whole_year: bool,
    /// Defects.
    pub defects: DefectShares,
}

const fn figures(institution: Institution, schools: usize, learners: usize, class_size: f64) -> Figures {
    Figures {
        institution,
        schools,
        learners,
        class_size,
        class_sd: 5.0,
        class_range: (10, 50),
        teachers_per_class: 1.9,
        campuses: &[(1, 1.0)],
    }
}

/// The published counts; the order is the enum's.
const FIGURES: [Figures; 6] = [
    Figures {
        class_sd: 4.0,
        class_range: (8, 35),
        teachers_per_class: 2.0,
        campuses: &[(1, 0.5), (2, 0.3), (3, 0.12), (4, 0.05), (5, 0.02), (6, 0.01)],
        ..figures(Institution::Preschool, 503, 213_800, 25.0)
    },
    Figures {
        class_range: (8, 45),
        teachers_per_class: 1.45,
        campuses: &[(1, 0.68), (2, 0.25), (3, 0.06), (4, 0.01)],
        ..figures(Institution::Primary, 488, 332_192, 33.0)
    },
    Figures { campuses: &[(1, 0.9), (2, 0.1)], ..figures(Institution::LowerSecondary, 471, 255_880, 39.0) },
    Figures { teachers_per_class: 2.25, ..figures(Institution::UpperSecondary, 110, 119_826, 43.0) },
    Figures { teachers_per_class: 1.5, ..figures(Institution::Continuing, 25, 23_775, 38.0) },
    Figures { class_range: (8, 45), ..figures(Institution::InterLevel, 20, 7_750, 35.0) },
];

impl Settings {
    /// Ninh Bình, merged from Ninh Bình, Nam Định and Hà Nam.
    pub const fn ninh_binh() -> Self {
        Self {
            figures: FIGURES,
            province: (1_617, 953_223),
            test_run: 3,
            test_school: 50,
            school_sigma: 0.45,
            school_range: (0.3, 2.4),
            very_small: (0.0185, 0.15),
            small: (0.051, 0.4),
            independent: (0.03, 0.1),
            schools_per_commune: 3.2,
            teachers_in_post: 46_400.0 / (46_400.0 + 5_967.0),
            vendors: &[("SMAS", 0.55), ("vnEdu", 0.40), ("MISA EMIS", 0.05)],
            boys: 0.52,
            home_id: 0.94,
            muong: (0.25, 0.005, 0.005),
            older: (0.03, 0.003),
            disability: 0.008,
            poor: 0.02,
            orphan: 0.006,
            policy: 0.03,
            moves: [0.0075, 0.0075, 0.001, 0.0005],
            classrooms: (1.02, 0.01),
            whole_year: false,
            defects: DefectShares {
                missing_id: 0.015,
                id_length: 0.004,
                id_lost_zero: 0.003,
                id_letter_o: 0.0005,
                id_clash: 0.006,
                id_duplicate: 0.002,
                name_nfd: 0.01,
                name_spaces: 0.005,
                name_capitals: 0.003,
                date_serial: 0.002,
                population_mismatch: 0.02,
                height_outlier: 0.015,
                tuition_both: 0.002,
                parent_too_young: 0.001,
                rating_differs: 0.003,
                double_enrolment: 0.001,
                flaw: 0.001,
            },
        }
    }

    /// Figures of one kind.
    pub fn of(&self, institution: Institution) -> &Figures {
        // The order of the array is the order of the enum.
        &self.figures[institution as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up_to_the_published_totals() {
        let s = Settings::ninh_binh();
        assert_eq!(s.figures.iter().map(|f| f.schools).sum::<usize>(), s.province.0);
        assert_eq!(s.figures.iter().map(|f| f.learners).sum::<usize>(), s.province.1);
        assert!(s.figures.iter().enumerate().all(|(i, f)| f.institution as usize == i));
        let classes: f64 = s.figures.iter().map(|f| f.learners as f64 / f.class_size).sum();
        assert!((classes - 28_579.0).abs() < 300.0, "{classes}");
        assert!(s.figures.iter().all(|f| (f.campuses.iter().map(|c| c.1).sum::<f64>() - 1.0).abs() < 1e-9));
    }
}
