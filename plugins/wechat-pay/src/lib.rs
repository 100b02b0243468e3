//! WeChat Pay APIv3 connector.
