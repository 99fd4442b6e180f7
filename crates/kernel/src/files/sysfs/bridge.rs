//! `bridge/`, `brport/` and `brforward`, which the bridge tells by name.

pub(super) use crate::bridge::{
    BRIDGE_FILES as ATTRIBUTES, PORT_FILES as PORT_ATTRIBUTES, attribute, forwarding_table, port_attribute,
    set_attribute, set_port_attribute,
};
