//! Devices, processing, codecs, jitter, RTP. Knows no users and no calls.
