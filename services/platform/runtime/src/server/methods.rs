use std::collections::HashMap;

use prost::Message;
use prost_types::FileDescriptorSet;

/// The methods that a server knows, by path, and whether each is a stream in either direction.
///
/// Taken from the compiled descriptors, so that it can't drift from the API. Paths that are not in it are
/// treated as unary and appear in metrics as `unknown`, since a caller chooses them.
#[derive(Debug, Clone)]
pub struct Methods {
    by_path: HashMap<String, Method>,
    unknown: Method,
}

/// One method.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    /// Place in the order of [`Methods::all`].
    pub number: usize,
    /// `package.Service/Method`.
    pub full: String,
    /// Length of the service's part of it.
    service: usize,
    stream: bool,
}

impl Method {
    /// `package.Service`.
    pub fn service(&self) -> &str {
        &self.full[..self.service]
    }

    /// `Method`.
    pub fn name(&self) -> &str {
        self.full.get(self.service + 1..).unwrap_or(&self.full)
    }
}

/// How the conventions call a method that is not known.
const UNKNOWN: &str = "_OTHER";

impl Methods {
    /// Reads encoded `FileDescriptorSet`s; health and reflection are always known.
    ///
    /// # Errors
    /// The decoder's, when a set is not one.
    pub fn from_descriptors(sets: &[&[u8]]) -> Result<Self, prost::DecodeError> {
        let own = [tonic_health::pb::FILE_DESCRIPTOR_SET, tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET];
        let mut by_path = HashMap::new();
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
                            number: 0,
                            full: format!("{full}/{}", method.name()),
                            service: full.len(),
                            stream: method.client_streaming() || method.server_streaming(),
                        };
                        by_path.insert(format!("/{}", entry.full), entry);
                    }
                }
            }
        }
        by_path.values_mut().enumerate().for_each(|(number, method)| method.number = number);
        let (full, service) = (UNKNOWN.to_owned(), UNKNOWN.len());
        let unknown = Method { number: by_path.len(), full, service, stream: false };
        Ok(Self { by_path, unknown })
    }

    /// Whether the call at `path` streams in either direction.
    pub fn is_stream(&self, path: &str) -> bool {
        self.by_path.get(path).is_some_and(|method| method.stream)
    }

    /// The method at `path`, or the one that stands for all that are not known.
    pub(crate) fn at(&self, path: &str) -> &Method {
        self.by_path.get(path).unwrap_or(&self.unknown)
    }

    /// Full names in the order of their numbers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        let mut all: Vec<&Method> = self.by_path.values().chain([&self.unknown]).collect();
        all.sort_unstable_by_key(|method| method.number);
        all.into_iter().map(|method| method.full.as_str())
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
        let check = methods.at("/grpc.health.v1.Health/Check");
        assert_eq!((check.service(), check.name()), ("grpc.health.v1.Health", "Check"));
        let unknown = methods.at("/a/b/../c");
        assert_eq!((unknown.service(), unknown.name()), (UNKNOWN, UNKNOWN));
        for (number, name) in methods.all().enumerate() {
            assert_eq!(methods.at(&format!("/{name}")).number, number, "{name}");
        }
        assert!(Methods::from_descriptors(&[b"\xff\xff"]).is_err());
    }
}
