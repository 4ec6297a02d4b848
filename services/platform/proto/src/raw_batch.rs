//! A batch of a push as it came: records undecoded.
use crate::{
    common::v1::{PushOpen, Withdrawal},
    facility, registry,
    wire::{MessageShape, Shaped, WireField},
};
use prost::{Message, bytes::Bytes};

/// The `PushBatch` of any service: same numbers, same wire types (a contract test compares them). Its records are slices of
/// the message that came, not copies.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RawBatch {
    /// Number: 1 for the first batch of the session, then rising by one.
    #[prost(uint32, tag = "1")]
    pub number: u32,
    /// Each an encoded `Record` of the service.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub records: Vec<Bytes>,
    /// Records to take away.
    #[prost(message, repeated, tag = "3")]
    pub withdrawals: Vec<Withdrawal>,
}

impl Shaped for RawBatch {
    // Records are walked one by one, when they are decoded.
    const SHAPE: &'static MessageShape = &MessageShape {
        kind: 0,
        fields: &[
            WireField { number: 1, name: "number", list: false, message: None },
            WireField { number: 2, name: "records", list: true, message: None },
            WireField { number: 3, name: "withdrawals", list: true, message: Some(Withdrawal::SHAPE) },
        ],
    };
}

macro_rules! carried {
    ($($service:ident)*) => {
        $(impl From<&PushOpen> for $service::v1::PushRequest {
            fn from(open: &PushOpen) -> Self {
                let bytes = open.encode_to_vec().into();
                Self { message: Some($service::v1::push_request::Message::Open(bytes)) }
            }
        }

        impl From<&$service::v1::PushBatch> for $service::v1::PushRequest {
            fn from(batch: &$service::v1::PushBatch) -> Self {
                let bytes = batch.encode_to_vec().into();
                Self { message: Some($service::v1::push_request::Message::Batch(bytes)) }
            }
        })*
    };
}

// A `PushRequest` carries `open` and batches as bytes, so that nothing a newer client says is lost in decoding.
carried!(registry facility);
