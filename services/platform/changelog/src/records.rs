//! The records of one service as a set: which tables, how to reach the typed record in the service's `Record` message.
use crate::{image::StoredImage, table::Table};
use eduhub_proto::{
    common::v1::{DataDomain, Kind},
    dictionary::{Annotated, CLASS_SECRET, FieldMeta, Record, Value, mask},
    wire::Shaped,
};
use eduhub_vault::{Vault, VaultError};

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

/// Takes a record's secret out of its image and seals it. A record has at most one secret field.
pub fn split<R: Record>(
    mut record: R,
    vault: &Vault,
    school_code: &str,
    full_key: &str,
) -> Result<Split, VaultError> {
    let mut found: Option<(u32, String)> = None;
    record.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| {
        if meta.class == CLASS_SECRET
            && let Value::Text(text) = value
        {
            found = Some((meta.number, text.to_owned()));
        }
    });
    let Some((number, value)) = found else {
        return Ok(Split { body: record.encode_to_vec(), secret: None, blind_index: None });
    };
    Annotated::clear(&mut record, number);
    let aad = secret_aad(R::META.kind, school_code, full_key);
    let secret = vault.seal(&aad, format!("{number}={value}").as_bytes())?;
    let blind_index = vault.blind_index("personal_id", &value).to_vec();
    Ok(Split { body: record.encode_to_vec(), secret: Some(secret), blind_index: Some(blind_index) })
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
