//! stub
use crate::record::{Place, Ready, Record};
use crate::start::Failure;
use crate::{Error, Kind, Options};

pub(crate) async fn available(_options: &Options) -> Result<(), String> {
    Err("not yet".to_owned())
}
pub(crate) fn plan(options: &Options) -> Record {
    Record::new(
        Kind::Docker,
        String::new(),
        Place::Container(options.state.id().to_owned()),
    )
}
pub(crate) async fn start(
    _options: &Options,
    _record: &Record,
    _name: &str,
    _preferred: bool,
) -> Result<Ready, Failure> {
    Err(Failure::Other(Error::Docker {
        doing: "start".to_owned(),
        reason: "not yet".to_owned(),
    }))
}
pub(crate) async fn remove_all(_options: &Options, _recorded: bool) -> Result<Vec<String>, Error> {
    Ok(Vec::new())
}
