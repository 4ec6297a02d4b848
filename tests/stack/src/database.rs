use std::collections::BTreeMap;
use std::str::FromStr;

use rand::Rng;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::{Program, StackError, private};

/// Which database a stack uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseName {
    /// A new one with a random name, dropped at the end.
    Fresh,
    /// A new one with this name, dropped at the end.
    Named(String),
    /// The one with this name, made when missing and kept at the end.
    Kept(String),
}

/// A database with one role and one schema per service, least privilege: a role owns its schema, finds only that
/// one (`search_path`), and may not even look into the others. The passwords are new each time.
#[derive(Debug)]
pub struct Database {
    admin: PgConnectOptions,
    name: String,
    urls: BTreeMap<Program, String>,
    keep: bool,
    /// Made by this value and not yet dropped: never takes away a database that was there before.
    owned: bool,
}

impl Database {
    /// Makes the database, its roles and schemas in the server that `superuser_url` connects to.
    ///
    /// # Errors
    /// [`StackError::DatabaseName`], [`StackError::Database`].
    pub async fn create(superuser_url: &str, name: &DatabaseName) -> Result<Self, StackError> {
        let (name, keep) = match name {
            DatabaseName::Fresh => (format!("eduhub_{:016x}", rand::rng().random::<u64>()), false),
            DatabaseName::Named(name) => (name.clone(), false),
            DatabaseName::Kept(name) => (name.clone(), true),
        };
        // Names stand in statements without quotes, and the longest role name must stay below 63 bytes.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.len() > 40 || !name.chars().all(plain) || !name.starts_with(|c: char| c.is_ascii_lowercase())
        {
            return Err(StackError::DatabaseName(name));
        }
        let admin = PgConnectOptions::from_str(superuser_url)?.disable_statement_logging();
        let mut database = Self { admin, name, urls: BTreeMap::new(), keep, owned: false };
        database.make().await?;
        Ok(database)
    }

    async fn make(&mut self) -> Result<(), StackError> {
        let name = self.name.clone();
        let mut server = self.admin.connect().await?;
        if !(self.keep && exists(&mut server, "pg_database where datname", &name).await?) {
            run(&mut server, format!("create database {name} template template0 encoding 'UTF8'")).await?;
            self.owned = true;
            run(&mut server, format!("revoke all on database {name} from public")).await?;
        }
        let mut inside = self.admin.clone().database(&name).connect().await?;
        run(&mut inside, "revoke all on schema public from public".to_owned()).await?;
        for service in Program::SERVICES {
            let (role, schema, password) = (self.role(service), service.name(), private::random_secret());
            if !exists(&mut server, "pg_roles where rolname", &role).await? {
                run(&mut server, format!("create role {role}")).await?;
            }
            let statements = [
                format!("alter role {role} login nosuperuser nocreatedb nocreaterole password '{password}'"),
                format!("grant connect, temporary on database {name} to {role}"),
                format!("alter role {role} in database {name} set search_path = {schema}"),
                format!("create schema if not exists {schema} authorization {role}"),
            ];
            for statement in statements {
                run(&mut inside, statement).await?;
            }
            let options = self.admin.clone().database(&name).username(&role).password(&password);
            self.urls.insert(service, options.to_url_lossy().to_string());
        }
        inside.close().await?;
        server.close().await?;
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection of `service` as its own role; nothing for a program that is no service.
    pub fn url(&self, service: Program) -> Option<&str> {
        self.urls.get(&service).map(String::as_str)
    }

    /// The superuser's connection to it: for checks from outside.
    pub fn superuser_url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// Drops database and roles, cutting open connections, unless it is to be kept.
    ///
    /// # Errors
    /// [`StackError::Database`].
    pub async fn finish(mut self) -> Result<(), StackError> {
        if self.keep || !std::mem::take(&mut self.owned) { Ok(()) } else { self.remove().await }
    }

    async fn remove(&self) -> Result<(), StackError> {
        let mut server = self.admin.connect().await?;
        run(&mut server, format!("drop database if exists {} with (force)", self.name)).await?;
        for service in Program::SERVICES {
            run(&mut server, format!("drop role if exists {}", self.role(service))).await?;
        }
        server.close().await?;
        Ok(())
    }

    /// Roles belong to the whole server, so their names hold the database's.
    fn role(&self, service: Program) -> String {
        format!("{}_{service}", self.name)
    }
}

impl Drop for Database {
    /// For tests that fail before [`Database::finish`]: on a thread of its own, since this one may belong to a runtime.
    fn drop(&mut self) {
        if self.keep || !self.owned {
            return;
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map(|runtime| runtime.block_on(self.remove()))
            });
        });
    }
}

async fn exists(connection: &mut PgConnection, place: &str, name: &str) -> Result<bool, sqlx::Error> {
    let query = format!("select exists (select from {place} = $1)");
    sqlx::query_scalar(AssertSqlSafe(query)).bind(name).fetch_one(connection).await
}

/// Runs a statement made of names that [`Database::create`] has checked and of generated passwords in hex.
async fn run(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}
