//! record-decode.
