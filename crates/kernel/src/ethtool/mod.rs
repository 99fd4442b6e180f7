//! ethtool: driver information, statistics, offload features, by generic netlink and by ioctl.

/// The offload switches of a device that somebody has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features {}

/// Answers a request of the generic netlink family `ethtool`.
pub(crate) fn genl_request(
    _kernel: &mut crate::Kernel,
    _ns: crate::NsId,
    _request: &crate::genetlink::GenlRequest<'_>,
) -> crate::Result<crate::rtnetlink::dispatch::Answer> {
    Err(crate::Errno::EOPNOTSUPP.into())
}

/// Answers `SIOCETHTOOL`: `data` starts with the command.
pub(crate) fn ioctl(
    _kernel: &mut crate::Kernel,
    _dev: crate::DevId,
    _data: &mut Vec<u8>,
) -> crate::Result<i32, crate::Errno> {
    Err(crate::Errno::EOPNOTSUPP)
}
