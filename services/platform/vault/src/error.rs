/// Why a vault operation failed. No variant carries key bytes or plaintext.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file can't be read.
    #[error("key file {path}: {source}")]
    Unreadable {
        /// Where it was looked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key file's content is not usable; the text names the field, never its value.
    #[error("key file: {0}")]
    KeyFile(String),
    /// A value was sealed under a key that the file no longer holds.
    #[error("sealed under key {0}, which the key file does not hold")]
    UnknownKey(u8),
    /// The sealed bytes or their associated data were changed, or they were never made by a vault.
    #[error("sealed value does not open: changed, moved or not sealed by this vault")]
    Tampered,
    /// The cryptographic library or the random source failed.
    #[error("the random source or the cipher failed")]
    Crypto,
}
