//! TLS: the certificate and its key from files, and errors that say what is wrong with them.
//!
//! rustls with the provider `ring`, which is named and not the process's default, so that a server
//! in somebody's process changes nothing there. HTTP/1.1 only: WebSocket needs it, nothing here needs more.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ConfigError, TlsFiles};

/// Loads what the configuration names, or nothing when it names nothing.
///
/// # Errors
///
/// A file that cannot be read or is not what it should be, or a key that does not belong to the certificate.
pub(crate) fn load(files: &TlsFiles) -> Result<Option<Arc<ServerConfig>>, ConfigError> {
    let (Some(certificate), Some(key)) = (&files.certificate, &files.key) else {
        return Ok(None);
    };
    let chain = chain(certificate)?;
    let private = private_key(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::unusable(format!("TLS cannot be set up: {error}")))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| {
            ConfigError::unusable(format!(
                "`tls.key`: `{}` does not go with the certificate `{}`: {error}",
                key.display(),
                certificate.display()
            ))
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let wrong = |why: String| {
        ConfigError::unusable(format!("`tls.certificate`: `{}` {why}", path.display()))
    };
    let text = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(format!("is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(
            "holds no certificate: it should have lines `-----BEGIN CERTIFICATE-----`".to_owned(),
        ));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ConfigError> {
    // What is in the file is never part of the message.
    let wrong = |why: &str| ConfigError::unusable(format!("`tls.key`: `{}` {why}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        wrong("holds no private key: it should have a line `-----BEGIN PRIVATE KEY-----`, and no password")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    struct Files {
        directory: tempfile::TempDir,
    }

    impl Files {
        fn write(&self, name: &str, text: &str) -> Option<PathBuf> {
            let path = self.directory.path().join(name);
            std::fs::write(&path, text).expect("written");
            Some(path)
        }
    }

    fn mistake(certificate: Option<PathBuf>, key: Option<PathBuf>) -> String {
        load(&TlsFiles { certificate, key })
            .expect_err("wrong")
            .to_string()
    }

    #[test]
    fn a_file_that_is_not_what_it_should_be_is_named_with_the_reason() {
        let files = Files {
            directory: tempfile::tempdir().expect("a directory"),
        };
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
        let certificate = files.write("cert.pem", &made.cert.pem());
        let key = files.write("key.pem", &made.signing_key.serialize_pem());
        let other_key = files.write("other.pem", &other.signing_key.serialize_pem());
        let empty = files.write("empty.pem", "nothing here\n");
        let missing = Some(files.directory.path().join("missing.pem"));
        let both = TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        };
        assert!(load(&both).expect("fine").is_some());
        assert!(load(&TlsFiles::default()).expect("none").is_none());
        let error = mistake(missing.clone(), key.clone());
        assert!(
            error.contains("`tls.certificate`") && error.contains("cannot be read"),
            "{error}"
        );
        let error = mistake(certificate.clone(), missing);
        assert!(
            error.contains("`tls.key`") && error.contains("cannot be read"),
            "{error}"
        );
        let error = mistake(empty.clone(), key.clone());
        assert!(error.contains("holds no certificate"), "{error}");
        let error = mistake(certificate.clone(), empty);
        assert!(error.contains("holds no private key"), "{error}");
        // Swapped, the commonest mistake.
        let error = mistake(key, certificate.clone());
        assert!(error.contains("holds no certificate"), "{error}");
        let error = mistake(certificate, other_key);
        assert!(
            error.contains("does not go with the certificate"),
            "{error}"
        );
    }
}
