//! The comments of the proto files, which are the API's manual.
use prost_reflect::{DescriptorPool, FileDescriptor};
use std::collections::HashMap;

/// Leading comments by file and path of what they stand before.
pub struct Docs(HashMap<(String, Vec<i32>), String>);

impl Docs {
    /// Those of every file of EduHub's own.
    pub fn of(pool: &DescriptorPool) -> Self {
        let mut docs = HashMap::new();
        for file in pool.files().filter(|f| f.package_name().starts_with("eduhub.")) {
            let info = file.file_descriptor_proto().source_code_info.as_ref();
            for location in info.iter().flat_map(|i| &i.location) {
                if let Some(comment) = &location.leading_comments {
                    docs.insert((file.name().to_owned(), location.path.clone()), one_line(comment));
                }
            }
        }
        Self(docs)
    }

    /// The comment before the element at `path`; empty without one.
    pub fn at(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(&(file.name().to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

fn one_line(comment: &str) -> String {
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}
