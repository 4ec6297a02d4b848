//! The figures that the hub must reach, each printed beside its yardstick in the same run.
//!
//! Real processes of a release build on loopback with TLS, tokens and the CLI's own push code; Postgres with fsync.
//! Product and yardstick alternate, medians of three or more rounds are compared, and the CPU time that Postgres, the
//! service and the client spent per operation is printed beside the wall-clock rate: on a busy machine it is the
//! steadier of the two.

pub mod asking;
pub mod cast;
pub mod copy;
pub mod cpu;
pub mod data;
pub mod echo;
pub mod feed;
pub mod figure;
pub mod ground;
pub mod load;
pub mod plan;
pub mod province;
pub mod reads;
pub mod record;
pub mod resend;
pub mod rounds;
pub mod writers;
