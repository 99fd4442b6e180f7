# requests: what each command asks the kernel for, attribute by attribute
! sysctl -qw net.ipv6.conf.default.disable_ipv6=1
! ip link add h2br address 02:00:00:00:00:ff type bridge
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link set h2a master h2br; ip link set h2a up; ip addr add 10.1.0.1/24 dev h2br; ip netns add far
asks ip link
asks ip link show h2a
asks ip -d link
asks ip -s link show dev h2a
asks ip -j link
asks ip -br link
asks ip link show master h2br
asks ip link show type veth
asks ip link show up
asks ip addr
asks ip addr show h2a
asks ip -4 addr
asks ip -br addr
asks ip route
asks ip route show table all
asks ip route show dev h2br
asks ip route get 10.1.0.2
asks ip -6 route
asks ip neigh
asks ip neigh show dev h2br
asks ip neigh show proxy
asks ip rule
asks ip netns
asks ip netns list-id
asks ip maddr
asks ip netconf
asks ip link set h2b up
asks ip link set h2b mtu 1400 txqueuelen 5
asks ip link set h2b alias x
asks ip link set h2b promisc on
asks ip link set h2b address 02:00:00:00:00:0c
asks ip link set h2b name h2b
asks ip link set h2a nomaster
asks ip link set h2a master h2br
asks ip link set h2br type bridge ageing_time 100 stp_state 0
asks ip link set h2a type bridge_slave cost 5 hairpin on
asks ip link add x1 mtu 1400 address 02:00:00:00:00:11 type veth peer name x2 mtu 1300 address 02:00:00:00:00:12
asks ip link add x3 type bridge ageing_time 500
asks ip link del x3
asks ip link property add dev h2a altname foo
asks ip link show foo
asks ip addr add 10.2.0.1/24 brd + dev h2b label h2b:1 scope link
asks ip addr add 10.2.0.1/24 dev h2b
asks ip addr change 10.2.0.1/24 dev h2b valid_lft 100 preferred_lft 50
asks ip addr del 10.2.0.1/24 dev h2b
asks ip addr flush dev h2b
asks ip route add 10.3.0.0/16 via 10.1.0.2 metric 5 mtu 1300
asks ip route add 10.4.0.0/16 nexthop via 10.1.0.2 weight 2 nexthop via 10.1.0.3 dev h2br
asks ip route replace blackhole 10.5.0.0/16
asks ip route del 10.3.0.0/16
asks ip route flush table 100
asks ip rule add from 10.0.0.0/8 table 100 pref 5
asks ip rule del pref 5
asks ip neigh add 10.1.0.7 lladdr 02:00:00:00:00:77 dev h2br
asks ip neigh replace 10.1.0.7 lladdr 02:00:00:00:00:78 dev h2br nud stale
asks ip neigh add proxy 10.1.0.8 dev h2br
asks ip neigh get 10.1.0.7 dev h2br
asks ip neigh del 10.1.0.7 dev h2br
asks ip neigh flush dev h2br
asks bridge link
asks bridge -d link show dev h2a
asks bridge link set dev h2a cost 7 learning off
asks bridge fdb
asks bridge fdb show br h2br
asks bridge fdb show dev h2a
asks bridge fdb add 02:00:00:00:00:55 dev h2a master static
asks bridge fdb get 02:00:00:00:00:55 br h2br
asks bridge fdb del 02:00:00:00:00:55 dev h2a master
asks bridge vlan
asks bridge -s vlan
asks bridge mdb
asks bridge vlan add vid 5 dev h2a
asks ip -s -s link
asks ip link set h2b netns far
asks ip netns set far 5
asks ip netns list-id
asks ip link add link h2a name m0 type macvlan mode bridge
asks ip link set group 5 up
asks ip -6 addr add fd00::1/64 dev h2br nodad
asks ip -6 route add fd01::/64 dev h2br
asks ip monitor help
asks bridge fdb flush dev h2br
asks bridge mdb add dev h2br port h2a grp 239.1.1.1
