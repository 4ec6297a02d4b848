//! How long a text can be that matches a pattern.
use anyhow::{Context, Result};
use regex_syntax::hir::{Hir, HirKind};

/// Most characters of a text that matches the whole of `pattern`; `None` when it is not anchored at both ends, or unbounded.
pub fn max_chars(pattern: &str) -> Result<Option<u32>> {
    let hir = regex_syntax::parse(pattern).with_context(|| format!("pattern {pattern:?}"))?;
    let look = |set: regex_syntax::hir::LookSet, look| set.contains(look);
    let ends = hir.properties();
    let anchored = look(ends.look_set_prefix(), regex_syntax::hir::Look::Start)
        && look(ends.look_set_suffix(), regex_syntax::hir::Look::End);
    Ok(if anchored { chars(&hir) } else { None })
}

fn chars(hir: &Hir) -> Option<u32> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Class(_) => Some(1),
        HirKind::Literal(l) => u32::try_from(std::str::from_utf8(&l.0).ok()?.chars().count()).ok(),
        HirKind::Repetition(r) => r.max?.checked_mul(chars(&r.sub)?),
        HirKind::Capture(c) => chars(&c.sub),
        HirKind::Concat(parts) => parts.iter().try_fold(0_u32, |sum, h| sum.checked_add(chars(h)?)),
        HirKind::Alternation(ways) => {
            ways.iter().map(chars).try_fold(0, |most, n| n.map(|n| u32::max(most, n)))
        }
    }
}
