//! What is unfinished, and what comes through proxies.
