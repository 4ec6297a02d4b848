//! Compiles `proto/` without protoc: protox gives the descriptors, tonic the services, `dictionary` the record tables.
// Cargo reads what a build script prints.
#![allow(clippy::print_stdout)]

mod annotations;
mod dictionary;
mod docs;
mod fields;
mod length;
mod names;
mod raw;
mod shapes;

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    // Asked now, not when this script was compiled: a target directory may serve more than one checkout.
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    println!("cargo:rerun-if-changed=build");
    let files = proto_files(&root.join("eduhub"))?;
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    // Not `file_descriptor_set()`: that one drops extension options, and with them every rule (prost-types has no place
    // for unknown fields).
    let encoded = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("eduhub.descriptor.bin"), &encoded)?;

    tonic_prost_build::configure()
        .build_transport(true)
        .emit_rerun_if_changed(false)
        .bytes(".eduhub.registry.v1.PushRequest")
        .bytes(".eduhub.facility.v1.PushRequest")
        .compile_fds(raw::undecoded(compiler.file_descriptor_set())?)?;

    let pool = prost_reflect::DescriptorPool::decode(encoded.as_slice())?;
    std::fs::write(out.join("dictionary.rs"), dictionary::generate(&pool)?)
        .context("writing dictionary.rs")?;
    std::fs::write(out.join("shapes.rs"), shapes::generate(&pool)?).context("writing shapes.rs")?;
    Ok(())
}

fn proto_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
