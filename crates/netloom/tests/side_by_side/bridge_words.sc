# bridge: words, abbreviations, errors, formats
! ip link add h2br address 02:00:00:00:00:ff type bridge
! ip link set h2br up
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link set h2a master h2br
bridge -V
bridge -Version
bridge -h
bridge -help
bridge help
bridge -bogus
bridge -s
bridge -n nosuch link
bridge -n
bridge l
bridge f
bridge fd
bridge m
bridge v
bridge mo x
bridge lin sh d h2a
bridge link li
bridge link lst
bridge link s
bridge link se
bridge link set dev h2a dev h2b
bridge fdb a
bridge fdb ap
bridge fdb r
bridge fdb s
bridge fdb g
bridge fdb f
bridge fdb d
bridge fdb help
bridge fdb l
bridge fdb lst
bridge fdb add help
bridge fdb add 02:11:00:00:00:01 02:11:00:00:00:02 dev h2a
bridge fdb add dev h2a dev h2b 02:11:00:00:00:01
bridge fdb add lladdr 02:11:00:00:00:01 dev h2a
bridge fdb add 02:11:00:00:00:03 dev h2a vlan 5000
bridge fdb add 02:11:00:00:00:03 dev h2a vlan x
bridge fdb add 02:11:00:00:00:03 dev h2a dst zz
bridge fdb add 02:11:00:00:00:03 dev h2a port zz
bridge fdb add 02:11:00:00:00:03 dev h2a vni zz
bridge fdb add 02:11:00:00:00:03 dev h2a src_vni zz
bridge fdb add 02:11:00:00:00:03 dev h2a via zz
bridge fdb add 02:11:00:00:00:03 dev h2a nhid zz
bridge fdb add 02:11:00:00:00:03 dev h2a vlan
bridge fdb add 02:11:00:00:00:03:04 dev h2a
bridge fdb add 02:11:00:00:00 dev h2a
bridge fdb add 2:11:0:0:0:6 dev h2a
bridge fdb add 0211.0000.0006 dev h2a
bridge fdb show foo
bridge fdb show br h2br br h2br
bridge fdb show dev h2a dev h2b
bridge fdb show brport h2a dev h2b
bridge fdb show vlan 3 vlan 4
bridge fdb show vlan x
bridge fdb show state all
bridge fdb show state permanent
bridge fdb show help
bridge fdb get
bridge fdb get 02:11:00:00:00:01
bridge fdb get zz dev h2a
bridge fdb get 02:11:00:00:00:01 dev nosuch
bridge fdb get 02:11:00:00:00:01 br nosuch
bridge fdb get 02:11:00:00:00:01 br h2br dev h2a
bridge fdb get 02:11:00:00:00:01 brport h2a
bridge fdb get 02:11:00:00:00:01 02:11:00:00:00:02 dev h2a
bridge fdb get to 02:11:00:00:00:01 dev h2a dynamic
bridge fdb get 02:11:00:00:00:01 dev h2a vlan x
bridge fdb get 02:11:00:00:00:01 dev h2a vni 3
bridge fdb get 02:11:00:00:00:01 dev h2a self master
bridge fdb get help
bridge fdb flush help
bridge fdb flush dev h2br vlan x
bridge fdb flush dev h2br vlan 5000
bridge fdb flush dev h2br dev h2a
bridge fdb flush dev h2br master
bridge fdb flush dev h2br self master
bridge fdb flush dev h2br vni 3
bridge fdb flush dev h2br nhid 3 src_vni 3 port 5 dst 1.1.1.1
bridge fdb flush dev h2br dst zz
bridge fdb flush dev h2br local
bridge fdb flush h2br
bridge mdb add
bridge mdb add help
bridge mdb show foo
bridge mdb show dev
bridge mdb show dev h2br dev h2a
bridge mdb show vid x
bridge mdb show vid 4095
bridge mdb add dev h2br dev h2br port h2a grp 239.1.1.1
bridge mdb add dev h2br port h2a grp 239.1.1.1 vid x
bridge mdb add dev h2br port h2a grp 239.1.1.1 vid 5000
bridge mdb del dev h2br port h2a
bridge mdb add dev h2br port h2a grp 1.2.3.4 src ::1
bridge mdb add dev h2br port h2a grp ff0e::1 src 2001:db8::1 permanent
bridge mdb add dev h2br port h2a grp 239.5.5.5 src 2001:db8::1 permanent
bridge mdb add dev h2br port h2a grp 01:00:5e:01:01:01 permanent
bridge mdb add dev h2br port h2a grp 01:00:5e:01:01:02 src 1.1.1.1 permanent
bridge mdb add dev h2br port h2a grp 01:00:5e:01:01:02 src 01:01:01:01:01:01 permanent
bridge mdb
bridge -d mdb
bridge -s mdb
bridge -d -s mdb
bridge -d -s -j -p mdb
bridge -o mdb
bridge -c mdb
bridge -c fdb
bridge -d -j -p fdb
bridge -c -d link
bridge -o -d link
bridge -s -d link
bridge vlan add
bridge vlan add dev h2a
bridge vlan add vid 3
bridge vlan add dev h2a vid x
bridge vlan add dev h2a vid 1-2-3
bridge vlan add dev h2a vid 1-x
bridge vlan add dev h2a vid 0
bridge vlan add dev h2a vid 3 frob
bridge vlan show foo
bridge vlan show dev h2a dev h2b
bridge vlan show vid 3 vid 4
bridge vlan show vid x
bridge vlan tunnelshow dev nosuch
bridge vlan set
bridge vlan help
bridge monitor help
bridge -t
bridge -color=never link
bridge -color=foo link
bridge -compressvlans vlan
bridge -com vlan
bridge -j vlan
bridge -j -p vlan
bridge -p vlan
bridge -j vlan tunnelshow
bridge -d vlan tunnelshow
bridge -j -s vlan
bridge -j link show dev h2b
bridge -j -p link show dev h2b
bridge -j mdb show dev h2a
bridge -j -p mdb show dev h2a
bridge -j mdb
bridge -j fdb show dev h2c
bridge -j fdb show dynamic
bridge -j fdb get 02:11:00:00:00:01 br h2br
bridge -j fdb get 02:00:00:00:00:0a br h2br
bridge -j -p fdb get 02:00:00:00:00:0a br h2br
