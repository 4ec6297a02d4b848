//! What RPCs cost the database: the statements of each call, held against its budget.
mod ledger;
mod raw;

use eduhub_runtime::client::GrpcChannel;
use ledger::Ledger;
use prost::Message;
use raw::Raw;
use std::collections::BTreeSet;
use tonic::{Request, client::Grpc, metadata::AsciiMetadataValue};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt};

/// One call with its budget: the number of its statements, beside begin, commit and rollback.
#[derive(Debug)]
pub struct Row {
    rpc: &'static str,
    budget: usize,
    request: Vec<u8>,
}

/// A row for an RPC given as `Service/Method`.
pub fn row(rpc: &'static str, budget: usize, request: &impl Message) -> Row {
    Row { rpc, budget, request: request.encode_to_vec() }
}

/// Calls and what they cost.
pub struct Bill {
    package: &'static str,
    ledger: Ledger,
    seen: BTreeSet<String>,
    over: Vec<String>,
}

impl Bill {
    /// Makes a bill over the RPCs of a package while `work` runs, with the service in it, on one thread. `shared` are parts of
    /// statements that run for several callers at once, in no call's span, each with the method that it counts for.
    ///
    /// # Panics
    /// When a call costs more or less than its budget, or when `work` does.
    pub fn made(
        package: &'static str,
        shared: &'static [(&'static str, &'static str)],
        work: impl AsyncFnOnce(&mut Self),
    ) {
        let ledger = Ledger::of(shared);
        let subscriber = tracing_subscriber::registry().with(ledger.clone().with_filter(LevelFilter::DEBUG));
        // One thread: everything that the service does is told here.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut bill = Self { package, ledger, seen: BTreeSet::new(), over: vec![] };
        let _on = tracing::subscriber::set_default(subscriber);
        runtime.block_on(work(&mut bill).with_current_subscriber());
        assert!(bill.over.is_empty(), "{}", bill.over.join("\n"));
    }

    /// Makes the calls of a table as somebody, one after the other: each must succeed and cost its budget.
    ///
    /// # Panics
    /// When one fails.
    pub async fn table(&mut self, channel: &GrpcChannel, bearer: &AsciiMetadataValue, rows: Vec<Row>) {
        for row in rows {
            self.call(channel, bearer, row).await;
        }
    }

    /// As [`Bill::table`], one call; gives its answer's bytes.
    ///
    /// # Panics
    /// When it fails.
    pub async fn call(&mut self, channel: &GrpcChannel, bearer: &AsciiMetadataValue, row: Row) -> Vec<u8> {
        let Row { rpc, budget, request } = row;
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", bearer.clone());
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = format!("/{}.{rpc}", self.package);
        self.clear();
        let answer = grpc.unary(request, path.parse().unwrap(), Raw).await;
        let answer = answer.unwrap_or_else(|status| panic!("{rpc}: {status:?}"));
        self.charge(rpc, budget);
        answer.into_inner()
    }

    /// Forgets what was spent: a part of a stream begins.
    pub fn clear(&self) {
        self.ledger.take();
    }

    /// Holds what was spent since [`Bill::clear`] against a budget.
    pub fn charge(&mut self, rpc: &str, budget: usize) {
        let method = rpc.split('/').nth(1).unwrap_or_default();
        let spent: Vec<String> = self
            .ledger
            .take()
            .into_iter()
            .filter(|(of, text)| of == method && !["BEGIN", "COMMIT", "ROLLBACK"].contains(&text.trim()))
            .map(|(_, text)| text.split_whitespace().take(14).collect::<Vec<_>>().join(" "))
            .collect();
        if spent.len() != budget {
            let (n, spent) = (spent.len(), spent.join("\n    "));
            self.over.push(format!("{rpc}: {n} instead of {budget}\n    {spent}"));
        }
        self.seen.insert(rpc.to_owned());
    }

    /// Statements since [`Bill::clear`] whose text has this part.
    pub fn statements_with(&self, part: &str) -> usize {
        self.ledger.take().iter().filter(|(_, text)| text.contains(part)).count()
    }

    /// Requires that every one of these RPCs had its row.
    ///
    /// # Panics
    /// When one had none, or another one had.
    pub fn covers(&self, rpcs: impl Iterator<Item = &'static str>) {
        let rpcs: BTreeSet<String> = rpcs.map(str::to_owned).collect();
        assert_eq!(self.seen, rpcs, "every RPC has its budget");
    }
}
