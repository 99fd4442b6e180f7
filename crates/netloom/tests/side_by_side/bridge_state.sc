# bridge: listings of a bridge with entries of every kind, in every format
! ip link add h2br address 02:00:00:00:00:ff type bridge
! sysctl -qw net.ipv6.conf.h2br.disable_ipv6=1
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link add h2c address 02:00:00:00:00:0c type veth peer name h2d address 02:00:00:00:00:0d
! sysctl -qw net.ipv6.conf.h2a.disable_ipv6=1 net.ipv6.conf.h2b.disable_ipv6=1 net.ipv6.conf.h2c.disable_ipv6=1 net.ipv6.conf.h2d.disable_ipv6=1
! ip link set h2br up; ip link set h2a master h2br up; ip link set h2b up; ip link set h2c master h2br up; ip link set h2d up
bridge fdb add 02:11:00:00:00:02 dev h2a master static
bridge fdb add 02:11:00:00:00:03 dev h2a master static sticky
bridge fdb add 02:11:00:00:00:04 dev h2c master extern_learn
bridge fdb add 02:11:00:00:00:05 dev h2c self
bridge fdb append 02:11:00:00:00:06 dev h2c master local
bridge fdb show
bridge -s fdb show br h2br
bridge -o fdb show dev h2a
bridge -c fdb
bridge -j fdb
bridge -j -p -d fdb show dev h2c
bridge fdb show dynamic
bridge fdb show state static
bridge fdb show state perm
bridge fdb show state reachable
bridge -j -p fdb get 02:11:00:00:00:02 br h2br
bridge fdb get 02:11:00:00:00:04 dev h2c
bridge fdb flush dev h2br brport h2c extern_learn
bridge fdb flush dev h2br nopermanent nosticky
bridge fdb show br h2br
bridge link set dev h2c backup_port h2a
bridge link set dev h2a isolated on neigh_suppress on mcast_router 2
bridge -d link
bridge -d -j -p link
bridge -o -d link show dev h2c
bridge -c link
bridge mdb add dev h2br port h2a grp 239.2.2.2 permanent
bridge mdb add dev h2br port h2c grp 239.2.2.3 src 10.0.0.9 permanent
bridge mdb add dev h2br port h2c grp ff0e::1 permanent vid 7
bridge mdb add dev h2br port h2c grp 01:00:5e:01:02:03 permanent
bridge mdb
bridge -d mdb
bridge -d -s mdb
bridge -d -s -j -p mdb
bridge -j mdb show vid 7
bridge -c -d mdb
bridge -o mdb
bridge mdb del dev h2br port h2c grp ff0e::1 vid 7
bridge mdb del dev h2br port h2c grp ff0e::1 vid 7
printf 'link show dev h2a\n# nothing\nfdb add zz dev h2a\nlink\n' | bridge -b -
printf 'link\nlink set dev h2a state 9\nmdb show dev nosuch\nlink show dev h2a\n' | bridge -force -batch -
! ip netns add x; ip link set h2d netns x
bridge link
bridge -j link
& m bridge monitor all
bridge fdb add 02:11:00:00:00:44 dev h2a master
bridge mdb add dev h2br port h2a grp 239.9.9.9 permanent
bridge fdb del 02:11:00:00:00:44 dev h2a master
bridge mdb del dev h2br port h2a grp 239.9.9.9
bridge link set dev h2a cost 9
ip link set h2c nomaster
ip link set h2a mtu 1400
~ 0.3
@ m
& m bridge monitor fdb
bridge fdb add 02:11:00:00:00:44 dev h2a self
bridge fdb add 02:11:00:00:00:44 dev h2a master
~ 0.3
@ m
