# ip route: every option and selector
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link set lo up; sysctl -qw net.ipv6.conf.h2b.disable_ipv6=1 net.ipv6.conf.h2a.accept_dad=0
! ip link set h2a up; ip link set h2b up; ip addr add 10.1.0.1/24 dev h2a; ip addr add fd00::1/64 dev h2a nodad; sleep 0.3
ip route add 10.2.0.0/16 via 10.1.0.2
ip route add 10.2/16 via 10.1.0.2
ip route add to 10.22.0.0/16 via 10.1.0.2
ip route append 10.2.0.0/16 via 10.1.0.2 dev h2a
ip route prepend 10.2.0.0/16 via 10.1.0.3 dev h2a onlink
ip route replace 10.2.0.0/16 via 10.1.0.4 metric 5 table 300 proto static src 10.1.0.1 mtu 1400 advmss lock 1000 rtt 5 window 4 hoplimit 5 initcwnd 4 initrwnd 7 cwnd lock 3 ssthresh 2 reordering 4 rttvar 3ms rto_min 5 quickack 1 features ecn fastopen_no_cookie 1
ip route change 10.2.0.0/16 via 10.1.0.4 tos 0x10
ip route add 10.40.0.0/16 via 10.1.0.2 congctl reno
ip route add 10.41.0.0/16 via 10.1.0.2 congctl lock bogus
ip route add 10.42.0.0/16 via 10.1.0.2 realms 1/2
ip route add 10.42.0.0/16 via 10.1.0.2 realm 2
ip route add unreachable 10.5.0.0/16
ip route add blackhole default metric 500
ip route add local 10.55.0.0/16 dev lo
ip route add broadcast 10.56.0.0/16 dev h2a
ip route add nat 10.57.0.0/16 dev h2a
ip route add multicast 224.0.0.0/4 dev h2a
ip route add throw 10.58.0.0/16
ip route add prohibit 10.59.0.0/16 table local
ip route add 10.9.0.0/16 nexthop via 10.1.0.5 weight 3 dev h2a nexthop via inet6 fe80::1 dev h2a onlink
ip route add 10.10.0.0/16 via inet6 fe80::1 dev h2a
ip -6 route add fd00:1::/64 via fe80::1 dev h2a
ip route add fd00:3::/64 dev h2a pref low metric 7
ip route add fd00:4::/64 nexthop via fd00::5 nexthop via fd00::6 weight 5
ip route add unreachable fd00:5::/64
ip route add fd00:6::/64 from fd00::/64 dev h2a
ip route add default dev h2a
ip route add default via fd00::9
ip -6 route add default via fd00::9 metric 3 mtu 1300 hoplimit 4
ip route add 10.11.0.0/16 dev h2a scope host
ip route add 10.12.0.0/16 dev h2a scope 77 proto 99
ip route add 10.13.0.0/16 dev h2a proto bogus
ip route add 10.13.0.0/16 dev h2a scope bogus
ip route add 10.13.0.0/16 dev h2a metric x
ip route add 10.13.0.0/16 dev h2a mtu x
ip route add 10.13.0.0/16 dev h2a weight 3
ip route add 10.13.0.0/16 dev h2a type unicast
ip route add 10.13.0.0/16 via
ip route add 10.13.0.0/16 via bogus
ip route add 10.13.0.0/16 via 10.1.0.2 src bogus
ip route add 10.13.0.0/16 via 10.1.0.2 tos bogus
ip route add 10.13.0.0/16 10.14.0.0/16
ip route add 10.13.0.0/16 via 10.1.0.2 via 10.1.0.3
ip route add 10.13.0.0/16 dev h2a frob
ip route add 10.13.0.0/16 nexthop
ip route add 10.13.0.0/16 nexthop frob
ip route add 10.13.0.0/16 nexthop via 10.1.0.2 weight 0
ip route add 10.13.0.0/16 nexthop via 10.1.0.2 weight 300
ip route add 10.13.0.0/16 via 10.1.0.2 nhid 5
ip route add 10.13.0.0/16 nhid 5
ip route add 10.13.0.0/16 dev h2a pref high
ip route add 10.13.0.0/16 dev h2a pref bogus
ip route add 10.13.0.0/16 dev h2a expires x
ip route add 10.14.0.0/16 dev h2a pervasive
ip route add 10.15.0.0/16 dev h2a preference 9
ip route add 10.16.0.0/16 dev h2a priority 9
ip route add 10.16.0.0/16 dev h2a dsfield 4
ip route add 10.17.0.0/16 dev h2a equalize
ip route add 10.18.0.0/16 dev h2a mtu lock 1300
ip route add 10.19.0.0/16 dev h2a rtt 100ms rttvar 1s
ip route add 10.20.0.0/16 dev h2a features bogus
ip route add 10.20.0.0/16 dev h2a hoplimit 256
ip route add 10.20.0.0/16 dev h2a quickack x
ip route add 10.20.0.0/16 dev h2a table x
ip route add 10.21.0.0/16 dev h2a table 100000
ip route
ip -d route
ip -4 route
ip -6 route
ip -d -6 route
ip -o route
ip -j route
ip -j -p route
ip -j -6 route
ip -d -j -6 route
ip -c route
ip -c -6 route
ip -s route
ip -s -6 route
ip -N route
ip -N -d route show table all
ip -4 route show table all
ip -6 route show table all
ip -j route show table all
ip route show table 300
ip route show table local
ip route show table 0
ip -6 route show table local
ip route show table cache
ip route show cache
ip -6 route show cache
ip route show dev h2a
ip route show dev nosuch
ip route show oif h2a
ip route show iif h2a
ip route show proto boot
ip route show proto all
ip route show proto bogus
ip route show type unreachable
ip route show type bogus
ip route show scope link
ip route show scope all
ip route show scope bogus
ip route show src 10.1.0.1
ip route show src 10.1.0.0/24
ip route show via 10.1.0.2
ip route show via 10.1.0.0/24
ip -6 route show via fd00::9
ip route show metric 5
ip route show tos 0x10
ip route show realm 2
ip route show mark 5
ip route show default
ip route show 0.0.0.0/0
ip route show 10.2.0.0/16
ip route show to 10.2.0.0/16
ip route show to match 10.2.3.4
ip route show match 10.2.3.4/24
ip route show root 10.0.0.0/8
ip route show exact 10.0.0.0/8
ip route show exact default
ip route show to root 0/0
ip route show from 10.0.0.0/8
ip route show from root 0/0
ip route show bogus
ip route show vrf x
ip route show unicast
ip route show table main table local
ip route show nhid 5
ip route list dev h2a via 10.1.0.2
ip route ls
ip route lst
ip r s
ip ro l
ip -6 route show fd00::/16
ip -6 route show root fd00::/16
ip -6 route show match fd00::77
ip -f inet6 route
ip -f bridge route
ip -0 route
ip route get 10.2.3.4
ip -d route get 10.2.3.4
ip -j route get 10.2.3.4
ip -j -p route get 10.2.3.4
ip -c route get 10.2.3.4
ip -o route get 10.2.3.4
ip route get 10.1.0.1
ip route get 10.1.0.255
ip route get 127.0.0.1
ip route get fd00::5
ip -d route get fd00::1
ip route get 10.18.0.1
ip route get fibmatch 10.2.3.4
ip -j route get fibmatch 10.9.3.4
ip route get 10.2.3.4 from 10.1.0.1
ip route get 10.2.3.4 from 10.1.0.99 iif h2a
ip route get 10.1.0.1 from 10.1.0.99 iif h2a
ip route get 10.2.3.4 oif h2a
ip route get 10.2.3.4 dev h2a mark 5 tos 4 uid 3
ip route get 10.2.3.4 oif nosuch
ip route get 10.2.3.4 iif nosuch
ip route get 10.2.3.4 ipproto udp sport 5 dport 7
ip route get 10.2.3.4 ipproto bogus
ip route get 10.2.3.4 sport bogus
ip route get 10.2.3.4/24
ip route get to 10.2.3.4
ip route get 10.2.3.4 10.2.3.5
ip route get default
ip route get 10.2.3.4 mark x
ip route get 10.2.3.4 uid x
ip -6 route get 10.1.0.1
ip route get 10.2.3.4 vrf x
ip route get ::ffff:1.2.3.4
ip route get help
ip route del 10.2.0.0/16 via 10.1.0.99
ip route del 10.2.0.0/16 tos 0x10
ip route del 10.2.0.0/16
ip route del 10.2.0.0/16 table 300
ip route del 10.99.0.0/16
ip route del unreachable 10.5.0.0/16
ip route del local 10.55.0.0/16
ip route del default metric 500
ip route del fd00:4::/64 via fd00::5
ip -6 route del default
ip route del fd00:77::/64
ip route chg 10.18.0.0/16 dev h2a mtu 1200
ip route test 10.18.0.0/16
ip route a 10.100.0.0/16 dev h2a
ip route d 10.100.0.0/16
ip route c 10.18.0.0/16 dev h2a
ip route rep 10.18.0.0/16 dev h2b
ip route flush 10.18.0.0/16
ip -s route flush 10.19.0.0/16
ip -s -s route flush 10.9.0.0/16
ip route flush dev nosuch
ip route flush proto static
ip route flush table 300
ip route flush table 12345
ip route flush cache
ip -6 route flush cache
ip -s route flush cache
ip route flush
ip route flush root 10.0.0.0/8
ip -6 route flush proto boot
ip -6 route
ip route
ip route flush table all
ip route frob
ip route help
ip route add help
ip route show help
