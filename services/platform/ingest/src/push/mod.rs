//! One push stream, in the order in which it happens:
//!
//! 1. [`inbound`]: the client's messages; the first one must be `open`;
//! 2. [`admission`]: is `open` sound, and may this caller push what it announces;
//! 3. [`stream`]: welcome, replies in the order of the batches, receipt;
//! 4. [`ahead`]: while one batch is applied, the next ones are read and prepared;
//! 5. [`effect`]: what batches come to: [`durable`] ones are written, those of VALIDATE_ONLY are [`tried`].
//!
//! [`load`] shares the database between the streams of a process, [`pen`] the writing. [`ingest`] is what a service sets up once for all its streams.

mod admission;
mod ahead;
mod durable;
mod effect;
mod inbound;
mod ingest;
mod load;
mod pen;
mod stream;
mod tried;

pub use admission::Pushing;
pub use inbound::{Inbound, Opening, opening};
pub use ingest::{Extra, Ingest, Limits, NoExtra};
pub(crate) use pen::Pen;
