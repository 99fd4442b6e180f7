#!/usr/bin/env bash
# A tour of veth, bridge and promiscuous mode: namespaces, a cable between them, finding a cable's other end, a bridge that takes
# what its port receives, an outside host on a LAN. Ordinary commands only; each is shown with its output, like a terminal.
#
#   netloom run examples/veth-bridge.sh
set -u

# Shows a command like a prompt would, then runs it. Several commands here are expected to fail: the tour goes on.
sh() {
    printf '\033[1m$ %s\033[0m\n' "$1"
    eval "$1"
}
say() {
    printf '\n\033[36m# %s\033[0m\n' "$1"
}
# Without a terminal there are no colours.
if ! [ -t 1 ]; then
    sh() { printf '$ %s\n' "$1"; eval "$1"; }
    say() { printf '\n# %s\n' "$1"; }
fi
# The network outside is not part of the tour: a LAN with a router and another host, at the other end of this host's eth0.
outside() { "$@" > /dev/null; }
outside ip netns add lan
outside ip link add eth0 address 02:00:00:00:02:65 type veth peer name eth0 address 02:00:00:00:02:66 netns lan
outside ip -n lan addr add 1.2.3.102/24 dev eth0
outside ip -n lan addr add 1.2.3.1/24 dev eth0
outside ip -n lan link set eth0 up
outside ip link set eth0 up
outside ip link set lo up
outside ip addr add 1.2.3.101/24 dev eth0

say '1. A namespace and a veth pair'
sh 'ip netns add newns'
sh 'ip netns exec newns ip link set lo up'
sh 'ip link add veth0 address 02:00:00:00:01:00 type veth peer name veth1 address 02:00:00:00:01:01'
sh 'ip link show'
sh 'ip link set veth1 netns newns'
sh 'ip netns exec newns ifconfig veth1 10.1.1.1/24 up'
sh 'ifconfig veth0 10.1.1.2/24 up'
sh 'ifconfig veth0'
sh 'ping -c 1 -I veth0 10.1.1.1'
sh 'ip neigh'

say '2. Which device is at the other end?'
sh 'cat /sys/class/net/veth0/ifindex /sys/class/net/veth0/iflink'
sh 'ip netns exec newns cat /sys/class/net/veth1/ifindex /sys/class/net/veth1/iflink'
sh 'ip link show veth0'
sh "ip netns exec newns ip link show | grep if$(cat /sys/class/net/veth0/ifindex)"
sh 'ethtool -S veth0 | grep peer_ifindex'
sh 'ip addr show veth0'

say '3. veth0 joins a bridge, and the ping stops: what veth0 receives now goes to the bridge'
sh 'ip link add name br0 type bridge'
sh 'ip link set br0 up'
sh 'ip link set dev veth0 master br0'
sh 'bridge link'
sh 'brctl show'
say 'br0 has taken the address of veth0'
sh 'ip link show br0'
sh 'ping -c 1 -W 1 -I veth0 10.1.1.1'

say '4. The address moves to the bridge, and the ping works'
sh 'ip addr del 10.1.1.2/24 dev veth0'
sh 'ip addr add 10.1.1.2/24 dev br0'
sh 'ping -c 1 -I br0 10.1.1.1'
sh 'bridge fdb show br br0 | grep -v self'
sh 'brctl showmacs br0'

say '5. eth0 joins too: the namespace is on the same LAN as the outside host'
sh 'ip link set dev eth0 master br0'
sh 'ip addr del 1.2.3.101/24 dev eth0'
sh 'ip addr add 1.2.3.101/24 dev br0'
sh 'ping -c 1 -I br0 1.2.3.102'
sh 'ip netns exec newns ip addr add 1.2.3.103/24 dev veth1'
sh 'ip netns exec newns ping -c 1 1.2.3.102'
sh 'ip route add default via 1.2.3.1'
sh 'ip route'
sh 'route -n'

say '6. Promiscuous mode: a port is in it as long as it is in a bridge'
sh 'ip -d link show eth0 | grep -o "promiscuity [0-9]*"'
sh 'ifconfig eth0 promisc'
sh 'ifconfig eth0 | head -1'
sh 'netstat -i'
sh 'ifconfig eth0 -promisc'
sh 'ip -d link show eth0 | grep -o "promiscuity [0-9]*"'
sh 'brctl delif br0 eth0'
sh 'ip -d link show eth0 | grep -o "promiscuity [0-9]*"'
sh 'ip link set eth0 promisc on'
sh 'ip link show eth0 | head -1'
sh 'ip link set eth0 promisc off'
sh 'dmesg | grep promiscuous'
