# ip tuntap: words, modes, accounts
ip tuntap
ip tuntap help
ip tuntap add
ip tuntap add mode tun
ip tuntap add mode tap
ip tuntap add name 'q%d' mode tap
ip tuntap list
ip tuntap show dev tun0
ip tuntap lst mode tap
ip tuntap frob
ip tuntap add mode
ip tuntap add x1 mode tun mode tap
ip tuntap add x1 mode tun user nosuch
ip tuntap add x1 mode tun group nosuch
ip tuntap add x1 x2 mode tun
ip tuntap add dev x1 dev x2 mode tun
ip tuntap add a/b mode tun
ip tuntap add a23456789012345678 mode tun
ip tuntap add x9 mode tun user root group root pi one_queue vnet_hdr
ip tuntap show
ip -j tuntap
ip -j -p tuntap show dev x9
ip -d link show x9
ip -o tuntap
ip -s tuntap
ip tuntap del
ip tuntap del dev
ip tuntap del dev nosuch
ip tuntap del dev nosuch mode tun
ip tuntap change
ip tap
ip tuntap add lo mode tun
ip tuntap add x11 mode tun user 5000000000
ip tuntap add x12 mode tun user -1
ip tuntap add x12 mode tun
ip tuntap del x12 mode tap
ip tuntap del x12 mode tun
ip tuntap add mo tu
ip tuntap add mode ""
ip tuntap add x14 mode ta
ip tuntap add mode tap us root na x15
ip tuntap add x16 mode tun pi pi p on v
ip tuntap add x17 mode tap mul
ip tuntap del x17 mode tap
ip tuntap d x17 mode tap mul
ip tuntap add x18 mode tun user ""
ip tuntap add x18 mode tun user 12x
ip tuntap add x18 mode tun user 0x10
ip tuntap add x18 mode tun user ' 7' gr daemon
ip tuntap add h
ip tuntap add x18 bogus
ip tuntap add all mode tun
ip tuntap
ip -4 tuntap
ip -d -j link show x15
ip link add u0 type tun
ip link set x15 up
ip link show x15
