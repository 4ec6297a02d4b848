//! Lists: no answer grows without bound.
use crate::api::{comment_of, methods, none, pool};
use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};

/// What the comment of a list says that has a natural end, such as the code lists, and comes whole.
const WHOLE: &str = "in one answer";

#[test]
fn every_list_has_pages_or_is_a_stream_or_says_that_it_is_whole() {
    let pool = pool();
    let lists: Vec<MethodDescriptor> = methods(&pool).into_iter().filter(lists).collect();
    assert!(lists.len() >= 15, "only {} RPCs list something", lists.len());
    let unbounded = |m: &&MethodDescriptor| {
        let paged = paged(&m.input(), &m.output()) || numbered(&m.input(), &m.output());
        !(paged || m.is_server_streaming() || comment_of(m).contains(WHOLE))
    };
    let gaps: Vec<String> = lists.iter().filter(unbounded).map(|m| m.full_name().to_owned()).collect();
    none(&format!("lists without page_size and page_token, or {WHOLE:?} in their comment"), &gaps);
}

#[test]
fn a_page_says_its_largest_size() {
    let pool = pool();
    let mut gaps = Vec::new();
    for method in methods(&pool).iter().filter(|m| paged(&m.input(), &m.output())) {
        let input = method.input();
        let field = input.get_field_by_name("page_size").expect("paged");
        let comments = crate::api::Comments::of(&input.parent_file());
        let comment = comments.at(field.path());
        if !(comment.contains("at most") && comment.contains("0 for")) {
            gaps.push(format!("{}: {comment:?}", field.full_name()));
        }
    }
    none("page_size without its default (\"0 for ...\") and its limit (\"at most ...\")", &gaps);
}

/// Whether an RPC gives many of something: by its name, or by an answer that has a next page.
fn lists(method: &MethodDescriptor) -> bool {
    let by_name = ["List", "Diff", "Watch"].iter().any(|verb| method.name().starts_with(verb));
    by_name
        || (method.output().get_field_by_name("next_page_token").is_some() && method.name() != "GetHistory")
}

fn has(message: &MessageDescriptor, name: &str, kind: &Kind) -> bool {
    message.get_field_by_name(name).is_some_and(|f| f.kind() == *kind && !f.is_list())
}

fn paged(input: &MessageDescriptor, output: &MessageDescriptor) -> bool {
    has(input, "page_size", &Kind::Int32)
        && has(input, "page_token", &Kind::String)
        && has(output, "next_page_token", &Kind::String)
}

/// A journal that is read on from the last number, until nothing is left.
fn numbered(input: &MessageDescriptor, output: &MessageDescriptor) -> bool {
    has(input, "after_sequence", &Kind::Int64) && has(output, "has_more", &Kind::Bool)
}
