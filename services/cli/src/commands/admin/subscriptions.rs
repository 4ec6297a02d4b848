//! `eduhub admin subscriptions`.
use crate::commands::connect::Connection;
use crate::commands::values::moment;
use crate::output;
use eduhub_proto::common::v1::{ListSubscriptionsRequest, Subscription, SubscriptionPage};
use eduhub_proto::{facility, registry};

/// Options of `eduhub admin subscriptions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Facility's feed instead of registry's.
    #[arg(long)]
    facility: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let channel = self.connection.hub(None, self.facility).await?.channel()?;
        let (mut rows, mut page_token) = (vec![], String::new());
        loop {
            let request = ListSubscriptionsRequest {
                everybody: true,
                page_token,
                ..ListSubscriptionsRequest::default()
            };
            let page: SubscriptionPage = if self.facility {
                let mut feed = facility::v1::feed_service_client::FeedServiceClient::new(channel.clone());
                feed.list_subscriptions(request).await?.into_inner()
            } else {
                let mut feed = registry::v1::feed_service_client::FeedServiceClient::new(channel.clone());
                feed.list_subscriptions(request).await?.into_inner()
            };
            rows.extend(page.subscriptions.iter().map(row));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        output::table(&["owner", "name", "schools", "since", "acknowledged", "behind"], rows);
        Ok(())
    }
}

fn row(s: &Subscription) -> Vec<String> {
    let schools =
        if s.school_codes.is_empty() { "all in reach".to_owned() } else { s.school_codes.join(", ") };
    let behind = match &s.behind {
        _ if s.expired => "expired".to_owned(),
        Some(behind) => format!("{} s", behind.seconds),
        None => String::new(),
    };
    let at = |time: &Option<_>| time.as_ref().map(|at| moment(Some(at))).unwrap_or_default();
    vec![s.owner.clone(), s.name.clone(), schools, at(&s.created_at), at(&s.acknowledged_at), behind]
}
