use std::collections::BTreeMap;

/// The settings of a TOML file: top-level keys are shared by all services (`listen` = `EDUHUB_LISTEN`), a table
/// named after a service holds its own (`[registry] listen` = `EDUHUB_REGISTRY_LISTEN`).
#[derive(Default)]
pub(super) struct File {
    pub(super) shared: BTreeMap<String, String>,
    pub(super) own: BTreeMap<String, String>,
}

impl File {
    /// `service` is the lower-case table name. Errors are one line for the person who wrote the file.
    pub(super) fn parse(text: &str, service: &str) -> Result<Self, String> {
        // The parser's own message quotes the line, which may hold a password: say the line number only.
        let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            format!("line {line} is not TOML")
        })?;
        let mut file = Self::default();
        for (name, value) in table {
            match value {
                toml::Value::Table(own) if name == service => {
                    for (name, value) in own {
                        let text = plain(&format!("{service}.{name}"), value)?;
                        file.own.insert(name.to_uppercase(), text);
                    }
                }
                toml::Value::Table(_) => {} // another service's
                value => {
                    let text = plain(&name, value)?;
                    file.shared.insert(name.to_uppercase(), text);
                }
            }
        }
        Ok(file)
    }
}

fn plain(name: &str, value: toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(yes) => Ok(yes.to_string()),
        toml::Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(|item| plain(name, item)).collect();
            Ok(items?.join(","))
        }
        _ => Err(format!("{name}: give a text, a number, true or false, or a list of those")),
    }
}
