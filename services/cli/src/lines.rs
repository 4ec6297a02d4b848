//! Records as canonical proto3 JSON lines.
use eduhub_proto::DESCRIPTORS;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions,
};
use std::io::{self, BufRead, Write};
use std::marker::PhantomData;
use std::sync::Arc;

/// Why a line can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// File.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The descriptors that this program carries do not hold the message.
    #[error("no message {0} in the API")]
    NoMessage(String),
    /// Not a record.
    #[error("line {line}: {what}")]
    Bad {
        /// Line, from 1.
        line: usize,
        /// What is wrong, without the line's content.
        what: String,
    },
}

/// Translates one message type to and from JSON lines with the proto's field names.
#[derive(Clone)]
pub struct Lines<M> {
    descriptor: MessageDescriptor,
    message: PhantomData<fn() -> M>,
}

impl<M: Message + Default> Lines<M> {
    /// For the message of this full name.
    ///
    /// # Errors
    /// [`LineError::NoMessage`].
    pub fn new(name: &str) -> Result<Self, LineError> {
        let missing = || LineError::NoMessage(name.to_owned());
        let pool = DescriptorPool::decode(DESCRIPTORS).map_err(|_| missing())?;
        let descriptor = pool.get_message_by_name(name).ok_or_else(missing)?;
        Ok(Self { descriptor, message: PhantomData })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// [`LineError::Io`], or [`LineError::Bad`] when the message is not of the descriptor's type.
    pub fn write(&self, out: &mut impl Write, message: &M) -> Result<(), LineError> {
        let bad = |e: &dyn std::fmt::Display| LineError::Bad { line: 0, what: e.to_string() };
        let dynamic = DynamicMessage::decode(self.descriptor.clone(), message.encode_to_vec().as_slice())
            .map_err(|e| bad(&e))?;
        let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(true);
        let mut serializer = serde_json::Serializer::new(&mut *out);
        dynamic.serialize_with_options(&mut serializer, &options).map_err(|e| bad(&e))?;
        Ok(out.write_all(b"\n")?)
    }

    /// Reads all lines; empty ones are skipped, unknown fields are errors.
    pub fn read<R: BufRead>(&self, input: R) -> impl Iterator<Item = Result<M, LineError>> + use<R, M> {
        let this = Self { descriptor: self.descriptor.clone(), message: PhantomData };
        filled(input).map(move |(n, line)| this.parse(n + 1, &line?))
    }

    /// Reads the messages at these positions among all, counted from 0 and ascending; the lines of the others are not parsed.
    pub fn pick<R: BufRead>(
        &self,
        input: R,
        positions: Arc<[usize]>,
    ) -> impl Iterator<Item = Result<M, LineError>> + use<R, M> {
        let this = Self { descriptor: self.descriptor.clone(), message: PhantomData };
        let lines = filled(input).enumerate();
        let wanted =
            lines.filter(move |(at, (_, line))| line.is_err() || positions.binary_search(at).is_ok());
        wanted.map(move |(_, (n, line))| this.parse(n + 1, &line?))
    }

    fn parse(&self, line: usize, text: &str) -> Result<M, LineError> {
        let bad = |what: String| LineError::Bad { line, what };
        let mut json = serde_json::Deserializer::from_str(text);
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        let dynamic = DynamicMessage::deserialize_with_options(self.descriptor.clone(), &mut json, &options)
            // The text of such an error may quote the value; only the place is told.
            .map_err(|e| {
                bad(format!("not a record of {} (column {})", self.descriptor.full_name(), e.column()))
            })?;
        json.end().map_err(|_| bad("more than one record".into()))?;
        dynamic.transcode_to().map_err(|e| bad(e.to_string()))
    }
}

/// Lines with something in them, with their numbers from 0.
fn filled<R: BufRead>(input: R) -> impl Iterator<Item = (usize, io::Result<String>)> {
    input.lines().enumerate().filter(|(_, line)| !matches!(line, Ok(text) if text.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::registry::v1::{Campus, Record, record};

    #[test]
    fn a_record_comes_back_and_names_are_the_protos() {
        let lines = Lines::<Record>::new("eduhub.registry.v1.Record").unwrap();
        let campus = Campus {
            campus_code: "DT01".into(),
            name: "Chính".into(),
            distance_to_main_km: Some(0.0),
            ..Campus::default()
        };
        let message = Record { record: Some(record::Record::Campus(campus)) };
        let mut out = Vec::new();
        lines.write(&mut out, &message).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "{\"campus\":{\"campus_code\":\"DT01\",\"name\":\"Chính\",\"distance_to_main_km\":0.0}}\n"
        );
        let back: Vec<_> = lines.read(format!("\n{text}").as_bytes()).map(Result::unwrap).collect();
        assert_eq!(back, vec![message]);
    }

    #[test]
    fn picked_lines_are_those_of_their_positions_and_the_others_are_not_parsed() {
        let lines = Lines::<Record>::new("eduhub.registry.v1.Record").unwrap();
        let input =
            "{\"campus\":{\"campus_code\":\"A\"}}\n\nnonsense\n{\"campus\":{\"campus_code\":\"C\"}}\n";
        let code = |r: Record| match r.record {
            Some(record::Record::Campus(campus)) => campus.campus_code,
            _ => String::new(),
        };
        let picked = lines.pick(input.as_bytes(), Arc::from([0, 2])).map(|r| code(r.unwrap()));
        assert_eq!(picked.collect::<Vec<_>>(), ["A", "C"]);
        let broken = lines.pick(input.as_bytes(), Arc::from([1])).next().unwrap().unwrap_err();
        assert!(broken.to_string().starts_with("line 3: "), "{broken}");
    }

    #[test]
    fn errors_name_the_line_and_not_the_value() {
        let lines = Lines::<Record>::new("eduhub.registry.v1.Record").unwrap();
        let input = "{}\n{\"pupil\":{\"full_name\":\"Nguyễn Văn A\",\"nick\":1}}\n";
        let error = lines.read(input.as_bytes()).nth(1).unwrap().unwrap_err().to_string();
        assert!(error.starts_with("line 2: not a record"), "{error}");
        assert!(!error.contains("Nguyễn"));
    }
}
