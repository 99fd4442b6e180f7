//! What a bridge does, seen from its wires, its log and its settings.

mod files;
mod forwarding;
mod membership;
mod spanning;
mod speed;
