//! What integration tests share: real engines, pods on them, C programs linked with the library.
//!
//! * `lab`: provisions containerd in its versions, or says why it cannot
//! * `engines`: the engines to test on: provisioned ones and those of `CRI_TEST_ENDPOINTS`
//! * `containerd`: one running containerd of one version, and its end; `leftovers`: what it leaves, removed
//! * `pods`: runs pods and containers on an engine
//! * `c`: compiles C programs against the header and the library; `probe`: drives tests/c/probe.c
//! * `schema`: holds the library's JSON against docs/schema
//! * `sim`: the simulated engine; `command`: the command
//! * `pypi`: Python with packages
//! * `suite`: one trial for each test and engine, and what they say in the end
//! * `churn`: runs made by many workers at once; `tap`: a subscriber of the tests' own; `account`: what was reported of them
//! * `wait`: waits for a condition, with a deadline

// Every test program uses a part of this.
#![allow(dead_code)]

pub mod account;
pub mod c;
pub mod churn;
pub mod command;
pub mod containerd;
pub mod dice;
pub mod engines;
pub mod go;
pub mod lab;
pub mod leftovers;
pub mod pods;
pub mod probe;
pub mod pypi;
pub mod schema;
pub mod sim;
pub mod suite;
pub mod tap;
pub mod wait;
