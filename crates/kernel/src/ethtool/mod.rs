//! ethtool: driver information, statistics, offload features, by generic netlink and by ioctl.

/// The offload switches of a device that somebody has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features {}
