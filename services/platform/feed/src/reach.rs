//! What a caller may see of what it asks for: at first, and again while its stream is open.
use crate::scope::{Asked, View};
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::{RecordSet, Table};
use eduhub_faults::{Fault, Reason};
use std::collections::BTreeSet;

/// A caller before the schools of a service.
pub(crate) struct Reach {
    pub gate: Gate,
    pub caller: Caller,
}

impl Reach {
    /// The view of a question that the caller may ask.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN for a kind, NOT_FOUND/SCHOOL_NOT_FOUND for a school out of its reach; UNAVAILABLE when
    /// its reach can't be told now.
    pub async fn open<S: RecordSet>(&self, asked: &Asked) -> Result<View, Fault> {
        for kind in &asked.kinds {
            let table = S::table(*kind).filter(|t| self.caller.has_domain(t.meta.domain()));
            table.ok_or_else(|| Fault::new(Reason::Forbidden).meta("kind", kind))?;
        }
        let reach = self.schools().await?;
        if reach.as_ref().is_some_and(|reach| !asked.schools.is_subset(reach)) {
            return Err(Fault::new(Reason::SchoolNotFound));
        }
        Ok(self.view::<S>(asked, reach))
    }

    /// The view as it is now: what left the caller's reach is not in it any more.
    ///
    /// # Errors
    /// UNAVAILABLE when its reach can't be told now.
    pub async fn again<S: RecordSet>(&self, asked: &Asked) -> Result<View, Fault> {
        let reach = self.schools().await?;
        Ok(self.view::<S>(asked, reach))
    }

    /// Whether the view of an open stream can change: schools come to communes and leave them. The rest of a grant stands in
    /// the token; when it changes, the old grant is revoked and its streams end.
    pub fn moves(&self) -> bool {
        !self.caller.scope.province && !self.caller.scope.communes.is_empty()
    }

    fn view<S: RecordSet>(&self, asked: &Asked, reach: Option<BTreeSet<String>>) -> View {
        let wanted = |t: &&Table| asked.kinds.is_empty() || asked.kinds.contains(&t.meta.kind);
        let held = |t: &&Table| self.caller.has_domain(t.meta.domain());
        let kinds = S::tables().iter().filter(held).filter(wanted).map(|t| t.meta.kind).collect();
        let schools = match reach {
            reach if asked.schools.is_empty() => reach,
            Some(reach) => Some(reach.intersection(&asked.schools).cloned().collect()),
            None => Some(asked.schools.clone()),
        };
        View { kinds, schools, max_class: self.caller.max_class }
    }

    async fn schools(&self) -> Result<Option<BTreeSet<String>>, Fault> {
        Ok(self.gate.reach(&self.caller).await?.map(|schools| schools.into_iter().collect()))
    }
}
