//! What an access token says.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Role, UserId};

/// Claims of the 15-minute token of a device (JWT, HS256 with the server's secret).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The person.
    pub sub: UserId,
    /// The device.
    pub device: DeviceId,
    /// The person's role.
    pub role: Role,
    /// Expiry, UNIX seconds.
    pub exp: u64,
    /// Not before, UNIX seconds.
    pub nbf: u64,
}
