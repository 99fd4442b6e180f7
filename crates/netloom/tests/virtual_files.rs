//! What unmodified programs see of the virtual trees: files, directories, globs, redirections, links.

mod common;

use common::Place;

/// Runs a script and compares all it said.
fn expect(script: &str, expected: &str) {
    let (output, _) = Place::new().script(script);
    assert_eq!(output, expected, "{script}");
}

const PAIR: &str = "ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b\n";

fn expect_with_pair(script: &str, expected: &str) {
    expect(&format!("{PAIR}{script}"), expected);
}

#[test]
fn a_file_is_read() {
    expect_with_pair("cat /sys/class/net/h2a/address /sys/class/net/h2a/mtu", "02:00:00:00:00:0a\n1500\n");
    expect_with_pair(
        "read mtu < /sys/class/net/h2a/mtu; echo $mtu; head -c4 //sys/./class/net/h2a/../h2a/mtu",
        "1500\n1500",
    );
}

#[test]
fn reading_fails_as_on_linux() {
    expect_with_pair("cat /sys/class/net/h2a/carrier", "cat: /sys/class/net/h2a/carrier: Invalid argument\n");
    expect("cat /sys/class/net/x/mtu", "cat: /sys/class/net/x/mtu: No such file or directory\n");
    expect("cat /sys/class/net/lo/mtu/x", "cat: /sys/class/net/lo/mtu/x: Not a directory\n");
    expect("cat /sys/class/net/lo", "cat: /sys/class/net/lo: Is a directory\n");
}

#[test]
fn a_file_is_written() {
    let script = "echo 1400 > /sys/class/net/h2a/mtu; echo $?; cat /sys/class/net/h2a/mtu; echo 1300 | tee /sys/class/net/h2a/mtu; cat /sys/class/net/h2a/mtu";
    expect_with_pair(script, "0\n1400\n1300\n1300\n");
}

#[test]
fn writing_fails_as_on_linux() {
    for (script, expected) in [
        ("echo 10 > /sys/class/net/h2a/mtu", "echo: write error: Invalid argument"),
        ("echo x > /sys/class/net/h2a/mtu", "echo: write error: Invalid argument"),
        ("echo 02:00:00:00:00:0c > /sys/class/net/h2a/address", "/sys/class/net/h2a/address: Permission denied"),
        ("echo 1 > /sys/class/net/h2a/nosuch", "/sys/class/net/h2a/nosuch: Permission denied"),
        ("echo 1 > /sys/class/net/h2a", "/sys/class/net/h2a: Is a directory"),
    ] {
        expect_with_pair(&format!("bash -c '{script}'; echo =$?"), &format!("bash: line 1: {expected}\n=1\n"));
    }
}

#[test]
fn directories_are_listed_and_entered() {
    expect_with_pair(
        "ls /sys/class/net; echo /sys/class/net/*/mtu",
        "h2a\nh2b\nlo\n/sys/class/net/h2a/mtu /sys/class/net/h2b/mtu /sys/class/net/lo/mtu\n",
    );
    let walk = "cd /sys/class/net/h2a && for f in $(find . -maxdepth 1 -name 'mt*' -type f | sort); do printf '%s: ' ${f#./}; cat $f; done";
    expect_with_pair(walk, "mtu: 1500\n");
    expect_with_pair(
        "cd /sys/class/net/h2a; pwd; /bin/pwd; cd statistics; cat ../mtu; ls -d rx_b*; cd /tmp; /bin/pwd",
        "/sys/class/net/h2a\n/sys/devices/virtual/net/h2a\n1500\nrx_bytes\n/tmp\n",
    );
    expect("bash -c 'cd /sys/class/net/lo/mtu'", "bash: line 1: cd: /sys/class/net/lo/mtu: Not a directory\n");
}

#[test]
fn links_lead_within_the_tree() {
    expect_with_pair(
        "readlink /sys/class/net/h2a /sys/class/net/h2a/subsystem; realpath /sys/class/net/h2a/subsystem/lo; cat /sys/class/net/h2a/subsystem/h2b/mtu",
        "../../devices/virtual/net/h2a\n../../../../class/net\n/sys/devices/virtual/net/lo\n1500\n",
    );
}

#[test]
fn listings_show_roots_files() {
    expect_with_pair(
        "ls -l /sys/class/net/h2a/ | awk '$9 ~ /^(mtu|address|statistics|subsystem)$/ {print $1,$3,$4,$5,$9}'; ls -l /sys/class/net/lo | awk '{print $1,$9,$10,$11}'",
        "-r--r--r-- root root 4096 address\n-rw-r--r-- root root 4096 mtu\ndrwxr-xr-x root root 0 statistics\nlrwxrwxrwx root root 0 subsystem\nlrwxrwxrwx /sys/class/net/lo -> ../../devices/virtual/net/lo\n",
    );
    expect(
        "cp /sys/class/net/lo/mtu copy && cat copy; rm copy; test -w /sys/class/net/lo/mtu && test ! -x /sys/class/net/lo/mtu && echo yes",
        "65536\nyes\n",
    );
}

