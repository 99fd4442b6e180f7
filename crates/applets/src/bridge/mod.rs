//! `bridge`.

use crate::Context;

pub(crate) fn run(_context: &mut Context<'_>, _arguments: &[String]) -> i32 {
    todo!()
}
