//! The proto files are the manual: nothing in them goes without saying.
use crate::api::{Comments, enums, files, messages, none, pool, services};
use std::collections::HashMap;

#[test]
fn everything_in_the_api_has_a_comment() {
    let pool = pool();
    let comments: HashMap<String, Comments> =
        files(&pool).iter().map(|f| (f.name().to_owned(), Comments::of(f))).collect();
    assert!(comments.values().map(Comments::len).sum::<usize>() > 500, "the descriptors have no comments");
    let mut gaps = Vec::new();
    let mut check = |file: &str, path: &[i32], name: &str| {
        if comments[file].at(path).is_empty() {
            gaps.push(format!("{file}: {name}"));
        }
    };
    for service in services(&pool) {
        check(service.parent_file().name(), service.path(), service.full_name());
        for method in service.methods() {
            check(method.parent_file().name(), method.path(), method.full_name());
        }
    }
    for message in messages(&pool).iter().filter(|m| !m.is_map_entry()) {
        let file = message.parent_file();
        check(file.name(), message.path(), message.full_name());
        for field in message.fields() {
            check(file.name(), field.path(), field.full_name());
        }
        // A field's own presence makes a oneof that nobody wrote.
        for oneof in message.oneofs().filter(|o| !o.is_synthetic()) {
            check(file.name(), oneof.path(), oneof.full_name());
        }
    }
    for one in enums(&pool) {
        let file = one.parent_file();
        check(file.name(), one.path(), one.full_name());
        for value in one.values() {
            check(file.name(), value.path(), value.full_name());
        }
    }
    none("without a comment", &gaps);
}

#[test]
fn every_file_says_what_it_is_about() {
    /// Number of `package` in `google.protobuf.FileDescriptorProto`.
    const PACKAGE: i32 = 2;
    let pool = pool();
    // The syntax line comes first; the comment of the file stands before its package.
    let silent = |f: &&prost_reflect::FileDescriptor| Comments::of(f).at(&[PACKAGE]).is_empty();
    let gaps: Vec<String> = files(&pool).iter().filter(silent).map(|f| f.name().to_owned()).collect();
    none("no comment before `package`", &gaps);
}
