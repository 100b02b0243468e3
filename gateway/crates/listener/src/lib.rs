//! A bounded HTTP listener: connections, header time, graceful drain.
