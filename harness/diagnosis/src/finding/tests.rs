//! Both sides of each rule: it fires on the mistake, and is silent on a correct near neighbour.

mod calls;
mod confirming;
mod connections;
mod consuming;
mod correct;
mod headed;
mod leftovers;
mod publishing;
mod refusals;
mod routing;
mod settling;
