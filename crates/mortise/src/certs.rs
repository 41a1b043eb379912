//! `mortise dev-certs`.

use std::path::Path;

use kit::{Service, tls};

/// Makes the certificates and says what to do with them.
#[expect(clippy::print_stdout, reason = "this is the answer of a command")]
pub fn run(folder: &Path) -> anyhow::Result<()> {
    tls::throwaway(folder)?;
    println!("Made {0}/ca.pem, and {0}/SERVICE.pem with {0}/SERVICE-key.pem for each of", folder.display());
    println!("{}.", Service::ALL.map(Service::name).join(", "));
    println!("The authority's key was not kept: run this again in another folder to replace all of them.");
    Ok(())
}
