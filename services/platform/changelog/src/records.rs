//! The records of one service as a set: which tables, how to reach the typed record in the service's `Record` message.
use crate::{image::StoredImage, table::Table};
use eduhub_proto::{
    common::v1::{DataDomain, Kind},
    dictionary::{CLASS_SECRET, Record, Value, mask},
    wire::Shaped,
};
use eduhub_vault::{Vault, VaultError};
use prost::encoding::{DecodeContext, decode_key, skip_field};

/// Does something with a record whose type it learns only then.
pub trait RecordVisitor {
    /// What it gives back.
    type Out;
    /// Called with the record.
    fn visit<R: Record>(self, record: R) -> Self::Out;
}

/// The records of one service. Made by [`record_set!`](crate::record_set).
pub trait RecordSet: Send + Sync + 'static {
    /// The service's message with one record of any kind.
    type Record: Shaped + Default + Clone + Send + Sync + 'static;
    /// Tables in the order of their dependencies: parents first.
    fn tables() -> &'static [Table];
    /// Hands the typed record to a visitor; `None` for an empty message.
    fn visit<V: RecordVisitor>(record: Self::Record, visitor: V) -> Option<V::Out>;
    /// Reads a stored image, masked for the reader.
    fn open(kind: Kind, opener: &Opener<'_>) -> Result<Self::Record, ImageError>;

    /// Data domains of its kinds, each once.
    fn domains() -> Vec<DataDomain> {
        let mut domains: Vec<DataDomain> = Self::tables().iter().map(|t| t.meta.domain()).collect();
        domains.sort_unstable_by_key(|domain| *domain as i32);
        domains.dedup();
        domains
    }

    /// Table of a kind.
    fn table(kind: i32) -> Option<&'static Table> {
        Self::tables().iter().find(|t| t.meta.kind == kind)
    }
}

/// Why a stored image could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Not a kind of this service.
    #[error("kind is not of this service")]
    Kind,
    /// Stored bytes are not the message.
    #[error("stored image can't be decoded")]
    Body(#[from] prost::DecodeError),
    /// Secret can't be opened.
    #[error("stored secret can't be opened")]
    Secret(#[from] VaultError),
}

/// Reads stored images for a reader who may see fields up to a class.
pub struct Opener<'a> {
    /// Keys.
    pub vault: &'a Vault,
    /// The image.
    pub image: &'a StoredImage,
    /// Number of its kind.
    pub kind: i32,
    /// Highest `Sensitivity` number that the reader may see.
    pub max_class: i32,
}

impl Opener<'_> {
    /// The record, its secret put back when the reader may see secrets, fields above the reader's class absent.
    pub fn open<R: Record>(&self) -> Result<R, ImageError> {
        let mut record = R::decode(self.image.body.as_slice())?;
        if let Some((number, value)) = self.secret()? {
            record.set_secret(number, value);
        }
        if self.max_class < CLASS_SECRET {
            mask(&mut record, self.max_class);
        }
        Ok(record)
    }

    /// Field number and value of the secret, when the record has one and the reader may see it.
    ///
    /// # Errors
    /// The stored secret can't be opened.
    pub fn secret(&self) -> Result<Option<(u32, String)>, ImageError> {
        let Some(sealed) = self.image.secret.as_ref().filter(|_| self.max_class >= CLASS_SECRET) else {
            return Ok(None);
        };
        let aad = secret_aad(self.kind, &self.image.school_code, &self.image.record_key);
        let opened = self.vault.open(&aad, sealed)?;
        let text = String::from_utf8_lossy(&opened);
        let parts = text.split_once('=').and_then(|(n, value)| Some((n.parse().ok()?, value.to_owned())));
        Ok(parts)
    }
}

/// What binds a sealed secret to its record, so that it can't be moved to another.
fn secret_aad(kind: i32, school_code: &str, record_key: &str) -> Vec<u8> {
    format!("record/{kind}/{school_code}/{record_key}").into_bytes()
}

/// A record split for storage.
pub struct Split {
    /// Encoded message without secrets.
    pub body: Vec<u8>,
    /// Sealed secret.
    pub secret: Option<Vec<u8>>,
    /// Blind index of the secret.
    pub blind_index: Option<Vec<u8>>,
}

