//! `eduhub generate`.
use crate::generate::{Options, Settings, generate};
use crate::output::{self, Bar};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Options of `eduhub generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory to write to; must be empty, or see --clean.
    #[arg(long)]
    out: PathBuf,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Institutions: 16 is 1/100 of the province, 1617 all of it, up to 3 a test run of 50 learners each.
    #[arg(long, default_value_t = 16)]
    schools: usize,
    /// Learners in all schools, instead of the province's proportion.
    #[arg(long)]
    learners: Option<usize>,
    /// Province, two digits; 37 (Ninh Bình) has figures.
    #[arg(long, default_value = "37")]
    province: String,
    /// School year by its first year.
    #[arg(long, default_value_t = 2026)]
    school_year: i32,
    /// The school year is over: second term, results of the year, retakes and graduation too, dated until August after it.
    #[arg(long)]
    whole_year: bool,
    /// Replace what an earlier run wrote there.
    #[arg(long)]
    clean: bool,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let options = Options {
            out: self.out.clone(),
            seed: self.seed,
            schools: self.schools,
            learners: self.learners,
            province: self.province,
            school_year: self.school_year,
            clean: self.clean,
        };
        let started = Instant::now();
        let bar = Bar::new("generate", self.schools as u64, "schools");
        let settings = Settings { whole_year: self.whole_year, ..Settings::ninh_binh() };
        let made = generate(&options, &settings, |so_far, _| bar.set(so_far.schools as u64))?;
        bar.finish();
        output::line(format!(
            "{} schools, {} classes, {} learners, {} staff: {} records and {} rooms in {:.1} s",
            made.schools,
            made.classes,
            made.learners,
            made.staff,
            made.records,
            made.rooms,
            started.elapsed().as_secs_f64()
        ));
        output::line(format!(
            "{} planted defects ({} records will be refused); seed {}, see {}",
            made.defects,
            made.refused,
            self.seed,
            self.out.join("truth.jsonl").display()
        ));
        Ok(ExitCode::SUCCESS)
    }
}
