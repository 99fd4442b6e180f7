//! `netloom diff`: one script, two kernels.

mod common;

use common::{Place, host_network, text};

/// Exit status and output. `None`, and a line that says so, where the host allows no namespaces.
fn diff(place: &Place, script: &str, arguments: &[&str]) -> Option<(Option<i32>, String)> {
    let script = place.file("script.sh", script);
    let output = place.netloom().arg("diff").arg(script).args(arguments).output().expect("the binary starts");
    let errors = text(&output.stderr);
    if errors.contains("leave out --host") {
        eprintln!("skipped: no namespaces here");
        assert_eq!(output.status.code(), Some(2));
        return None;
    }
    Some((output.status.code(), text(&output.stdout) + &errors))
}

#[test]
fn kernels_that_agree() {
    let (place, before) = (Place::new(), host_network());
    let script = "set -eu
        peer() { ip link add \"$1\" type veth peer name netloom-d1; ip link set \"$1\" up; echo \"$#\"; }
        peer \"$1\"
        for name in br0 br1; do ip link add $name type bridge; done
        ip link set \"$1\" master br0
        ip link show nothing || printf 'status %s' $?
        ip -br link | cut -d' ' -f1";
    let Some((status, output)) = diff(&place, script, &["netloom-d0", "-x"]) else { return };
    assert!(output.contains("The kernels agree"), "{output}");
    assert_eq!(status, Some(0));
    assert_eq!(host_network(), before);
    assert!(place.leftovers().is_empty());
}

#[test]
fn kernels_that_part() {
    let place = Place::new();
    let kernel = "[ -n \"$NETLOOM_MACHINE\" ] && kernel=embedded || kernel=host";
    let script = format!(
        "{kernel}\necho same\necho on $kernel\n[ $kernel = host ] || echo more >&2\nbash -c \"exit ${{#kernel}}\""
    );
    let Some((status, output)) = diff(&place, &script, &[]) else { return };
    assert_eq!(status, Some(1), "{output}");
    let expected = "$ echo on $kernel\n->on host\n+>on embedded\n";
    assert!(output.contains(expected), "{output}");
    assert!(output.contains("+$ echo more 1>&2\n+2>more\n+=0\n"), "{output}");
    assert!(output.contains("-=4\n+=8\n"), "{output}");
    assert!(!output.contains("same"), "{output}");
}

#[test]
fn the_kernel_log_is_compared() {
    let place = Place::new();
    let kernel = "[ -n \"$NETLOOM_MACHINE\" ] && up=down || up=up";
    let script = format!(
        "{kernel}\nip link add netloom-d0 type dummy\nip link add netloom-br type bridge\n\
         ip link set netloom-d0 master netloom-br\nip link set netloom-d0 $up"
    );
    let Some((status, output)) = diff(&place, &script, &[]) else { return };
    if output.contains("takes root") {
        eprintln!("skipped: the host's kernel log can't be read");
        return;
    }
    assert_eq!(status, Some(1), "{output}");
    assert!(!output.contains("type bridge"), "{output}");
}

#[test]
fn trouble_is_2() {
    let place = Place::new();
    for arguments in [&["diff", "/nonexistent/script"][..], &["-m", "m", "diff", "/dev/null"]] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}
