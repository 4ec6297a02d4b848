//! Positions of the log that callers name.
use eduhub_changelog::{CursorError, FeedIdentity, LogPoint, Position, Side, sealed_at};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{ReadPoint, read_point::Point};
use sqlx::PgConnection;
use uuid::Uuid;

/// A position to read as of.
pub(crate) struct At {
    position: Position,
    /// How the caller named it, unless by a seal, for which the log is kept.
    point: Option<LogPoint>,
}

impl At {
    /// Reads what a caller named.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for nothing, or for rubbish; NOT_FOUND for a seal that is not of the school.
    pub async fn of(conn: &mut PgConnection, school_code: &str, asked: &ReadPoint) -> Result<Self, Fault> {
        match &asked.point {
            None => Err(Fault::invalid("as_of.point", "required")),
            Some(Point::Position(bytes)) => {
                let point = LogPoint::decode(bytes).map_err(refused)?;
                Ok(Self { position: point.of_school(conn, school_code).await?, point: Some(point) })
            }
            Some(Point::SealId(id)) => {
                let id =
                    Uuid::parse_str(id).map_err(|_| Fault::invalid("as_of.seal_id", "must be a UUID"))?;
                let sealed = sealed_at(conn, id).await?.filter(|(school, _)| school == school_code);
                let (_, position) = sealed.ok_or_else(|| Fault::new(Reason::NotFound))?;
                Ok(Self { position, point: None })
            }
        }
    }

    pub fn side<'a>(&self, school_code: &'a str, school_year: i32) -> Side<'a> {
        Side { school_code, school_year, at: self.position }
    }

    /// Checks that what was read as of it is whole. To be asked afterwards: what was pruned before the reading shows then.
    ///
    /// # Errors
    /// OUT_OF_RANGE/CURSOR_EXPIRED, FAILED_PRECONDITION/CURSOR_FOREIGN.
    pub async fn confirm(&self, conn: &mut PgConnection) -> Result<(), Fault> {
        let Some(point) = &self.point else { return Ok(()) };
        point.check(&FeedIdentity::read(conn).await?).map_err(refused)
    }
}

fn refused(error: CursorError) -> Fault {
    Fault::new(match error {
        CursorError::Malformed => Reason::CursorMalformed,
        CursorError::Foreign => Reason::CursorForeign,
        CursorError::Expired => Reason::CursorExpired,
    })
}
