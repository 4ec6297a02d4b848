//! Files that only their owner reads.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rand::RngCore;

use crate::StackError;

/// Makes a directory of mode 700 and those above it.
pub(crate) fn directory(path: &Path) -> Result<(), StackError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(StackError::io(format!("creating {}", path.display())))
}

/// Writes a file of mode 600, over an earlier one too.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), StackError> {
    let attempt = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        // `mode` counts only when the file is new.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(content)
    };
    attempt().map_err(StackError::io(format!("writing {}", path.display())))
}

/// 32 random bytes in hex, from the system's generator.
pub(crate) fn random_secret() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}