#[test]
fn each_namespace_has_its_own_files() {
    let script = "ip netns add n\nip link set h2b netns n\nip netns exec n ls /sys/class/net\nls /sys/class/net\nip netns exec n bash -c 'readlink /proc/self/ns/net; grep -c : /proc/net/dev; cd /sys/class/net/h2b; (sleep 0.1; cat mtu) & wait'\nnsenter --net=/run/netns/n bash -c 'grep -c : /proc/net/dev; ls /sys/class/net/; cd /sys/class/net; ip netns exec n ls'\nunshare -n ls /sys/class/net";
    expect_with_pair(script, "h2b\nlo\nh2a\nlo\nnet:[4026531841]\n2\n1500\n2\nh2a\nlo\nh2a\nlo\nh2a\nlo\n");
}

#[test]
fn a_process_whose_parent_was_killed_stays_in_its_namespace() {
    let script = "export OUT=$0.out; ip netns add n; ip netns exec n bash -c '(ls / > /dev/null; sleep 1; readlink /proc/self/ns/net > $OUT) & sleep 0.4; kill -9 $$' 2> /dev/null; sleep 1.5; cat $OUT";
    let (output, _) = Place::new().script(script);
    assert!(output.ends_with("net:[4026531841]\n"), "{output}");
}

#[test]
fn nothing_is_made_beside_a_virtual_directory() {
    let place = Place::new();
    let script = format!(
        "cd {0}; cd /sys/class/net; ln -s a b; mknod c p; ln lo/mtu d; ln -s x /run/netns/y; touch lo; chown 1 lo/mtu; touch -d yesterday lo/mtu; rmdir lo; mv lo/mtu /tmp/x; echo > ../../../dev/null; ln -s a ../../..{0}/made; ls {0}",
        place.path().display()
    );
    let expected = "ln: failed to create symbolic link 'b': Operation not permitted\nmknod: c: Operation not permitted\nln: failed to create hard link 'd' => 'lo/mtu': Operation not permitted\nln: failed to create symbolic link '/run/netns/y': Operation not permitted\nrmdir: failed to remove 'lo': Not a directory\nmv: cannot remove 'lo/mtu': Operation not permitted\nmade\nnetloom\nscript.sh\n";
    assert_eq!(place.script(&script).0, expected);
}

#[test]
fn namespaces_that_are_gone_leave_no_files() {
    let script = "for i in 1 2 3 4 5; do ip netns add n$i; ip netns exec n$i ls /sys/class/net > /dev/null; ip netns del n$i; done; ls ${NETLOOM_MACHINE%/socket}/mirror | wc -l";
    expect(script, "1\n");
}

#[test]
fn orphans_stay_in_their_namespace() {
    let script = "export OUT=$0.out; ip netns add n; ip netns exec n bash -c '(sleep 0.2; readlink /proc/self/ns/net > $OUT) &'; sleep 0.1; ip netns pids n | wc -l; sleep 0.4; cat $OUT";
    expect(script, "2\nnet:[4026531841]\n");
}

#[test]
fn names_of_namespaces_are_files() {
    let script = "ip netns add n; touch /run/netns/plain; ls /var/run/netns; stat -f -c %T /run/netns/n; cat /run/netns/n; rmdir /run/netns/n; rm /run/netns/n; mv /run/netns/n /run/netns/m; rm /run/netns/plain; ls -l /run/netns | cut -c1-23";
    expect(
        script,
        "n\nplain\nnsfs\ncat: /run/netns/n: Invalid argument\nrmdir: failed to remove '/run/netns/n': Not a directory\nrm: cannot remove '/run/netns/n': Device or resource busy\nmv: cannot move '/run/netns/n' to '/run/netns/m': Device or resource busy\ntotal 0\n-r--r--r-- 1 root root \n",
    );
}

#[test]
fn a_namespaces_own_files_of_etc() {
    let script = "ip netns add n; mkdir -p /etc/netns/n; echo 'nameserver 192.0.2.53' > /etc/netns/n/resolv.conf; ip netns exec n cat /etc/resolv.conf; rm -r /etc/netns/n; ls /etc/netns; test -e /etc/netns/n || echo gone";
    expect(script, "nameserver 192.0.2.53\ngone\n");
}

#[test]
fn the_kernel_log_is_followed() {
    let script = "echo 10 > /sys/class/net/h2a/mtu 2> /dev/null; timeout 0.3 cat /dev/kmsg | grep -c 'h2a: mtu less than device minimum'";
    expect_with_pair(script, "1\n");
}

#[test]
fn static_programs_see_the_same() {
    let place = Place::new();
    let source = place.file("cat.c", "#include <stdio.h>\nint main(int n, char **a) { FILE *f = fopen(a[1], \"r\"); int c; if (!f) { perror(a[1]); return 1; } while ((c = getc(f)) != EOF) putchar(c); return 0; }\n");
    let binary = place.path().join("cat");
    let made = std::process::Command::new("cc").arg("-static").arg(source).arg("-o").arg(&binary).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no C compiler that links statically");
        return;
    }
    let (output, status) = place.script(&format!("{} /sys/class/net/lo/mtu", binary.display()));
    assert_eq!((output.as_str(), status), ("65536\n", Some(0)));
}

#[test]
fn threads_see_what_their_process_sees() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let script = "ip netns add n; ip netns exec n python3 -c '\nimport threading, os\ndef f(): print(sorted(os.listdir(\"/sys/class/net\")))\nt = threading.Thread(target=f); t.start(); t.join()'";
    expect(script, "['lo']\n");
}

#[test]
fn many_files_may_be_open() {
    expect(
        "for i in {10..200}; do eval \"exec $i< /sys/class/net/lo/mtu\"; done; read -u 200 mtu; echo $mtu",
        "65536\n",
    );
}
