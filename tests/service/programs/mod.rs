//! What other programs need of the server, and the people of an existing product.

mod keys;
mod late;
mod openapi;
mod operations;
mod own_backend;
mod repeats;
mod rings;
mod webhooks;
