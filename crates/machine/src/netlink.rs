//! A small synchronous netlink client on a [`Socket`](crate::Socket).
