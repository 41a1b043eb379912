mod concurrency;
mod cut_short;
mod model;
mod stories;
mod upgrading;

use crate::kv::testing::Mount;

async fn mount() -> Mount {
    Mount::new(&[("version", "2")]).await
}
