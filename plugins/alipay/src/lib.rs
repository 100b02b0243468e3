//! Alipay connector.
