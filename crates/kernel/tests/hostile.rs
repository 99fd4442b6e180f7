//! Nothing that comes from outside makes the kernel panic, hang, or stop answering.

use netloom_testkit::hostile;
use proptest::prelude::*;

fn script() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..2000)
}

proptest! {
    #[test]
    fn netlink_datagrams(bytes in script()) {
        hostile::netlink(&bytes);
    }

    #[test]
    fn frames(bytes in script()) {
        hostile::frames(&bytes);
    }

    #[test]
    fn sequences_of_calls(bytes in script()) {
        hostile::calls(&bytes);
    }
}
