//! Values that many have in common: kept once, and known by a number.

/// How many of the values that were shared last are compared with a new one.
const RECENT: usize = 8;

/// See [the module](self).
#[derive(Debug)]
pub(crate) struct Common<T> {
    places: Vec<Place<T>>,
    /// Places that nobody uses.
    unused: Vec<u32>,
    recent: [u32; RECENT],
    /// Which of these is the oldest.
    oldest: usize,
}

#[derive(Debug)]
struct Place<T> {
    value: T,
    users: u32,
}

impl<T> Default for Common<T> {
    fn default() -> Common<T> {
        Common { places: Vec::new(), unused: Vec::new(), recent: [0; RECENT], oldest: 0 }
    }
}

impl<T> Common<T> {
    /// The value of a number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.places.get(number as usize).map(|place| &place.value)
    }

    /// Every value, for all its users; a default one where there is none.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().map(|place| &mut place.value)
    }

    /// A number for a value: one that it has already if it was shared not long ago.
    pub(crate) fn share(&mut self, value: T) -> u32
    where
        T: PartialEq,
    {
        let same = |place: &Place<T>| place.users > 0 && place.value == value;
        for number in self.recent {
            if let Some(place) = self.places.get_mut(number as usize).filter(|place| same(place)) {
                place.users += 1;
                return number;
            }
        }
        let place = Place { value, users: 1 };
        let number = match self.unused.pop() {
            Some(number) => {
                self.places[number as usize] = place;
                number
            }
            None => {
                self.places.push(place);
                (self.places.len() - 1) as u32
            }
        };
        self.recent[self.oldest] = number;
        self.oldest = (self.oldest + 1) % RECENT;
        number
    }

    /// The value of a number that one of its users gives back.
    pub(crate) fn take(&mut self, number: u32) -> T
    where
        T: Clone + Default,
    {
        let Some(place) = self.places.get_mut(number as usize).filter(|place| place.users > 0) else {
            return T::default();
        };
        place.users -= 1;
        if place.users > 0 {
            return place.value.clone();
        }
        self.unused.push(number);
        std::mem::take(&mut place.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_as_long_as_somebody_uses_it() {
        let mut common = Common::default();
        let one = common.share("one".to_owned());
        assert_eq!(common.share("one".to_owned()), one);
        let two = common.share("two".to_owned());
        assert_ne!(one, two);
        assert_eq!(common.take(one), "one");
        assert_eq!(common.get(one).map(String::as_str), Some("one"));
        assert_eq!(common.take(one), "one");
        assert_eq!(common.take(one), "");
        assert_eq!(common.share("three".to_owned()), one);
        assert_eq!(common.share("two".to_owned()), two);
        assert_eq!(common.places.len(), 2);
    }
}
