# refusals: no rights, namespaces that go away or are none, names that aren't there, what this kernel doesn't know
! ip link add h2br address 02:00:00:00:00:ff type bridge
! ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b
! ip netns add far; ip netns add gone; touch /run/netns/file; mkdir /run/netns/folder; ln -s nowhere /run/netns/dangling
# Without any capability
setpriv --bounding-set=-all ip link add x0 type bridge
setpriv --bounding-set=-all ip link add x0 type veth peer name x1
setpriv --bounding-set=-all ip link set h2a up
setpriv --bounding-set=-all ip link set h2a master h2br
setpriv --bounding-set=-all ip link set h2a netns far
setpriv --bounding-set=-all ip link set h2a type bridge_slave cost 5
setpriv --bounding-set=-all ip link del h2a
setpriv --bounding-set=-all ip link property add dev h2a altname other
setpriv --bounding-set=-all ip addr add 10.0.0.1/24 dev h2a
setpriv --bounding-set=-all ip addr del 10.0.0.1/24 dev h2a
setpriv --bounding-set=-all ip addr flush dev h2a
setpriv --bounding-set=-all ip route add 10.1.0.0/16 dev h2a
setpriv --bounding-set=-all ip route del 10.1.0.0/16
setpriv --bounding-set=-all ip route flush cache
setpriv --bounding-set=-all ip rule add table 5
setpriv --bounding-set=-all ip rule flush
setpriv --bounding-set=-all ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev h2a
setpriv --bounding-set=-all ip neigh flush dev h2a
setpriv --bounding-set=-all ip maddr add 01:00:5e:00:00:05 dev h2a
setpriv --bounding-set=-all ip tuntap add t0 mode tap
setpriv --bounding-set=-all ip netns add more
setpriv --bounding-set=-all ip netns del far
setpriv --bounding-set=-all ip netns exec far true
setpriv --bounding-set=-all ip netns set far 7
setpriv --bounding-set=-all ip netns attach more $$
setpriv --bounding-set=-all ip -n far link
setpriv --bounding-set=-all ip -br link show h2a
setpriv --bounding-set=-all bridge fdb add 02:00:00:00:00:02 dev h2a self
setpriv --bounding-set=-all bridge link set dev h2a cost 5
setpriv --bounding-set=-all bridge vlan add vid 5 dev h2a
setpriv --bounding-set=-all bridge mdb add dev h2br port h2a grp 239.1.1.1
setpriv --bounding-set=-all bridge fdb
setpriv --bounding-set=-all brctl addbr x0
setpriv --bounding-set=-all brctl delbr h2br
setpriv --bounding-set=-all brctl addif h2br h2a
setpriv --bounding-set=-all brctl stp h2br on
setpriv --bounding-set=-all brctl setageing h2br 5
setpriv --bounding-set=-all brctl show
setpriv --bounding-set=-all ifconfig h2a up
setpriv --bounding-set=-all ifconfig h2a 10.0.0.1
setpriv --bounding-set=-all ifconfig h2a mtu 1400 hw ether 02:00:00:00:00:05
setpriv --bounding-set=-all route add -net 10.1.0.0/16 dev h2a
setpriv --bounding-set=-all route del -net 10.1.0.0/16
setpriv --bounding-set=-all arp -i h2a -s 10.0.0.2 02:00:00:00:00:02
setpriv --bounding-set=-all arp -d 10.0.0.2
setpriv --bounding-set=-all ethtool -K h2a gro off
setpriv --bounding-set=-all ethtool -s h2a speed 100 duplex full
setpriv --bounding-set=-all ethtool -L h2a rx 1
setpriv --bounding-set=-all ethtool -k h2a | head -3
printf 'link set h2a up\nlink set h2b up\n' | setpriv --bounding-set=-all ip -batch -
printf 'link set h2a up\nlink set h2b up\n' | setpriv --bounding-set=-all ip -force -batch -
# Namespaces that go away, and what is none
ip netns exec gone sh -c 'ip netns del gone; ip link show lo; ip -n gone link; ip netns exec gone true; ip netns pids gone'
ip -n gone link
ip -n file link
ip -n folder link
ip -n dangling link
ip netns exec file true
ip netns exec folder true
ip netns exec dangling true
ip netns exec nosuch true
ip netns exec far /no/such/program
ip netns exec far /
ip netns exec
ip netns pids file
ip netns pids nosuch
ip netns set file 5
ip netns set nosuch 5
ip netns identify 4194304
ip netns identify x
ip netns attach file $$
ip netns attach far $$
ip netns attach new 4194304
ip netns add far
ip netns add file
ip netns add a/b
ip netns add ..
ip netns del nosuch
ip netns del a/b
ip netns list-id target-nsid 99
ip netns list-id nsid 99
ip link set h2a netns file
ip link set h2a netns nosuch
ip link set h2a netns 4194304
ip link add x0 type veth peer name x1 netns nosuch
ip link show netns nosuch
ip netns
ip netns del file
ip netns del dangling
bridge -n nosuch link
bridge -n file link
# Names that aren't there
ip link show nosuch
ip addr show nosuch
ip addr show dev nosuch
ip route show dev nosuch
ip route get 10.9.9.9
ip route get 10.9.9.9 oif nosuch
ip neigh show dev nosuch
ip neigh get 10.0.0.9 dev nosuch
ip link show master nosuch
ip link show type nosuch
ip link set h2a master nosuch
ip addr add 10.0.0.1/24 dev nosuch
ip monitor dev nosuch
ip maddr show dev nosuch
bridge link show dev nosuch
bridge fdb show br nosuch
bridge fdb show dev nosuch
bridge vlan show dev nosuch
bridge mdb show dev nosuch
brctl show nosuch
brctl addif nosuch h2a
brctl addif h2br nosuch
brctl delbr nosuch
ifconfig nosuch
route add -net 10.1.0.0/16 dev nosuch
arp -n -i nosuch
ethtool nosuch
ethtool -i nosuch
ethtool -k nosuch
ethtool -S nosuch
# What the kernel doesn't know, or knows and can't do
ip link add x0 type nosuch
ip link add x0 type dummy; ip link del x0
ip link add x0 type vxlan
ip link add x0 link h2a type vlan id 5; ip link del x0
ip link add x0 type bond; ip link del x0
ip link add x0 type tun
ip link set lo master h2br
ip link set h2br master h2br
ip link del lo
ip link set h2br type veth
ip link set h2a type bridge ageing_time 5
ip link set h2a carrier off
ip link set h2a mode bogus
ip -f mpls route
ip -f mpls addr
ip -f bogus link
ethtool -g h2a
ethtool -c h2a
ethtool -p lo 1
ethtool -r h2a
ethtool -t lo
