//! Kinds of problem, each with its word, its status and its title: one list, so that no kind is without any of them.

use axum::http::StatusCode;

macro_rules! codes {
    ($($code:ident => $row:expr,)*) => {
        /// Kinds of problem; the words are stable, see docs/errors.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "word and title say it")]
        pub enum Code {
            $($code,)*
        }

        /// Every kind.
        pub const CODES: &[Code] = &[$(Code::$code,)*];

        impl Code {
            /// Word, status, title.
            pub(super) fn row(self) -> (&'static str, StatusCode, &'static str) {
                match self {
                    $(Code::$code => $row,)*
                }
            }
        }
    };
}

codes! {
    Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "The bearer token is missing or wrong"),
    NotFound => ("not_found", StatusCode::NOT_FOUND, "There is no such path"),
    NotInThisVersion => ("not_in_this_version", StatusCode::NOT_FOUND, "This version does not have that yet"),
    MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "The path does not take that method"),
    BadPath => ("bad_path", StatusCode::BAD_REQUEST, "The path cannot be read"),
    BadQuery => ("bad_query", StatusCode::BAD_REQUEST, "A query parameter or header is wrong"),
    BadBody => ("bad_body", StatusCode::BAD_REQUEST, "The body is wrong"),
    BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
    UnsupportedMediaType => ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is declared as something else"),
    UnknownChannel => ("unknown_channel", StatusCode::NOT_FOUND, "There is no such channel"),
    UnknownPayment => ("unknown_payment", StatusCode::NOT_FOUND, "There is no such payment"),
    UnknownRefund => ("unknown_refund", StatusCode::NOT_FOUND, "There is no such refund"),
    UnknownOrder => ("unknown_order", StatusCode::NOT_FOUND, "There is no such order"),
    UnknownAftersale => ("unknown_aftersale", StatusCode::NOT_FOUND, "There is no such after-sale"),
    UnknownSlip => ("unknown_slip", StatusCode::NOT_FOUND, "There is no such slip"),
    UnknownLevel => ("unknown_level", StatusCode::NOT_FOUND, "There is no such stock level"),
    UnknownImport => ("unknown_import", StatusCode::NOT_FOUND, "There is no such import"),
    BadFileName => ("bad_file_name", StatusCode::BAD_REQUEST, "The name of the file is wrong"),
    NoFiles => ("no_files", StatusCode::CONFLICT, "The channel reads no files"),
    FileTooLarge => ("file_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The file is too large"),
    FileCut => ("file_cut", StatusCode::BAD_REQUEST, "The file did not arrive whole"),
    ImportNotWaiting => ("import_not_waiting", StatusCode::CONFLICT, "There is nothing to decide about the import"),
    StoreNotHeld => ("store_not_held", StatusCode::CONFLICT, "The store does not wait for a decision"),
    MappingChanged => ("mapping_changed", StatusCode::CONFLICT, "The mapping was changed since the file was judged"),
    FilesNotNow => ("files_not_now", StatusCode::SERVICE_UNAVAILABLE, "Files of the channel cannot be read at the moment"),
    UnknownDelivery => ("unknown_delivery", StatusCode::NOT_FOUND, "There is no such delivery"),
    UnknownWebhook => ("unknown_webhook", StatusCode::NOT_FOUND, "There is no such webhook"),
    NothingToRedeliver => ("nothing_to_redeliver", StatusCode::CONFLICT, "There is nothing to send once more"),
    NotParked => ("not_parked", StatusCode::CONFLICT, "The event is not parked"),
    UnknownCommand => ("unknown_command", StatusCode::NOT_FOUND, "There is no such command"),
    NoReceiver => ("no_receiver", StatusCode::NOT_FOUND, "The order has no receiver"),
    ReceiverErased => ("receiver_erased", StatusCode::GONE, "The receiver was erased and cannot be read any more"),
    SealFailed => ("seal_failed", StatusCode::INTERNAL_SERVER_ERROR, "What was sealed does not open"),
    BadIdempotencyKey => ("bad_idempotency_key", StatusCode::BAD_REQUEST, "The idempotency key is missing or wrong"),
    KeyReused => ("key_reused", StatusCode::CONFLICT, "The idempotency key belongs to another command"),
    UnsupportedCommand => ("unsupported_command", StatusCode::UNPROCESSABLE_ENTITY, "The channel does not know that command"),
    BadPayload => ("bad_payload", StatusCode::UNPROCESSABLE_ENTITY, "The payload is not what the command wants"),
    ChannelNotLive => ("channel_not_live", StatusCode::CONFLICT, "The channel takes no commands"),
    PurposeMissing => ("purpose_missing", StatusCode::FORBIDDEN, "A purpose is missing"),
    BytesNotKept => ("bytes_not_kept", StatusCode::CONFLICT, "The bytes of that delivery were not kept"),
    AlreadyAccepted => ("already_accepted", StatusCode::CONFLICT, "The delivery was accepted before"),
    ChannelRetired => ("channel_retired", StatusCode::CONFLICT, "The channel is retired"),
    Draining => ("draining", StatusCode::SERVICE_UNAVAILABLE, "The gateway is going down"),
    StorageUnavailable => ("storage_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Storage does not answer"),
    Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something is broken in the gateway"),
}

impl Code {
    /// The word in `code`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Whether it is the gateway's trouble and not the caller's.
    pub(super) fn is_ours(self) -> bool {
        self.row().1.is_server_error()
    }
}
