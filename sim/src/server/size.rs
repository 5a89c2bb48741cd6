//! Refuses messages that are too large, with grpc-go's code and text (engine-facts §7); tonic has another code.

use prost::Message;
use tonic::Status;

pub fn fitting<M: Message>(message: M, max: usize) -> Result<M, Status> {
    match message.encoded_len() {
        len if len > max => {
            Err(Status::resource_exhausted(format!("grpc: trying to send message larger than max ({len} vs. {max})")))
        }
        _ => Ok(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb;

    #[test]
    fn the_limit_itself_fits() {
        let message = pb::VersionRequest { version: "12345678".into() };
        assert_eq!(fitting(message.clone(), 10).unwrap(), message);
        let refused = fitting(message, 9).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert_eq!(refused.message(), "grpc: trying to send message larger than max (10 vs. 9)");
    }
}
