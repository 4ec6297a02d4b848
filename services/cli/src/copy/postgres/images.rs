//! Changes of a feed as the columns that the copy keeps.
use crate::copy::CopyError;
use eduhub_proto::DESCRIPTORS;
use eduhub_proto::common::v1::{ChangeHeader, ChangeOp};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use time::OffsetDateTime;
use uuid::Uuid;

/// Reads changes of one service.
pub(super) struct Images {
    record: MessageDescriptor,
    options: SerializeOptions,
}

/// One change.
pub(super) struct Image {
    pub header: ChangeHeader,
    pub record_id: Uuid,
    pub withdrawn: bool,
    pub changed_at: Option<OffsetDateTime>,
    /// Fields as JSON.
    pub data: Option<String>,
    /// The service's `Record`, as it came.
    pub bytes: Option<Vec<u8>>,
}

/// A `Change` whose record is kept as it came: what a newer hub sends and this program does not know stays in it.
#[derive(Clone, PartialEq, Message)]
struct Raw {
    #[prost(message, optional, tag = "1")]
    header: Option<ChangeHeader>,
    #[prost(bytes = "vec", optional, tag = "2")]
    record: Option<Vec<u8>>,
}

impl Images {
    pub fn new(service: &str) -> Result<Self, CopyError> {
        let name = format!("eduhub.{service}.v1.Record");
        let pool = DescriptorPool::decode(DESCRIPTORS).ok();
        let record = pool.and_then(|pool| pool.get_message_by_name(&name));
        let record = record.ok_or(CopyError::BadChange("records of a service that is not known"))?;
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .skip_default_fields(true)
            .stringify_64_bit_integers(false);
        Ok(Self { record, options })
    }

    pub fn read(&self, change: &[u8]) -> Result<Image, CopyError> {
        let raw = Raw::decode(change).map_err(|_| CopyError::BadChange("not a change"))?;
        let header = raw.header.ok_or(CopyError::BadChange("a change without head"))?;
        let withdrawn = match header.op() {
            ChangeOp::Upsert => false,
            ChangeOp::Withdraw => true,
            ChangeOp::Unspecified => return Err(CopyError::BadChange("a change without operation")),
        };
        if !withdrawn && header.digest.len() != 16 {
            return Err(CopyError::BadChange("a digest that does not have 16 bytes"));
        }
        let record_id = header.record_id.parse();
        let record_id = record_id.map_err(|_| CopyError::BadChange("an id that is not one"))?;
        let changed_at = header.changed_at.as_ref().and_then(|t| {
            let nanos = i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanos);
            OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
        });
        let bytes = if withdrawn { None } else { raw.record };
        let data = bytes.as_deref().map(|bytes| self.json(bytes)).transpose()?;
        if !withdrawn && data.is_none() {
            return Err(CopyError::BadChange("an upsert without its record"));
        }
        Ok(Image { header, record_id, withdrawn, changed_at, data, bytes })
    }

    /// Fields of the one record in a `Record` message. A kind that this program does not know has none: its bytes are kept.
    fn json(&self, bytes: &[u8]) -> Result<String, CopyError> {
        let bad = || CopyError::BadChange("a record that can't be read");
        let message = DynamicMessage::decode(self.record.clone(), bytes).map_err(|_| bad())?;
        let Some((_, value)) = message.fields().next() else { return Ok("{}".to_owned()) };
        let record = value.as_message().ok_or_else(bad)?;
        let mut out = serde_json::Serializer::new(Vec::new());
        record.serialize_with_options(&mut out, &self.options).map_err(|_| bad())?;
        String::from_utf8(out.into_inner()).map_err(|_| bad())
    }
}
