use eduhub_proto::common::v1::Dataset;

/// Name of the template of a dataset.
pub(super) fn template(dataset: Dataset) -> &'static str {
    match dataset {
        Dataset::Pupils => "Học sinh",
        Dataset::Staff => "Cán bộ, giáo viên, nhân viên",
        Dataset::Results => "Kết quả học tập, rèn luyện",
        Dataset::Facilities => "Cơ sở vật chất",
        Dataset::Unspecified => "Dữ liệu",
    }
}

/// `<unit name>_<template name>.xlsx`. Characters that some file system refuses become spaces.
pub(super) fn file_name(unit: &str, dataset: Dataset) -> String {
    let safe: String =
        unit.chars().map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { ' ' } else { c }).collect();
    let unit = safe.split_whitespace().collect::<Vec<_>>().join(" ");
    // Names of 255 bytes are the most that file systems take; Vietnamese letters have up to three.
    let unit: String = unit.chars().take(60).collect();
    format!("{}_{}.xlsx", unit.trim_end_matches('.'), template(dataset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_the_letter_and_fits_any_disk() {
        assert_eq!(
            file_name("Trường THCS Hoa Lư", Dataset::Facilities),
            "Trường THCS Hoa Lư_Cơ sở vật chất.xlsx"
        );
        assert_eq!(
            file_name("../a\\b\nc  d", Dataset::Staff),
            ".. a b c d_Cán bộ, giáo viên, nhân viên.xlsx"
        );
        assert!(file_name(&"Ữ".repeat(300), Dataset::Pupils).len() <= 255);
    }
}
