use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::Service;

/// A certificate that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There are certificates already.
    #[error("{} exists already; remove the folder to make new certificates", .0.display())]
    Exists(PathBuf),
    /// The library refuses.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
}

/// Makes an authority and one certificate a service in a folder: `ca.pem`, `catalog.pem`, `catalog-key.pem` and so on.
///
/// The authority's key is thrown away: nobody can add to what it has signed.
///
/// # Errors
/// Something cannot be written, or is there already.
pub fn throwaway(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: folder.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let authority = authority()?;
    write(folder, "ca.pem", &authority.0)?;
    for service in Service::ALL {
        let (certificate, key) = certificate(service, &authority.1)?;
        write(folder, &format!("{service}.pem"), &certificate)?;
        write(folder, &format!("{service}-key.pem"), &key)?;
    }
    Ok(())
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "Mortise throw-away authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn certificate(service: Service, issuer: &Issuer<'_, KeyPair>) -> Result<(String, String), Error> {
    let names = [service.name(), "localhost", "127.0.0.1"].map(str::to_owned).to_vec();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, service.name());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = folder.join(name);
    let file = fs::File::options().write(true).create_new(true).mode(0o600).open(&path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists(path)),
        Err(source) => Err(Error::Write { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn c7_certificates_are_private_and_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = folder.path().join("certificates");
        throwaway(&certificates).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&certificates), 0o700);
        let files: Vec<_> = fs::read_dir(&certificates).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 9);
        assert!(files.iter().all(|file| mode(file) == 0o600));
        assert!(matches!(throwaway(&certificates), Err(Error::Exists(_))));
    }
}
