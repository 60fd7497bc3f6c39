//! stub
use crate::Options;
pub(crate) async fn server(_options: &Options) -> Result<(), String> {
    Err("no".to_owned())
}
