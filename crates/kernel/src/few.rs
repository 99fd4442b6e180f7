//! A list that mostly has one item, which then lies in the list itself.

use std::ops::{Deref, DerefMut};

/// See [the module](self).
#[derive(Clone, Debug)]
pub(crate) enum Few<T> {
    One(T),
    Other(Vec<T>),
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few::Other(Vec::new())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Few::One(item) => std::slice::from_ref(item),
            Few::Other(items) => items,
        }
    }
}

impl<T> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::One(item) => std::slice::from_mut(item),
            Few::Other(items) => items,
        }
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Few<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Few<T> {
        let mut few = Few::default();
        few.change(|list| list.extend(items));
        few
    }
}

impl<T> Few<T> {
    /// Changes it as any list.
    pub(crate) fn change<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut items = match std::mem::take(self) {
            Few::One(item) => vec![item],
            Few::Other(items) => items,
        };
        let result = change(&mut items);
        *self = if items.len() == 1 { items.pop().map_or_else(Few::default, Few::One) } else { Few::Other(items) };
        result
    }

    /// Puts an item at the end.
    pub(crate) fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Puts an item in.
    pub(crate) fn insert(&mut self, at: usize, item: T) {
        if self.is_empty() {
            *self = Few::One(item);
        } else {
            self.change(|items| items.insert(at, item));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_lies_in_the_list_itself() {
        let mut few = Few::default();
        assert!(few.is_empty());
        few.push(2);
        assert!(matches!(few, Few::One(2)));
        few.insert(0, 1);
        few.push(3);
        assert_eq!(few[..], [1, 2, 3]);
        few[2] = 4;
        few.change(|items| items.retain(|item| *item == 4));
        assert!(matches!(few, Few::One(4)));
        assert_eq!(few.change(|items| items.pop()), Some(4));
        assert_eq!(few, Few::from_iter([]));
    }
}
