//! What each RPC may cost: the number of its statements (beside begin, commit and rollback), for a school that the process
//! knows, whatever the number of records (states that are sealed or digested are read by pages of 2,000). The bill is made
//! twice, with few records and with many, and must be the same.
mod lists;
mod records;
mod schools;
mod seals;
mod streams;

use crate::{
    hub::{Hub, SCHOOL, Setup},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::testing::Persona;
use eduhub_feed::FeedLimits;
use eduhub_testkit::{Bill, Row};
use prost::Message;
use std::time::Duration;

/// Statement that callers of GetRecord share; it runs for nobody alone.
const SHARED: &str = "as w(school, key)";

/// Calls of a hub, and their bill.
struct Paying<'a> {
    hub: &'a Hub,
    bill: &'a mut Bill,
}

impl Paying<'_> {
    /// One call after the other as somebody.
    async fn all(&mut self, who: &Persona, rows: Vec<Row>) {
        let bearer = self.hub.mint.bearer(who).unwrap();
        self.bill.table(&self.hub.running.channel(), &bearer, rows).await;
    }

    /// One call whose answer the next ones need.
    async fn one<T: Message + Default>(&mut self, who: &Persona, row: Row) -> T {
        let bearer = self.hub.mint.bearer(who).unwrap();
        T::decode(self.bill.call(&self.hub.running.channel(), &bearer, row).await.as_slice()).unwrap()
    }
}

fn bill(pupils: u32) {
    Bill::made("eduhub.registry.v1", &[(SHARED, "GetRecord")], async |bill| {
        let feed = FeedLimits { checkpoint: Duration::from_millis(200), ..FeedLimits::default() };
        let hub = Hub::with(Setup { feed, ..Setup::default() }).await;
        let mut all = make::small_school(1..pupils + 1);
        all.extend((1..=pupils).map(|n| make::staff(n).wrap()));
        push_one(&hub, SCHOOL, all).await;
        let mut paying = Paying { hub: &hub, bill };
        paying.records().await;
        paying.shared().await;
        paying.schools().await;
        paying.issues().await;
        paying.transfers().await;
        paying.seals().await;
        paying.lists().await;
        paying.rules().await;
        paying.comparing().await;
        paying.push(pupils).await;
        paying.feed().await;
        paying.bill.covers(crate::access::rpcs());
    });
}

#[test]
fn every_rpc_keeps_its_budget_with_a_few_records() {
    bill(20);
}

#[test]
fn every_rpc_keeps_its_budget_with_many_records() {
    bill(600);
}
