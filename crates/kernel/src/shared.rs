//! Settings that are shared until somebody changes them.

use std::ops::Deref;
use std::rc::Rc;

/// A value of which most owners have the same: the one that is built in, or that of whoever they took it from.
#[derive(Debug)]
pub(crate) enum Shared<T: 'static> {
    /// What everybody starts with.
    Initial(&'static T),
    /// Somebody has changed it since.
    Changed(Rc<T>),
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        match self {
            Shared::Initial(value) => Shared::Initial(value),
            Shared::Changed(value) => Shared::Changed(value.clone()),
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Shared::Initial(value) => value,
            Shared::Changed(value) => value,
        }
    }
}

impl<T: Clone> Shared<T> {
    /// The value to write to: from now on an owner's own.
    pub(crate) fn make_mut(&mut self) -> &mut T {
        if let Shared::Initial(value) = self {
            *self = Shared::Changed(Rc::new(value.clone()));
        }
        match self {
            Shared::Changed(value) => Rc::make_mut(value),
            Shared::Initial(_) => unreachable!("it has just been changed"),
        }
    }
}
