//! The config's `tls` dictionary, by the official client's key names.
//!
//! Messages never show a key or its password, not even if it was given under the wrong name.

use std::path::PathBuf;

use aero_io::{Identity, Pem, Revocation, Seed, TlsConfig, TlsVersion};
use pyo3::prelude::*;

use crate::args::settings::{NoOpValue, Settings, UnsupportedKey, unsupported};
use crate::python::errors::param_error;

const NAME: &str = "config \"tls\"";

const IGNORED: &[UnsupportedKey] = &[unsupported(
    "log_session_info",
    NoOpValue::Flag(false),
    "sessions are not logged; stats() counts connections",
)];

const REFUSED: &[UnsupportedKey] = &[
    unsupported(
        "keyfile_pw",
        NoOpValue::Never,
        "only unencrypted keys can be read; store the key without a passphrase (openssl pkey -in KEY -out PLAIN) where \
         only the service can read it",
    ),
    unsupported(
        "cert_blacklist",
        NoOpValue::Never,
        "to refuse revoked certificates, add a revocation list to \"cafile\" or \"capath\" and set \"crl_check\": \
         True",
    ),
    unsupported(
        "for_login_only",
        NoOpValue::Flag(false),
        "it would encrypt the login but send records in clear text, which others on the network could read and \
         change; leave it out",
    ),
];

/// Reads the dictionary; None if TLS is not enabled.
pub(crate) fn read(py: Python<'_>, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<TlsConfig>> {
    let Some(mut settings) = Settings::new(py, NAME, value)? else { return Ok(None) };
    let enable = settings.flag("enable")?;
    let authorities = [path(&mut settings, "cafile")?, path(&mut settings, "capath")?];
    let certificates = path(&mut settings, "certfile")?;
    let key = path(&mut settings, "keyfile")?;
    let versions = settings.text("protocols")?;
    let suites = settings.text("cipher_suite")?;
    let checks_node = settings.flag("crl_check")?.unwrap_or(false);
    let checks_chain = settings.flag("crl_check_all")?.unwrap_or(false);
    let refuse = |what: &str| Err(param_error(py, format!("{NAME} {what}")));
    settings.refuse(REFUSED)?;
    settings.ignore(IGNORED)?;
    settings.finish()?;
    let identity = match (certificates, key) {
        (Some(certificates), Some(key)) => Some(Identity { certificates, key }),
        (None, None) => None,
        _ => {
            return refuse(
                "needs \"certfile\" and \"keyfile\" together: neither is of use without the other",
            );
        }
    };
    let versions = match &versions {
        Some(text) => {
            protocols(text).map_err(|what| param_error(py, format!("{NAME} \"protocols\" {what}")))?
        }
        None => TlsConfig::default().versions,
    };
    match enable {
        Some(true) => {}
        Some(false) => return Ok(None),
        None => return refuse("has no \"enable\"; add \"enable\": True or \"enable\": False"),
    }
    Ok(Some(TlsConfig {
        authorities: authorities.into_iter().flatten().collect(),
        identity,
        versions,
        cipher_suites: suites.iter().flat_map(|text| names(text)).map(String::from).collect(),
        revocation: match (checks_node, checks_chain) {
            (_, true) => Revocation::Chain,
            (true, false) => Revocation::Node,
            (false, false) => Revocation::Unchecked,
        },
    }))
}

/// Refuses hosts whose certificates could not be checked for a name.
pub(crate) fn check_names(py: Python<'_>, seeds: &[Seed], cluster_name: Option<&str>) -> PyResult<()> {
    if cluster_name.is_some() {
        return Ok(());
    }
    match seeds.iter().position(|seed| seed.tls_name.is_none()) {
        None => Ok(()),
        Some(position) => Err(param_error(
            py,
            format!(
                "config \"hosts\"[{position}] has no name to check its certificate against; add one, as in \
                 (host, port, tls_name), or set \"cluster_name\" if the certificates are issued for that"
            ),
        )),
    }
}

/// A path. A value that is not a path may be the contents of a file, such as a key, and is not shown.
fn path(settings: &mut Settings<'_>, key: &'static str) -> PyResult<Option<Pem>> {
    let Some(value) = settings.take(key)? else { return Ok(None) };
    let found = value.extract::<PathBuf>().ok().filter(|path| {
        let text = path.to_string_lossy();
        !text.is_empty() && !text.contains("-----BEGIN") && !text.contains('\n')
    });
    match found {
        Some(path) => Ok(Some(Pem::File(path))),
        None => {
            let what = if key == "capath" { "a directory of PEM files" } else { "a PEM file" };
            Err(param_error(
                value.py(),
                format!("{NAME} {key:?} must be the path of {what}, not its contents"),
            ))
        }
    }
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split([':', ',', ' ']).filter(|name| !name.is_empty())
}

/// Versions as Apache's `SSLProtocol` writes them: `TLSv1.3`, `all`, `-all +TLSv1.2`.
fn protocols(text: &str) -> Result<Vec<TlsVersion>, String> {
    let mut chosen = Vec::new();
    for word in text.split_whitespace() {
        let (sign, name) = match word.split_at_checked(1) {
            Some((sign @ ("+" | "-"), name)) => (sign, name),
            _ => ("", word),
        };
        let versions: &[TlsVersion] = match &*name.to_ascii_lowercase() {
            "all" => &[TlsVersion::V1_2, TlsVersion::V1_3],
            "tlsv1.2" => &[TlsVersion::V1_2],
            "tlsv1.3" => &[TlsVersion::V1_3],
            "sslv2" | "sslv3" | "tlsv1" | "tlsv1.1" if sign == "-" => &[],
            "sslv2" | "sslv3" | "tlsv1" | "tlsv1.1" => {
                return Err(format!(
                    "names {name}, which is insecure and not supported; use TLSv1.2 or TLSv1.3"
                ));
            }
            _ => {
                return Err(format!("names {name:?}, which is not a version; use TLSv1.2, TLSv1.3 or all"));
            }
        };
        match sign {
            "-" => chosen.retain(|version| !versions.contains(version)),
            "" if !chosen.is_empty() => {
                return Err(format!("has {word} after others; write +{word} to add it"));
            }
            _ => chosen.extend_from_slice(versions),
        }
    }
    if chosen.is_empty() {
        return Err("allows no version; leave it out to allow TLSv1.2 and TLSv1.3".into());
    }
    Ok(chosen)
}
