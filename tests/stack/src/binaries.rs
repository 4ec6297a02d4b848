use std::path::{Path, PathBuf};

use crate::{Program, StackError};

/// Where the programs are: `chosen`, else `EDUHUB_BIN_DIR`, else beside the running executable, which for a test is
/// the directory above `deps`.
///
/// # Errors
/// [`StackError::Io`] when the path of the running executable cannot be told.
pub fn bin_dir(chosen: Option<&Path>) -> Result<PathBuf, StackError> {
    if let Some(dir) = chosen {
        return Ok(dir.to_owned());
    }
    if let Some(dir) = std::env::var_os("EDUHUB_BIN_DIR") {
        return Ok(dir.into());
    }
    let exe = std::env::current_exe().map_err(StackError::io("finding the running executable"))?;
    let dir = exe.parent().unwrap_or(Path::new("."));
    Ok(if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir }.to_owned())
}

/// The executable of `program`.
pub(crate) fn find(bin_dir: &Path, program: Program) -> Result<PathBuf, StackError> {
    let path = bin_dir.join(program.binary());
    if path.is_file() { Ok(path) } else { Err(StackError::BinaryMissing(path)) }
}
