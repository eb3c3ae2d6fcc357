//! Exchanges info commands over one connection.

use wire_protocol::WireError;
use wire_protocol::info;
use wire_protocol::message::FrameType;

use crate::error::{Fault, LoginUser};
use crate::net::connection::Connection;
use crate::net::frame_reader::FrameReader;
use crate::net::timer::Timer;

/// The largest accepted info answer, well above that of the largest clusters.
pub(crate) const MAX_INFO: usize = 16 * 1024 * 1024;

/// Initial capacity for info answers.
const INFO_BUFFER: usize = 8 * 1024;

/// A connection for info commands, with its buffers.
pub(crate) struct InfoLink {
    connection: Connection,
    input: FrameReader,
    request: Vec<u8>,
}

impl InfoLink {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, input: FrameReader::new(INFO_BUFFER), request: Vec::new() }
    }

    /// Sends commands and returns the body of the answer. The link cannot be used after an error.
    pub(crate) async fn ask(&mut self, commands: &[&str], timer: &mut Timer) -> Result<Vec<u8>, Fault> {
        let Self { connection, input, request } = self;
        request.clear();
        info::write_request(request, commands)?;
        input.clear();
        connection.send(request, timer).await.map_err(|(fault, _)| fault)?;
        let body = input.frame(connection, timer, FrameType::Info, MAX_INFO).await?;
        if !input.is_empty() {
            return Err(WireError::Malformed { what: "info response", why: "bytes follow it" }.into());
        }
        let body = input.body(body);
        if let Some(code) = info::refusal(body).filter(|code| code.ends_session()) {
            let user =
                connection.session.as_ref().map_or_else(LoginUser::none, |session| session.user.clone());
            return Err(Fault::Login { code, user });
        }
        Ok(body.to_vec())
    }
}
