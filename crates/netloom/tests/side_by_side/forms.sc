# forms: each display of every form, of a network with something of everything
! sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.default.accept_dad=0
! ip netns add far; ip netns add other; ip netns set far 5
! ip netns exec far sysctl -qw net.ipv6.conf.default.disable_ipv6=1
! ip link set lo up
! ip link add h2br address 02:00:00:00:00:ff type bridge
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b netns far
! ip link add h2c address 02:00:00:00:00:0c type veth peer name h2d address 02:00:00:00:00:0d
! ip link set h2a master h2br alias 'an alias' group 7; ip link property add dev h2a altname another
! for device in h2br h2a h2c h2d; do ip link set $device multicast off; done; ip -n far link set h2b multicast off
! ip link set h2d promisc on mtu 1400 txqueuelen 5; ip link set h2a up; ip -n far link set h2b up; ip link set h2br up
! ip addr add 10.1.0.1/24 brd + dev h2br; ip addr add 10.1.0.2/24 dev h2br label h2br:x; ip addr add 10.9.0.1 peer 10.9.0.2/32 dev h2c
! ip link set h2c up; ip link set h2d up; sleep 1.2
! ip route add 10.3.0.0/16 via 10.1.0.7 metric 5 mtu 1300; ip route add blackhole 10.4.0.0/16; ip route add 10.5.0.0/16 via 10.1.0.7 table 100
! ip route add 10.6.0.0/16 nexthop via 10.1.0.7 weight 2 nexthop via 10.9.0.2 dev h2c
! ip rule add from 10.0.0.0/8 table 100 pref 5; ip rule add fwmark 1/7 iif h2a unreachable
! ip neigh add 10.1.0.7 lladdr 02:00:00:00:00:77 dev h2br; ip neigh add proxy 10.1.0.8 dev h2br
! bridge fdb add 02:00:00:00:00:55 dev h2a master static; bridge fdb add 02:00:00:00:00:56 dev h2a self
for form in '' -d -s '-s -s' -j '-j -p' -br -o -c=always '-d -j' '-d -o' '-d -s -s' '-br -c=always' '-br -j' '-o -c=always' -N -h -iec '-s -h' '-s -iec' '-d -c=always' -t; do echo "## $form"; ip $form link; done
for form in '' -d -s '-s -s' -j '-j -p' -br -o -c=always '-d -j' '-d -o' '-d -s -s' '-br -c=always' '-br -j' '-o -c=always' -N -4 -0; do echo "## $form"; ip $form addr; done
for form in '' -d -s -j '-j -p' -br -o -c=always '-d -j' '-d -o' -N -4; do echo "## $form"; ip $form route; ip $form route show table all; ip $form route get 10.3.0.1 | sed 's/age [0-9]*sec //'; ip $form route get fibmatch 10.3.0.1; done
for form in '' -d -j '-j -p' -br -o -c=always '-d -j' -N; do echo "## $form"; ip $form neigh; ip $form neigh show proxy; ip $form neigh get 10.1.0.7 dev h2br; done
for form in '' -d -s -j '-j -p' -br -o -c=always '-d -j' -N; do echo "## $form"; ip $form rule; done
for form in '' -d -s -j '-j -p' -br -o -c=always; do echo "## $form"; ip $form netns; ip $form netns list-id; ip $form netconf; ip $form maddr; ip $form -n far link; done
for form in '' -d -s -j '-j -p' -o -c=always '-d -j' '-d -o' '-s -d' '-d -c=always'; do echo "## $form"; bridge $form link; done
for form in '' -d -j '-j -p' -o -c=always '-d -j' -N; do echo "## $form"; bridge $form fdb; bridge $form fdb show br h2br; bridge $form fdb get 02:00:00:00:00:55 br h2br; done
for form in '' -d -s -j '-j -p' -o -c=always '-d -j' '-s -j'; do echo "## $form"; bridge $form vlan; bridge $form mdb; done
for form in '' '-a' '-s' '-a -s' '-v' 'h2br' 'h2br:x' '-s h2br' 'h2a'; do echo "## $form"; ifconfig $form | grep -v -e 'X packets' -e BMRU -e BMU -e LRU -e 'X errors'; done
for form in '' -n -e -ee '-n -e' '-n -ee' '-A inet' '-A inet6' -6 -C '-n -C' -v; do echo "## $form"; route $form -n; done
for form in '' -n -a -e -v '-n -v' '-a -n' '-n -i h2br' '-i nosuch' '-n 10.1.0.7' '-a -n 10.1.0.7' '-H ether'; do echo "## $form"; arp -n $form; done
for form in -r '-rn' '-rne' '-rnee' -rnC '-gn' '-g' '-i' '-ie' '-rn -A inet' '-M'; do echo "## $form"; netstat -n $form | grep -v -e BMRU -e BMU -e LRU; done
for form in '' -i -k -l -g -a -c -S -T -P -m --show-eee --show-fec --show-priv-flags -n -x -u -d -j '--json -k' '--json -l'; do echo "## $form"; ethtool $form h2a; echo "= $?"; done
for form in 'show' 'show h2br' 'showmacs h2br' 'showstp h2br' show\ nosuch 'showmacs nosuch' 'showstp nosuch'; do echo "## $form"; brctl $form; echo "= $?"; done
