//! The ioctls of sockets (netdevice(7), arp(7), `SIOCBR…`, `SIOCETHTOOL`).
