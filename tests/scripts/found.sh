# What the kernels once differed in, found by random scripts.
sysctl -wq net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
# Tables: when they come to be, and what is said where they don't.
ip route del 10.0.0.0/8
ip route del 10.0.0.1/24 dev lo
ip neigh add 10.0.0.3 dev lo nud permanent
ip route add unicast 10.0.0.0/8
netstat -rn
ip netns add n
ip -n n rule add table 100 pref 5
ip -n n link set lo up
ip -n n route del 10.0.0.0/8
ip link add va@ address 02:00:00:00:00:0a type veth peer name vb@ address 02:00:00:00:00:0b
ip link add br@ address 02:00:00:00:00:f0 type bridge
ip link set br@ up
ip link set va@ up
ip link set vb@ up
sleep 1.3
ip link show br@
# Routes
ip addr add 10.0.0.1/24 dev va@
ip route test 10.1.0.0/16 dev va@
ip route test 10.0.0.0/24 dev va@
ip route add 10.1.0.0/16 dev va@ tos 1
ip route get fibmatch 10.0.0.1
ip route get fibmatch 0.0.0.0
route del -net 192.168.0.0 netmask 255.255.255.255 gw 0.0.0.0
route add -host 10.9.0.1 gw 10.0.0.1
ip rule add from default to 224.0.0.0/4 table 0
ip rule add iif va@ tos 1 prohibit
ip rule del iif va@ tos 1 prohibit
ip -d route show table all
ip rule
# Addresses
ifconfig lo 10.0.0.9 netmask 255.0.255.0 broadcast 0.0.0.0
ifconfig va@:2 10.0.0.1/31
ifconfig vb@:2 255.255.255.255/31
ip addr add 10.3.0.1/24 dev vb@ valid_lft forever preferred_lft 0
ip addr
# Neighbours
arp -s 10.0.0.1 02:00:00:00:00:01
arp -i vb@ -s 0.0.0.0 02:00:00:00:00:01 temp pub
arp -i lo -s 10.0.0.7 02:00:00:00:00:01 temp pub
ip neigh replace 10.0.0.2 dev va@
ip neigh show nud none
ip neigh show proxy
bridge fdb add 02:00:00:00:00:01 dev vb@ self temp
bridge fdb add 02:00:00:00:00:01 dev vb@ self vlan 2
bridge fdb add 02:00:00:00:00:01 dev lo master
bridge fdb del 02:00:00:00:00:01 dev lo master vlan 65535
bridge fdb flush dev lo
# Devices
ip link add na@ address 02:00:00:00:00:01 type veth peer name va@ address 01:00:5e:00:00:01
ip link add na@ address 00:00:00:00:00:00 numtxqueues 65535 type veth
ip link add va@ address 02:00:00:00:00:02 netns n type bridge
ip link set vb@ netns n name va@
ip link set vb@ netns n name nb@
ip -n n link set nb@ netns n name na%d
ip -n n -br link
ip link del group 0
brctl addbr na@
cat /sys/class/net/na@/name_assign_type
ip link set na@ txqueuelen 4294967295
cat /sys/class/net/na@/tx_queue_len
echo 1 > /sys/class/net/na@/threaded
ip link set va@ addrgenmode stable_secret
ethtool -L va@ rx 0
ethtool -K va@ sg off
# Settings
sysctl -w net.ipv4.icmp_echo_ignore_all=2
sysctl -w net.ipv4.ip_default_ttl=256
sysctl -w net.ipv4.ipfrag_low_thresh=2147483647
sysctl -w net.ipv4.neigh.va@.proxy_qlen=-1
sysctl -w net.ipv4.neigh.va@.unres_qlen=2147483647
