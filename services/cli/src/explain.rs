//! Refusals in words that one can act on.
use eduhub_faults::DOMAIN;
use std::fmt::Write;
use tonic::Status;
use tonic_types::StatusExt;

/// A refusal in one line: reason, both languages.
pub fn short(status: &Status) -> String {
    let details = status.get_error_details();
    let reason = details.error_info().filter(|i| i.domain == DOMAIN).map(|i| i.reason.clone());
    let name = reason.unwrap_or_else(|| format!("{:?}", status.code()).to_uppercase());
    let mut text = format!("{name}: {}", status.message());
    if let Some(vi) = details.localized_message() {
        let _ = write!(text, " / {}", vi.message);
    }
    text
}

/// A refusal with every violated field, what it names and when to try again; one thing a line.
pub fn full(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = short(status);
    for violation in details.bad_request().map_or(&[][..], |b| &b.field_violations) {
        let _ = write!(text, "\n  {}: {}", violation.field, violation.description);
    }
    let mut named: Vec<_> = details.error_info().map(|i| i.metadata.iter().collect()).unwrap_or_default();
    named.sort();
    for (key, value) in named {
        let _ = write!(text, "\n  {key} = {value}");
    }
    if let Some(after) = details.retry_info().and_then(|r| r.retry_delay) {
        let _ = write!(text, "\n  try again in {:.0} s", after.as_secs_f64().ceil());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_faults::{Fault, Reason};

    #[test]
    fn tells_reason_languages_fields_and_metadata() {
        let status: Status = Fault::new(Reason::GrantConflict).meta("grant_id", "g-1").into();
        let text = full(&status);
        assert!(text.starts_with("GRANT_CONFLICT: "), "{text}");
        assert!(text.contains(" / ") && text.ends_with("\n  grant_id = g-1"), "{text}");
        let status: Status = Fault::invalid("school_code", "required").into();
        assert!(full(&status).contains("\n  school_code: required"));
        assert!(short(&Status::unavailable("tcp connect error")).starts_with("UNAVAILABLE: tcp"));
    }
}
