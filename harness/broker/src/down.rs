//! Stopping everything.

use crate::{
    Broker, Error, Options,
    broker::{Stopped, stop_all},
    claim, own,
};

impl Broker {
    /// Stops all brokers of ours, those of single checks as well, and removes every trace of them:
    /// processes, containers with their volumes, data and the state folder.
    pub async fn down(options: &Options) -> Result<Vec<Stopped>, Error> {
        let _lock = options
            .state
            .lock(|| options.say("waiting for another process that is starting the broker"))
            .await?;
        let mut stopped = Vec::new();
        for nested in own::states(&options.state) {
            let nested = Options {
                state: nested,
                ..options.clone()
            };
            stopped.extend(stop_all(&nested).await?);
            own::forget(&nested.state);
        }
        own::forget_dead_locks(&options.state);
        stopped.extend(stop_all(options).await?);
        claim::forget_dead(&options.state).await?;
        options.state.remove_if_idle();
        Ok(stopped)
    }
}
