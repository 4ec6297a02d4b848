//! The API as its descriptors have it.
use prost_reflect::{
    DescriptorPool, EnumDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};
use std::collections::HashMap;

/// The descriptors that the services carry.
pub fn pool() -> DescriptorPool {
    DescriptorPool::decode(eduhub_proto::DESCRIPTORS).expect("descriptors decode")
}

fn ours(package: &str) -> bool {
    package.starts_with("eduhub.")
}

/// Files of EduHub's own packages.
pub fn files(pool: &DescriptorPool) -> Vec<FileDescriptor> {
    pool.files().filter(|f| ours(f.package_name())).collect()
}

/// EduHub's services.
pub fn services(pool: &DescriptorPool) -> Vec<ServiceDescriptor> {
    pool.services().filter(|s| ours(s.package_name())).collect()
}

/// EduHub's RPCs.
pub fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    services(pool).iter().flat_map(|s| s.methods().collect::<Vec<_>>()).collect()
}

/// EduHub's messages, nested ones too.
pub fn messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages().filter(|m| ours(m.package_name())).collect()
}

/// EduHub's enums, nested ones too.
pub fn enums(pool: &DescriptorPool) -> Vec<EnumDescriptor> {
    pool.all_enums().filter(|e| ours(e.package_name())).collect()
}

/// Leading comments of one file by the path of what they stand before.
pub struct Comments(HashMap<Vec<i32>, String>);

impl Comments {
    /// Those of a file.
    pub fn of(file: &FileDescriptor) -> Self {
        let info = file.file_descriptor_proto().source_code_info.clone().unwrap_or_default();
        let comments = info.location.into_iter().filter_map(|l| {
            let text = l.leading_comments?.trim().to_owned();
            (!text.is_empty()).then_some((l.path, text))
        });
        Self(comments.collect())
    }

    /// The comment before the element at `path`; empty without one.
    pub fn at(&self, path: &[i32]) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// The comment before an RPC.
pub fn comment_of(method: &MethodDescriptor) -> String {
    Comments::of(&method.parent_file()).at(method.path()).to_owned()
}

/// Fails with every line of `gaps`.
pub fn none(what: &str, gaps: &[String]) {
    assert!(gaps.is_empty(), "{what}:\n  {}", gaps.join("\n  "));
}

/// `UPPER_SNAKE` of a `CamelName`.
pub fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
