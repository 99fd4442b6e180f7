//! Drivers in a laboratory, one file a kind.

mod macvlan;
mod tun;
