//! Words of single chapters: what only their checks say of programs.
//!
//! The rest of the lab knows none of them.
//!
//! | module | what it holds | chapters |
//! | --- | --- | --- |
//! | [`tasks`] | the deliveries of a worker: held, done, settled | 2 |
//! | [`subscribing`] | what a program binds to an exchange | 3 to 6 |
//! | [`calls`] | requests and their replies, with the lab on either side | 7 |
//! | [`confirms`] | what the broker says of each message that a program publishes, and what the program prints of it | 8 |

pub mod calls;
pub mod confirms;
pub mod subscribing;
pub mod tasks;
