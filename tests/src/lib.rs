//! The real server, real clients, real app windows, and the harness they need.