/// Takes a record's secret out of its encoding and seals it. A record has at most one secret field.
pub fn split<R: Record>(
    record: &R,
    encoded: Vec<u8>,
    vault: &Vault,
    school_code: &str,
    full_key: &str,
) -> Result<Split, VaultError> {
    let secret = R::META.fields.iter().find(|f| f.class == CLASS_SECRET);
    let Some((number, Value::Text(value))) = secret.map(|f| (f.number, record.value(f.number))) else {
        return Ok(Split { body: encoded, secret: None, blind_index: None });
    };
    let aad = secret_aad(R::META.kind, school_code, full_key);
    let secret = vault.seal(&aad, format!("{number}={value}").as_bytes())?;
    let blind_index = vault.blind_index("personal_id", value).to_vec();
    Ok(Split { body: without(encoded, number), secret: Some(secret), blind_index: Some(blind_index) })
}

/// An encoded message without one of its fields.
fn without(mut encoded: Vec<u8>, number: u32) -> Vec<u8> {
    let (mut rest, mut kept) = (encoded.as_slice(), 0);
    let mut cut = None;
    while !rest.is_empty() && cut.is_none() {
        // What was encoded here can be walked: neither fails.
        let Ok((field, wire_type)) = decode_key(&mut rest) else { break };
        if skip_field(wire_type, field, &mut rest, DecodeContext::default()).is_err() {
            break;
        }
        let end = encoded.len() - rest.len();
        if field == number {
            cut = Some(kept..end);
        }
        kept = end;
    }
    if let Some(range) = cut {
        encoded.drain(range);
    }
    encoded
}

/// Makes a [`RecordSet`] of a service's proto package.
#[macro_export]
macro_rules! record_set {
    ($(#[$doc:meta])* $name:ident of $pkg:ident { $($kind:ident => $table:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::RecordSet for $name {
            type Record = $pkg::Record;

            fn tables() -> &'static [$crate::Table] {
                use ::eduhub_proto::dictionary::Record as _;
                static TABLES: ::std::sync::LazyLock<Vec<$crate::Table>> =
                    ::std::sync::LazyLock::new(|| vec![$($crate::Table::new($table, <$pkg::$kind>::META)),*]);
                &TABLES
            }

            fn visit<V: $crate::RecordVisitor>(record: Self::Record, visitor: V) -> Option<V::Out> {
                match record.record? {
                    $($pkg::record::Record::$kind(r) => Some(visitor.visit(r)),)*
                }
            }

            fn open(
                kind: ::eduhub_proto::common::v1::Kind,
                opener: &$crate::Opener<'_>,
            ) -> Result<Self::Record, $crate::ImageError> {
                use ::eduhub_proto::dictionary::Record as _;
                $(if kind as i32 == <$pkg::$kind>::META.kind {
                    return Ok($pkg::Record { record: Some($pkg::record::Record::$kind(opener.open()?)) });
                })*
                Err($crate::ImageError::Kind)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::registry::v1::{FreeCandidate, Pupil, Staff};

    fn is_without_its_number<R: Record + Clone>(record: &R, bare: &R) {
        let number = R::META.fields.iter().find(|f| f.class == CLASS_SECRET).unwrap().number;
        assert_eq!(without(record.encode_to_vec(), number), bare.encode_to_vec());
        assert_eq!(without(bare.encode_to_vec(), number), bare.encode_to_vec());
    }

    /// A number that stays in the image would stand in the database in the clear.
    #[test]
    fn the_secret_is_cut_out_of_the_image_and_nothing_else() {
        let secret = Some("037315000001".to_owned());
        let pupil = Pupil {
            student_code: "HS1".into(),
            full_name: "Nguyễn Thị Hương".into(),
            area: Some("3".into()),
            poor_household: Some(false),
            ..Pupil::default()
        };
        is_without_its_number(&Pupil { personal_id: secret.clone(), ..pupil.clone() }, &pupil);
        is_without_its_number(&Staff { personal_id: secret.clone(), ..Staff::default() }, &Staff::default());
        let alone = FreeCandidate { personal_id: secret, ..FreeCandidate::default() };
        is_without_its_number(&alone, &FreeCandidate::default());
    }
}
