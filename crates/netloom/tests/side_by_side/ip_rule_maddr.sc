# ip rule and ip maddr
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip link set lo up; ip link set h2a up; ip link set h2b up; ip addr add 10.1.0.1/24 dev h2a; ip link add h2br address 02:00:00:00:00:fe type bridge; ip link set h2br up
ip rule
ip -6 rule
ip -d rule
ip -N rule
ip -c rule
ip -j -p rule
ip rule add from 10.0.0.0/8 table 100
ip rule add from all to 10.0.0.0/8 lookup 300 pref 5 iif h2a oif h2b fwmark 3/7 tos 4 uidrange 1-5 ipproto tcp sport 1-2 dport 5 suppress_prefixlength 0 suppress_ifgroup 3
ip rule add not from 10.0.0.0/8 blackhole pref 6
ip rule add from fd00::/8 prohibit pref 7
ip -6 rule add from fd00::/8 prohibit pref 7
ip rule add from all goto 32766 pref 8
ip rule add from all goto 9999 pref 9
ip rule add from all nop pref 10
ip rule add l3mdev pref 11
ip rule add unreachable pref 12 fwmark 0x10
ip rule add from 10.1.0.1 iif nosuch table main priority 13 protocol static
ip rule add from 10.1.0.1 table local order 14 realms 3/4
ip rule add fwmark 5 table 55 pref 15
ip rule add iif lo table 55 pref 16
ip rule add dsfield 8 lookup 57 pref 17
ip rule add sport 50 table 58 pref 18
ip rule add uidrange 7-7 table 59 pref 19
ip rule add ipproto 47 table 60 pref 20
ip rule add to default table 61 pref 21
ip rule add suppress_prefixlength 0 pref 22
ip rule add tun_id 5 table 62 pref 23
ip rule add type unicast table 62 pref 24
ip rule add 
ip rule add bogus
ip rule add from bogus
ip rule add pref x
ip rule add table x
ip rule add fwmark x
ip rule add tos x
ip rule add iif
ip rule add uidrange x
ip rule add ipproto x
ip rule add sport x
ip rule add protocol x
ip rule add suppress_prefixlength x
ip rule add suppress_ifgroup x
ip rule add goto x
ip rule add nat 1.2.3.4
ip rule add from 10.0.0.0/8 table 100 pref 5
ip rule
ip -d rule
ip -N rule
ip -s rule
ip -c rule
ip -6 rule
ip -j rule
ip -j -p rule
ip -o rule
ip rule show table 100
ip rule list from 10.0.0.0/8
ip rule lst to 10.0.0.0/8
ip rule show from 10.1.0.1
ip rule show pref 5
ip rule show iif h2a
ip rule show oif h2b
ip rule show fwmark 3
ip rule show not
ip rule show lookup main
ip rule show tos 4
ip rule show protocol static
ip rule show protocol kernel
ip rule show ipproto tcp
ip rule show uidrange 1-5
ip rule show l3mdev
ip rule show bogus
ip rule show table bogus
ip rule ls
ip rule sh
ip ru
ip rule del pref 5
ip rule delete from 10.0.0.0/8 table 100
ip rule del pref 999
ip rule del
ip rule frob
ip rule help
ip rule add help
ip rule flush
ip rule
ip rule add from 10.0.0.0/8 table 100 protocol ra
ip rule flush protocol ra
ip rule flush table 5
ip rule
ip maddr show dev h2a
ip maddr list dev h2a
ip -4 maddr show dev h2a
ip -6 maddr show dev h2a
ip -0 maddr show dev h2a
ip -f link maddr show dev h2a
ip -j maddr show dev h2a
ip -j -p maddr show dev h2a
ip -c maddr show dev h2a
ip -o maddr show dev h2a
ip -s maddr show dev h2a
ip maddr show dev nosuch
ip maddr show nosuch
ip maddr show h2a
ip maddr show h2a h2b
ip maddr add 33:33:00:00:00:99 dev h2br
ip maddr add 01:00:5e:00:00:99 dev h2br
ip maddr add 01:00:5e:00:00:99 dev h2br
ip maddr add 10.1.1.1 dev h2br
ip maddr add 02:00:00:00:00:01 dev h2br
ip maddr add zz dev h2br
ip maddr add 01:00:5e:00:00:99
ip maddr add dev h2br
ip maddr add
ip maddr add 01:00:5e:00:00:99 dev nosuch
ip maddr add 01:00:5e:00:00:99 01:00:5e:00:00:98 dev h2br
ip maddr add 01:00:5e:00:00:99 dev h2br dev h2a
ip maddr add ff02::5 dev h2br
ip maddr show dev h2br
ip maddr del 01:00:5e:00:00:99 dev h2br
ip maddr del 01:00:5e:00:00:99 dev h2br
ip maddr delete 33:33:00:00:00:99 dev h2br
ip maddr frob
ip maddr help
ip maddr add help
