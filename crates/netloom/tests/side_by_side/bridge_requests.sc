# bridge: what each command asks the kernel for
! ip link add h2br address 02:00:00:00:00:ff type bridge
! ip link set h2br up
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link set h2a master h2br
bridge link show dev h2a
bridge link
bridge fdb
bridge fdb show dev h2a
bridge fdb show br h2br
bridge fdb show br h2br brport h2a vlan 5 state static
bridge fdb show dynamic
bridge fdb get 02:11:00:00:00:01 br h2br
bridge fdb get 02:11:00:00:00:01 dev h2a vlan 3 self
bridge fdb add 02:11:00:00:00:01 dev h2a master dynamic vlan 0 dst 1.2.3.4 via h2b port 99 vni 3 src_vni 4 nhid 4
bridge fdb append 02:11:00:00:00:01 dev h2a master
bridge fdb replace 02:11:00:00:00:01 dev h2a self extern_learn use router sticky
bridge fdb del 02:11:00:00:00:01 dev h2a
bridge fdb flush dev h2br
bridge fdb flush dev h2br brport h2a vlan 3 static permanent
bridge fdb flush dev h2a self nopermanent
bridge fdb flush
bridge fdb flush dev nosuch
bridge fdb flush dev h2br brport nosuch
bridge fdb flush dev h2br state bogus
bridge fdb flush dev h2br dynamic nodynamic added_by_user extern_learn sticky offloaded static
bridge fdb flush dev h2br added_by_user
bridge fdb flush dev h2br noadded_by_user noextern_learn nosticky nooffloaded nostatic
bridge mdb show
bridge mdb show dev h2br vid 5
bridge mdb add dev h2br port h2a grp 239.2.2.2 permanent
bridge mdb add dev h2br port h2a grp 239.2.2.3
bridge mdb del dev h2br port h2a grp ff0e::1
bridge mdb add dev h2br port h2a grp 239.2.2.4 vid 4095
bridge mdb add dev h2br port h2a grp zz
bridge mdb add dev h2br port h2a grp 239.2.2.4 src zz
bridge mdb add dev h2br port nosuch grp 239.2.2.4
bridge mdb add dev h2br grp 239.2.2.4
bridge mdb add dev h2br port h2a grp 239.2.2.4 frob
bridge mdb add help
bridge mdb frob
bridge mdb help
bridge vlan
bridge vlan show dev h2a
bridge vlan show dev nosuch
bridge vlan show vid 5
bridge vlan add dev h2a vid 5 pvid untagged self
bridge vlan add dev h2a vid 5-10 master
bridge vlan add dev h2a vid 10-5
bridge vlan add dev h2a vid 4096
bridge vlan add dev nosuch vid 4
bridge vlan add dev h2a vid 5-10 pvid
bridge vlan del dev h2a vid 5
bridge vlan add dev h2a vid 5 tunnel_info id 3
bridge vlan tunnelshow
bridge vlan set dev h2a vid 5 state 3
bridge vlan set dev h2a vid 5 state foo
bridge vlan set dev h2a vid 5 mcast_router 1
bridge vlan help
bridge -d vlan show
bridge -s vlan show
bridge -d -s vlan
bridge vlan frob
bridge link set dev h2a hairpin on
bridge link set dev h2a learning on flood off self
bridge link set dev h2a state 3 cost 5 priority 3 master self mcast_router 1 backup_port h2b
bridge link set dev h2a nobackup_port hwmode vepa
bridge link set dev h2a hwmode foo
bridge link set dev h2a mcast_to_unicast on isolated on locked on neigh_suppress off vlan_tunnel off guard on root_block on fastleave on mcast_flood off bcast_flood off learning_sync off
bridge -d link
bridge link set dev h2a backup_port nosuch
bridge link set dev h2a cost x
bridge link set dev h2a state x
bridge link set dev h2a priority x
bridge link set dev h2a mcast_router x
bridge link set dev h2a cost
bridge link set dev h2a hairpin
bridge link set help
bridge link help
bridge link set
bridge link show foo
bridge link show dev h2a foo
bridge link show master h2br
