# ip neigh: states, flags, selectors
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link set lo up
! sysctl -qw net.ipv6.conf.h2b.disable_ipv6=1 net.ipv6.conf.h2a.accept_dad=0
! ip link set h2a up; ip link set h2b up
! ip addr add 10.1.0.1/24 dev h2a
! ip addr add fd00::1/64 dev h2a nodad
ip neigh
ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:0b dev h2a
ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:0b dev h2a
ip neigh add 10.1.0.3 lladdr 02:00:00:00:00:0c nud stale dev h2a
ip neigh add 10.1.0.4 lladdr 02:00:00:00:00:0d nud reachable dev h2a
ip neigh add 10.1.0.5 nud failed dev h2a
ip neigh add 10.1.0.7 lladdr 02:00:00:00:00:0e nud noarp dev h2a
ip neigh add 10.1.0.8 lladdr 02:00:00:00:00:0e nud none dev h2a
ip neigh add 10.1.0.10 lladdr 02:00:00:00:00:0e nud 0x80 dev h2a router extern_learn
ip neigh add 10.1.0.11 lladdr 02:00:00:00:00:0e dev h2a protocol static
ip neigh add 10.1.0.14 lladdr 02:00:00:00:00:0e dev h2a nud bogus
ip neigh add 10.1.0.14 lladdr zz dev h2a
ip neigh add 10.1.0.14 lladdr 02:00:00:00:00:0e
ip neigh add lladdr 02:00:00:00:00:0e dev h2a
ip neigh add
ip neigh add 10.1.0.14 lladdr 02:00:00:00:00:0e dev nosuch
ip neigh add bogus lladdr 02:00:00:00:00:0e dev h2a
ip neigh add 10.1.0.14 10.1.0.15 lladdr 02:00:00:00:00:0e dev h2a
ip neigh add 10.1.0.14 lladdr 02:00:00:00:00:0e dev h2a dev h2b
ip neigh add 10.1.0.15 lladdr 02:00:00:00:00:0e:ff dev h2a
ip neigh add fd00::2 lladdr 02:00:00:00:00:0f dev h2a router
ip neigh add fd00::3 lladdr 02:00:00:00:00:0f dev h2a nud permanent proto ra
ip -s neigh show 10.1.0.2
ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:0c dev h2a
ip neigh change 10.1.0.99 lladdr 02:00:00:00:00:0c dev h2a
ip neigh append 10.1.0.98 lladdr 02:00:00:00:00:0c dev h2a
ip neigh chg 10.1.0.2 lladdr 02:00:00:00:00:0d dev h2a nud permanent
ip neigh del 10.1.0.98 dev h2a
ip neigh del 10.1.0.98 dev h2a
ip neigh del 10.1.0.77 dev h2a
ip neigh
ip -4 neigh
ip -6 neigh
ip -c neigh
ip -c -6 neigh
ip -o neigh show nud stale
ip neigh show dev h2a
ip neigh show dev nosuch
ip neigh show nud permanent
ip neigh show nud all
ip neigh show nud bogus
ip neigh show nud stale nud reachable
ip neigh show unused
ip neigh show 10.1.0.0/24 nud noarp
ip neigh show to 10.1.0.2
ip neigh show to root 10.1.0.0/29
ip neigh show 10.1.0.2 10.1.0.3
ip neigh show proto static
ip neigh show protocol 77
ip neigh show protocol bogus
ip neigh show bogus
ip neigh show vrf h2a
ip neigh show vrf nosuch
ip neigh show nomaster
ip neigh show master h2a
ip neigh get 10.1.0.2 dev h2a
ip neigh get 10.1.0.222 dev h2a
ip neigh get 10.1.0.2
ip neigh get dev h2a
ip neigh get
ip neigh get 10.1.0.2 dev nosuch
ip -s neigh get fd00::2 dev h2a
ip neigh get proxy 10.1.0.2 dev h2a
ip neigh get to 10.1.0.2 dev h2a
ip neigh add proxy 10.1.0.50 dev h2a
ip neigh add proxy fd00::50 dev h2a
ip neigh show proxy
ip -6 neigh show proxy
ip neigh get proxy 10.1.0.50 dev h2a
ip neigh del proxy 10.1.0.50 dev h2a
ip neigh del proxy 10.1.0.51 dev h2a
ip neigh flush
ip neigh flush dev h2a nud stale
ip -s neigh flush dev h2a
ip neigh flush all
ip neigh flush 10.1.0.2
ip neigh flush dev nosuch
ip -s neigh flush to 10.1.0.0/24
ip neigh
ip neigh show nud all
ip neigh help
ip neigh frob
ip n s | sort
ip nei l | sort
ip neigh a
ip neigh f
ip neigh d
ip neigh c
ip neigh sh dev h2a st
