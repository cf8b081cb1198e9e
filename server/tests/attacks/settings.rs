//! Settings that are not what they seem, and endpoints that tell too much.
