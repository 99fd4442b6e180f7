# brctl: numbers, options, errors
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! brctl addbr br;  brctl addif br h2a
brctl setfd br 0x10
brctl setfd br 1.999999
brctl setfd br 10.015
brctl setfd br 2e
brctl setfd br .5
brctl setfd br 5.
brctl setfd br +7
brctl setfd br x
brctl setpathcost br h2a +7
brctl setpathcost br h2a 0x
brctl setpathcost br h2a 08
brctl setportprio br h2a -- -1
brctl addbr a b
brctl addif br
brctl delbr a b
brctl showmacs a b
brctl showstp a b
brctl addbr ''
brctl showmacs ''
brctl showstp ''
brctl show ''
brctl showmacs
brctl showstp
brctl stp
brctl hairpin br
brctl hairpin br h2a on x
brctl hairpin br nosuch on
brctl setageing
brctl setpathcost br h2a
brctl --
brctl - x
brctl -h show
brctl show -h
brctl addbr --help
brctl delif br h2a h2a
brctl addif br h2a
brctl delif h2b h2a
brctl delif br h2b
brctl delbr aaaaaaaaaaaaaaaaaaaaaaaaaaaa
brctl addbr aaaaaaaaaaaaaaaaaaaaaaaaaaaa
brctl delbr aaaaaaaaaaaaaaaaaaaaaaaaaaaa
brctl addif br aaaaaaaaaaaaaaaaaaaaaaaaaaaa
brctl setfd aaaaaaaaaaaaaaaaaaaaaaaaaaaa 1
brctl stp h2a on
brctl stp nosuch maybe
brctl setbridgeprio h2a 3
brctl setportprio h2a h2a 3
! ip link set br up
brctl delbr br
