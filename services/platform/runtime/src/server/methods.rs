use std::collections::HashMap;

use prost::Message;
use prost_types::FileDescriptorSet;

/// The methods that a server knows, by path, and whether each is a stream in either direction.
///
/// Taken from the compiled descriptors, so that it can't drift from the API. Paths that are not in it are
/// treated as unary and appear in metrics as `unknown`, since a caller chooses them.
#[derive(Debug, Clone)]
pub struct Methods(HashMap<String, Method>);

#[derive(Debug, Clone)]
struct Method {
    service: String,
    name: String,
    stream: bool,
}

impl Methods {
    /// Reads encoded `FileDescriptorSet`s; health and reflection are always known.
    ///
    /// # Errors
    /// The decoder's, when a set is not one.
    pub fn from_descriptors(sets: &[&[u8]]) -> Result<Self, prost::DecodeError> {
        let own = [tonic_health::pb::FILE_DESCRIPTOR_SET, tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET];
        let mut methods = HashMap::new();
        for set in own.iter().chain(sets) {
            for file in FileDescriptorSet::decode(*set)?.file {
                for service in &file.service {
                    let full = if file.package().is_empty() {
                        service.name().to_owned()
                    } else {
                        format!("{}.{}", file.package(), service.name())
                    };
                    for method in &service.method {
                        let entry = Method {
                            service: full.clone(),
                            name: method.name().to_owned(),
                            stream: method.client_streaming() || method.server_streaming(),
                        };
                        methods.insert(format!("/{full}/{}", method.name()), entry);
                    }
                }
            }
        }
        Ok(Self(methods))
    }

    /// Whether the call at `path` streams in either direction.
    pub fn is_stream(&self, path: &str) -> bool {
        self.0.get(path).is_some_and(|method| method.stream)
    }

    /// Service and method at `path`, or `("unknown", "unknown")`.
    pub fn names(&self, path: &str) -> (&str, &str) {
        self.0.get(path).map_or(("unknown", "unknown"), |method| (&method.service, &method.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_streams_and_hides_made_up_paths() {
        let methods = Methods::from_descriptors(&[]).unwrap();
        assert!(methods.is_stream("/grpc.health.v1.Health/Watch"));
        assert!(!methods.is_stream("/grpc.health.v1.Health/Check"));
        assert_eq!(methods.names("/grpc.health.v1.Health/Check"), ("grpc.health.v1.Health", "Check"));
        assert_eq!(methods.names("/a/b/../c"), ("unknown", "unknown"));
        assert!(Methods::from_descriptors(&[b"\xff\xff"]).is_err());
    }
}
