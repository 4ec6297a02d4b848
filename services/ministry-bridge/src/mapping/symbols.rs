use eduhub_proto::common::v1::{Kind, Sensitivity};
use eduhub_proto::dictionary::record_of;

use super::parts_of;

/// What the dictionary says of a symbol in the payload of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// Vietnamese label; the symbol itself when the dictionary does not know it.
    pub label: &'static str,
    /// Sensitivity class. Secret for an unknown symbol: what nobody classed is shown to nobody.
    pub class: Sensitivity,
}

/// Looks a symbol up in a kind's record, then in the records that are parts of its payload.
pub fn symbol(kind: Kind, name: &str) -> Symbol {
    let kinds = std::iter::once(&kind).chain(parts_of(kind));
    let field = kinds.filter_map(|kind| record_of(*kind)).flat_map(|meta| meta.fields).find(|field| {
        !name.is_empty() && (field.ministry == name || field.symbols.iter().any(|(_, s)| *s == name))
    });
    match (field, name) {
        (Some(field), _) => Symbol {
            label: field.label,
            class: Sensitivity::try_from(field.class).unwrap_or(Sensitivity::Secret),
        },
        (None, "TRUNG_TAM_ID") => Symbol { label: "Mã trung tâm", class: Sensitivity::Public },
        (None, "SO_DIEM_TRUONG") => Symbol { label: "Số điểm trường", class: Sensitivity::Public },
        (None, "CHI_SO_BMI") => Symbol { label: "Chỉ số BMI", class: Sensitivity::Sensitive },
        (None, "TRUONG_ID") => Symbol { label: "Mã trường", class: Sensitivity::Public },
        (None, "DIEM_TRUONGS") => Symbol { label: "Điểm trường", class: Sensitivity::Public },
        (None, _) => Symbol { label: "", class: Sensitivity::Secret },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pupils_symbols_have_the_class_of_the_record_they_come_from() {
        assert_eq!(symbol(Kind::Pupil, "MA_CONG_DAN_ID").class, Sensitivity::Secret);
        assert_eq!(symbol(Kind::Pupil, "CHIEU_CAO").class, Sensitivity::Sensitive);
        assert_eq!(symbol(Kind::Pupil, "MA_LOP").label, "Mã lớp");
        assert_eq!(symbol(Kind::Class, "MA_CONG_DAN_ID").class, Sensitivity::Secret);
    }
}
