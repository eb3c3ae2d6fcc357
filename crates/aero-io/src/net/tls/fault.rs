//! Error messages for TLS that say what to check.

use std::io;

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::ClientCertificate;

/// Most names of a certificate in a message.
const MAX_NAMES: usize = 5;

/// An error during the TLS handshake.
pub(super) fn in_handshake(error: io::Error, name: &str, client: &ClientCertificate) -> io::Error {
    if is_end(&error) && client.likely_reason().is_none() {
        let text = "the peer closed the connection in the TLS handshake; the port may not be a TLS port";
        return io::Error::new(error.kind(), text);
    }
    before_an_answer(error, name, client)
}

/// An error on a connection before the first answer.
pub(super) fn before_an_answer(error: io::Error, name: &str, client: &ClientCertificate) -> io::Error {
    match client.likely_reason() {
        Some(likely_reason) if is_end(&error) => {
            io::Error::new(error.kind(), format!("the peer closed the connection: {likely_reason}"))
        }
        // Before TLS 1.3 there is no alert for a missing certificate; some servers send this one.
        Some(likely_reason) if alert_of(&error) == Some(AlertDescription::HandshakeFailure) => {
            io::Error::new(io::ErrorKind::PermissionDenied, likely_reason)
        }
        _ => after_an_answer(error, name),
    }
}

/// An error on a connection after the first answer.
pub(super) fn after_an_answer(error: io::Error, name: &str) -> io::Error {
    match tls_error(&error) {
        Some(TlsError::InvalidCertificate(reason)) => {
            let text = format!("the node's certificate was refused: {}", certificate(reason, name));
            io::Error::new(io::ErrorKind::InvalidData, text)
        }
        Some(TlsError::AlertReceived(alert)) => {
            io::Error::new(io::ErrorKind::PermissionDenied, refusal(*alert))
        }
        Some(TlsError::InvalidMessage(_)) => {
            io::Error::new(io::ErrorKind::InvalidData, "the peer does not speak TLS on this port")
        }
        Some(TlsError::PeerIncompatible(reason)) => {
            let text = format!(
                "the node supports no TLS version or cipher suite that the settings allow ({reason:?})"
            );
            io::Error::new(io::ErrorKind::InvalidData, text)
        }
        Some(other) => io::Error::new(io::ErrorKind::InvalidData, format!("TLS failed: {other}")),
        None => error,
    }
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

fn alert_of(error: &io::Error) -> Option<AlertDescription> {
    match tls_error(error)? {
        TlsError::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// Whether the peer closed the connection.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::UnexpectedEof | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe
    )
}

/// What is wrong with a node's certificate.
fn certificate(reason: &CertificateError, name: &str) -> String {
    match reason {
        CertificateError::Expired => "it has expired".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            format!("it expired {} ago", between(*not_after, *time))
        }
        CertificateError::NotValidYet => "it is not valid yet".into(),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("it is not valid yet, but will be in {}", between(*time, *not_before))
        }
        CertificateError::UnknownIssuer => {
            "its issuer is unknown: no trusted authority has signed it (cafile, capath)".into()
        }
        CertificateError::NotValidForName => format!("it is not for the name {name:?}"),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            format!("it is not for the name {name:?}: its subjectAltName has no names")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().take(MAX_NAMES).map(|name| plain(name)).collect();
            let more = if presented.len() > MAX_NAMES { " and others" } else { "" };
            format!(
                "it is not for the name {name:?} (the host's tls_name, or the cluster's), but for {}{more}",
                names.join(", ")
            )
        }
        CertificateError::Revoked => "it was revoked".into(),
        CertificateError::UnknownRevocationStatus => "no revocation list covers it (cafile, capath)".into(),
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            "the revocation list that covers it is out of date".into()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not a server certificate".into()
        }
        CertificateError::BadSignature => "its signature is wrong".into(),
        CertificateError::BadEncoding => "it cannot be parsed".into(),
        other => other.to_string(),
    }
}

/// The name in `DnsName("name")`, the format of the names in the error.
fn plain(name: &str) -> String {
    let name = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')'));
    format!("{:?}", name.trim_matches('"'))
}

/// Formats the time between two moments.
fn between(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let (count, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

/// What a node means by an alert.
fn refusal(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let why = match alert {
        Alert::CertificateRequired | Alert::NoCertificate => {
            return "the node requires a client certificate, but none is configured (certfile and keyfile)"
                .into();
        }
        Alert::UnknownCA => "it does not know who issued it",
        Alert::CertificateExpired => "it has expired",
        Alert::CertificateRevoked => "it was revoked",
        Alert::BadCertificate
        | Alert::CertificateUnknown
        | Alert::UnsupportedCertificate
        | Alert::DecryptError
        | Alert::AccessDenied => "it does not accept it",
        Alert::ProtocolVersion => {
            return "the node supports no TLS version that the settings allow (protocols)".into();
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            return "the node and the settings have no TLS version or cipher suite in common".into();
        }
        Alert::UnrecognisedName => return "the node does not know the requested TLS name".into(),
        other => return format!("the node ended TLS with the alert {other:?}"),
    };
    format!("the node refuses the client certificate: {why} ({alert:?})")
}
